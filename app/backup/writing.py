"""Writes a backup while the service runs."""

import hashlib
import json
import os
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select

from app.backup import columns as columns_of
from app.backup.columns import Kind
from app.backup.format import (
    BATCH,
    MANIFEST,
    Manifest,
    Member,
    Progress,
    Summary,
    split,
    table_member,
    write_manifest,
)
from app.config import Config
from app.db import Database
from app.errors import Invalid, Misconfigured, Unavailable
from app.keys.files import locked, sync_folder

_NOTE = (
    "The master key is not in it, and without it the keys in the backup cannot be opened: keep "
    "{master} apart, where the backups are not."
)


class _Archive:
    """A ZIP archive that keeps the digest of each member it writes."""

    def __init__(self, archive: ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def add(self, name: str, data: bytes) -> None:
        """Write a small member."""
        with self._open(name) as file:
            file.write(data)
        self.manifest.members[name] = Member(hashlib.sha256(data).hexdigest(), len(data))

    def add_table(
        self, connection: Connection, name: str, columns: dict[str, Kind], progress: Progress
    ) -> None:
        """Write every row of a table, in the order of its primary key; memory stays flat."""
        table = columns_of.table(name, columns)
        order = (table.c[each] for each in columns_of.primary_key(connection, name))
        selected = columns_of.readable(table, columns, connection.dialect.name)
        found = connection.execute(
            select(*selected).order_by(*order), execution_options={"yield_per": BATCH}
        )
        kinds = list(columns.values())
        digest, size, rows = hashlib.sha256(), 0, 0
        member = table_member(name)
        split(member)
        with self._open(member) as file, closing(found):
            for batch in found.partitions():
                lines = b"".join(_line(kinds, row) for row in batch)
                file.write(lines)
                digest.update(lines)
                size += len(lines)
                rows += len(batch)
                progress(name, rows)
        self.manifest.members[member] = Member(digest.hexdigest(), size, columns, rows)

    def finish(self) -> None:
        """Write the manifest."""
        with self._open(MANIFEST) as file:
            file.write(write_manifest(self.manifest))

    def _open(self, name: str) -> IO[bytes]:
        info = ZipInfo(name, self.manifest.created_at.timetuple()[:6])
        info.compress_type = ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return self._archive.open(info, "w", force_zip64=True)


def backup(
    database: Database,
    config: Config,
    file: Path,
    *,
    now: datetime,
    progress: Progress | None = None,
) -> Summary:
    """Write everything but the master key to *file*, as it was at one moment; the service goes on.

    *file* is there whole or not at all, for this account alone, and replaces one of that name.
    Raises `Misconfigured` where there is nothing to back up, `Unavailable` on a full disk.
    """
    draft = file.with_name(f".{file.name}.tmp")
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as opened:
            manifest = _write(opened, database, config, now, progress or _silent)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise Unavailable(f"The backup {file} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    keys = sum(name.startswith("keys/") for name in manifest.members)
    return Summary(file, now, _rows(manifest), keys, _NOTE.format(master=_master(config)))


def _write(
    opened: IO[bytes], database: Database, config: Config, now: datetime, progress: Progress
) -> Manifest:
    with ZipFile(opened, "w") as zipped, database.engine.connect() as plain:
        # One snapshot for all tables: a writer is neither kept waiting nor seen in part.
        connection = plain.execution_options(
            **(
                {"counterfoil_read": True}
                if database.is_sqlite
                else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
        )
        revision = MigrationContext.configure(connection).get_current_revision()
        if revision is None:
            raise Misconfigured("There is no database to back up: it was never made.")
        archive = _Archive(zipped, Manifest(revision, now, connection.dialect.name))
        for name, columns in columns_of.tables(connection).items():
            archive.add_table(connection, name, columns, progress)
        # The files come after the tables: a key is there before the first row that needs it.
        _add_files(archive, config)
        archive.finish()
    return archive.manifest


def _add_files(archive: _Archive, config: Config) -> None:
    masters: set[str] = set()
    if config.keys_dir.is_dir():
        with locked(config.keys_dir):
            for path in sorted(config.keys_dir.glob("[!.]*.json")):
                data = path.read_bytes()
                _add_file(archive, f"keys/{path.name}", data, path)
                masters.add(str(json.loads(data)["master_key"]))
    archive.manifest.master_keys = sorted(masters)
    if config.certs_dir.is_dir():
        for path in sorted(config.certs_dir.glob("[!.]*.pem")):
            _add_file(archive, f"certs/{path.name}", path.read_bytes(), path)


def _add_file(archive: _Archive, member: str, data: bytes, path: Path) -> None:
    try:
        split(member)
    except Invalid as error:
        raise Misconfigured(f"{path} is not a file of ours: move it elsewhere.") from error
    archive.add(member, data)


def _line(kinds: list[Kind], row: object) -> bytes:
    values = [columns_of.encode(kind, value) for kind, value in zip(kinds, row, strict=True)]  # type: ignore[call-overload]
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _master(config: Config) -> str:
    if config.master_key:
        return "the value of COUNTERFOIL_MASTER_KEY"
    return f"the file {config.master_key_file or config.data / 'master.key'}"


def _rows(manifest: Manifest) -> dict[str, int]:
    found = ((split(name)[1], member.rows) for name, member in manifest.members.items())
    return {table: rows for table, rows in found if rows is not None}


def _silent(_table: str, _rows: int) -> None:
    """Nobody watches."""
