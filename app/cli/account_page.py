"""What stands on an account, gathered to be shown: as text and as JSON. No personal data."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards.holders import cards_of
from app.cards.models import Card
from app.cli.output import grid, printable
from app.cli.statement import lot_line
from app.ledger import service as ledger
from app.ledger import tiers, writing
from app.ledger.explain import Voice
from app.ledger.models import Account, AccountMerge, TierChange
from app.ledger.reports.rules import after
from app.ledger.reports.statement import StatementLot, statement
from app.ledger.rules import Standing
from app.ledger.sentences import TIER_REASONS
from app.ledger.tiers import Measure, Progress, TierScheme, TierState
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of
from app.programmes.voices import voice_of


@dataclass(frozen=True, slots=True)
class Page:
    """An account at one moment."""

    account: Account
    programme: Programme
    voice: Voice
    standing: Standing
    state: TierState
    scheme: TierScheme | None
    progress: Progress | None
    why: TierChange | None
    lots: list[StatementLot]
    cards: list[Card]
    merges: list[AccountMerge]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "account_id": self.account.id,
            "kind": self.account.kind,
            "merged_into_id": self.account.merged_into_id,
            "standing": asdict(self.standing),
            "tier": self._tier(),
            "lots": [asdict(lot) for lot in self.lots],
            "cards": [
                {
                    "card_id": card.id,
                    "status": card.status,
                    "role": card.role,
                    "redeem_limit": card.redeem_limit,
                    "redeem_period": card.redeem_period,
                    "issued_on": card.issued_on,
                }
                for card in self.cards
            ],
            "merges": [
                {
                    "posting_id": each.posting_id,
                    "from_account_id": each.from_account_id,
                    "merged_at": each.merged_at,
                }
                for each in self.merges
            ],
        }

    def _tier(self) -> dict[str, Any]:
        told: dict[str, Any] = {
            "tier": self.state.tier,
            "set_by_hand": self.state.override,
            "set_until": self.state.override_until,
            "why": None,
            "progress": None if self.progress is None else asdict(self.progress),
        }
        if self.why is not None:
            told["why"] = {
                "from_tier": self.why.from_tier,
                "reason": self.why.reason,
                "counted": self.why.counted,
                "effective_from": self.why.effective_from,
                "note": self.why.note,
            }
        return told

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.account.kind.capitalize()} account {self.account.id}"
        if self.account.merged_into_id is not None:
            yield f"Merged into account {self.account.merged_into_id}."
        rows = [
            (name, writing.number(count, "en")) for name, count in asdict(self.standing).items()
        ]
        yield from (f"  {line}" for line in grid(rows))
        yield from self.tier_lines()
        yield from _list("Lots", [lot_line(lot, self.programme.time_zone) for lot in self.lots])
        yield from _list(
            "Cards", [f"  {card.id}  {card.status}, {holder_line(card)}" for card in self.cards]
        )
        yield from _list(
            "Merged into it",
            [
                f"  account {each.from_account_id} on {self._moment(each.merged_at)}; to undo it: "
                f"counterfoil account unmerge {each.posting_id}"
                for each in self.merges
            ],
        )

    def tier_lines(self) -> Iterator[str]:
        """The tier, why it is that one, and how far it is to the next."""
        if self.scheme is None or self.progress is None:
            return
        progress = self.progress
        since = ""
        if self.why is not None:
            reason = TIER_REASONS["en"][self.why.reason]
            note = f" ({printable(self.why.note)})" if self.why.note else ""
            since = f", since {self._moment(self.why.effective_from)}: {reason}{note}"
        yield f"Tier {self.voice.tier(self.state.tier)}{since}"
        if self.state.override_until is not None:
            tier = self.voice.tier(self.state.override)
            yield f"  set by hand to {tier} to the end of {self._day(self.state.override_until)}"
        counted = f"  counted: {self._amount(progress.counted)}"
        if progress.next_level is not None and progress.missing is not None:
            by = "" if progress.until is None else f" by the end of {self._day(progress.until)}"
            tier = self.voice.tier(progress.next_level.code)
            counted += f"; {tier} lacks {self._amount(progress.missing)}{by}"
        yield counted
        if progress.keep_by is not None:
            until = f"beyond {self._day(progress.keep_by)}"
            lacks = self._amount(progress.keep_missing)
            yield f"  to keep it {until}: " + (lacks if progress.keep_missing else "nothing")

    def _amount(self, count: int) -> str:
        if self.scheme is not None and self.scheme.measure is Measure.SPEND:
            return self.voice.money(count, self.programme.currency)
        return self.voice.points(count)

    def _day(self, end: datetime) -> str:
        return writing.last_day(end, self.programme.time_zone, "en")

    def _moment(self, moment: datetime) -> str:
        return writing.moment(moment, self.programme.time_zone, "en")


def holder_line(card: Card) -> str:
    """What a card's holder may do, in words."""
    if card.redeem_limit is None:
        return card.role
    limit = writing.number(card.redeem_limit, "en")
    return f"{card.role} of at most {limit} points a {card.redeem_period}"


def _list(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from lines


def read(session: Session, programme: Programme, account_id: str, *, now: datetime) -> Page:
    """Gather it, in a session for the programme. Raises `UnknownAccount`."""
    book = rulebook_of(session, programme.id, now)
    terms = book.terms(now)
    page = ledger.look(session, account_id, now=now, terms=terms)
    state, zone = page.account.tier, terms.time_zone
    progress = None
    if terms.tiers is not None:
        progress = tiers.progress(terms.tiers, state, page.days, now, zone)
    why = session.scalar(
        select(TierChange)
        .where(TierChange.account_id == account_id)
        .order_by(TierChange.sequence.desc())
        .limit(1)
    )
    merges = session.scalars(
        select(AccountMerge)
        .where(AccountMerge.into_account_id == account_id, AccountMerge.undone_at.is_(None))
        .order_by(AccountMerge.merged_at)
    )
    return Page(
        account=session.get_one(Account, account_id),
        programme=programme,
        voice=voice_of(programme, book.at(now).settings, "en"),
        standing=page.standing(),
        state=state,
        scheme=terms.tiers,
        progress=progress,
        why=why,
        lots=list(statement(session, account_id, since=None, before=after(now)).lots()),
        cards=cards_of(session, account_id),
        merges=list(merges),
    )
