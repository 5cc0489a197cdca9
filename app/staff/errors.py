"""What can be wrong with a sign-in."""

from app.errors import Invalid, NotFound, TooMany, Unauthorised


class WrongPin(Unauthorised):
    """The name or the PIN is not right; which of the two is not said."""

    code = "wrong_pin"
    keeps_changes = True


class PinLocked(TooMany):
    """Too many wrong PINs in a row."""

    code = "locked"
    keeps_changes = True


class WrongPassword(Unauthorised):
    """The name or the password is not right; which of the two is not said."""

    code = "wrong_password"
    keeps_changes = True


class WrongCode(Invalid):
    """The code of the second factor is not right, or was used before."""

    code = "wrong_code"
    keeps_changes = True


class LinkOver(NotFound):
    """The link to set a password is wrong, was used, or is too old; which is not said."""

    code = "link_over"


class SignInOver(Unauthorised):
    """Half a sign-in that took too long: it begins again with the password."""

    code = "sign_in_over"
