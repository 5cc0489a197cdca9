"""The service account that speaks to Google for this installation, opened."""

import threading
from dataclasses import dataclass
from typing import Any

from app.certs import google_issuer, is_development_account
from app.certs.load import read_google_account
from app.config import GOOGLE_API_URL, Config
from app.context import Context
from app.delivery.google.api import TIMEOUT_SECONDS, GoogleApi, Pace
from app.delivery.google.pace import SharedPacer
from app.errors import Misconfigured
from app.keys import KeyMissing, Purpose
from passes.google.save_link import SaveLinkSigner

#: Where Google's own service accounts ask for tokens.
GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


@dataclass(frozen=True, slots=True)
class Service:
    """A service account, opened: it asks Google and signs save links."""

    version: int
    issuer_id: str
    email: str
    is_development: bool
    api: GoogleApi
    signer: SaveLinkSigner


class ServiceAccount:
    """Opens the newest service account of the key ring. Safe to share between threads."""

    def __init__(
        self,
        context: Context,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        pace: Pace | None = None,
    ) -> None:
        self._context = context
        self._timeout_seconds = timeout_seconds
        self._pace = pace
        self._service: Service | None = None
        self._opening = threading.Lock()

    def obstacle(self) -> str | None:
        """Why nothing can be made at Google, in words; None where all is well."""
        try:
            service = self.open()
        except Misconfigured as error:
            return error.message
        if service.is_development and self._context.config.google_api_url == GOOGLE_API_URL:
            return "The Google account was made for development: Google knows nothing of it."
        return None

    def open(self) -> Service:
        """The service account in use; a new one takes effect at once. Raises `Misconfigured`."""
        config, keys = self._context.config, self._context.keys
        versions = [
            info.version
            for info in keys.list()
            if info.purpose == Purpose.GOOGLE_SERVICE and info.retired_at is None
        ]
        newest = max(versions, default=0)
        known = self._service
        if known is not None and known.version == newest:
            return known
        with self._opening:
            try:
                stored = keys.current(Purpose.GOOGLE_SERVICE)
            except KeyMissing as error:
                raise Misconfigured(
                    "There is no Google service account. Install its JSON file: "
                    "counterfoil certs install FILE"
                ) from error
            account, key = read_google_account(
                stored.material, "The google_service key in the key ring"
            )
            issuer = google_issuer(config, account)
            if issuer is None:
                raise Misconfigured("COUNTERFOIL_GOOGLE_ISSUER_ID is not set.")
            pace = self._pace or SharedPacer(self._context.database, f"google {issuer}")
            self._service = Service(
                newest,
                issuer,
                account["client_email"],
                is_development_account(account),
                GoogleApi(
                    _reached(account, config),
                    config.google_api_url,
                    pace,
                    key=key,
                    timeout_seconds=self._timeout_seconds,
                    clock=self._context.clock,
                ),
                SaveLinkSigner(account["client_email"], key),
            )
            return self._service


def _reached(account: dict[str, Any], config: Config) -> dict[str, Any]:
    """The account as it asks for tokens: with another Google API, Google itself is not asked."""
    if config.google_api_url == GOOGLE_API_URL or account["token_uri"] != GOOGLE_TOKEN_URI:
        return account
    return account | {"token_uri": f"{config.google_api_url}/token"}
