"""The closed list of what a cashier can be told, each with its colour, its sign and its sound.

Every answer of the page is one `Told`: what a scan ended in (`passes.code.Outcome`, member by
member), what a posting did, what the network did, what was refused. The sentences are in
`texts/`, one file a language. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from passes.code import Outcome


class Tone(StrEnum):
    """The colour of an outcome: go on; look; stop."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class Told(StrEnum):
    """Everything that a cashier, or a customer at a self-service till, can be told."""

    # A scan; the same words as `passes.code.Outcome`.
    ACCEPTED = "accepted"
    NOT_A_CARD = "not_a_card"
    MALFORMED = "malformed"
    UNKNOWN_VERSION = "unknown_version"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    OTHER_PROGRAMME = "other_programme"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    EXPIRED = "expired"
    STEP_USED = "step_used"
    STEP_OUT_OF_WINDOW = "step_out_of_window"
    UNVERIFIED = "unverified"
    # What was done.
    GIVEN = "given"
    GIVEN_NOTHING = "given_nothing"
    KEPT = "kept"
    REDEEMED = "redeemed"
    HANDED_OUT = "handed_out"
    UNDONE = "undone"
    UNDO_KEPT = "undo_kept"
    RETURNED = "returned"
    RETURN_KEPT = "return_kept"
    WAITS_FOR_MANAGER = "waits_for_manager"
    VISIT = "visit"
    KEPT_VISIT = "kept_visit"
    VISIT_TOO_SOON = "visit_too_soon"
    # The network, and this machine.
    OFFLINE_CARD = "offline_card"
    REDEEM_OFFLINE = "redeem_offline"
    RETURN_OFFLINE = "return_offline"
    NOTHING_REDEEMED = "nothing_redeemed"
    NOT_CONFIRMED = "not_confirmed"
    NOT_OUR_SERVICE = "not_our_service"
    NO_ANSWER = "no_answer"
    CANNOT_KEEP = "cannot_keep"
    CLOCK_WRONG = "clock_wrong"
    # Who may.
    WRONG_PIN = "wrong_pin"
    PIN_LOCKED = "pin_locked"
    TOO_MANY_TRIES = "too_many_tries"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGN_IN_AGAIN = "sign_in_again"
    TILL_REVOKED = "till_revoked"
    APPROVAL_NEEDED = "approval_needed"
    NOT_A_MANAGER = "not_a_manager"
    NOT_YOUR_POSTING = "not_your_posting"
    # What is refused.
    AMOUNT_WRONG = "amount_wrong"
    RECEIPT_WRONG = "receipt_wrong"
    POINTS_WRONG = "points_wrong"
    INSUFFICIENT_POINTS = "insufficient_points"
    LIMIT_REACHED = "limit_reached"
    CARD_ONLY_COLLECTS = "card_only_collects"
    PRESENTATION_OVER = "presentation_over"
    HOLD_OVER = "hold_over"
    NO_EXCHANGE_RATE = "no_exchange_rate"
    RECEIPT_UNKNOWN = "receipt_unknown"
    ALREADY_REVERSED = "already_reversed"
    NOT_REVERSIBLE = "not_reversible"
    RETURN_TOO_LARGE = "return_too_large"
    UNDO_TOO_LATE = "undo_too_late"
    CARD_GONE = "card_gone"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Look:
    """How an outcome looks and sounds; the sign is never the colour alone."""

    tone: Tone
    sign: str
    sound: str


_GOOD = Look(Tone.GREEN, "✓", "good")
_KEPT = Look(Tone.GREEN, "↻", "good")
_LOOK = Look(Tone.AMBER, "!", "look")
_STOP = Look(Tone.RED, "✕", "stop")
_READ = Look(Tone.GREEN, "✓", "read")

