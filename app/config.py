"""The service's configuration: read from the environment once, checked whole, then passed on."""

import base64
import binascii
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app.errors import Misconfigured

PREFIX = "COUNTERFOIL_"
#: The till's variables share our prefix but are none of our business.
TILL_PREFIX = "COUNTERFOIL_SCAN_"
GOOGLE_API_URL = "https://walletobjects.googleapis.com"
DEFAULT_BIND = "127.0.0.1:8000"
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that differs from one installation to another.

    *data* holds the key directory, the certificates and, by default, the database. *url* is the
    public address that links are built from, without a slash at its end.
    """

    data: Path
    database_url: str = field(repr=False)
    url: str
    bind: str = DEFAULT_BIND
    workers: int = 1
    threads: int = 16
    apns_url: str = "https://api.push.apple.com"
    apns_ca: Path | None = None
    google_api_url: str = GOOGLE_API_URL
    #: Apple granted this pass type the NFC entitlement; without it phones refuse NFC passes.
    apple_nfc: bool = False
    google_issuer_id: str | None = None
    google_root_keys: Path | None = None
    master_key: bytes | None = field(default=None, repr=False)
    master_key_file: Path | None = None
    trusted_proxies: int = 0
    metrics_token: str | None = field(default=None, repr=False)
    #: For development: webhooks may go to this machine itself, without https too.
    webhooks_local: bool = False
    #: The mail server as host:port, how the connection is kept secret ("starttls", "tls", and
    #: "none" for this machine itself), who we are there, and the address that letters come from.
    smtp_server: str | None = None
    smtp_tls: str = "starttls"
    smtp_ca: Path | None = None
    smtp_name: str | None = None
    smtp_password: str | None = field(default=None, repr=False)
    smtp_password_file: Path | None = None
    smtp_from: str | None = None

    @property
    def keys_dir(self) -> Path:
        """Where the wrapped private keys live."""
        return self.data / "keys"

    @property
    def certs_dir(self) -> Path:
        """Where the public certificates live."""
        return self.data / "certs"

    def read_smtp_password(self) -> str | None:
        """The password for the mail server, from the environment or afresh from its file.

        Raises OSError where the file cannot be read.
        """
        if self.smtp_password_file is None:
            return self.smtp_password
        return self.smtp_password_file.read_text("utf-8").strip()

    @property
    def on_loopback(self) -> bool:
        """Whether the public address is this machine's own."""
        return urlsplit(self.url).hostname in LOOPBACK


def _address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as https://cards.example.com")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must begin with https:// unless it is this machine's own address")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("must have no name in it, no ? and no #")
    return text.rstrip("/")


def _public_address(text: str) -> str:
    address = _address(text)
    if urlsplit(address).path:
        raise ValueError("must be a scheme and a host, with nothing behind it")
    return address


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(text)

    return read


