"""Settings from the environment, and the state folder of the till.

Every variable begins with COUNTERFOIL_SCAN_; a name that does not exist is an error, because a
mistyped setting that is silently ignored is found out at the counter.

State folder (0700): till.json (who this till is), keys.json (public keys), refused.bin (the
signed list of refused cards), cashiers.json (who may sign in offline), cards.sqlite (the cards
as they were last seen) and queue.sqlite (what is to be sent). Files are 0600.
"""

from __future__ import annotations

import difflib
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scanner.errors import ConfigError

PREFIX = "COUNTERFOIL_SCAN_"
DECODERS = ("zxing", "pyzbar")
MAX_STATE_BYTES = 4_000_000

# name -> what it sets; the README lists the same.
VARIABLES = {
    "DATA": "folder of the till's state (default ./till-data)",
    "SERVICE": "address of the service, for enrolling",
    "CAMERA": "camera: index, device, file or address (default 0), several with commas",
    "CASHIER": "name of the cashier",
    "PIN": "PIN of the cashier",
    "DECODER": "zxing (default) or pyzbar",
    "TIMEOUT": "seconds to wait for the service, 0.1 to 60 (default 6)",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says."""

    data: Path
    service: str | None = None
    camera: str = "0"
    cashier: str | None = None
    pin: str | None = field(default=None, repr=False)
    decoder: str = "zxing"
    timeout_seconds: float | None = None


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings; raises ConfigError for an unknown name or a value that cannot be."""
    values = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX):
            continue
        short = name.removeprefix(PREFIX)
        if short not in VARIABLES:
            raise ConfigError(_unknown(name))
        if value:
            values[short.lower()] = value
    decoder = values.get("decoder", "zxing")
    if decoder not in DECODERS:
        raise ConfigError(f"{PREFIX}DECODER is {decoder!r}; it can be {' or '.join(DECODERS)}.")
    return Settings(
        data=Path(values.get("data", "till-data")),
        service=values.get("service"),
        camera=values.get("camera", "0"),
        cashier=values.get("cashier"),
        pin=values.get("pin"),
        decoder=decoder,
        timeout_seconds=_timeout(values.get("timeout")),
    )


def _timeout(value: str | None) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0
    if not 0.1 <= seconds <= 60:
        raise ConfigError(f"{PREFIX}TIMEOUT is {value!r}; it can be 0.1 to 60 seconds.")
    return seconds


def _unknown(name: str) -> str:
    known = [PREFIX + short for short in VARIABLES]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
    return f"{name} is not a setting of the till. The nearest is {near}."


@dataclass(frozen=True, slots=True)
class Programme:
    """What the till knows of the programme it works for."""

    id: str
    name: str
    points_name: str
    currency: str
    currency_exponent: int
    time_zone: str
    points_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What points are called: language to CLDR plural form to name; perhaps nothing."""

    @property
    def spoken_names(self) -> Mapping[str, Mapping[str, str]]:
        """The same with at least one language, which has "other"."""
        return self.points_names or {"en": {"other": self.points_name}}


@dataclass(frozen=True, slots=True)
class Till:
    """Who this till is: till.json. `token` and `secret` never leave this machine in a log."""

    service: str
    id: str
    name: str
    location: str
    programme: Programme
    token: str = field(repr=False)
    secret: str = field(repr=False)


def new_secret() -> str:
    """Return the 256-bit secret that keys this till's offline sign-in, as hexadecimal."""
    return secrets.token_hex(32)


def programme_from(data: Any) -> Programme:
    """Read a programme as the till API words it; raises ValueError where it is not one."""
    if not isinstance(data, dict):
        raise ValueError("a programme is an object")
    texts = {
        name: data.get(name) for name in ("id", "name", "points_name", "currency", "time_zone")
    }
    exponent = data.get("currency_exponent")
    if not all(isinstance(text, str) and len(text) <= 200 for text in texts.values()):
        raise ValueError("a programme has id, name, points_name, currency and time_zone")
    if not isinstance(exponent, int) or not 0 <= exponent <= 4:
        raise ValueError("currency_exponent is between 0 and 4")
    names = _names(data.get("points_names"))
    return Programme(
        **{k: str(v) for k, v in texts.items()}, currency_exponent=exponent, points_names=names
    )


def _names(names: Any) -> dict[str, dict[str, str]]:
    """What points are called by language and plural form; nothing where it makes no sense."""
    makes_sense = (
        isinstance(names, dict)
        and len(names) <= 40
        and all(isinstance(forms, dict) and "other" in forms for forms in names.values())
        and all(
            isinstance(form, str) and 0 < len(form) <= 60
            for forms in names.values()
            for form in forms.values()
        )
    )
    return dict(names) if makes_sense else {}


def save_till(folder: Path, till: Till) -> None:
    """Write till.json atomically; raises ConfigError where the disk refuses."""
    write_private(folder, "till.json", asdict(till))


def load_till(folder: Path) -> Till:
    """Read till.json; raises ConfigError where this till is not enrolled or the file is bad."""
    data = read_private(folder, "till.json")
    if data is None:
        raise ConfigError(
            f"This till is not enrolled (no till.json in {folder}). "
            "Run: counterfoil-scan enrol --service URL --code CODE"
        )
    try:
        texts = {k: data[k] for k in ("service", "id", "name", "location", "token", "secret")}
        if not all(isinstance(value, str) for value in texts.values()):
            raise ValueError("a text is missing")
        return Till(**texts, programme=programme_from(data["programme"]))
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{folder / 'till.json'} is damaged ({error}): enrol again.") from None


def state_folder(folder: Path) -> Path:
    """Return `folder`, made with mode 0700 where it is missing; raises ConfigError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"The state folder {folder} cannot be used: {error.strerror}.") from None
    return folder


def write_private(folder: Path, name: str, data: Any) -> None:
    """Write `data` as JSON to `folder/name`: mode 0600, whole or not at all, on the disk."""
    write_private_bytes(folder, name, json.dumps(data, ensure_ascii=False, indent=1).encode())


def write_private_bytes(folder: Path, name: str, data: bytes) -> None:
    """Write `data` to `folder/name`: mode 0600, whole or not at all, on the disk."""
    state_folder(folder)
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(folder / name)
        _sync_folder(folder)
    except OSError as error:
        if temporary:
            with suppress(OSError):
                Path(temporary).unlink()
        raise ConfigError(f"{folder / name} cannot be written: {error.strerror}.") from None


_CURE = (
    "Move it away: the till makes or fetches it anew. After till.json enrol the till again "
    "(counterfoil till code); what waits in its queue is kept."
)


def read_private(folder: Path, name: str) -> Any:
    """Return the JSON object in `folder/name`, None where there is no file; raises ConfigError."""
    path = folder / name
    try:
        if path.stat().st_size > MAX_STATE_BYTES:
            raise ConfigError(f"{path} is too large to be what the till wrote.")
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is damaged: it is not JSON. {_CURE}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} is damaged: it is not an object. {_CURE}")
    return data


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
