"""Apple's signed files: built once for each version of a card, and served again from there on."""

import hashlib
import logging
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from weakref import WeakValueDictionary

import msgspec
from cryptography.hazmat.primitives import hashes
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.cards.service import apple_token
from app.certs import PASS, WWDR, load_pass_signer
from app.context import Context
from app.delivery.inspecting import Inspector
from app.delivery.kept import STAMP_BYTES, kept_of
from app.delivery.page_link import Pages, page_of
from app.errors import Misconfigured, Unavailable
from app.languages import _
from app.programmes.face_rows import (
    FaceRow,
    changed_at_of,
    face_from,
    kept_share,
    needs_ledger,
    row_of,
)
from passes.apple import pass_json
from passes.apple.bundle import PassTemplate
from passes.apple.design import Designs
from passes.apple.signature import PassSigner
from passes.card import CardFace
from passes.errors import CertificateError

_log = logging.getLogger(__name__)

_MARK_BYTES = 16
_LENGTH = struct.Struct("<I")
_FORGET_TOGETHER = 500
_SETTLED_NS = 2_000_000_000
_Seen = tuple[int, int, int]
#: Says of each value what it is, and where it ends.
_packed = msgspec.msgpack.Encoder(enc_hook=repr).encode


@dataclass(frozen=True, slots=True)
class UsableSigner:
    """A signer, what tells it from others, and the time in which phones take what it signs."""

    signer: PassSigner
    mark: bytes
    valid_from: datetime
    valid_until: datetime


