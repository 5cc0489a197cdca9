"""What falls due for many accounts at once, where it is plain: lots that simply expire, and tiers
whose review says the same for everybody who stands alike. PostgreSQL alone.

It writes what `Book.settle` would write, row for row, and leaves to it whatever is not plain:
holds, debt, pending or rolling points, graces, overrides, other windows than calendar years. A
tier's rules are not told a second time here: accounts of the same tier whose years reached the same
levels are a class, and `tiers.assess` decides once for each class.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.clock import whole_second
from app.db import programme_of
from app.ledger import rules, tiers
from app.ledger.postings import Terms
from app.ledger.tiers import Count, Downgrade, TierReason, TierScheme, TierState, Window


@dataclass(frozen=True, slots=True)
class Done:
    """How many *accounts* changed, how many of their *lots* expired, and *others* to settle."""

    accounts: int
    lots: int
    others: list[str]


def settle_plain(session: Session, account_ids: Sequence[str], now: datetime, terms: Terms) -> Done:
    """Settle those of the accounts that are free and plain; they stay locked.

    The session is one that writes, on PostgreSQL, narrowed to the accounts' programme.
    """
    run = _Run(session.connection(), programme_of(session), now, terms)
    locked = run.lock(account_ids)
    accounts = lots = 0
    left = set(locked)
    for plain in run.classes(locked):
        changed, expired = run.write(plain)
        accounts += changed
        lots += expired
        left.difference_update(plain.ids.split(","))
    return Done(accounts, lots, sorted(left))


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Where everybody of a class stands afterwards, and the change of tier that this is, if any."""

    state: TierState | None = None
    is_moved: bool = False
    change: tiers.Change | None = None


@dataclass(frozen=True, slots=True)
class _Class:
    """Accounts that stand alike: their *ids* with commas between, and what they come to.

    *first* and *last*: when the first and the last of their lots expired, of those that are due.
    """

    ids: str
    first: datetime | None
    last: datetime | None
    verdict: _Verdict


