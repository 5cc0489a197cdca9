"""The link behind "Add to Google Wallet": a thin JWT (RFC 7519) signed RS256.

Class and object are inserted over REST before; the link only names them, so it stays short
and carries nothing about the member. It does not update a pass that is saved already.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from passes.errors import LinkError
from passes.google.parts import check_identifier

ADDRESS = "https://pay.google.com/gp/v/save/"
# Google: beyond this, browsers may cut the address.
MAX_JWT_LENGTH = 1800

_PKCS1 = padding.PKCS1v15()
_SHA256 = hashes.SHA256()
_ENCODER = json.JSONEncoder(separators=(",", ":"))


class SaveLinkSigner:
    """A Google service account's key, loaded once. Safe to share between threads.

    Raises ValueError for a key of fewer than 2048 bits.
    """

    def __init__(self, service_account_email: str, key: rsa.RSAPrivateKey) -> None:
        if key.key_size < 2048:
            raise ValueError("Google's service account keys have at least 2048 bits")
        self.service_account_email = service_account_email
        self._key = key
        self._head = _base64(_ENCODER.encode({"alg": "RS256", "typ": "JWT"}).encode()) + b"."

    def link(
        self,
        object_id: str,
        class_id: str,
        issued_at: int,
        origins: Sequence[str] = (),
        *,
        is_offer: bool = False,
    ) -> str:
        """Return the address that saves the object `object_id` of `class_id`.

        `is_offer` says that it is a coupon's, an offer and not a loyalty card.

        `issued_at` is in whole Unix seconds; `origins` are the web origins ("https://…") whose
        pages show the button. Raises ValueError for an id that Google would not take,
        LinkError where the JWT would reach MAX_JWT_LENGTH.
        """
        check_identifier(object_id)
        check_identifier(class_id)
        kind = "offerObjects" if is_offer else "loyaltyObjects"
        claims = {
            "iss": self.service_account_email,
            "aud": "google",
            "typ": "savetowallet",
            "iat": int(issued_at),
            "origins": list(origins),
            "payload": {kind: [{"id": object_id, "classId": class_id}]},
        }
        signed = self._head + _base64(_ENCODER.encode(claims).encode())
        jwt = signed + b"." + _base64(self._key.sign(signed, _PKCS1, _SHA256))
        if len(jwt) >= MAX_JWT_LENGTH:
            raise LinkError(
                f"The save link would have {len(jwt)} characters; Google takes fewer than "
                f"{MAX_JWT_LENGTH}. Name fewer origins or use shorter ids."
            )
        return ADDRESS + jwt.decode()


def _base64(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).rstrip(b"=")
