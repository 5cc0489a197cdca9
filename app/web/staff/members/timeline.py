"""What happened to a person here, the newest first: points, readings, tiers, cards, letters."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.approvals.models import Approval
from app.campaigns.models import TOLD, Campaign, Recipient
from app.cards.models import Card, CardScan
from app.languages import _
from app.ledger import writing
from app.ledger.explain import Voice, tell
from app.ledger.models import Account, Entry, EntryKind, Posting, TierChange
from app.ledger.sentences import TIER_REASONS
from app.mail.models import OutgoingMail
from app.members.models import Consent
from app.programmes.models import Location
from app.staff.models import Staff
from app.till.models import Till
from app.web.formats import money
from app.web.staff.campaigns.words import RECIPIENTS
from app.web.staff.members.area import names
from app.web.staff.members.words import ENTRIES, PURPOSES, VISIT, status_of
from passes.card import CardStatus

PAGE = 40


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. *points* stand beside it where it moved any."""

    at: datetime
    title: str
    lines: list[str] = field(default_factory=list)
    points: int | None = None
    #: Puts what has the same moment in its order.
    place: int = 0


@dataclass(frozen=True, slots=True)
class Whose:
    """What a person has here: whose happenings these are."""

    account_id: str
    cards: list[Card]
    member_ids: list[str]

    @property
    def card_ids(self) -> list[str]:
        """The ids of all cards."""
        return [card.id for card in self.cards]


def timeline(
    session: Session, whose: Whose, voice: Voice, *, before: datetime | None = None
) -> tuple[list[Happening], datetime | None]:
    """The newest happenings before *before*, and where the next page begins (None: nowhere)."""
    names = _Names(session)
    sources = (_entries, _scans, _tiers, _cards, _consents, _campaigns, _letters, _approvals)
    found: list[Happening] = []
    for source in sources:
        found += source(session, whose, names, voice, before)
    found.sort(key=lambda each: (each.at, each.place), reverse=True)
    if len(found) <= PAGE:
        return found, None
    # What happened at one moment stays on one page.
    last = found[PAGE - 1].at
    shown = [each for each in found if each.at >= last]
    return shown, last if len(shown) < len(found) else None


class _Names:
    """Who and where, by their ids; each looked up once."""

    def __init__(self, session: Session) -> None:
        self.staff = names(session, Staff)
        self.tills = names(session, Till)
        self.places = names(session, Location)

    def where(self, row: Any) -> list[str]:
        """Where and by whom an entry was made, as one line."""
        parts = [self.places.get(row.location_id), self.tills.get(row.till_id)]
        if row.actor_kind == "staff":
            parts.append(self.staff.get(row.actor_id))
        elif row.actor_kind == "api":
            parts.append(_("a shop system"))
        line = ", ".join(part for part in parts if part)
        return [line] if line else []


# --- sources: each gives its newest, and some more than a page can show ------------------------


def _newest(statement: Any, moment: Any, before: datetime | None) -> Any:
    if before is not None:
        statement = statement.where(moment < before)
    return statement.limit(PAGE + 20)