class _Run:
    """One batch of accounts of one programme."""

    def __init__(
        self, connection: Connection, programme_id: str, now: datetime, terms: Terms
    ) -> None:
        self.connection, self.now, self.terms = connection, now, terms
        year = rules.local_day(now, terms.time_zone).year
        #: The first days of the year before last, last year, this year and the next.
        self.years = [date(each, 1, 1) for each in range(year - 2, year + 2)]
        self.began = [rules.start_of_day(day, terms.time_zone) for day in self.years]
        self.values: dict[str, Any] = {"programme": programme_id, "now": now}

    def lock(self, account_ids: Sequence[str]) -> list[str]:
        ids = {"ids": ",".join(sorted(account_ids))}
        return list(self.connection.scalars(text(_LOCK), self.values | ids))

    def classes(self, account_ids: Sequence[str]) -> Iterator[_Class]:
        """Those of the accounts that are plain, by what they come to."""
        scheme, ids = self.terms.tiers, {"ids": ",".join(account_ids)}
        if not account_ids:
            return
        if scheme is None:
            members, first, last = self.connection.execute(text(_PLAIN), self.values | ids).one()
            if members is not None:
                yield _Class(members, first, last, _Verdict())
            return
        if scheme.window is not Window.CALENDAR or scheme.grace_days or not scheme.levels:
            return
        if scheme.downgrade is not Downgrade.RECOMPUTED:
            return
        figure = "spend_minor" if scheme.place else "points"
        days = dict(zip(("before", "last", "this"), self.years, strict=False))
        values = self.values | ids | days
        values |= {"thresholds": list(scheme.thresholds), "this_began": self.began[2]}
        statement = text(_CLASSES.format(figure=figure))
        for *facts, members, first, last in self.connection.execute(statement, values):
            verdict = self._judge(scheme, *facts)
            if verdict is not None:
                yield _Class(members, first, last, verdict)

    def _judge(
        self,
        scheme: TierScheme,
        tier: str | None,
        before: str | None,
        kept: str | None,
        reviewed_at: datetime,
        review_at: datetime | None,
        is_this_year: bool,
        *levels: int,
    ) -> _Verdict | None:
        """What `tiers.assess` makes of one that stands for all; None where they may differ."""
        last, this, following = self.began[1:]
        is_due = reviewed_at == last and review_at == this and not is_this_year
        if not is_due and (reviewed_at != this or review_at not in (None, following)):
            return None
        if tier not in scheme.ranks or kept not in scheme.ranks:
            return None
        # The least that reaches each level stands for what was counted.
        sums = [scheme.thresholds[level - 1] if level else 0 for level in levels]
        days = {
            day: Count(points, points)
            for day, points in zip(self.years, sums, strict=False)
            if points or (day == self.years[2] and is_this_year)
        }
        state = TierState(self.years[0], tier, before, kept, reviewed_at, review_at=review_at)
        changes = tiers.assess(scheme, state, days, self.now, self.terms.time_zone)
        change = changes[0] if changes else None
        if change is not None and not (
            is_due
            and len(changes) == 1
            and change.reason is TierReason.REVIEW
            and change.counted == sums[1]
            and change.effective_from == this
        ):
            return None
        return _Verdict(state, state.review_at != review_at, change)

    def write(self, plain: _Class) -> tuple[int, int]:
        """Write one class; how many accounts changed, and how many lots expired."""
        verdict = plain.verdict
        values = self.values | {
            "ids": plain.ids,
            "is_moved": verdict.is_moved or verdict.change is not None,
            "second": whole_second(self.now),
        }
        moments = [each for each in {plain.first, plain.last} if each is not None]
        if len(moments) > 1:
            moments = list(self.connection.scalars(text(_MOMENTS), values))
        values["moments"] = moments
        values["days"] = [rules.local_day(each, self.terms.time_zone) for each in moments]
        tier_changes, columns = "", ""
        if (state := verdict.state) is not None:
            columns = _TIER
            values |= {
                "tier": state.tier,
                "tier_before": state.before,
                "tier_kept": state.kept,
                "reviewed_at": state.reviewed_at,
                "review_at": state.review_at,
                "tier_changed_at": verdict.change.effective_from if verdict.change else None,
            }
        if (change := verdict.change) is not None and self.terms.tiers is not None:
            figure = "spend_minor" if self.terms.tiers.place else "points"
            tier_changes = _TIER_CHANGES.format(figure=figure)
            values |= {
                "from_tier": change.from_tier,
                "to_tier": change.to_tier,
                "reason": str(change.reason),
                "effective_from": change.effective_from,
                "last": self.years[1],
                "this": self.years[2],
            }
        # Ids in the order of time are put at the end of an index, not all over it.
        version = self.connection.dialect.server_version_info or ()
        new_id = "uuidv7()" if version >= (18,) else "gen_random_uuid()"
        statement = _WRITE.format(tier_changes=tier_changes, tier=columns, new_id=new_id)
        changed, expired = self.connection.execute(text(statement), values).one()
        return int(changed), int(expired)


#: In a query of its own it is read once for each statement, not once for each row.
_IDS = "CAST((SELECT CAST(string_to_array(CAST(:ids AS text), ',') AS uuid[])) AS uuid[])"
_LOCK = f"""
SELECT CAST(id AS text) FROM accounts
WHERE id = ANY({_IDS}) AND programme_id = :programme
ORDER BY id FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - put together of constants alone
_LOTS = """
LEFT JOIN LATERAL (
    SELECT bool_or(pending OR held > 0 OR rolling) AS stir,
        min(expires_at) FILTER (WHERE expires_at <= :now) AS first,
        max(expires_at) FILTER (WHERE expires_at <= :now) AS last
    FROM lots WHERE account_id = a.id AND remaining > 0
) l ON true
"""
_MEMBERS = "string_agg(CAST(a.id AS text), ',' ORDER BY a.id), min(l.first), max(l.last)"
_IS_PLAIN = f"""
a.id = ANY({_IDS}) AND a.programme_id = :programme
AND a.held = 0 AND a.debt = 0 AND a.rolling_expires_at IS NULL AND l.stir IS NOT TRUE
"""
_PLAIN = f"""
SELECT {_MEMBERS} FROM accounts a {_LOTS} WHERE {_IS_PLAIN}
"""  # noqa: S608
_CLASSES = f"""
SELECT a.tier, a.tier_before, a.tier_kept, a.tier_reviewed_at, a.tier_review_at,
    coalesce(s.is_this_year, false),
    width_bucket(coalesce(s.before_last, 0), CAST(:thresholds AS numeric[])),
    width_bucket(coalesce(s.last, 0), CAST(:thresholds AS numeric[])),
    width_bucket(coalesce(s.this, 0), CAST(:thresholds AS numeric[])),
    {_MEMBERS}
