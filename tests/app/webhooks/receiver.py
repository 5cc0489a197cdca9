"""A shop system that is told things: a real server with a certificate of its own."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "shop.example"


@dataclass
class Heard:
    """One message as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    server_name: str | None


@dataclass
class Receiver:
    """What was heard, and what to answer: a status, or a function of the handler."""

    port: int
    certificate: Path
    heard: list[Heard] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts the receiver's certificate and nothing else."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def types(self) -> list[str]:
        """The types of the events that were heard, in their order."""
        return [json.loads(each.body)["type"] for each in self.heard]

    def resolver(self, *addresses: str) -> Callable[..., Any]:
        """A DNS in which every name is at these addresses, 127.0.0.1 for none."""

        def resolve(_host: str, port: int, **_: Any) -> list[Any]:
            return [(2, 1, 6, "", (each, port)) for each in addresses or ("127.0.0.1",)]

        return resolve


@contextmanager
def receiver(folder: Path, *, name: str = NAME) -> Iterator[Receiver]:
    """Run a receiver at https://*name*, which is not to be found in any DNS."""
    certificate, key = _certificate(folder, name)
    names: dict[int, str | None] = {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    seen: list[str | None] = []
    context.sni_callback = lambda _socket, server_name, _context: seen.append(server_name)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {key.lower(): value for key, value in self.headers.items()}
            made.heard.append(Heard(self.path, headers, body, seen[-1] if seen else None))
            answer = made.answers.pop(0) if made.answers else 204
            if callable(answer):
                answer(self)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def get_request(self) -> Any:
            connection, address = super().get_request()
            connection.settimeout(10)
            return context.wrap_socket(connection, server_side=True), address

        def handle_error(self, *_: object) -> None:
            pass  # A client that hangs up is what some tests are about.

    server = Server(("127.0.0.1", 0), Handler)
    made = Receiver(server.server_address[1], certificate)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        names.clear()


def drip(seconds: float) -> Callable[[Any], None]:
    """Answer a byte of a header now and then, for so long."""

    def answer(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    return answer


def flood(size: int) -> Callable[[Any], None]:
    """Answer 200 with a body of so many bytes."""

    def answer(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(size))
        handler.end_headers()
        try:
            handler.wfile.write(b"A\x00" * (size // 2))
        except OSError:
            pass

    return answer


def redirect(to: str) -> Callable[[Any], None]:
    """Answer that it is elsewhere."""

    def answer(handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def refuse(status: int, *, retry_after: int) -> Callable[[Any], None]:
    """Answer that it is too much for now."""

    def answer(handler: Any) -> None:
        handler.send_response(status)
        handler.send_header("Retry-After", str(retry_after))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "receiver.pem", folder / "receiver.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, secret