class ApplePasses:
    """Makes .pkpass files. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._designs = Designs()
        #: The designs that are laid out, by their mark: a kept pass names its own.
        self._laid_out: WeakValueDictionary[bytes, PassTemplate] = WeakValueDictionary()
        self._kept = kept_of(context)
        self._known: UsableSigner | None = None
        config = context.config
        self._watched = [
            str(path)
            for path in (config.certs_dir / PASS, config.certs_dir / WWDR, config.keys_dir)
        ]
        self._loaded: tuple[tuple[_Seen | None, ...], PassSigner | None] | None = None
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
        read_at = time.time()
        row = row_of(session, card.id, now=now)
        token = apple_token(self._context.keys, card)
        return b"".join(self.built(row, token=token, read_at=read_at, now=now))

    def built(
        self, row: FaceRow, *, token: str, read_at: float, now: datetime
    ) -> tuple[bytes, ...]:
        """The same, in parts, for a row read at *now*, not before *read_at* (`time.time()`)."""
        usable = self.usable()
        stamp = self._stamp(row, usable)
        found = None if row.is_passing else self._put_together(self._kept.find(row.id, stamp))
        if found is not None:
            return found
        # Whoever asks for the same pass meanwhile waits here, and finds it built.
        with self._kept.turn(row.id):
            kept = None if row.is_passing else self._kept.find(row.id, stamp)
            found = self._put_together(kept)
            if found is not None:
                return found
            laid_out = self._lay_out(row, now)
            found = self._put_together(kept)
            if found is not None:
                return found
            return self._make(row, usable.signer, laid_out, stamp, token, read_at, now)

    def built_ready(
        self,
        row: FaceRow,
        usable: UsableSigner,
        *,
        pages: Pages,
        token: str,
        read_at: float,
        now: datetime,
    ) -> tuple[bytes, ...] | None:
        """As `built`, where all that the pass needs is in memory; None where it takes longer."""
        share = kept_share(row)
        if share is None or needs_ledger(row):
            return None
        stamp = self._stamp(row, usable)
        with self._kept.turn(row.id):
            found = self._put_together(self._kept.find(row.id, stamp))
            if found is not None:
                return found
            page = pages(row.id, row.status)
            face = face_from(None, self._context.keys, row, now=now, share=share, page=page)
            template = self._designs.find(face)
            if template is None:
                return None
            return self._make(row, usable.signer, (face, template), stamp, token, read_at, now)

    def usable(self) -> UsableSigner:
        """The signer that phones believe now. Raises `Unavailable` where there is none."""
        usable = self._usable()
        if usable is None:
            raise Unavailable(_("Passes for Apple Wallet cannot be made here at the moment."))
        return usable

    def forget_changed(self, session: Session) -> int:
        """Purge what was built on this machine before its card changed; how many passes.

        Whoever changes or erases a card does so on one machine; on the others nothing old is ever
        served, but it would lie in the file until its place is needed.
        """
        built_at = dict(self._kept.cards())
        ids, old = list(built_at), []
        for start in range(0, len(ids), _FORGET_TOGETHER):
            rows = session.connection().execute(
                changed_at_of(ids[start : start + _FORGET_TOGETHER])
            )
            old += [row.id for row in rows if row.changed_at.timestamp() > built_at[row.id]]
        self._kept.purge(old)
        return len(old)

    def _make(
        self,
        row: FaceRow,
        signer: PassSigner,
        laid_out: tuple[CardFace, PassTemplate],
        stamp: bytes,
        token: str,
        read_at: float,
        now: datetime,
    ) -> tuple[bytes, ...]:
        """The pass, signed, in parts; what is its own is kept."""
        face, template = laid_out
        nfc_entitled = self._context.config.apple_nfc
        content = pass_json.render(
            face if nfc_entitled else _without_nfc(face),
            nfc_entitled=nfc_entitled,
            pass_type_identifier=signer.pass_type_identifier,
            team_identifier=signer.team_identifier,
            web_service_url=self._context.config.url,
            authentication_token=token,
        )
        files, end = template.own_parts(content, signer, now)
        built = template.parts(files, end)
        design = (template.mark, face.look, face.layout, self._context.config.url)
        self._inspector.admit(signer, row.programme_id, design, built, now=now)
        if not row.is_passing:
            own = b"".join((template.mark, _LENGTH.pack(len(files)), files, end))
            self._kept.keep(row.id, stamp, own, read_at=read_at)
        return built

    def _lay_out(self, row: FaceRow, now: datetime) -> tuple[CardFace, PassTemplate]:
        share, page = kept_share(row), page_of(self._context, row.id, row.status)
        with self._session_for(row, share is None or needs_ledger(row)) as session:
            face = face_from(session, self._context.keys, row, now=now, share=share, page=page)
        template = self._designs.of(face)
        self._laid_out[template.mark] = template
        return face, template

    def _put_together(self, kept: bytes | None) -> tuple[bytes, ...] | None:
        """The whole pass, in parts, where its design is laid out in this process."""
        if kept is None:
            return None
        template = self._laid_out.get(kept[:_MARK_BYTES])
        if template is None:
            return None
        begin = _MARK_BYTES + _LENGTH.size
        end = begin + _LENGTH.unpack_from(kept, _MARK_BYTES)[0]
        return template.parts(kept[begin:end], kept[end:])

    def _stamp(self, row: FaceRow, usable: UsableSigner) -> bytes:
        """What the pass is made from, in short: row, certificate, address, and our own release."""
        config = self._context.config
        made_from = _packed((_release(), config.url, config.apple_nfc, tuple(row)))
        return hashlib.blake2b(made_from, key=usable.mark, digest_size=STAMP_BYTES).digest()

    @contextmanager
    def _session_for(self, row: FaceRow, is_needed: bool) -> Iterator[Session | None]:
        if is_needed:
            with self._context.database.read(row.programme_id) as session:
                yield session
        else:
            yield None

    def _signer(self) -> PassSigner | None:
        """The signer that is installed now. Asked for with each pass, so a look must do."""
        seen = tuple(_look_at(path) for path in self._watched)
        known = self._loaded
        if known is not None and known[0] == seen:
            return known[1]
        signer = load_pass_signer(self._context.config, self._context.keys)
        newest = max((each[1] for each in seen if each is not None), default=0)
        # What changed this recently may change again without another modification time.
        self._loaded = (seen, signer) if time.time_ns() - newest > _SETTLED_NS else None
        return signer

    def _usable(self) -> UsableSigner | None:
        """The signer, if phones take what it signs now; why not is logged, once."""
        usable, problem = None, None
        try:
            signer = self._signer()
            if signer is not None:
                usable = self._checked(signer)
        except (Misconfigured, CertificateError) as error:
            usable, problem = None, str(error)
        if problem != self._said:
            self._said = problem
            if problem:
                _log.error("passes for Apple Wallet cannot be made: %s", problem)
        return usable

    def _checked(self, signer: PassSigner) -> UsableSigner:
        """Raises CertificateError where the signer's certificates are not valid now."""
        known, now = self._known, self._context.clock()
        if known is None or known.signer is not signer:
            chain = signer.status()
            known = self._known = UsableSigner(
                signer,
                signer.certificate.fingerprint(hashes.SHA256()),
                max(each.not_before for each in chain),
                min(each.not_after for each in chain),
            )
        if not known.valid_from <= now <= known.valid_until:
            signer.check(now)
        return known


def _without_nfc(face: CardFace) -> CardFace:
    """Phones refuse the whole pass for it, where Apple has not granted it (any more)."""
    if face.issued.extras.nfc is None:
        return face
    extras = replace(face.issued.extras, nfc=None)
    return replace(face, issued=replace(face.issued, extras=extras))


def _look_at(path: str) -> _Seen | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=1)
def _release() -> str:
    return version("counterfoil")
