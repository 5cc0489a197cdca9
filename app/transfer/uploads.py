"""Files that staff upload: looked through and then imported in the background, with progress.

The file waits sealed in the database, so that any worker may take it up, also after another one
died over it: an import that is run again goes on where it was.
"""

import json
import tempfile
import zlib
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.context import Context
from app.db import new_id
from app.errors import Conflict, CounterfoilError, Invalid, NotFound
from app.keys import KeyRing
from app.languages import _
from app.members.service import LANGUAGES
from app.programmes.models import Programme
from app.transfer import columns as columns_of
from app.transfer.importing import Importer, Summary, default_name
from app.transfer.lines import Problem, Reader
from app.transfer.models import Upload, UploadState
from app.transfer.reading import look

#: So much is taken at once; a longer list is imported with the command, or in parts.
LARGEST_BYTES = 16 * 1024 * 1024
MOST_PROBLEMS = 500
LEASE = timedelta(minutes=2)
#: What nobody imported, and what is known of an import's end, goes after so long.
FILE_KEPT, KEPT = timedelta(days=1), timedelta(days=90)
AT_WORK = (UploadState.LOOKING, UploadState.IMPORTING)


class _Stopped(Exception):
    """Somebody stopped it, or another worker has it."""


def add(
    session: Session,
    keys: KeyRing,
    *,
    data: bytes,
    file_name: str,
    name: str,
    dates: str,
    language: str,
    by_id: str,
    now: datetime,
) -> Upload:
    """Keep a file and have it looked through. Raises `Invalid`, and `Conflict` while another one
    of the programme is at work."""
    if not data:
        raise Invalid(_("The file is empty."), {"file": [_("empty")]})
    if len(data) > LARGEST_BYTES:
        raise Invalid(
            _(
                "The file is larger than %(most)s MB: divide it, or use the command "
                "counterfoil import members.",
                most=LARGEST_BYTES >> 20,
            ),
            {"file": [_("too large")]},
        )
    if dates not in {"", "dmy", "mdy"} or language not in LANGUAGES:
        raise Invalid(_("Choose how dates and languages are meant from the lists."))
    named = name.strip() or default_name(Path(file_name).name)
    if not named.isprintable() or not 0 < len(named) <= 80:
        raise Invalid(_("A name has 1 to 80 characters."), {"name": [_("1 to 80 characters")]})
    if session.scalar(select(Upload.id).where(Upload.state.in_(AT_WORK))):
        raise Conflict(_("Another file is being worked on. Wait for it, or stop it."))
    upload_id = new_id()
    upload = Upload(
        id=upload_id,
        name=named,
        file_name=Path(file_name).name[:100].replace("\0", ""),
        state=str(UploadState.LOOKING),
        file=keys.seal(zlib.compress(data, 6), context=_context(upload_id, "file")),
        options={"dates": dates, "language": language},
        summary={},
        made_at=now,
        made_by_id=by_id,
        changed_at=now,
    )
    session.add(upload)
    session.flush()
    return upload


def upload_by_id(session: Session, upload_id: str, *, locked: bool = False) -> Upload:
    """The upload of that id. Raises `NotFound`."""
    asked = select(Upload).where(Upload.id == upload_id)
    found = session.scalar(asked.with_for_update() if locked else asked)
    if found is None:
        raise NotFound(_("There is no such file any more."))
    return found


def uploads(session: Session, *, most: int = 50) -> list[Upload]:
    """The uploads of the session's programme, the newest first."""
    return list(session.scalars(select(Upload).order_by(Upload.id.desc()).limit(most)))


def problems_of(keys: KeyRing, upload: Upload) -> list[dict[str, Any]]:
    """What is wrong with which line, the first `MOST_PROBLEMS` of it."""
    if upload.problems is None:
        return []
    opened = keys.open_sealed(upload.problems, context=_context(upload.id, "problems"))
    found: list[dict[str, Any]] = json.loads(zlib.decompress(opened))
    return found


def approve(session: Session, upload: Upload, *, skip_wrong: bool, now: datetime) -> None:
    """Have a file that was looked through imported. Raises `Conflict` where lines are wrong and
    are not to be left out."""
    if upload.state != UploadState.LOOKED:
        raise Conflict(_("This file is not waiting to be imported."))
    if upload.summary.get("wrong") and not skip_wrong:
        raise Conflict(_("Some lines cannot be imported: tick that they are left out."))
    upload.state, upload.done_lines, upload.changed_at = str(UploadState.IMPORTING), 0, now
    session.flush()


def stop(session: Session, upload: Upload, *, now: datetime) -> None:
    """Go no further. Whole customers that came in already stay, and are known again next time."""
    if upload.state in {UploadState.DONE, UploadState.FAILED, UploadState.STOPPED}:
        raise Conflict(_("This file is done with already."))
    upload.state, upload.file, upload.changed_at = str(UploadState.STOPPED), None, now
    session.flush()


def step(context: Context, *, now: datetime) -> int:
    """Take up one file, if one waits, and look through it or import it; how many."""
    _forget_old(context, now)
    claimed = _claim(context, now)
    if claimed is None:
        return 0
    work = _Work(context, *claimed)
    try:
        work.do()
    except _Stopped:
        pass
    except CounterfoilError as error:
        work.fail(error.message)
    return 1