FROM accounts a {_LOTS}
LEFT JOIN (
    SELECT account_id,
        sum({{figure}}) FILTER (WHERE day < :last) AS before_last,
        sum({{figure}}) FILTER (WHERE day >= :last AND day < :this) AS last,
        sum({{figure}}) FILTER (WHERE day >= :this) AS this,
        bool_or(day >= :this) AS is_this_year
    FROM earning_days
    WHERE account_id = ANY({_IDS}) AND day >= :before
    GROUP BY account_id
) s ON s.account_id = a.id
WHERE {_IS_PLAIN}
AND a.tier_override IS NULL AND a.tier_grace_until IS NULL
AND a.tier_reviewed_at IS NOT NULL
AND (a.tier_changed_at IS NULL OR a.tier_changed_at <= :this_began)
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608
_MOMENTS = f"""
SELECT DISTINCT expires_at FROM lots
WHERE account_id = ANY({_IDS}) AND remaining > 0 AND expires_at <= :now
"""  # noqa: S608
_TIER = """
    tier = :tier, tier_before = :tier_before, tier_kept = :tier_kept,
    tier_reviewed_at = :reviewed_at, tier_review_at = :review_at,
    tier_changed_at = coalesce(:tier_changed_at, a.tier_changed_at),
"""
_TIER_CHANGES = """
told AS (
    INSERT INTO tier_changes (programme_id, id, account_id, from_tier, to_tier, reason, counted,
        effective_from, recorded_at, actor_kind)
    SELECT :programme, gen_random_uuid(), mine.id, :from_tier, :to_tier, :reason,
        coalesce((SELECT sum({figure}) FROM earning_days
            WHERE account_id = mine.id AND day >= :last AND day < :this), 0),
        :effective_from, :now, 'system'
    FROM mine ORDER BY mine.id
),
"""
_WRITE = f"""
WITH mine AS (SELECT unnest({_IDS}) AS id),
due AS MATERIALIZED (
    SELECT l.sequence, l.id, l.account_id, l.remaining AS points, l.expires_at
    FROM mine JOIN lots l ON l.account_id = mine.id
    WHERE l.remaining > 0 AND l.expires_at <= :now AND l.programme_id = :programme
),
moments AS MATERIALIZED (
    SELECT account_id, expires_at, sum(points) AS points, {{new_id}} AS id
    FROM due GROUP BY account_id, expires_at
),
days AS (
    SELECT moment, day
    FROM unnest(CAST(:moments AS timestamptz[]), CAST(:days AS date[])) AS d(moment, day)
),
entered AS (
    INSERT INTO entries (programme_id, id, account_id, kind, points, occurred_at, recorded_at, day,
        counted_points, counted_minor, late, actor_kind, whole_reversal)
    SELECT :programme, m.id, m.account_id, 'expiry', -m.points, m.expires_at, :now, days.day,
        0, 0, false, 'system', false
    FROM moments m JOIN days ON days.moment = m.expires_at
    ORDER BY m.account_id, m.expires_at
),
drawn AS (
    INSERT INTO draws (programme_id, entry_id, account_id, lot_id, points, recorded_at)
    SELECT :programme, m.id, due.account_id, due.id, due.points, :now
    FROM due JOIN moments m ON m.account_id = due.account_id AND m.expires_at = due.expires_at
    ORDER BY due.account_id, due.expires_at, due.sequence
),
emptied AS (
    UPDATE lots SET remaining = 0 FROM due WHERE lots.sequence = due.sequence
),
{{tier_changes}}
totals AS (SELECT account_id, sum(points) AS points FROM due GROUP BY account_id),
changed AS (
    UPDATE accounts a SET
        balance = a.balance - coalesce(totals.points, 0),
        version = a.version + 1,
        {{tier}}
        changed_at = greatest(:second, a.changed_at + interval '1 second')
    FROM mine LEFT JOIN totals ON totals.account_id = mine.id
    WHERE a.id = mine.id AND (totals.points IS NOT NULL OR :is_moved)
    RETURNING a.id
)
SELECT (SELECT count(*) FROM changed), (SELECT count(*) FROM due)
"""  # noqa: S608
