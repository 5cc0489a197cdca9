"""Cards as the two wallets take them: Apple's signed file here, Google's objects beside it."""

import logging
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.cards.service import apple_token
from app.certs import load_pass_signer
from app.context import Context
from app.delivery.google_passes import GooglePasses
from app.delivery.inspecting import Inspector
from app.delivery.wake import bell_of
from app.errors import Misconfigured, Unavailable
from app.programmes.faces import face_of
from app.programmes.service import programme_by_id
from passes.apple import pass_json
from passes.apple.design import Designs
from passes.apple.signature import PassSigner
from passes.errors import CertificateError

_log = logging.getLogger(__name__)


class ApplePasses:
    """Makes .pkpass files. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._designs = Designs()
        self._said: str | None = None
        self._inspector = Inspector(context)

    @property
    def available(self) -> bool:
        """Whether a pass certificate is installed that can sign now."""
        return self._usable() is not None

    @property
    def pass_type_identifier(self) -> str | None:
        """The pass type of the certificate; None without one."""
        signer = self._signer()
        return signer.pass_type_identifier if signer else None

    def build(self, session: Session, card: Card, *, now: datetime) -> bytes:
        """The card's pass as it is now, signed. Raises `Unavailable` without a good certificate,
        `DesignRefused` where phones would refuse it.

        A card that is not active gives a pass that says so (`voided`).
        """
        signer = self._usable()
        if signer is None:
            raise Unavailable("Passes for Apple Wallet cannot be made here at the moment.")
        context = self._context
        programme = programme_by_id(session, card.programme_id)
        face = face_of(session, context.keys, card, now=now, programme=programme)
        content = pass_json.render(
            face,
            pass_type_identifier=signer.pass_type_identifier,
            team_identifier=signer.team_identifier,
            web_service_url=context.config.url,
            authentication_token=apple_token(context.keys, card),
        )
        template = self._designs.of(face)
        built = template.build(content, signer, now)
        design = (template.mark, face.look, context.config.url)
        self._inspector.admit(signer, card.programme_id, design, built, now=now)
        return built

    def _signer(self) -> PassSigner | None:
        return load_pass_signer(self._context.config, self._context.keys)

    def _usable(self) -> PassSigner | None:
        """The signer, if phones take what it signs now; why not is logged, once."""
        try:
            signer = self._signer()
            if signer is not None:
                signer.check(self._context.clock())
            problem = None
        except (Misconfigured, CertificateError) as error:
            signer, problem = None, str(error)
        if problem != self._said:
            self._said = problem
            if problem:
                _log.error("passes for Apple Wallet cannot be made: %s", problem)
        return signer


class Wallets:
    """Both wallets of one installation."""

    def __init__(self, context: Context) -> None:
        self.apple = ApplePasses(context)
        self.google = GooglePasses(context)
        # From here on every commit of this process wakes delivery, wherever it runs.
        bell_of(context.database)


def current_wallets() -> Wallets:
    """The wallets, for the request that is being answered."""
    wallets: Wallets = current_app.extensions["counterfoil.wallets"]
    return wallets
