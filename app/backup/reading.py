"""Reads a backup back into an empty installation. The archive is believed nothing."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from sqlalchemy import Connection, exists, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from app import migrations
from app.backup import columns as columns_of
from app.backup.columns import Kind
from app.backup.format import (
    BATCH,
    LARGEST_LINE,
    LARGEST_MANIFEST,
    LARGEST_RATIO,
    LARGEST_SMALL_FILE,
    MANIFEST,
    MOST_MEMBERS,
    Manifest,
    Progress,
    Summary,
    read_manifest,
    split,
)
from app.config import Config
from app.db import Database
from app.errors import Conflict, Invalid, Misconfigured, Unavailable
from app.keys import KeyRing, write_atomically
from app.keys.files import locked, make_private_folder

_CHUNK = 1024 * 1024
_READY = "The master key at hand opens the restored keys: the service can be started."
_WITHOUT = (
    "Before you start the service, bring the master key {marks} back: {reason} The backup does "
    "not hold it."
)


def restore(
    file: Path, database: Database, config: Config, *, progress: Progress | None = None
) -> Summary:
    """Bring the backup *file* into an empty database and an empty COUNTERFOIL_DATA.

    The whole file is checked before anything is touched; then all of it is restored or nothing.
    A backup of an older release is brought up to this one's schema.
    Raises `Invalid` for a file that is broken or no backup, `Conflict` where something is there.
    """
    progress = progress or (lambda _table, _rows: None)
    try:
        with file.open("rb") as opened, ZipFile(opened) as archive:
            manifest = _verify(archive, file.stat().st_size)
            small = {
                name: archive.read(name)
                for name in manifest.members
                if not name.startswith("tables/")
            }
            _check_place(database, config, manifest, small)
            migrations.upgrade(database, manifest.revision)
            _restore_all(archive, manifest, small, database, config, progress)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise Invalid(f"{file} is not a backup, or it is damaged: {error}.") from error
    except OSError as error:
        raise Unavailable(f"{file} cannot be restored: {error.strerror or error}.") from error
    migrations.upgrade(database)
    rows = {split(name)[1]: m.rows for name, m in manifest.members.items() if m.rows is not None}
    keys = sum(name.startswith("keys/") for name in small)
    return Summary(file, manifest.created_at, rows, keys, _after(config, manifest))


def _verify(archive: ZipFile, archive_size: int) -> Manifest:
    """Check every member against the manifest. Raises `Invalid`."""
    infos = {info.filename: info for info in archive.infolist()}
    if len(infos) != len(archive.infolist()) or len(infos) > MOST_MEMBERS:
        raise Invalid("The backup holds a file twice, or too many files.")
    if any(info.flag_bits & 1 for info in infos.values()) or any(
        info.compress_type not in {ZIP_STORED, ZIP_DEFLATED} for info in infos.values()
    ):
        raise Invalid("The backup is encrypted or packed in a way that we do not write.")
    if MANIFEST not in infos or infos[MANIFEST].file_size > LARGEST_MANIFEST:
        raise Invalid("The backup has no manifest: it was not finished, or it is no backup.")
    with archive.open(MANIFEST) as opened:
        manifest = read_manifest(opened.read(LARGEST_MANIFEST))
    if manifest.members.keys() != infos.keys() - {MANIFEST}:
        raise Invalid("The backup does not hold the files that its manifest names.")
    if not migrations.knows(manifest.revision):
        raise Invalid(
            f"The backup has a schema that this release does not know ({manifest.revision[:40]}): "
            "it was made by a newer release of Counterfoil. Install that one."
        )
    if sum(member.size for member in manifest.members.values()) > (
        LARGEST_RATIO * archive_size + LARGEST_SMALL_FILE
    ):
        raise Invalid("The backup claims to hold more than its size can be.")
    for name, member in manifest.members.items():
        if not name.startswith("tables/") and member.size > LARGEST_SMALL_FILE:
            raise Invalid(f"{name} in the backup is too large.")
        with archive.open(name) as opened:
            digest, lines = _digest(opened, member.size)
        if digest != member.sha256 or (member.rows is not None and lines != member.rows):
            raise Invalid(f"{name} in the backup is damaged: its digest is another one.")
    return manifest


def _digest(opened: IO[bytes], size: int) -> tuple[str, int]:
    """SHA-256 and lines of a member, read no further than *size*."""
    digest, read, lines = hashlib.sha256(), 0, 0
    while read <= size and (chunk := opened.read(_CHUNK)):
        digest.update(chunk)
        read += len(chunk)
        lines += chunk.count(b"\n")
    return digest.hexdigest(), lines


def _check_place(
    database: Database, config: Config, manifest: Manifest, small: dict[str, bytes]
) -> None:
    """Raise `Conflict` unless there is nothing that could be lost."""
    if not migrations.is_empty(database):
        raise Conflict(
            "The database is not empty: a backup is restored into an empty one only. "
            "Set COUNTERFOIL_DATABASE_URL or COUNTERFOIL_DATA to a new place."
        )
    present = migrations.revision(database)
    if present not in {None, manifest.revision}:
        raise Conflict(
            f"The database is made, at revision {present}, and the backup is of "
            f"{manifest.revision}. Restore into a database without tables."
        )
    # The very same files are no harm: a restore that was killed may have left them.
    for folder in (config.keys_dir, config.certs_dir):
        for path in sorted(folder.glob("[!.]*.*")):
            if small.get(f"{folder.name}/{path.name}") != path.read_bytes():
                raise Conflict(
                    f"{path} is there already: a backup is restored into an empty folder only. "
                    "Set COUNTERFOIL_DATA to a new one."
                )


def _restore_all(
    archive: ZipFile,
    manifest: Manifest,
    small: dict[str, bytes],
    database: Database,
    config: Config,
    progress: Progress,
) -> None:
    """All in one go: tables, then files, then the commit. Undone where anything fails."""
    written: list[Path] = []
    try:
        with database.engine.begin() as connection:
            _relax(connection)
            _restore_tables(archive, manifest, connection, progress)
            _enforce(connection)
            for name, data in small.items():
                path = _restored_path(config, name)
                if not path.exists():
                    written.append(path)
                    _restore_file(path, data)
    except BaseException as error:
        for path in written:
            path.unlink(missing_ok=True)
        if isinstance(error, DBAPIError):
            raise Invalid(
                f"The backup does not fit together: {str(error.orig)[:300]}. Nothing was restored."
            ) from error
        raise


def _restore_tables(
    archive: ZipFile, manifest: Manifest, connection: Connection, progress: Progress
) -> None:
    present = columns_of.tables(connection)
    named = {split(name)[1]: name for name in manifest.members if name.startswith("tables/")}
    if present.keys() != named.keys():
        raise Invalid("The backup does not hold the tables of its schema.")
    for name, member in named.items():
        columns = manifest.members[member].columns
        if columns is None or columns != present[name]:
            raise Invalid(f"The table {name} in the backup has other columns than its schema.")
        table = columns_of.table(name, columns)
        if connection.scalar(select(exists(select(table)))):
            raise Conflict("Something is writing to the database: stop the service first.")
        done = 0
        with archive.open(member) as opened:
            for batch in columns_of.in_batches(_rows(opened, name, columns), BATCH):
                connection.execute(insert(table), batch)
                done += len(batch)
                progress(name, done)


def _rows(opened: IO[bytes], table: str, columns: dict[str, Kind]) -> Iterator[dict[str, Any]]:
    number = 0
    while line := opened.readline(LARGEST_LINE + 1):
        number += 1
        try:
            if len(line) > LARGEST_LINE:
                raise ValueError("too long")
            values = json.loads(line)
            if type(values) is not list:
                raise ValueError("no list")
            yield {
                name: columns_of.decode(kind, value)
                for (name, kind), value in zip(columns.items(), values, strict=True)
            }
        except (ValueError, RecursionError) as error:
            raise Invalid(f"Row {number} of {table} in the backup is broken: {error}.") from error


def _relax(connection: Connection) -> None:
    """Check references at the end only: rows name others that come after them."""
    if connection.dialect.name == "sqlite":
        connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        return
    for table, constraint in _references(connection):
        connection.execute(
            text(
                f'ALTER TABLE "{table}" ALTER CONSTRAINT "{constraint}" '
                "DEFERRABLE INITIALLY DEFERRED"
            )
        )


def _enforce(connection: Connection) -> None:
    """Check the references now, and let the database count on where the backup stopped."""
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).first()
        if broken is not None:
            raise Invalid(f"A row of {broken[0]} in the backup names a row that is not in it.")
        return
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table, constraint in _references(connection):
        connection.execute(
            text(f'ALTER TABLE "{table}" ALTER CONSTRAINT "{constraint}" NOT DEFERRABLE')
        )
    for name, columns in columns_of.tables(connection).items():
        for column, kind in columns.items():
            if kind is Kind.INTEGER:
                _count_on(connection, name, column)


def _count_on(connection: Connection, table: str, column: str) -> None:
    sequence = connection.scalar(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table, "column": column}
    )
    if sequence is not None:
        connection.execute(
            text(
                f'SELECT setval(:sequence, (SELECT coalesce(max("{column}"), 0) + 1 '  # noqa: S608
                f'FROM "{table}"), false)'
            ),
            {"sequence": sequence},
        )


def _references(connection: Connection) -> list[tuple[str, str]]:
    """Every foreign key of the database: its table and its name."""
    inspector = inspect(connection)
    return [
        (table, str(key["name"]))
        for table in inspector.get_table_names()
        for key in inspector.get_foreign_keys(table)
    ]


def _restored_path(config: Config, member: str) -> Path:
    folder, name = split(member)
    return (config.keys_dir if folder == "keys" else config.certs_dir) / name


def _restore_file(path: Path, data: bytes) -> None:
    if path.suffix == ".json":
        make_private_folder(path.parent)
        with locked(path.parent):
            write_atomically(path, data)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data, mode=0o644)


def _after(config: Config, manifest: Manifest) -> str:
    try:
        KeyRing.open(config).check()
    except Misconfigured as error:
        marks = " and ".join(mark[:16] for mark in manifest.master_keys)
        return _WITHOUT.format(marks=marks, reason=error.message)
    return _READY