LOOKS: dict[Told, Look] = {
    Told.ACCEPTED: _READ,
    Told.NOT_A_CARD: _LOOK,
    Told.MALFORMED: _LOOK,
    Told.UNKNOWN_VERSION: _LOOK,
    Told.UNKNOWN_KEY: _LOOK,
    Told.BAD_SIGNATURE: _STOP,
    Told.OTHER_PROGRAMME: _LOOK,
    Told.BLOCKED: _STOP,
    Told.REPLACED: _LOOK,
    Told.EXPIRED: _STOP,
    Told.STEP_USED: _LOOK,
    Told.STEP_OUT_OF_WINDOW: _STOP,
    Told.UNVERIFIED: _LOOK,
    Told.GIVEN: _GOOD,
    Told.GIVEN_NOTHING: _LOOK,
    Told.KEPT: _KEPT,
    Told.REDEEMED: _GOOD,
    Told.HANDED_OUT: _GOOD,
    Told.UNDONE: _GOOD,
    Told.UNDO_KEPT: _KEPT,
    Told.RETURNED: _GOOD,
    Told.RETURN_KEPT: _KEPT,
    Told.WAITS_FOR_MANAGER: _LOOK,
    Told.VISIT: _GOOD,
    Told.KEPT_VISIT: _KEPT,
    Told.VISIT_TOO_SOON: _LOOK,
    Told.OFFLINE_CARD: Look(Tone.AMBER, "↻", "read"),
    Told.REDEEM_OFFLINE: _LOOK,
    Told.RETURN_OFFLINE: _LOOK,
    Told.NOTHING_REDEEMED: _STOP,
    Told.NOT_CONFIRMED: _STOP,
    Told.NOT_OUR_SERVICE: _LOOK,
    Told.NO_ANSWER: _LOOK,
    Told.CANNOT_KEEP: _STOP,
    Told.CLOCK_WRONG: _LOOK,
    Told.WRONG_PIN: _LOOK,
    Told.PIN_LOCKED: _STOP,
    Told.TOO_MANY_TRIES: _STOP,
    Told.SIGN_IN_REFUSED: _STOP,
    Told.SIGN_IN_AGAIN: _LOOK,
    Told.TILL_REVOKED: _STOP,
    Told.APPROVAL_NEEDED: _LOOK,
    Told.NOT_A_MANAGER: _STOP,
    Told.NOT_YOUR_POSTING: _LOOK,
    Told.AMOUNT_WRONG: _LOOK,
    Told.RECEIPT_WRONG: _LOOK,
    Told.POINTS_WRONG: _LOOK,
    Told.INSUFFICIENT_POINTS: _LOOK,
    Told.LIMIT_REACHED: _LOOK,
    Told.CARD_ONLY_COLLECTS: _LOOK,
    Told.PRESENTATION_OVER: _LOOK,
    Told.HOLD_OVER: _STOP,
    Told.NO_EXCHANGE_RATE: _STOP,
    Told.RECEIPT_UNKNOWN: _LOOK,
    Told.ALREADY_REVERSED: _LOOK,
    Told.NOT_REVERSIBLE: _STOP,
    Told.RETURN_TOO_LARGE: _LOOK,
    Told.UNDO_TOO_LATE: _LOOK,
    Told.CARD_GONE: _LOOK,
    Told.REFUSED: _STOP,
}

#: The service's words for a refusal (`code` of its problem details) and ours.
_OF_CODE: dict[str, Told] = {
    "wrong_pin": Told.WRONG_PIN,
    "locked": Told.PIN_LOCKED,
    "too_many": Told.TOO_MANY_TRIES,
    "sign_in_again": Told.SIGN_IN_AGAIN,
    "till_revoked": Told.TILL_REVOKED,
    "approval_needed": Told.APPROVAL_NEEDED,
    "not_your_posting": Told.NOT_YOUR_POSTING,
    "insufficient_points": Told.INSUFFICIENT_POINTS,
    "limit_reached": Told.LIMIT_REACHED,
    "card_only_collects": Told.CARD_ONLY_COLLECTS,
    "presentation_over": Told.PRESENTATION_OVER,
    "hold_not_open": Told.HOLD_OVER,
    "no_exchange_rate": Told.NO_EXCHANGE_RATE,
    "already_reversed": Told.ALREADY_REVERSED,
    "not_reversible": Told.NOT_REVERSIBLE,
    "return_too_large": Told.RETURN_TOO_LARGE,
}


def told_of_scan(outcome: Outcome) -> Told:
    """The same outcome in the cashier's list."""
    return Told(outcome.value)


def told_of_code(code: str) -> Told:
    """What a refusal of the service means here; `REFUSED` shows the service's own sentence."""
    return _OF_CODE.get(code, Told.REFUSED)
