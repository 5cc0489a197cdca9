"""A certificate is renewed while the service runs: for passes and pushes, in every worker."""

import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from app.cards.models import Card
from app.clock import system_clock
from app.demo import processes
from app.demo.apns import ApnsStandIn
from passes.apple import cms
from tests.app.api.programmes import Programme
from tests.app.certs.apple import PASS_TYPE, Apple

WORKERS = 2
TOKEN = "a1" * 32


def fetch(url: str) -> bytes:
    """A pass, over a connection of its own: any worker may answer."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
        found: bytes = answer.read()
    return found


def part(file: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return archive.read(name)


def signers(url: str) -> set[x509.Certificate | None]:
    """Who signs the passes that all workers give out."""
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(fetch, [url] * 8 * WORKERS))
    return {cms.read(part(file, "signature")).signer for file in files}


def answered(shop: Any, apple: Apple, folder: Path, *more: str) -> x509.Certificate:
    """Request a certificate, let Apple answer and install it; that certificate."""
    path = Path(shop.run("certs", "request").splitlines()[0])
    answer = apple.answer(path, system_clock() - timedelta(hours=1))
    cer = folder / f"{path.stem}.cer"
    cer.write_bytes(answer)
    assert "Installed" in shop.run("certs", "install", str(cer), *more)
    return x509.load_der_x509_certificate(answer)


def register(url: str, file: bytes) -> None:
    """Do what a phone does once it has the pass."""
    content = json.loads(part(file, "pass.json"))
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{url}/v1/devices/phone/registrations/{PASS_TYPE}/{content['serialNumber']}",
        data=json.dumps({"pushToken": TOKEN}).encode(),
        headers={"Authorization": f"ApplePass {content['authenticationToken']}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        assert answer.status == 201


def earn(shop: Any) -> None:
    with shop.open() as context:
        with context.database.read_all() as session:
            card = session.scalars(select(Card)).one()
        Programme(context, card.programme_id, "kaffa").earn(card)


def test_a_renewed_certificate_signs_and_pushes_without_a_restart(
    elsewhere: Any, database_urls: Callable[[str], str], tmp_path: Path
) -> None:
    apple = Apple.make(system_clock() - timedelta(days=1))
    root, wwdr, ca = (tmp_path / name for name in ("root.cer", "wwdr.cer", "apns.pem"))
    root.write_bytes(apple.root.public_bytes(Encoding.DER))
    wwdr.write_bytes(apple.wwdr.public_bytes(Encoding.DER))
    chain = [each.public_bytes(Encoding.PEM) for each in (apple.root, apple.wwdr)]
    with ApnsStandIn(client_ca=b"".join(chain)) as apns:
        ca.write_bytes(apns.ca_pem)
        shop, port = elsewhere(), processes.free_port()
        shop.settings |= {
            "COUNTERFOIL_DATABASE_URL": database_urls("postgresql"),
            "COUNTERFOIL_WORKERS": str(WORKERS),
            "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
            "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
            "COUNTERFOIL_APNS_URL": apns.url,
            "COUNTERFOIL_APNS_CA": str(ca),
        }
        shop.run("programme", "add", "kaffa", "Kaffa")
        before = answered(shop, apple, tmp_path, str(root), "--intermediate", str(wwdr))
        url = shop.json("card", "issue")["pass_url"]
        settings = shop.settings | {"COUNTERFOIL_DATA": str(shop.data)}
        service = processes.Installation(settings, tmp_path / "service.log")
        service.start()
        try:
            assert signers(url) == {before}
            register(service.url, fetch(url))
            earn(shop)
            first = apns.wait_for_push(TOKEN, 60)
            after = answered(shop, apple, tmp_path)
            assert signers(url) == {after}
            earn(shop)
            second = apns.wait_for_push(TOKEN, 60, count=2)
        finally:
            service.stop()
        assert (first.topic, second.topic) == (PASS_TYPE, PASS_TYPE)
        assert second.connection != first.connection
        presented = apns.certificates
        assert [presented[each.connection] for each in (first, second)] == [
            each.public_bytes(Encoding.DER) for each in (before, after)
        ]
        assert apns.violations == []
