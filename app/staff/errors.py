"""What can be wrong with a sign-in."""

from app.errors import TooMany, Unauthorised


class WrongPin(Unauthorised):
    """The name or the PIN is not right; which of the two is not said."""

    code = "wrong_pin"
    keeps_changes = True


class PinLocked(TooMany):
    """Too many wrong PINs in a row."""

    code = "locked"
    keeps_changes = True