class _Work:
    """One file in the hands of this worker."""

    def __init__(self, context: Context, upload_id: str, programme_id: str) -> None:
        self.context, self.upload_id, self.programme_id = context, upload_id, programme_id
        with context.database.read(programme_id) as session:
            self.upload = upload_by_id(session, upload_id)
        self.state = self.upload.state

    def do(self) -> None:
        """Look through the file, or import it."""
        context, upload = self.context, self.upload
        opened = context.keys.open_sealed(upload.file or b"", context=_context(upload.id, "file"))
        with tempfile.TemporaryDirectory(prefix="counterfoil-import-") as folder:
            path = Path(folder) / "file.csv"
            path.touch(mode=0o600)
            path.write_bytes(zlib.decompress(opened))
            self._go_through(path)

    def _go_through(self, path: Path) -> None:
        context, upload = self.context, self.upload
        with context.database.read_all() as session:
            programme = session.get_one(Programme, self.programme_id)
        sheet = look(path)
        importer = Importer(
            context.database,
            context.keys,
            programme,
            upload.name,
            now=context.clock(),
            language=upload.options["language"],
        )
        columns = columns_of.place(sheet.header.cells, {})
        reader = Reader(sheet, columns, importer.frame(upload.options["dates"] or None))
        self._progress(0, sheet.lines)
        if self.state == UploadState.LOOKING:
            problems: list[Problem] = []
            summary = importer.check(
                reader,
                lambda each: problems.append(each) if len(problems) < MOST_PROBLEMS else None,
                self._progress,
            )
            self._end(UploadState.LOOKED, summary, problems, list(columns.unused))
        else:
            wrong = self.upload.summary.get("wrong", 0)
            summary = importer.run(reader, self._progress)
            summary.wrong = max(wrong, summary.wrong)
            self._end(UploadState.DONE, summary, None, list(columns.unused))

    def _progress(self, line: int, lines: int | None = None) -> None:
        """Keep how far it is, and keep the lease; raises `_Stopped` where it is to end."""
        now = self.context.clock()
        values: dict[str, Any] = {"done_lines": line, "leased_until": now + LEASE}
        if lines is not None:
            values["lines"] = lines
        self._change(values)

    def _end(
        self,
        state: UploadState,
        summary: Summary,
        problems: list[Problem] | None,
        unused: list[str],
    ) -> None:
        counted = ("customers", "points", "lots", "there_before", "wrong", "debt")
        told = {name: getattr(summary, name) for name in counted} | {"unused": len(unused)}
        told["consents"] = summary.by_consent.total()
        values: dict[str, Any] = {
            "state": str(state),
            "summary": told,
            "leased_until": None,
            "changed_at": self.context.clock(),
        }
        if problems is not None:
            packed = zlib.compress(json.dumps([asdict(each) for each in problems]).encode())
            sealed = self.context.keys.seal(packed, context=_context(self.upload_id, "problems"))
            values["problems"] = sealed
        if state == UploadState.DONE:
            values["file"] = None
        self._change(values)

    def fail(self, why: str) -> None:
        """Keep what is wrong with the file as a whole."""
        now = self.context.clock()
        self._change(
            {
                "state": str(UploadState.FAILED),
                "failure": why.replace("file.csv", self.upload.file_name)[:400],
                "file": None,
                "leased_until": None,
                "changed_at": now,
            }
        )

    def _change(self, values: dict[str, Any]) -> None:
        with self.context.database.write(self.programme_id) as session:
            changed = session.scalars(
                update(Upload)
                .where(Upload.id == self.upload_id, Upload.state == self.state)
                .values(**values)
                .returning(Upload.id)
            ).all()
        if not changed:
            raise _Stopped


def _claim(context: Context, now: datetime) -> tuple[str, str] | None:
    """A file that waits, of any programme; nobody else takes it while the lease lasts."""
    waiting = (
        Upload.state.in_(AT_WORK),
        (Upload.leased_until.is_(None) | (Upload.leased_until < now)),
    )
    with context.database.read_all() as session:
        if session.scalar(select(Upload.id).where(*waiting).limit(1)) is None:
            return None
    with context.database.write_all() as session:
        found = session.scalar(
            select(Upload)
            .where(*waiting)
            .order_by(Upload.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if found is None:
            return None
        found.leased_until = now + LEASE
        return found.id, found.programme_id


def _forget_old(context: Context, now: datetime) -> None:
    with context.database.read_all() as session:
        old = session.scalar(
            select(Upload.id)
            .where(
                ((Upload.changed_at < now - FILE_KEPT) & Upload.file.is_not(None))
                | (Upload.changed_at < now - KEPT)
            )
            .limit(1)
        )
    if old is None:
        return
    with context.database.write_all() as session:
        session.execute(
            update(Upload)
            .where(Upload.changed_at < now - FILE_KEPT, Upload.state == UploadState.LOOKED)
            .values(file=None, problems=None, state=str(UploadState.STOPPED))
        )
        session.execute(delete(Upload).where(Upload.changed_at < now - KEPT))


def _context(upload_id: str, what: str) -> bytes:
    return f"import upload {upload_id} {what}".encode()
