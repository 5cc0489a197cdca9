"""What cards, entries and wallets are called on the members' pages."""

from app.languages import Lazy, lazy
from app.ledger.models import EntryKind
from app.members import service as members
from passes.card import CardStatus
from passes.code import Kind

#: A card's status in words, and the kind of badge it has.
_STATUS: dict[str, tuple[Lazy, str]] = {
    CardStatus.ACTIVE: (lazy("good"), "good"),
    CardStatus.BLOCKED: (lazy("blocked"), "bad"),
    CardStatus.REPLACED: (lazy("replaced"), "quiet"),
    CardStatus.ERASED: (lazy("given back"), "quiet"),
    CardStatus.USED: (lazy("used"), "quiet"),
    CardStatus.EXPIRED: (lazy("expired"), "quiet"),
}
KINDS: dict[int, Lazy] = {
    Kind.MEMBER: lazy("card on a phone"),
    Kind.PRINTED: lazy("printed card"),
    Kind.TEST: lazy("card for trying out"),
}
ENTRIES: dict[str, Lazy] = {
    EntryKind.ACCRUAL: lazy("Points for a receipt"),
    EntryKind.BONUS: lazy("Bonus"),
    EntryKind.ADJUSTMENT: lazy("By hand"),
    EntryKind.REDEMPTION: lazy("Redeemed"),
    EntryKind.REVERSAL: lazy("Taken back"),
    EntryKind.EXPIRY: lazy("Expired"),
    EntryKind.TRANSFER_IN: lazy("From a merged account"),
    EntryKind.TRANSFER_OUT: lazy("To a merged account"),
    EntryKind.OPENING: lazy("Brought along"),
}
#: An accrual without money.
VISIT = lazy("Visit")
PURPOSES: dict[str, Lazy] = {
    "messages": lazy("Messages and offers"),
    "partners": lazy("Sharing with partners"),
}
#: What may be consented to now, in the order in which it is asked.
PURPOSES_ASKED = tuple(members.PURPOSES)
READS: dict[str, Lazy] = {
    "list": lazy("in a list"),
    "list file": lazy("in a file"),
    "show": lazy("on this page"),
    "export": lazy("all data taken away"),
    "erase": lazy("to erase it"),
    "merge": lazy("to merge"),
}
WALLETS = {"apple": "Apple Wallet", "google": "Google Wallet"}


def status_of(status: str) -> tuple[str, str]:
    """A card's status in words, and the kind of badge it has."""
    words, kind = _STATUS.get(status, (status, "quiet"))
    return str(words), kind
