"""What a key is and what can be wrong with one."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.errors import Conflict, Misconfigured, NotFound


class Purpose(StrEnum):
    """What a key is for; a key serves one purpose only."""

    #: Ed25519, one programme each; signs card codes. Its version is the key id in the code.
    CARD_SIGNING = "card_signing"
    #: 32 bytes; each card's key for rotating codes is derived from it.
    TOTP_MASTER = "totp_master"
    #: 32 bytes; seals personal data in the database.
    FIELD = "field"
    #: 32 bytes; the keyed hash that a contact is found by.
    BLIND_INDEX = "blind_index"
    #: 32 bytes; seals the secrets of the staff's authenticator apps.
    SECOND_FACTOR = "second_factor"
    #: 32 bytes; the tokens in Apple passes are derived from it.
    APPLE_TOKEN = "apple_token"  # noqa: S105 - a name, not a token
    #: 32 bytes; links in letters are derived from it.
    LETTERS = "letters"
    #: PKCS #8 PEM; the private key of the pass certificate.
    APPLE_PASS = "apple_pass"  # noqa: S105
    #: Google's JSON file of the service account.
    GOOGLE_SERVICE = "google_service"

    @property
    def made_on_demand(self) -> bool:
        """Whether such a key is nothing but 32 random bytes, made when first asked for."""
        return self in _ON_DEMAND


_ON_DEMAND = {
    Purpose.TOTP_MASTER,
    Purpose.FIELD,
    Purpose.BLIND_INDEX,
    Purpose.SECOND_FACTOR,
    Purpose.APPLE_TOKEN,
    Purpose.LETTERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """What is known of a key without opening it.

    A key with *retired_at* makes nothing new any more; what it made before it still opens.
    """

    purpose: Purpose
    version: int
    programme_id: str | None
    created_at: datetime
    retired_at: datetime | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(KeyInfo):
    """A key with its secret, which no representation of it shows."""

    material: bytes = field(repr=False)


class KeyMissing(NotFound):
    """There is no key of that purpose and version in the key directory."""

    code = "key_missing"


class KeyExists(Conflict):
    """A key of that purpose and version is there already: versions are never used again."""

    code = "key_exists"


class WrongMasterKey(Misconfigured):
    """A key file was wrapped with another master key than the one at hand."""

    code = "wrong_master_key"
