"""Exports everything that a programme holds, as it was at one moment, into a folder of files.

The tables themselves are asked, as when a member takes their data along: what a later feature
keeps is in the export without anybody having to think of it. Secrets, their hashes and the state
of deliveries stay behind. Memory stays flat however much there is.
"""

import io
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import LargeBinary, func, insert, select
from sqlalchemy.orm import Mapper, Session

from app.db import Base, Database, OfProgramme, new_id
from app.errors import Conflict, Invalid
from app.keys import KeyRing
from app.members import service as members
from app.members.models import Member, MemberRead
from app.members.reads import Reader
from app.programmes.models import Programme
from app.transfer import customers
from app.transfer.writing import Written

FORMATS = ("csv", "jsonl")
MANIFEST = "manifest.json"
#: Rows that are held at a time.
BATCH = 1000
#: The same as `counterfoil import members` reads, made of several tables.
CUSTOMERS = "customers"
#: How passes are delivered and tills and shop systems prove who they are: of use here alone.
_LEFT_OUT = frozenset(
    "api_keys apple_registrations card_links card_pins cashier_sessions enrolment_codes "
    "google_classes google_passes import_uploads pass_designs presentations staff_half_sign_ins "
    "staff_logins staff_password_links staff_recovery_codes staff_sessions till_reports used_steps "
    "webhook_deliveries webhook_endpoints webhook_events webhook_tries".split()
)
_SECRETS = ("token", "hash", "secret", "password", "pin_failures", "fingerprint")
_TOLD_OPEN = members.FIELDS

#: Told what is being written, and how many rows of how many are done.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the export and what is in it."""

    name: str
    what: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str


@dataclass(slots=True)
class Summary:
    """What was exported."""

    folder: Path
    files: list[File] = field(default_factory=list)


def names() -> list[str]:
    """All that can be exported, in the order in which it is written."""
    return [CUSTOMERS, "programmes", *sorted(_tables())]


def _tables() -> dict[str, Mapper[Any]]:
    found = {}
    for mapper in Base.registry.mappers:
        name = str(mapper.class_.__tablename__)
        if issubclass(mapper.class_, OfProgramme) and name not in _LEFT_OUT:
            found[name] = mapper
    return found


def columns_of(name: str) -> tuple[str, ...]:
    """The columns of a file."""
    if name == CUSTOMERS:
        return customers.COLUMNS
    mapper = _mapper(name)
    told = []
    for column in mapper.local_table.columns:
        is_open = mapper.class_ is Member and column.name in _TOLD_OPEN
        is_secret = isinstance(column.type, LargeBinary) or any(
            word in column.name for word in _SECRETS
        )
        if column.name != "programme_id" and (is_open or not is_secret):
            told.append(column.name)
    return tuple(told)


def _mapper(name: str) -> Mapper[Any]:
    if name == "programmes":
        return Programme.__mapper__
    return _tables()[name]


