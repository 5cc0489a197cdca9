"""The file format of a backup: a ZIP archive.

tables/<table>.jsonl   one row a line: a JSON array of values in the order of the columns
keys/<file>            the key files, as they are: wrapped by the master key
certs/<file>           the public certificates
manifest.json          written last: format, revision of the schema, when and by which kind of
                       database, and for every member its SHA-256 and length, for every table
                       its columns and number of rows
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app.backup.columns import Kind
from app.errors import Invalid

FORMAT = 1
MANIFEST = "manifest.json"
LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_SMALL_FILE = 1024 * 1024
LARGEST_LINE = 8 * 1024 * 1024
MOST_MEMBERS = 50_000
#: Deflate could make a thousandfold of nothing; rows of ours shrink to a tenth.
LARGEST_RATIO = 200
#: Rows between two calls of a progress callback, and in one INSERT.
BATCH = 1000

_KEY_FILE = re.compile(r"[a-z0-9_]{1,40}\.[a-z0-9-]{1,40}\.[0-9]{5}\.json")
_CERT_FILE = re.compile(r"[a-z0-9-]{1,60}\.pem")
_TABLE = re.compile(r"[a-z_]{1,60}")
_FORMS = {"tables": _TABLE, "keys": _KEY_FILE, "certs": _CERT_FILE}

#: Told the table and how many of its rows are done.
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the archive; *columns* and *rows* for tables only."""

    sha256: str
    size: int
    columns: dict[str, Kind] | None = None
    rows: int | None = None


@dataclass(slots=True)
class Manifest:
    """What the backup holds."""

    revision: str
    created_at: datetime
    database: str
    members: dict[str, Member] = field(default_factory=dict)
    #: Fingerprints of the master keys that the key files were wrapped with.
    master_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was written or restored. As text it tells the operator what else is to be kept."""

    file: Path
    created_at: datetime
    rows: dict[str, int]
    keys: int
    note: str

    def __str__(self) -> str:
        total = sum(self.rows.values())
        return (
            f"{self.file}: {total:,} rows of {len(self.rows)} tables and {self.keys} keys, "
            f"as of {self.created_at:%Y-%m-%d %H:%M:%S} UTC.\n{self.note}"
        )


def table_member(table: str) -> str:
    """The member that holds a table."""
    return f"tables/{table}.jsonl"


def split(member: str) -> tuple[str, str]:
    """The folder and the name of a member. Raises `Invalid` for any that we do not write."""
    folder, _, name = member.partition("/")
    form = _FORMS.get(folder)
    if folder == "tables" and name.endswith(".jsonl"):
        name = name.removesuffix(".jsonl")
    elif folder == "tables":
        form = None
    if form is None or not form.fullmatch(name):
        raise Invalid(f"The backup holds {member[:80]!r}, which is nothing of ours.")
    return folder, name


def write_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON."""
    members: dict[str, Any] = {}
    for name, member in manifest.members.items():
        members[name] = {"sha256": member.sha256, "size": member.size}
        if member.columns is not None:
            members[name] |= {"rows": member.rows, "columns": member.columns}
    content = {
        "format": FORMAT,
        "revision": manifest.revision,
        "created_at": manifest.created_at.isoformat(),
        "database": manifest.database,
        "master_keys": manifest.master_keys,
        "members": members,
    }
    return json.dumps(content, indent=1).encode()


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises `Invalid`."""
    try:
        content = json.loads(data)
        if content["format"] != FORMAT:
            raise Invalid("The backup was written by a newer release of Counterfoil.")
        return Manifest(
            revision=_string(content["revision"]),
            created_at=datetime.fromisoformat(content["created_at"]),
            database=_string(content["database"]),
            members={name: _member(name, each) for name, each in content["members"].items()},
            master_keys=[_string(each) for each in content["master_keys"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid("The backup's manifest is broken.") from error


def _member(name: str, content: dict[str, Any]) -> Member:
    folder, _ = split(name)
    columns = rows = None
    if folder == "tables":
        columns = {each: Kind(kind) for each, kind in content["columns"].items()}
        rows = _count(content["rows"])
    return Member(_string(content["sha256"]), _count(content["size"]), columns, rows)


def _string(value: object) -> str:
    if type(value) is not str:
        raise ValueError("not text")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value