def _bind(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be host:port, such as 127.0.0.1:8000")
    return text


def _database_url(text: str) -> str:
    # The plain schemes mean psycopg 3 here: it is the one driver that is installed.
    for plain in ("postgres://", "postgresql://"):
        if text.startswith(plain):
            return "postgresql+psycopg://" + text.removeprefix(plain)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return text


def read_master_key(text: str) -> bytes:
    """The 32 bytes of a master key written in base64. Raises `ValueError` for anything else."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError("must be 32 bytes in base64 (make one with: openssl rand -base64 32)")
    return key


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"names a file that is not there: {text}")
    return path


def _yes_or_no(text: str) -> bool:
    if text.lower() not in {"yes", "no"}:
        raise ValueError("must be yes or no")
    return text.lower() == "yes"


def _digits(text: str) -> str:
    if not text.isascii() or not text.isdigit() or len(text) > 25:
        raise ValueError("must be the issuer's number, digits only")
    return text


def _token(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or not 16 <= len(text) <= 200:
        raise ValueError("must have 16 to 200 letters and digits (openssl rand -hex 24)")
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text

    return read


def _line(text: str) -> str:
    if not text or not text.isprintable() or len(text) > 500:
        raise ValueError("must be one line of at most 500 characters")
    return text


def _mail_address(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or not domain or not text.isascii() or not text.isprintable():
        raise ValueError("must be an address such as cards@example.com")
    if set(text) & set(' <>(),;:"[]\\') or len(text) > 254:
        raise ValueError("must be an address such as cards@example.com, without a name")
    return text


#: Every variable the service knows, and how its text is read. The README explains each.
_READERS: dict[str, Callable[[str], Any]] = {
    "DATA": Path,
    "DATABASE_URL": _database_url,
    "URL": _public_address,
    "BIND": _bind,
    "WORKERS": _number(1, 64),
    "THREADS": _number(1, 256),
    "APPLE_NFC": _yes_or_no,
    "APNS_URL": _address,
    "APNS_CA": _file,
    "GOOGLE_API_URL": _address,
    "GOOGLE_ISSUER_ID": _digits,
    "GOOGLE_ROOT_KEYS": _file,
    "MASTER_KEY": read_master_key,
    "MASTER_KEY_FILE": Path,
    "METRICS_TOKEN": _token,
    "SMTP_CA": _file,
    "SMTP_FROM": _mail_address,
    "SMTP_NAME": _line,
    "SMTP_PASSWORD": _line,
    "SMTP_PASSWORD_FILE": _file,
    "SMTP_SERVER": _bind,
    "SMTP_TLS": _one_of("starttls", "tls", "none"),
    "TRUSTED_PROXIES": _number(0, 8),
    "WEBHOOKS_LOCAL": _yes_or_no,
}


def from_environment(environ: Mapping[str, str]) -> Config:
    """Read and check every ``COUNTERFOIL_`` variable of *environ*.

    Raises `Misconfigured` with one line for each that is wrong or unknown, so that all of them
    can be put right at once.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name.startswith(TILL_PREFIX):
            continue
        reader = _READERS.get(name.removeprefix(PREFIX))
        if reader is None:
            near = difflib.get_close_matches(name, [PREFIX + known for known in _READERS], n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            wrong.append(f"{name} is not a setting of Counterfoil{hint}")
            continue
        try:
            values[name.removeprefix(PREFIX).lower()] = reader(environ[name])
        except ValueError as error:
            wrong.append(f"{name} {error}")
    if values.get("master_key") and values.get("master_key_file"):
        wrong.append("COUNTERFOIL_MASTER_KEY and COUNTERFOIL_MASTER_KEY_FILE exclude each other")
    wrong += _wrong_with_mail(values)
    if wrong:
        raise Misconfigured("\n".join(wrong))
    data = values.setdefault("data", Path("data")).absolute()
    values["data"] = data
    values.setdefault("database_url", f"sqlite:///{data / 'counterfoil.sqlite'}")
    if "url" not in values:
        try:
            values["url"] = _address(f"http://{values.get('bind', DEFAULT_BIND)}")
        except ValueError as error:
            raise Misconfigured(
                "COUNTERFOIL_URL has to be set: the address by which phones reach "
                f"{values['bind']}."
            ) from error
    elif "bind" not in values:
        values["bind"] = _own_port(values["url"])
    return Config(**values)


def _own_port(url: str) -> str:
    """Where to listen so that *url* is answered, where it is an address of this machine's own."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK or parts.port is None:
        return DEFAULT_BIND
    host = "[::1]" if parts.hostname == "::1" else "127.0.0.1"
    return f"{host}:{parts.port}"


def _wrong_with_mail(values: Mapping[str, Any]) -> list[str]:
    """What of the settings for letters does not fit together, a line each."""
    wrong = []
    server = values.get("smtp_server")
    if server is None:
        given = [f"{PREFIX}{name.upper()}" for name in sorted(values) if name.startswith("smtp_")]
        return [f"{name} does nothing without {PREFIX}SMTP_SERVER" for name in given]
    if "smtp_from" not in values:
        wrong.append(f"{PREFIX}SMTP_FROM has to be set: the address that letters come from")
    host = server.rpartition(":")[0].strip("[]")
    if values.get("smtp_tls") == "none" and host not in LOOPBACK:
        wrong.append(f"{PREFIX}SMTP_TLS may be none only for a mail server on this machine")
    secrets = [name for name in ("smtp_password", "smtp_password_file") if name in values]
    if len(secrets) > 1:
        wrong.append(f"{PREFIX}SMTP_PASSWORD and {PREFIX}SMTP_PASSWORD_FILE exclude each other")
    if bool(secrets) != ("smtp_name" in values):
        wrong.append(f"{PREFIX}SMTP_NAME and a password belong together")
    return wrong
