"""Google's side of signatures: whose tokens and save links it believes, how it signs callbacks.

Callbacks are ECv2SigningOnly: a root key signs an intermediate key, the intermediate signs the
message; the signed bytes are length-value pairs with the length in bytes, little-endian. Source:
developers.google.com/wallet, "Use callbacks for saves and deletions".
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

TOKEN_AUDIENCE = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
SENDER = "GooglePayPasses"
PROTOCOL = "ECv2SigningOnly"
_DAY_MS = 86_400_000
_SKEW_SECONDS = 300


class JwtRefused(Exception):
    """A JWT that Google would not believe; the text says why."""


def read_jwt(jwt: str, key: rsa.RSAPublicKey) -> dict[str, Any]:
    """The claims of a JWT signed RS256 with `key`. Raises JwtRefused."""
    parts = jwt.split(".")
    if len(parts) != 3:
        raise JwtRefused("Not a signed JWT.")
    try:
        head, claims, signature = (_unbase64(part) for part in parts)
        header, content = json.loads(head), json.loads(claims)
    except (ValueError, RecursionError):
        raise JwtRefused("Invalid JWT: not base64url of JSON.") from None
    if not isinstance(header, dict) or not isinstance(content, dict):
        raise JwtRefused("Invalid JWT: not JSON objects.")
    if header.get("alg") != "RS256":
        raise JwtRefused("Invalid JWT: the algorithm is not RS256.")
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise JwtRefused("Invalid JWT Signature.") from None
    return content


def check_assertion(claims: dict[str, Any], email: str, now: float) -> None:
    """Raise JwtRefused unless these claims earn an access token (RFC 7523, Google's limits)."""
    issued, expires = claims.get("iat"), claims.get("exp")
    if claims.get("iss") != email:
        raise JwtRefused("Invalid grant: account not found.")
    if claims.get("aud") != TOKEN_AUDIENCE:
        raise JwtRefused("Invalid JWT: failed audience check.")
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise JwtRefused("Invalid JWT: iat and exp are needed.")
    if not issued - _SKEW_SECONDS <= now < expires or not 0 < expires - issued <= 3600:
        raise JwtRefused("Invalid JWT: Token must be a short-lived token (60 minutes).")
    if SCOPE not in str(claims.get("scope", "")).split():
        raise JwtRefused("Invalid scope: wallet_object.issuer is needed.")


#: Where the objects of a save link stand, by their kind.
SAVED = {"loyaltyObjects": "LoyaltyObject", "offerObjects": "OfferObject"}


def check_save_claims(
    claims: dict[str, Any], email: str, now: float
) -> tuple[str, list[dict[str, Any]]]:
    """The objects in a save link's claims and their kind: a card's, or a coupon's.

    Raises JwtRefused for what Google would.
    """
    issued, origins = claims.get("iat"), claims.get("origins", [])
    if claims.get("iss") != email:
        raise JwtRefused("The issuer of the link is not a service account of this issuer.")
    if claims.get("aud") != "google" or claims.get("typ") != "savetowallet":
        raise JwtRefused('A save link has the audience "google" and the type "savetowallet".')
    if not isinstance(issued, int) or isinstance(issued, bool):
        raise JwtRefused("iat is not a whole number of seconds.")
    if issued > now + _SKEW_SECONDS:
        raise JwtRefused("The link was issued in the future.")
    if not isinstance(origins, list) or not all(isinstance(item, str) for item in origins):
        raise JwtRefused("origins is not a list of addresses.")
    payload = claims.get("payload")
    held = [name for name in SAVED if isinstance(payload, dict) and payload.get(name)]
    if not isinstance(payload, dict) or len(held) != 1:
        raise JwtRefused("The link holds no loyalty object, and no offer.")
    objects = payload[held[0]]
    if not isinstance(objects, list) or not all(isinstance(item, dict) for item in objects):
        raise JwtRefused("A loyalty object is not an object.")
    return SAVED[held[0]], objects


class CallbackSigner:
    """Signs callbacks with a root and an intermediate key of its own."""

    def __init__(self) -> None:
        self._root = ec.generate_private_key(ec.SECP256R1())
        self._intermediate = ec.generate_private_key(ec.SECP256R1())

    def root_keys(self, now_ms: int) -> bytes:
        """The published list of root keys, as at pay.google.com/gp/m/issuer/keys."""
        key = {
            "keyValue": _public(self._root),
            "protocolVersion": PROTOCOL,
            "keyExpiration": str(now_ms + 365 * _DAY_MS),
        }
        return json.dumps({"keys": [key]}).encode("ascii")

    def sign(self, message: dict[str, Any], recipient: str, key_expires_ms: int) -> bytes:
        """A callback's body with `message` in it, for the issuer `recipient`."""
        signed_key = json.dumps(
            {"keyValue": _public(self._intermediate), "keyExpiration": str(key_expires_ms)}
        )
        text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
        return json.dumps(
            {
                "signature": _sign(self._intermediate, SENDER, recipient, PROTOCOL, text),
                "intermediateSigningKey": {
                    "signedKey": signed_key,
                    "signatures": [_sign(self._root, SENDER, PROTOCOL, signed_key)],
                },
                "protocolVersion": PROTOCOL,
                "signedMessage": text,
            }
        ).encode("utf-8")


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode("ascii")


def _sign(key: ec.EllipticCurvePrivateKey, *texts: str) -> str:
    signed = b"".join(
        len(encoded).to_bytes(4, "little") + encoded
        for encoded in (text.encode("utf-8") for text in texts)
    )
    return base64.b64encode(key.sign(signed, ec.ECDSA(hashes.SHA256()))).decode("ascii")


def _unbase64(part: str) -> bytes:
    """Base64url without padding (RFC 7515), strictly. Raises ValueError."""
    if "=" in part or "+" in part or "/" in part:
        raise ValueError("not base64url")
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