def _entries(
    session: Session, whose: Whose, names: _Names, voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    merged = select(Account.id).where(Account.merged_into_id == whose.account_id)
    accounts = [whose.account_id, *session.scalars(merged)]
    rows = session.scalars(
        _newest(
            select(Entry).where(Entry.account_id.in_(accounts)).order_by(Entry.sequence.desc()),
            Entry.recorded_at,
            before,
        )
    ).all()
    answers = _answers(session, rows)
    told: set[str] = set()
    for row in reversed(rows):
        lines = names.where(row)
        if row.amount_minor and row.currency is not None:
            lines.insert(0, money(row.amount_minor, row.currency))
        if row.posting_id is not None and row.posting_id not in told:
            told.add(row.posting_id)
            lines += _explained(answers.get(row.posting_id), voice)
        if row.reason:
            lines.append(row.reason)
        if row.late:
            lines.append(
                _("It happened on %(when)s and came later.", when=_moment(voice, row.occurred_at))
            )
        is_visit = row.kind == EntryKind.ACCRUAL and row.amount_minor == 0
        title = str(VISIT if is_visit else ENTRIES.get(row.kind, row.kind))
        yield Happening(row.recorded_at, title, lines, row.points, row.sequence)


def _answers(session: Session, rows: Iterable[Entry]) -> dict[str, Any]:
    ids = {row.posting_id for row in rows if row.posting_id is not None}
    found = session.execute(select(Posting.id, Posting.answer).where(Posting.id.in_(ids)))
    return {row.id: row.answer for row in found}


def _explained(answer: dict[str, Any] | None, voice: Voice) -> list[str]:
    reasons = (answer or {}).get("explain") or []
    return [each if isinstance(each, str) else tell([each], voice)[0] for each in reasons]


def _scans(
    session: Session, whose: Whose, names: _Names, _voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    rows = session.scalars(
        _newest(
            select(CardScan)
            .where(CardScan.card_id.in_(whose.card_ids))
            .order_by(CardScan.scanned_at.desc()),
            CardScan.scanned_at,
            before,
        )
    )
    for row in rows:
        where = [names.places.get(row.location_id), names.tills.get(row.till_id)]
        line = ", ".join(each for each in where if each)
        yield Happening(row.scanned_at, _("Card read"), [line] if line else [])


def _tiers(
    session: Session, whose: Whose, names: _Names, voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    rows = session.scalars(
        _newest(
            select(TierChange)
            .where(TierChange.account_id == whose.account_id)
            .order_by(TierChange.effective_from.desc()),
            TierChange.effective_from,
            before,
        )
    )
    for row in rows:
        title = _(
            "Tier: from %(before)s to %(after)s",
            before=voice.tier(row.from_tier),
            after=voice.tier(row.to_tier),
        )
        lines = [TIER_REASONS[voice.language].get(row.reason, row.reason)]
        if row.note:
            lines.append(row.note)
        if row.actor_id in names.staff:
            lines.append(names.staff[row.actor_id])
        yield Happening(row.effective_from, title, lines)


def _cards(
    _session: Session, whose: Whose, _names: _Names, _voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    for card in whose.cards:
        lines = [_("Card %(card)s, from %(source)s", card=card.id, source=card.source)]
        if before is None or card.issued_at < before:
            yield Happening(card.issued_at, _("Card given"), lines, None, -1)
        if card.status != CardStatus.ACTIVE and (before is None or card.status_changed_at < before):
            words, _kind = status_of(card.status)
            title = _("Card %(card)s: %(status)s", card=card.id, status=words)
            reason = [card.status_reason] if card.status_reason else []
            yield Happening(card.status_changed_at, title, reason)


def _consents(
    session: Session, whose: Whose, _names: _Names, _voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    rows = session.scalars(select(Consent).where(Consent.member_id.in_(whose.member_ids)))
    for row in rows:
        what = str(PURPOSES.get(row.purpose, row.purpose))
        if before is None or row.given_at < before:
            yield Happening(row.given_at, _("Consented: %(what)s", what=what))
        if row.withdrawn_at is not None and (before is None or row.withdrawn_at < before):
            yield Happening(row.withdrawn_at, _("Consents no longer: %(what)s", what=what))


def _letters(
    session: Session, whose: Whose, _names: _Names, _voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    rows = session.scalars(
        _newest(
            select(OutgoingMail)
            .where(OutgoingMail.member_id.in_(whose.member_ids))
            .order_by(OutgoingMail.created_at.desc()),
            OutgoingMail.created_at,
            before,
        )
    )
    for row in rows:
        lines = [row.subject] if row.subject else []
        yield Happening(row.created_at, _("Letter"), [*lines, _letter_state(row.status)])


def _campaigns(
    session: Session, whose: Whose, _names: _Names, _voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    rows = session.execute(
        _newest(
            select(Recipient.sent_at, Recipient.state, Campaign.name)
            .join(Campaign, Campaign.id == Recipient.campaign_id)
            .where(Recipient.account_id == whose.account_id, Recipient.state.in_(TOLD))
            .order_by(Recipient.sent_at.desc()),
            Recipient.sent_at,
            before,
        )
    )
    for row in rows:
        if row.sent_at is not None:
            title = _("Message: %(campaign)s", campaign=row.name)
            yield Happening(row.sent_at, title, [str(RECIPIENTS.get(row.state, row.state))])


def _letter_state(status: str) -> str:
    return {
        "waiting": _("waits to be sent"),
        "sent": _("sent"),
        "refused": _("there is no such mailbox"),
        "dropped": _("not sent: there is no address, or no consent any more"),
        "failed": _("no mail server took it"),
        "unknown": _("may have been sent"),
    }.get(status, status)


def _approvals(
    session: Session, whose: Whose, names: _Names, _voice: Voice, before: datetime | None
) -> Iterator[Happening]:
    rows = session.scalars(
        select(Approval).where(
            Approval.card_id.in_(whose.card_ids), Approval.decided_at.is_not(None)
        )
    )
    for row in rows:
        if row.decided_at is None or (before is not None and row.decided_at >= before):
            continue
        title = _("A second person agreed") if row.approved else _("A second person refused")
        people = _(
            "Asked by %(asker)s, decided by %(decider)s",
            asker=names.staff.get(row.asked_by_id, ""),
            decider=names.staff.get(row.decided_by_id or "", ""),
        )
        yield Happening(row.decided_at, title, [row.reason, people])


def _moment(voice: Voice, at: datetime) -> str:
    return writing.moment(at, voice.time_zone, voice.language)
