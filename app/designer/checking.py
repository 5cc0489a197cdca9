"""What is wrong with a draft, by the field that causes it: contrast, room, and both preflights."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from app.certs import trusted_roots
from app.config import GOOGLE_API_URL
from app.context import Context
from app.delivery.apple_passes import ApplePasses
from app.delivery.google.look import class_body, object_body
from app.delivery.google.preflight import inspect_resource
from app.designer import contrast, iphone, on_photo, poster, svg
from app.designer.contrast import Judged
from app.errors import Unavailable
from app.languages import Lazy, _, lazy
from app.programmes.models import Programme
from passes.apple import pass_json, strings
from passes.apple.design import Designs, stamps_on
from passes.apple.preflight import Finding, Severity, inspect
from passes.apple.signature import PassSigner
from passes.artwork import apple as artwork
from passes.card import CardFace, CardKind, Colours
from passes.errors import FaceError, ImageError
from passes.text import LANGUAGES, said

APPLE, GOOGLE, BOTH = "apple", "google", "both"
#: Nothing of a draft is in these: the pass is looked through without its signature.
_UNSIGNED = ("signature", "manifest")
_DUMMY_TOKEN = "0" * 40
_DUMMY_KEY = bytes(20)
_ROOM_STACKED = 150.0
_designs = Designs(most_kept=8)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to know before publishing. `field` is the designer's, "" for none in particular.

    `severity` is that of `passes.apple.preflight`.
    """

    field: str
    severity: str
    message: str
    cure: str
    wallet: str = BOTH
    code: str = ""

    @property
    def is_error(self) -> bool:
        """Whether a wallet would refuse the pass."""
        return self.severity == Severity.ERROR

    @property
    def blocks(self) -> bool:
        """Whether it keeps the design from being published: it is the design that is wrong, and
        not the installation around it."""
        return self.is_error and self.code not in _AROUND


def judged(colours: Colours) -> dict[str, Judged]:
    """The contrast of the texts on the card, by the colour's field."""
    return {
        "foreground": contrast.judged(colours.foreground, colours.background),
        "label": contrast.judged(colours.label, colours.background),
    }


def seen(face: CardFace, *, is_poster: bool = False) -> list[Problem]:
    """What can be seen without building a pass: quick enough for each letter that is typed.

    *is_poster*: a photo fills the card on iOS 27.
    """
    found = []
    for name, each in judged(face.colours).items():
        if not each.passes:
            found.append(
                Problem(
                    name,
                    Severity.WARNING,
                    _(
                        "Hard to read: the contrast is %(ratio)s to 1, and people need 4.5.",
                        ratio=f"{each.ratio:.1f}",
                    ),
                    _("Take the colour that is offered, or change the background."),
                    code="contrast",
                )
            )
    for key in iphone.left_out(face):
        found.append(
            Problem(
                f"field_{key}_place",
                Severity.WARNING,
                _("An iPhone has no room for this field there."),
                _("Move it to the back, or another field away."),
                APPLE,
                "fields_not_shown",
            )
        )
    for key in poster.left_out(face) if is_poster else ():
        found.append(
            Problem(
                f"field_{key}_place",
                Severity.WARNING,
                _("The poster of iOS 27 has no room for this field."),
                _("Move it to the back, or another field away."),
                APPLE,
                "fields_not_shown",
            )
        )
    return found + list(_names(face))


def _names(face: CardFace) -> Iterator[Problem]:
    """Names that are cut off where cards lie in a stack."""
    for language in LANGUAGES:
        name = said(face.look.programme_name, language)
        if svg.measured(name, 19 * 0.75) > _ROOM_STACKED:
            yield Problem(
                f"name_{language}",
                Severity.WARNING,
                _("On the strip that shows in a stack, this name is cut off."),
                _("Write a shorter one."),
                APPLE,
                "name_cut",
            )
            if isinstance(face.look.programme_name, str):
                return


