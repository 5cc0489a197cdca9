"""What happened on a card, and why each number is what it is."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.cards.rules import Role
from app.languages import _, current_language, lazy
from app.ledger.explain import tell
from app.ledger.models import EntryKind
from app.ledger.reports.rules import after
from app.ledger.reports.statement import statement
from app.programmes.models import Location
from app.programmes.terms import rulebook_of
from app.programmes.voices import voice_of
from app.web.customer.door import Opened, blueprint, opened, page

#: The newest ones; all of them are in what a member can download.
MOST_ENTRIES = 200

KINDS = {
    EntryKind.ACCRUAL: lazy("Collected"),
    EntryKind.BONUS: lazy("Bonus"),
    EntryKind.ADJUSTMENT: lazy("Credit or correction"),
    EntryKind.REDEMPTION: lazy("Redeemed"),
    EntryKind.REVERSAL: lazy("Taken back"),
    EntryKind.EXPIRY: lazy("Expired"),
    EntryKind.TRANSFER_IN: lazy("Came from another card"),
    EntryKind.TRANSFER_OUT: lazy("Went to another card"),
    EntryKind.OPENING: lazy("Brought along"),
}
#: An accrual without money.
VISIT = lazy("Visit")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history, as it is read."""

    what: str
    points: int
    balance: int
    at: datetime
    place: str | None
    money: tuple[int, str] | None
    reason: str | None
    why: list[str]


@blueprint.get("/card/<token>/history")
def history(token: str) -> str:
    """The newest entries first, each with its explanation in the reader's language."""
    with opened(token) as door:
        lines = deque(lines_of(door), maxlen=MOST_ENTRIES)
    return page(
        "history",
        door.programme,
        token=token,
        lines=list(reversed(lines)),
        shows_balance=_sees_all(door),
        title=_("History"),
    )


def _sees_all(door: Opened) -> bool:
    """Of an account that others share, whoever only collects sees what they did themselves."""
    return door.card.role == Role.OWNER


def lines_of(door: Opened) -> Iterator[Line]:
    """Every entry that the card's holder may see, in their order."""
    session, card, now = door.session, door.card, door.now
    settings = rulebook_of(session, card.programme_id, now).at(now).settings
    voice = voice_of(door.programme, settings, current_language())
    places = {row.id: row.name for row in session.execute(select(Location.id, Location.name))}
    sees_all = _sees_all(door)
    for entry in statement(session, card.account_id, since=None, before=after(now)).entries():
        if not sees_all and entry.card_id != card.id:
            continue
        is_visit = entry.kind == EntryKind.ACCRUAL and entry.amount_minor == 0
        money = None
        if entry.amount_minor and entry.currency is not None:
            money = entry.amount_minor, entry.currency
        yield Line(
            str(VISIT if is_visit else KINDS.get(EntryKind(entry.kind), entry.kind)),
            entry.points,
            entry.balance,
            entry.occurred_at,
            places.get(entry.location_id or ""),
            money,
            # What staff note is for staff.
            entry.reason if entry.actor_kind == "system" else None,
            [each if isinstance(each, str) else tell([each], voice)[0] for each in entry.explain],
        )
