"""The till's queue: every posting is kept here, on the disk, before it is first sent.

A row is waiting, then sent (with the service's answer, kept 30 days so that it can be sent
again after a restore of the service) or set aside (with the reason) until somebody resolves it:
it waits again, is handed over to a manager, or is dropped. Its id was made here and its body
never changes once a service may have seen it, so sending twice is harmless.
SQLite with synchronous=FULL: `keep` returns only when the row is on the disk.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from scanner.queue_file import FILE as FILE
from scanner.queue_file import QueueFile
from scanner.queue_records import How as How
from scanner.queue_records import Posting as Posting
from scanner.queue_records import Resolution as Resolution
from scanner.queue_records import State as State
from scanner.queue_records import as_text, posting_from

KEPT_FOR = timedelta(days=30)
# What a cashier gave up stays longer: somebody may ask about it.
DROPPED_KEPT_FOR = timedelta(days=365)
NEVER_MADE = "What it takes back was never made."


class Queue(QueueFile):
    """The postings of this till, in the order in which they were made.

    Safe to share between threads; several processes may have it open at once.
    """

    # -- keeping ------------------------------------------------------------------------------

    def keep(self, posting: Posting) -> None:
        """Put a new posting on the disk; raises QueueError where that is not certain."""
        moment = posting.moment
        with self._writing():
            self._db.execute(
                "INSERT INTO posting (id, programme_id, kind, path, body, needs_cashier, after_id,"
                " card_id, kept_at, boot, boot_seconds, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
                (
                    posting.id,
                    posting.programme_id,
                    posting.kind,
                    posting.path,
                    posting.body,
                    posting.needs_cashier,
                    posting.after_id,
                    posting.card_id,
                    as_text(posting.kept_at),
                    moment.boot if moment else None,
                    moment.seconds if moment else None,
                ),
            )
            self._db.execute(
                "UPDATE clock SET latest = ?1 WHERE latest IS NULL OR latest < ?1",
                (as_text(posting.kept_at),),
            )

    def attempted(self, *posting_ids: str) -> None:
        """Note that postings are about to be sent."""
        with self._writing():
            self._db.executemany(
                "UPDATE posting SET attempts = attempts + 1 WHERE id = ?",
                [(each,) for each in posting_ids],
            )

    def replace_body(self, posting_id: str, body: bytes) -> None:
        """Let a waiting posting go without a cashier, with the body that says so."""
        with self._writing():
            self._db.execute(
                "UPDATE posting SET body = ?, needs_cashier = 0 WHERE id = ? AND state = 'waiting'",
                (body, posting_id),
            )

    def redate(self, changed: Mapping[str, tuple[bytes, datetime]]) -> None:
        """Give waiting postings that no service can have seen another body, and its moment."""
        with self._writing():
            self._db.executemany(
                "UPDATE posting SET body = ?, kept_at = ?, boot = NULL, boot_seconds = NULL"
                " WHERE id = ? AND state = 'waiting' AND attempts = 0",
                [(body, as_text(at), each) for each, (body, at) in changed.items()],
            )

    # -- settling -----------------------------------------------------------------------------

    def sent(self, posting_id: str, answer: dict[str, Any], now: datetime) -> None:
        """Note the service's answer; a posting that was sent before keeps its first answer."""
        self.settle({posting_id: answer}, {}, now)

    def set_aside(self, posting_id: str, reason: str, now: datetime) -> None:
        """Note why the service will never take a waiting posting."""
        self.settle({}, {posting_id: reason}, now)

    def settle(
        self, answers: Mapping[str, dict[str, Any]], refusals: Mapping[str, str], now: datetime
    ) -> None:
        """Note what the service said to many postings, all at once.

        What takes back a posting that was never made is dropped together with it: neither of the
        two has happened.
        """
        with self._writing():
            self._db.executemany(
                "UPDATE posting SET state = 'sent', settled_at = ?, answer = ?, reason = NULL"
                " WHERE id = ? AND state <> 'sent'",
                [(as_text(now), json.dumps(answer), each) for each, answer in answers.items()],
            )
            for each, reason in refusals.items():
                self._refuse(each, reason, now)

    def _refuse(self, posting_id: str, reason: str, now: datetime) -> None:
        taken_back = self._db.execute(
            "UPDATE posting SET state = 'dropped', settled_at = ?, reason = ?"
            " WHERE after_id = ? AND state = 'waiting' AND kind = 'reversal'",
            (as_text(now), NEVER_MADE, posting_id),
        ).rowcount
        state = State.DROPPED if taken_back else State.SET_ASIDE
        reason = f"Taken back before it was made. {reason}" if taken_back else reason
        self._db.execute(
            "UPDATE posting SET state = ?, settled_at = ?, reason = ?"
            " WHERE id = ? AND state = 'waiting'",
            (state, as_text(now), reason, posting_id),
        )

    def give_up(self, posting_id: str, reason: str, now: datetime) -> None:
        """Drop a waiting posting that nobody has to look at any more."""
        with self._writing():
            self._db.execute(
                "UPDATE posting SET state = 'dropped', settled_at = ?, reason = ?"
                " WHERE id = ? AND state = 'waiting'",
                (as_text(now), reason, posting_id),
            )

    def resolve(self, resolution: Resolution, state: State, answer: dict[str, Any] | None) -> bool:
        """Move a posting that is set aside to `state`, and record who did it; False if it is not.

        `answer`: the service's, where it took the posting.
        """
        with self._writing():
            changed = self._db.execute(
                "UPDATE posting SET state = ?, settled_at = ?, answer = ?,"
                " reason = CASE WHEN ?1 = 'waiting' THEN NULL ELSE reason END"
                " WHERE id = ? AND state = 'set_aside'",
                (
                    state,
                    None if state is State.WAITING else as_text(resolution.at),
                    None if answer is None else json.dumps(answer),
                    resolution.posting_id,
                ),
            ).rowcount
            if changed and state is State.DROPPED:
                self._db.execute(
                    "UPDATE posting SET state = 'dropped', settled_at = ?, reason = ?"
                    " WHERE after_id = ? AND state = 'waiting' AND kind = 'reversal'",
                    (as_text(resolution.at), NEVER_MADE, resolution.posting_id),
                )
            if changed:
                self._db.execute(
                    "INSERT INTO resolution (posting_id, how, refusal, reason, who, at)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        resolution.posting_id,
                        resolution.how,
                        resolution.refusal,
                        resolution.reason,
                        resolution.who,
                        as_text(resolution.at),
                    ),
                )
            return bool(changed)

    def resolutions(self, posting_id: str | None = None) -> list[Resolution]:
        """Return what was done about postings that were set aside, the first one first."""
        where, values = ("", ()) if posting_id is None else ("WHERE posting_id = ?", (posting_id,))
        rows = self._fetch(
            f"SELECT posting_id, how, refusal, reason, who, at FROM resolution {where}"  # noqa: S608
            " ORDER BY number",
            values,
        )
        return [
            Resolution(row[0], How(row[1]), row[2], row[3], row[4], datetime.fromisoformat(row[5]))
            for row in rows
        ]

    # -- looking ------------------------------------------------------------------------------

    def get(self, posting_id: str) -> Posting | None:
        """Return one posting, whatever its state."""
        rows = self._read("WHERE id = ?", (posting_id,))
        return rows[0] if rows else None

    def reversal_of(self, posting_id: str) -> Posting | None:
        """Return the reversal that waits or was sent for a posting, None where there is none."""
        rows = self._read(
            "WHERE after_id = ? AND kind = 'reversal' AND state IN ('waiting', 'sent')",
            (posting_id,),
        )
        return rows[0] if rows else None

    def all(self, *states: State) -> list[Posting]:
        """Return the postings in `states` (all of them by default), oldest first."""
        chosen = states or tuple(State)
        marks = ", ".join("?" * len(chosen))
        return self._read(f"WHERE state IN ({marks})", chosen)

    def next_waiting(self, programme_id: str, most: int, *, after: int = 0) -> list[Posting]:
        """Return the oldest that wait for this programme, at most `most`, beyond number `after`."""
        return self._read(
            "WHERE state = 'waiting' AND programme_id = ? AND number > ?",
            (programme_id, after),
            most,
        )

    def newest_accrual(self, programme_id: str) -> Posting | None:
        """Return the accrual made last of those that wait for this programme."""
        rows = self._fetch(
            "SELECT max(number) FROM posting"
            " WHERE state = 'waiting' AND programme_id = ? AND kind = 'accrual'",
            (programme_id,),
        )
        found = self._read("WHERE number = ?", (rows[0][0],))
        return found[0] if found else None

    def sent_since(self, since: datetime) -> list[Posting]:
        """Return the postings kept since then that the service has answered, oldest first."""
        return self._read("WHERE state = 'sent' AND kept_at >= ?", (as_text(since),))

    def count(self, state: State, programme_id: str | None = None) -> int:
        """Return how many postings are in `state`, of one programme or of all."""
        rows = self._fetch(
            "SELECT count(*) FROM posting WHERE state = ?1 AND (?2 IS NULL OR programme_id = ?2)",
            (state, programme_id),
        )
        return int(rows[0][0])

    def oldest_waiting(self, programme_id: str) -> datetime | None:
        """Return when the oldest posting that waits for a programme was made."""
        return self._moment(
            "SELECT kept_at FROM posting WHERE state = 'waiting' AND programme_id = ?"
            " ORDER BY number",
            programme_id,
        )

    def last_sent(self) -> datetime | None:
        """Return when the service last took a posting."""
        return self._moment("SELECT max(settled_at) FROM posting WHERE state = 'sent'")

    def waiting_programmes(self) -> set[str]:
        """Return the programmes for which something waits, or was set aside and not resolved."""
        rows = self._fetch(
            "SELECT DISTINCT programme_id FROM posting WHERE state IN ('waiting', 'set_aside')", ()
        )
        return {str(row[0]) for row in rows}

    def forget_old(self, now: datetime) -> int:
        """Delete what was sent more than 30 days ago; return how many that were."""
        with self._writing():
            gone = self._db.execute(
                "DELETE FROM posting WHERE state IN ('sent', 'handed_over') AND settled_at < ?",
                (as_text(now - KEPT_FOR),),
            ).rowcount
            self._db.execute(
                "DELETE FROM posting WHERE state = 'dropped' AND settled_at < ?",
                (as_text(now - DROPPED_KEPT_FOR),),
            )
            return gone

    def _moment(self, statement: str, *values: str) -> datetime | None:
        rows = self._fetch(f"{statement} LIMIT 1", values)
        return datetime.fromisoformat(rows[0][0]) if rows and rows[0][0] else None

    def _read(self, where: str, values: Iterable[object], most: int = -1) -> list[Posting]:
        rows = self._fetch(
            "SELECT id, programme_id, kind, path, body, needs_cashier, kept_at, after_id, card_id,"  # noqa: S608
            f" boot, boot_seconds, state, attempts, settled_at, answer, reason,"
            f" number FROM posting {where}"
            " ORDER BY number LIMIT ?",
            (*values, most),
        )
        return [posting_from(row) for row in rows]