def preflight(
    context: Context, passes: ApplePasses, programme: Programme, face: CardFace, *, now: datetime
) -> list[Problem]:
    """What both preflights say of a pass of the draft, built as every pass is; errors first.

    Takes a moment: pictures are made in all sizes.
    """
    try:
        found = [
            *_apple(context, passes, face, now),
            *_google(context, programme, face),
            *_photo(face),
        ]
    except (FaceError, ImageError) as error:
        return [Problem("", Severity.ERROR, str(error), _("Change it, and look again."))]
    unique = {(each.field, each.code, each.wallet, each.message): each for each in found}
    return sorted(unique.values(), key=lambda each: not each.is_error)


def _photo(face: CardFace) -> Iterator[Problem]:
    """Texts of a poster that cannot be read on its photo."""
    found = on_photo.worst(face)
    if found is None or found[0] >= contrast.TEXT:
        return
    told = f"{found[0]:.1f}"
    if found[1] == "label":
        words = _("On the photo the labels are hard to read: %(ratio)s to 1 in places.", ratio=told)
    else:
        words = _("On the photo the texts are hard to read: %(ratio)s to 1 in places.", ratio=told)
    yield Problem(
        "poster",
        Severity.WARNING,
        words,
        _("People need 4.5: take a calmer photo, or another colour for what stands on it."),
        APPLE,
        "poster_contrast",
    )


def signed(
    context: Context,
    signer: PassSigner,
    face: CardFace,
    *,
    now: datetime,
    is_updated: bool = True,
) -> bytes:
    """A pass of *face* as phones get it; without *is_updated* it asks no web service.

    Few designs of drafts are kept laid out: each change makes another.
    """
    content = _content(
        context, face, signer.pass_type_identifier, signer.team_identifier, is_updated
    )
    template = _designs.of(face)
    return template.build(content, signer, now)


def _apple(
    context: Context, passes: ApplePasses, face: CardFace, now: datetime
) -> Iterator[Problem]:
    config = context.config
    try:
        built, is_signed = signed(context, passes.usable().signer, face, now=now), True
    except Unavailable:
        built, is_signed = _unsigned(context, face), False
        yield Problem(
            "",
            Severity.WARNING,
            _("There is no certificate for Apple Wallet yet: iPhones get no passes."),
            _("docs/go-live-apple.md says step by step how to get one."),
            APPLE,
            "no_certificate",
        )
    for finding in inspect(
        built, now=now, roots=trusted_roots(config), nfc_entitled=config.apple_nfc
    ):
        if is_signed or not finding.where.startswith(_UNSIGNED):
            yield _problem(finding, _apple_field(finding), APPLE)


def _unsigned(context: Context, face: CardFace) -> bytes:
    """The files of a pass, where nobody can sign one."""
    files = dict(artwork.images(face.look)) | dict(strings.files(face.look))
    stamps = stamps_on(face)
    if stamps is not None:
        files |= artwork.stamp_strips(face.look, stamps)
    files["pass.json"] = _content(context, face, "pass.example.draft", "ABCDE12345", True)
    digests = {
        name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in files.items()
    }
    files["manifest.json"] = json.dumps(digests).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def _content(
    context: Context, face: CardFace, pass_type: str, team: str, is_updated: bool
) -> bytes:
    config = context.config
    if not config.apple_nfc and face.issued.extras.nfc is not None:
        extras = replace(face.issued.extras, nfc=None)
        face = replace(face, issued=replace(face.issued, extras=extras))
    return pass_json.to_bytes(
        pass_json.build(
            face,
            pass_type_identifier=pass_type,
            team_identifier=team,
            web_service_url=config.url if is_updated else None,
            authentication_token=_DUMMY_TOKEN if is_updated else None,
            nfc_entitled=config.apple_nfc,
        )
    )


