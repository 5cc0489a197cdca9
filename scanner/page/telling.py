"""Which member of the closed list an error of the till is."""

from __future__ import annotations

import re

from scanner.errors import (
    CardRefused,
    NotAllDone,
    NotRedeemed,
    QueueError,
    Refused,
    ScanError,
    SignInAgain,
    SignInError,
    TillRevoked,
    TryLater,
)
from scanner.page.outcomes import Told, told_of_code, told_of_scan

_CODE_AT_END = re.compile(r"\(([a-z_]{2,40})\)\s*$")


def code_of(refused: Refused | str) -> str:
    """The service's word for a refusal; one that was kept first has it at the end of its text."""
    if isinstance(refused, Refused) and refused.code != "set_aside":
        return refused.code
    found = _CODE_AT_END.search(str(refused))
    return found[1] if found else ""


def told_of_sign_in(error: SignInError, cause: BaseException | None = None) -> Told:
    """Which of the outcomes a refused sign-in is."""
    cause = cause or error.__cause__ or error.__context__
    if error.code is not None:
        return told_of_code(error.code)
    if isinstance(cause, Refused):
        told = told_of_code(cause.code)
        return Told.SIGN_IN_REFUSED if told is Told.REFUSED else told
    if isinstance(cause, TryLater) and cause.too_often:
        return Told.PIN_LOCKED if cause.code == "locked" else Told.TOO_MANY_TRIES
    if isinstance(cause, TryLater) and cause.reached and cause.code is None:
        return Told.NOT_OUR_SERVICE
    return Told.SIGN_IN_REFUSED


def told_of_error(error: ScanError) -> Told:
    """Which of the outcomes an error of the till is."""
    if isinstance(error, NotAllDone) and isinstance(error.__cause__, ScanError):
        return told_of_error(error.__cause__)
    if isinstance(error, SignInError):
        return told_of_sign_in(error)
    if isinstance(error, CardRefused):
        return told_of_scan(error.outcome)
    if isinstance(error, NotRedeemed):
        if not error.tried:
            return Told.REDEEM_OFFLINE
        return Told.NOT_CONFIRMED if error.may_have_been else Told.NOTHING_REDEEMED
    if isinstance(error, Refused):
        return told_of_code(code_of(error))
    if isinstance(error, TillRevoked):
        return Told.TILL_REVOKED
    if isinstance(error, SignInAgain):
        return Told.SIGN_IN_AGAIN
    if isinstance(error, TryLater):
        return Told.NOT_OUR_SERVICE if error.reached and not error.code else Told.NO_ANSWER
    if isinstance(error, QueueError):
        return Told.CANNOT_KEEP
    return Told.REFUSED
