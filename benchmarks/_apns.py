"""The APNs stand-in as a process of its own, and an installation that pushes to it.

``python -m benchmarks._apns FILE``: *FILE* holds what clients' certificates chain to. Prints a line
of JSON: its address, and the certificate that it is trusted by. Then, for each line on standard
input, how many pushes it has accepted; it ends with the input.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.certs import ROOT, WWDR, load_pass_signer
from app.certs.files import key_of
from app.config import Config, from_environment
from app.context import Context
from app.delivery.apns import Identity
from app.demo.apns import ApnsStandIn
from app.demo.cafe import make_certificates
from app.migrations import upgrade


@dataclass
class Apns:
    """The stand-in's process."""

    process: subprocess.Popen[str]
    url: str
    ca: Path

    def count(self) -> int:
        """How many pushes it has accepted so far."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def installation(folder: Path, database_url: str | None = None) -> Iterator[Context]:
    """A migrated installation with certificates."""
    settings = {
        "COUNTERFOIL_DATA": str(folder / "data"),
        "COUNTERFOIL_URL": "http://127.0.0.1:8000",
    }
    if database_url:
        settings["COUNTERFOIL_DATABASE_URL"] = database_url
    context = Context.open(from_environment(settings))
    upgrade(context.database)
    make_certificates(context)
    try:
        yield context
    finally:
        context.database.dispose()


@contextmanager
def stand_in(context: Context, folder: Path) -> Iterator[Apns]:
    """Run the stand-in that knows the installation's certificates."""
    trusted = folder / "trusted.pem"
    trusted.write_bytes(trusted_chain(context.config))
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks._apns", str(trusted)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        said = json.loads(process.stdout.readline())
        ca = folder / "apns-ca.pem"
        ca.write_text(said["ca"])
        try:
            yield Apns(process, said["url"], ca)
        finally:
            process.stdin.close()


def trusted_chain(config: Config) -> bytes:
    """What the stand-in asks a client's certificate to chain to."""
    return b"".join((config.certs_dir / name).read_bytes() for name in (ROOT, WWDR))


def identity_of(context: Context) -> Identity:
    """The installation's pass certificate, as APNs is shown it."""
    signer = load_pass_signer(context.config, context.keys)
    assert signer is not None
    key = key_of(signer.certificate, context.keys)
    assert key is not None
    return Identity.of(signer, key)


def pushing(context: Context, url: str, ca: Path) -> Context:
    """The same installation with that APNs."""
    return replace(context, config=replace(context.config, apns_url=url, apns_ca=ca))


def environment(context: Context) -> dict[str, str]:
    """The installation's settings, for a process of its own."""
    config = context.config
    return {
        "COUNTERFOIL_DATA": str(config.data),
        "COUNTERFOIL_URL": config.url,
        "COUNTERFOIL_DATABASE_URL": config.database_url,
        "COUNTERFOIL_APNS_URL": config.apns_url,
        "COUNTERFOIL_APNS_CA": str(config.apns_ca),
    }


def main() -> None:
    """Be the stand-in."""
    with ApnsStandIn(client_ca=Path(sys.argv[1]).read_bytes()) as apns:
        print(json.dumps({"url": apns.url, "ca": apns.ca_pem.decode()}), flush=True)
        for _ in sys.stdin:
            print(len(apns.pushes), flush=True)


if __name__ == "__main__":
    main()
