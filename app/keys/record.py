"""One key file: JSON, one for each version of a key, its secret wrapped by the master key.

    {"format": 1, "purpose": "field", "programme_id": null, "version": 1, "name": null,
     "created_at": "2026-06-01T09:00:00+00:00", "retired_at": null,
     "master_key": "<fingerprint>", "wrapped": "<base64 of nonce and AES-256-GCM ciphertext>"}

Everything but the last two is bound to the secret as associated data: an edited file does not open.
"""

import base64
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.errors import Invalid, Misconfigured
from app.keys.types import KeyInfo, Purpose

LARGEST_FILE = 64 * 1024
LAST_VERSION = 0xFFFF
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

#: Purpose, programme, version: what names a key.
Place = tuple[Purpose, str | None, int]


@dataclass(frozen=True, slots=True)
class Record:
    """What stands in a key file."""

    info: KeyInfo
    master_key: str
    wrapped: bytes


def place(info: KeyInfo) -> Place:
    """What names the key of *info*."""
    return info.purpose, info.programme_id, info.version


def check_programme(programme_id: str | None) -> None:
    """Raise `Invalid` unless *programme_id* is a UUID or None: it becomes part of a file's name."""
    if programme_id is not None and not _UUID.fullmatch(programme_id):
        raise Invalid("A programme's id is a UUID.", {"programme_id": ["is not a UUID"]})


def file_name(info: KeyInfo) -> str:
    """The name of the file that holds the key of *info*."""
    return f"{info.purpose}.{info.programme_id or 'all'}.{info.version:05d}.json"


def about(info: KeyInfo) -> bytes:
    """The facts that the secret is bound to."""
    return json.dumps(_facts(info), sort_keys=True).encode()


def encode(record: Record) -> bytes:
    """The file's content."""
    content = _facts(record.info) | {
        "master_key": record.master_key,
        "wrapped": base64.b64encode(record.wrapped).decode(),
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def decode(data: bytes, path: Path) -> Record:
    """Read a key file's content. Raises `Misconfigured` naming *path* where it is none."""
    try:
        content = json.loads(data)
        if content["format"] != 1:
            raise ValueError("a later format")
        info = KeyInfo(
            purpose=Purpose(content["purpose"]),
            version=_version(content["version"]),
            programme_id=content["programme_id"],
            created_at=datetime.fromisoformat(content["created_at"]),
            retired_at=_moment(content["retired_at"]),
            name=content["name"],
        )
        wrapped = base64.b64decode(content["wrapped"], validate=True)
        record = Record(info, str(content["master_key"]), wrapped)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Misconfigured(
            f"The key file {path} is broken or was written by a newer release. "
            "Restore it from a backup."
        ) from error
    if file_name(info) != path.name:
        raise Misconfigured(f"The key file {path} must be named {file_name(info)}: rename it back.")
    return record


def _facts(info: KeyInfo) -> dict[str, Any]:
    return {
        "format": 1,
        "purpose": str(info.purpose),
        "programme_id": info.programme_id,
        "version": info.version,
        "name": info.name,
        "created_at": info.created_at.isoformat(),
        "retired_at": info.retired_at.isoformat() if info.retired_at else None,
    }


def _version(value: object) -> int:
    if type(value) is not int or not 0 < value <= LAST_VERSION:
        raise ValueError("not a version")
    return value


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
