"""One object on its way to Google: what is asked next, what became of it, what is kept of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, update

from app.db import Database
from app.delivery.google.api import Answer, GoogleSilent, GoogleUnreachable
from app.delivery.google.changes import (
    NEWS,
    UNCERTAIN,
    Change,
    aloud,
    is_notable,
    may_notify,
    news_aloud,
    used_up,
    with_notice,
)
from app.delivery.google.passes import GoogleCard
from app.delivery.models import GooglePass
from app.delivery.sending import Errand, Outcome, Result

#: Method, path and body.
Call = tuple[str, str, Mapping[str, Any]]


@dataclass(slots=True)
class Job:
    """An errand and the requests that it takes; *call* is the next one, empty when it is done."""

    errand: Errand
    card: GoogleCard | None
    call: Call | None = None
    result: Result = field(
        default_factory=lambda: Result(Outcome.REFUSED, "The card cannot be shown: it is gone.")
    )
    #: Whether Google answered that the class of the object is not there.
    misses_class: bool = False
    #: What is known of Google now, and the notices; see `GooglePass`.
    told: dict[str, str] | None = None
    notices: list[int] | None = None
    _change: Change | None = None
    #: News that are told aloud once everything else is as it has to be.
    _news: Mapping[str, Any] | None = None
    _is_telling: bool = False
    #: Whether an intent was noted: then the answer has to be, too.
    was_intended: bool = False
    _is_aloud: bool = False
    _was_class_missing: bool = False

    def plan(self, change: Change, now: datetime) -> None:
        """Choose the first request: none where Google has it all already."""
        assert self.card is not None  # noqa: S101 - for the type checker
        card = self.card
        self._change, self.told, self.notices = change, card.told, card.notices
        self.result = Result(Outcome.RETRY, "Google's answers led nowhere.")
        if not card.is_there:
            self.call = self._insertion(card)
        elif change.body:
            may = not card.is_removed and may_notify(card.notices, now)
            news = news_aloud(change, card.told) if may else None
            if news is not None:
                first, self._news = news
                self.call = ("PATCH", self._path, first.body) if first.body else None
                if self.call is None:
                    self._tell_news()
                return
            self._is_aloud = may and is_notable(change)
            body = aloud(change.body) if self._is_aloud else change.body
            self.call = (change.method, self._path, body)

    def _tell_news(self) -> None:
        assert self._news is not None  # noqa: S101 - for the type checker
        self._is_telling, self._is_aloud = True, True
        self.call = ("POST", f"{self._path}/addMessage", self._news)

    def finish(self, result: Result) -> None:
        """There is nothing more to ask."""
        self.call, self.result = None, result

    @property
    def intent(self) -> dict[str, str] | None:
        """What is known of Google from the moment that it is asked; None where nothing is."""
        if self._change is None or self.call is None:
            return None
        return self._change.meanwhile if self._is_telling or self.call[0] == "PATCH" else None

    def take(self, answer: Answer | GoogleSilent | GoogleUnreachable, now: datetime) -> None:
        """Note the answer to *call*, and choose the next one."""
        assert self.card is not None  # noqa: S101 - for the type checker
        assert self._change is not None  # noqa: S101
        assert self.call is not None  # noqa: S101
        self.misses_class = False
        method = self.call[0]
        if self._is_telling:
            self._take_telling(answer, now)
        elif self._news is not None and not isinstance(answer, Exception) and answer.is_good:
            self.told = self._without_news
            self._tell_news()
        elif isinstance(answer, GoogleUnreachable):
            self.finish(Result(Outcome.UNSENT, str(answer)))
        elif isinstance(answer, GoogleSilent):
            self.told = self._change.meanwhile if method == "PATCH" else None
            if self._news is not None and self.told is not None:
                # They were not asked for yet: they are still to be told.
                self.told = {name: mark for name, mark in self.told.items() if name != NEWS}
            self._count(now)
            self.finish(Result(Outcome.RETRY, str(answer)))
        elif answer.is_good:
            self.told = self._change.digests
            self._count(now)
            self.finish(Result(Outcome.DELIVERED, version=self.card.version))
        elif answer.is_quota and self._is_aloud:
            # Google counted more than we did: the points still change, without a notice.
            self._is_aloud, self.notices = False, used_up(now)
            self.call = (method, self._path, self._change.body)
        elif answer.status == 404 and method != "POST":
            self._insert_again()
        elif answer.status == 404 and not self._was_class_missing:
            self.misses_class = self._was_class_missing = True
        elif answer.status == 409 and method == "POST":
            # It was there before, in a state that nobody knows: all of it is replaced.
            self.call = ("PUT", self._path, self.card.body)
        else:
            later = answer.is_for_later or answer.is_quota
            outcome = Outcome.RETRY if later else Outcome.REFUSED
            self.finish(Result(outcome, str(answer), answer.retry_after_seconds))

    def _take_telling(
        self, answer: Answer | GoogleSilent | GoogleUnreachable, now: datetime
    ) -> None:
        """Note what became of news that were told aloud; everything else is done."""
        assert self.card is not None and self._change is not None  # noqa: S101
        self.told = self._without_news
        if isinstance(answer, GoogleUnreachable):
            self.finish(Result(Outcome.UNSENT, str(answer)))
        elif isinstance(answer, GoogleSilent):
            self.told = {**self._change.digests, NEWS: UNCERTAIN}
            self._count(now)
            self.finish(Result(Outcome.RETRY, str(answer)))
        elif answer.is_good:
            self.told = self._change.digests
            self._count(now)
            self.finish(Result(Outcome.DELIVERED, version=self.card.version))
        elif answer.is_quota:
            # The news stand on the card all the same, without a notice.
            self._is_telling = self._is_aloud = False
            self._news, self.notices = None, used_up(now)
            self.call = ("PATCH", self._path, {NEWS: self.card.body[NEWS]})
        elif answer.status == 404:
            self._insert_again()
        else:
            outcome = Outcome.RETRY if answer.is_for_later else Outcome.REFUSED
            self.finish(Result(outcome, str(answer), answer.retry_after_seconds))

    def _insert_again(self) -> None:
        """Google does not have the object: all of it is inserted, news and all."""
        assert self.card is not None  # noqa: S101 - for the type checker
        self.told, self._news = None, None
        self._is_telling = self._is_aloud = False
        self.call = self._insertion(self.card)

    @property
    def _without_news(self) -> dict[str, str]:
        """What Google has once everything else was told: the news are wanted still."""
        assert self._change is not None  # noqa: S101 - for the type checker
        return {name: mark for name, mark in self._change.digests.items() if name != NEWS}

    def _count(self, now: datetime) -> None:
        if self._is_aloud:
            self.notices = with_notice(self.notices, now)

    @property
    def _path(self) -> str:
        kind = self.card.kind if self.card else "loyalty"
        return f"{kind}Object/{self.errand.address}"

    @staticmethod
    def _insertion(card: GoogleCard) -> Call:
        return ("POST", f"{card.kind}Object", card.body)


def note_intents(database: Database, jobs: Sequence[Job]) -> None:
    """Note which fields Google is about to be told, before it is.

    The answer may never come, and the card may meanwhile change back: compared with what was known
    before, nothing would have changed, and Google would keep what it was told in between.
    """
    intended = [job for job in jobs if job.intent is not None]
    for job in intended:
        job.was_intended = True
    _write(database, [_row(job, job.intent, job.notices) for job in intended])


def note_answers(database: Database, jobs: Iterable[Job]) -> None:
    """Keep what is known of Google after its answers."""
    _write(
        database,
        [
            _row(job, job.told, job.notices)
            for job in jobs
            if job.was_intended or (job.card is not None and job.told != job.card.told)
        ],
    )


def _row(job: Job, told: dict[str, str] | None, notices: list[int] | None) -> dict[str, Any]:
    return {
        "row": job.errand.wallet_id,
        "address": job.errand.address,
        "version": job.card.version if job.card else 0,
        "new_told": told,
        "new_notices": notices,
    }


def _write(database: Database, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    table = cast(Table, GooglePass.__table__)
    statement = (
        update(table)
        .where(
            table.c.id == bindparam("row"),
            table.c.object_id == bindparam("address"),
            # Somebody else may have brought a newer state there meanwhile.
            table.c.delivered_version <= bindparam("version"),
        )
        .values(
            told=bindparam("new_told", type_=table.c.told.type),
            notices=bindparam("new_notices", type_=table.c.notices.type),
        )
    )
    in_order = sorted(rows, key=lambda row: int(row["row"]))
    with database.write_all() as session:
        session.connection().execute(statement, in_order)
