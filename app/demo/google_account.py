"""The service account that Google's stand-in believes, and the access tokens it gives out."""

import secrets
import urllib.parse
import uuid
from collections.abc import Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from app.demo import google_signing
from app.demo.google_http import HttpAnswer, HttpRequest
from app.demo.google_rules import GoogleRefuses, Json
from app.demo.google_signing import JwtRefused

_TOKEN_SECONDS = 3600
_EMAIL = "counterfoil@counterfoil-stand-in.iam.gserviceaccount.com"


class ServiceAccount:
    """Its public key, its address and its tokens. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._key: rsa.RSAPublicKey | None = None
        self._email: str | None = None
        #: Until when each token holds.
        self.tokens: dict[str, float] = {}

    @property
    def email(self) -> str:
        """Its address; empty until it is known."""
        return self._email or ""

    def trust(self, key: PublicKeyTypes, email: str | None = None) -> None:
        """Believe this key; without `email` the address is learnt. TypeError if it is not RSA."""
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("the keys of Google's service accounts are RSA keys")
        self._key, self._email = key, email

    def make(self, key: rsa.RSAPrivateKey | None, token_uri: str) -> dict[str, str]:
        """Trust an account of this key or a fresh one from now on; the content of its file."""
        key = key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.trust(key.public_key(), _EMAIL)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": "counterfoil-stand-in",
            "private_key_id": uuid.uuid4().hex,
            "private_key": pem.decode("ascii"),
            "client_email": _EMAIL,
            "client_id": "100000000000000000000",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }

    def claims(self, jwt: str) -> Json:
        """What the account signed. Raises `JwtRefused`."""
        if self._key is None:
            raise JwtRefused("Invalid grant: account not found.")
        claims = google_signing.read_jwt(jwt, self._key)
        if self._email is None and isinstance(claims.get("iss"), str):
            self._email = claims["iss"]
        return claims

    def token(self, request: HttpRequest) -> HttpAnswer:
        """Answer a request for an access token."""
        asked = urllib.parse.parse_qs(request.body.decode("latin-1"))
        if asked.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
            return _no_token("unsupported_grant_type", "Invalid grant_type")
        try:
            claims = self.claims(asked.get("assertion", [""])[0])
            google_signing.check_assertion(claims, self.email, self._clock())
        except JwtRefused as refused:
            return _no_token("invalid_grant", str(refused))
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self.tokens[token] = self._clock() + _TOKEN_SECONDS
        given = {"access_token": token, "expires_in": _TOKEN_SECONDS - 1, "token_type": "Bearer"}
        return HttpAnswer(200, given, {})

    def authorize(self, request: HttpRequest) -> None:
        """Check the token that a request brings. Raises `GoogleRefuses`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self.tokens.get(token, 0) <= self._clock():
            raise GoogleRefuses(401, "authError", "Request had invalid authentication credentials.")


def _no_token(error: str, description: str) -> HttpAnswer:
    return HttpAnswer(400, {"error": error, "error_description": description}, {})