def _google(context: Context, programme: Programme, face: CardFace) -> Iterator[Problem]:
    config = context.config
    issuer = config.google_issuer_id
    if issuer is None:
        return
    is_google = config.google_api_url == GOOGLE_API_URL
    class_id, object_id = f"{issuer}.{programme.slug}", f"{issuer}.preflight"
    bodies = (
        class_body(face, programme, config, class_id=class_id),
        object_body(
            face,
            programme,
            config,
            object_id=object_id,
            class_id=class_id,
            totp_key=_DUMMY_KEY,
        ),
    )
    for body in bodies:
        for finding in inspect_resource(
            body, is_google=is_google, issuer=issuer, is_offer=face.kind is CardKind.COUPON
        ):
            yield _problem(finding, _google_field(finding), GOOGLE)


_APPLE_PLACES = (
    ("logo", "logo"),
    ("primaryLogo", "logo"),
    ("strip", "hero"),
    ("icon", "icon"),
    ("artwork", "poster"),
    ("locations", "place"),
    ("beacons", "beacon_0_uuid"),
    ("relevantDates", "time_0_from"),
    ("featuredActions", "action_0_url"),
    ("appLaunchURL", "app_url"),
    ("associatedStoreIdentifiers", "app_ids"),
    ("nfc", "nfc_key"),
    ("expirationDate", "valid_until"),
    ("backgroundColor", "background"),
    ("foregroundColor", "foreground"),
    ("labelColor", "label"),
    ("logoText", "name_en"),
)


def _apple_field(finding: Finding) -> str:
    if finding.code == "fields_not_shown":
        return "fields"
    return next((name for begins, name in _APPLE_PLACES if finding.where.startswith(begins)), "")


_GOOGLE_PLACES = (
    ("programName", "name_en"),
    ("hexBackgroundColor", "background"),
    ("programLogo", "logo"),
    ("wideProgramLogo", "logo"),
    ("heroImage", "hero"),
    ("accountIdLabel", "label_number_en"),
    ("accountNameLabel", "label_member_en"),
    ("textModulesData", "fields"),
    ("linksModuleData", "link_0_url"),
)


def _google_field(finding: Finding) -> str:
    where = finding.where.removeprefix("loyaltyClass.").removeprefix("loyaltyObject.")
    return next((name for begins, name in _GOOGLE_PLACES if where.startswith(begins)), "")


#: Errors of the installation: another design would have them too.
_AROUND = frozenset(
    {"not_https", "unreachable_from_outside", "bad_address", "web_service_not_https", "signature"}
)
#: What preflights say most often, for people who make no passes by hand.
_WORDS: dict[str, tuple[Lazy, Lazy]] = {
    "long_text": (
        lazy("Small Android phones cut this name off."),
        lazy("Shorten it if what is cut off matters."),
    ),
    "fields_not_shown": (
        lazy("There are more fields on the front than an iPhone shows."),
        lazy("Move what matters less to the back."),
    ),
    "web_service_not_https": (
        lazy("The service has no https address: phones of customers could not update cards."),
        lazy("Set COUNTERFOIL_URL to an address that begins with https://."),
    ),
    "image_small": (
        lazy("The picture is smaller than it is shown and looks blurred."),
        lazy("Upload a larger one."),
    ),
    "not_https": (
        lazy("Google fetches pictures over https alone."),
        lazy("Set COUNTERFOIL_URL to an address that begins with https://."),
    ),
    "unreachable_from_outside": (
        lazy("Google's servers cannot reach this machine's address to fetch the pictures."),
        lazy("Set COUNTERFOIL_URL to an address that the internet reaches."),
    ),
}


def _problem(finding: Finding, field: str, wallet: str) -> Problem:
    message, cure = _WORDS.get(finding.code, (finding.message, finding.cure))
    code = "signature" if finding.where.startswith("signature") else finding.code
    return Problem(field, finding.severity, str(message), str(cure), wallet, code)
