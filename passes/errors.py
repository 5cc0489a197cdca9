"""What can be wrong with a card code, a pass or a callback.

    PassError
    ├── CodeError          a scanned text that is not a good card code; carries its outcome
    ├── FaceError          a card that no wallet would take: too many places, too long a text
    ├── ImageError         a code or picture that cannot be drawn, an upload that is of no use
    ├── BundleError        a .pkpass that cannot be read or written
    ├── CertificateError   a certificate that is expired, not yet valid, or belongs to another key
    ├── SignatureError     a signature that is missing, malformed or false
    ├── CallbackError      a message that Google did not sign, or not for us, or not lately
    ├── LinkError          a save link that Google would not take
    └── RefusedListError   a list of refused cards that is not the programme's, or was changed

Verifiers raise one of these; none returns False.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passes.code import Outcome


class PassError(Exception):
    """Anything wrong with a pass; its text says what, for a person."""


class CodeError(PassError):
    """A scanned text is refused. `outcome` is the member of the closed list that says why."""

    def __init__(self, outcome: Outcome, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message


class FaceError(PassError):
    """A card's face has what no wallet takes; the text says what, and how many it takes."""


class ImageError(PassError):
    """A code or picture cannot be drawn, or an upload cannot be used; the text says what to do.

    For an upload `code` names what is wrong, and `facts` the numbers in it: for other languages.
    """

    def __init__(self, message: str, code: str = "", **facts: object) -> None:
        super().__init__(message)
        self.code = code
        self.facts = facts


class BundleError(PassError):
    """A .pkpass cannot be read or written. `code` names the fault, `where` the file in it."""

    def __init__(self, message: str, code: str, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.where = where


class CertificateError(PassError):
    """A certificate cannot be used; the text names it and, where it expired, the date."""


class SignatureError(PassError):
    """A signature is missing, malformed or false."""


class CallbackError(PassError):
    """A callback is not a message that Google signed for this issuer and this hour."""


class UnknownRootKeyError(CallbackError):
    """Signed with no root key that is at hand: it is forged, or Google has new ones."""


class LinkError(PassError):
    """A save link cannot be made that Google would take."""


class RefusedListError(PassError):
    """A list of refused cards cannot be believed; the text says why."""