def export(
    database: Database,
    keys: KeyRing,
    programme: Programme,
    folder: Path,
    *,
    form: str = "csv",
    what: Sequence[str] = (),
    reader: Reader,
    now: datetime,
    progress: Progress = lambda *_: None,
) -> Summary:
    """Write *what* (everything, where nothing is named) into *folder*, which is new or empty.

    Whoever reads members' data is on record before it is written. The manifest comes last: a
    folder without one is no whole export. Raises `Invalid`, `Conflict`.
    """
    wanted = prepare(folder, form, what)
    summary = Summary(folder)
    with database.read(programme.id) as session:
        exporter = _Exporter(database, keys, programme, session, reader, now)
        for name in wanted:
            summary.files.append(_write(exporter, folder, name, form, progress))
    _write_words(folder, wanted)
    manifest = {
        "counterfoil_export": 1,
        "programme": programme.slug,
        "exported_at": now.isoformat(),
        "format": form,
        "files": {
            each.name: {
                "what": each.what,
                "rows": each.rows,
                "bytes": each.size,
                "sha256": each.sha256,
                "columns": list(each.columns),
            }
            for each in summary.files
        },
    }
    with _open(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
    return summary


def stream(
    database: Database,
    keys: KeyRing,
    programme: Programme,
    name: str,
    form: str,
    *,
    reader: Reader,
    now: datetime,
) -> Iterator[bytes]:
    """One file of the export, piece by piece as it is read. Raises `Invalid` at once."""
    [wanted] = _wanted([name])
    if form not in FORMATS:
        raise Invalid(f"Choose {' or '.join(FORMATS)}.")
    return _pieces(database, keys, programme, wanted, form, reader, now)


def _pieces(
    database: Database,
    keys: KeyRing,
    programme: Programme,
    name: str,
    form: str,
    reader: Reader,
    now: datetime,
) -> Iterator[bytes]:
    columns = columns_of(name)
    with database.read(programme.id) as session:
        exporter = _Exporter(database, keys, programme, session, reader, now)
        piece = io.BytesIO()
        written = Written(piece, columns, form)
        for rows in exporter.rows(name, columns):
            written.add(rows)
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
        yield piece.getvalue()


def prepare(folder: Path, form: str, what: Sequence[str]) -> list[str]:
    """Make the folder; the names of what is to be written. Raises `Invalid`, `Conflict`."""
    wanted = _wanted(what)
    if form not in FORMATS:
        raise Invalid(f"Choose {' or '.join(FORMATS)}.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty: an export gets a folder of its own.")
    return wanted


def _wanted(what: Sequence[str]) -> list[str]:
    known = names()
    unknown = sorted(set(what) - set(known))
    if unknown:
        text = f"There is no {unknown[0][:40]!r} to export. There are: {', '.join(known)}."
        raise Invalid(text, {"what": [text]})
    return [name for name in known if name in what] if what else known


def _open(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write(exporter: "_Exporter", folder: Path, name: str, form: str, progress: Progress) -> File:
    columns = columns_of(name)
    total = exporter.count(name)
    with ExitStack() as files:
        written = Written(files.enter_context(_open(folder / f"{name}.{form}")), columns, form)
        progress(name, 0, total)
        for rows in exporter.rows(name, columns):
            written.add(rows)
            progress(name, written.rows, total)
    return File(f"{name}.{form}", name, columns, written.rows, written.bytes, written.sha256)


class _Exporter:
    """One reading session: it sees one state of the database throughout."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        programme: Programme,
        session: Session,
        reader: Reader,
        now: datetime,
    ) -> None:
        self.database, self.keys, self.programme = database, keys, programme
        self.session, self.reader, self.now = session, reader, now

    def count(self, name: str) -> int:
        """How many rows there are, about: accounts stand for customers."""
        if name == "programmes":
            return 1
        model = _mapper("accounts" if name == CUSTOMERS else name).class_
        return int(self.session.scalar(select(func.count()).select_from(model)) or 0)

    def rows(self, name: str, columns: Sequence[str]) -> Iterator[list[list[Any]]]:
        """The rows of a file, some at a time."""
        if name == CUSTOMERS:
            found = customers.customers(self.session, self.keys, self.programme, self.now)
            while some := list(islice(found, BATCH)):
                self._note([each.member_id for each in some if each.member_id])
                yield [each.cells() for each in some]
            return
        mapper = _mapper(name)
        model = mapper.class_
        selected = [getattr(model, column) for column in columns]
        order = [getattr(model, column.name) for column in mapper.primary_key]
        statement = select(*selected).order_by(*order)
        if model is Programme:
            statement = statement.where(Programme.id == self.programme.id)
        result = self.session.execute(statement, execution_options={"yield_per": BATCH})
        for part in result.partitions():
            yield self._opened(part) if model is Member else [list(row) for row in part]

    def _opened(self, part: Sequence[Any]) -> list[list[Any]]:
        self._note([row.id for row in part])
        rows = []
        for row in part:
            told = members.open_contact(self.keys, row.id, row)
            opened = {each: getattr(told, each) for each in _TOLD_OPEN}
            rows.append([opened.get(name, value) for name, value in row._mapping.items()])
        return rows

    def _note(self, member_ids: Sequence[str]) -> None:
        """Put it on record that somebody takes these people's data along."""
        if not member_ids:
            return
        with self.database.write(self.programme.id) as session:
            session.execute(
                insert(MemberRead),
                [
                    {
                        "id": new_id(),
                        "programme_id": self.programme.id,
                        "member_id": member_id,
                        "reader_kind": self.reader.kind,
                        "reader": self.reader.name[:80],
                        "purpose": "export",
                        "read_at": self.now,
                    }
                    for member_id in member_ids
                ],
            )


# --- what the columns mean ----------------------------------------------------------------------


def _write_words(folder: Path, wanted: Sequence[str]) -> None:
    with _open(folder / "columns.md") as file:
        file.write(words(wanted).encode())


def words(wanted: Sequence[str]) -> str:
    """What is in each file, and of which kind each column is, as text."""
    lines = ["# What is in these files", "", *_GENERAL, ""]
    for name in wanted:
        lines.append(f"## {name}")
        if name == CUSTOMERS:
            lines += ["", customers.WORDS, ""]
            lines += [f"- `{column}`" for column in customers.COLUMNS]
            lines.append("")
            continue
        mapper = _mapper(name)
        lines += ["", " ".join((mapper.class_.__doc__ or "").split()), ""]
        for column_name in columns_of(name):
            column = mapper.local_table.columns[column_name]
            kind = "text" if column_name in _TOLD_OPEN else _kind(column)
            points_to = ", ".join(sorted(key.target_fullname for key in column.foreign_keys))
            told = f"- `{column_name}`: {kind}"
            told += ", may be empty" if column.nullable else ""
            lines.append(told + (f", one of {points_to}" if points_to else ""))
        lines.append("")
    return "\n".join(lines)


_GENERAL = (
    "UTF-8. In CSV, cells that a spreadsheet would take for a formula begin with an apostrophe; "
    "lists and objects are JSON.",
    "Moments are ISO 8601 in UTC; names that end in _minor are minor units of the currency beside "
    "them or of the programme's, _micro are millionths of those; ids are UUIDs.",
    f"{MANIFEST} was written last: a folder without it is no whole export.",
)


def _kind(column: Any) -> str:
    kind = column.type.__class__.__name__
    return {
        "Uuid": "id",
        "Moment": "moment",
        "Date": "day",
        "Boolean": "true or false",
        "JSON": "JSON",
        "Integer": "whole number",
        "BigInteger": "whole number",
    }.get(kind, "text")


__all__ = ["CUSTOMERS", "FORMATS", "MANIFEST", "Summary", "export", "names", "stream", "words"]
