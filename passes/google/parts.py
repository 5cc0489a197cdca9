"""What Google's classes and objects of all kinds are made of.

Source: the discovery document of walletobjects v1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from passes.card import CardFace, CardStatus, Field, Look
from passes.text import LANGUAGES, Counted, Text, Words, primary, said
from passes.written import is_same_everywhere, written

#: Google shows at most this many text modules of an object.
MAX_TEXT_MODULES = 10
#: Offers and other passes that one object may pull into the wallet with it.
MAX_LINKED = 50

_IDENTIFIER = re.compile(r"[0-9]{1,20}\.[A-Za-z0-9._-]{1,100}", re.ASCII)
_STATES = {
    CardStatus.ACTIVE: "ACTIVE",
    CardStatus.BLOCKED: "INACTIVE",
    CardStatus.REPLACED: "INACTIVE",
    CardStatus.EXPIRED: "EXPIRED",
    CardStatus.USED: "COMPLETED",
    CardStatus.ERASED: "INACTIVE",
}


def check_identifier(identifier: str) -> None:
    """Raise ValueError unless `identifier` is "issuer id.suffix" as Google takes it."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise ValueError(
            f"a Google id is the issuer's number, a dot and [A-Za-z0-9._-]: {identifier!r}"
        )


def state(face: CardFace) -> str:
    """The state of the object: only an active one can be used."""
    return _STATES[face.status]


def is_blank(face: CardFace) -> bool:
    """Whether nothing of the card may stand at Google any more: nothing can be deleted there."""
    return face.status is CardStatus.ERASED


def home(words: Words) -> str:
    """The language that stands in for others in `words`."""
    return LANGUAGES[0] if isinstance(words, str) else words.words[0][0]


def localized(say: Callable[[str], str], default: str) -> dict[str, Any]:
    """A LocalizedString of `say(language)` in all our languages, `default` where none is known."""
    default = primary(default)
    return {
        "defaultValue": {"language": default, "value": say(default)},
        "translatedValues": [
            {"language": language, "value": say(language)}
            for language in LANGUAGES
            if language != default
        ],
    }


def worded(name: str, words: Words, language: str | None = None) -> dict[str, Any]:
    """A text under `name`, and where it is translated the same under `localizedName`.

    `language` is the one to fall back to; without it that of the words themselves.
    """
    spoken = language or home(words)
    found: dict[str, Any] = {name: said(words, spoken)}
    if isinstance(words, Text):
        found[_localized_name(name)] = localized(words.said, spoken)
    return found


def image(url: str, description: Words) -> dict[str, Any]:
    """A picture that Google fetches itself, described for those who do not see it."""
    if isinstance(description, Text):
        described = localized(description.said, home(description))
    else:
        described = {"defaultValue": {"language": home(description), "value": description}}
    return {"sourceUri": {"uri": url}, "contentDescription": described}


def label(field: Field, language: str) -> dict[str, Any]:
    """The label of a field, under "label" and in all languages under "localizedLabel"."""
    if isinstance(field.label, str):
        return {"label": field.label}
    return {
        "label": field.label_in(language),
        "localizedLabel": localized(field.label_in, language),
    }


def text_modules(face: CardFace, shown_elsewhere: frozenset[str]) -> list[dict[str, Any]]:
    """The fields that Google has no place of their own for, at most MAX_TEXT_MODULES."""
    slots = (slot.key for slot in face.layout.slots if slot.key not in shown_elsewhere)
    fields = (face.field(key) for key in slots)
    made = [_module(field, face.language) for field in fields if field is not None]
    return made[:MAX_TEXT_MODULES]


def messages(face: CardFace) -> list[dict[str, str]] | None:
    """The news on the card, without a notice on the phone; None where there is none."""
    if face.issued.message is None:
        return None
    return [
        {
            "id": face.issued.message_id or "news",
            "header": face.programme_name,
            "body": face.issued.message,
            "messageType": "TEXT",
        }
    ]


def links(face: CardFace) -> dict[str, Any] | None:
    """The links of the card; None where it has none."""
    uris = [
        {"id": f"link{number}", "uri": link.url} | worded("description", link.label, face.language)
        for number, link in enumerate(face.links, start=1)
    ]
    return {"uris": uris} if uris else None


def validity(face: CardFace) -> dict[str, Any] | None:
    """From when to when the card is good; Google retires it then by itself."""
    ends = {"start": face.issued.valid_from, "end": face.issued.valid_until}
    found = {name: {"date": _moment(moment)} for name, moment in ends.items() if moment is not None}
    return found or None


def barcode(face: CardFace) -> dict[str, Any]:
    """The card's code, for cards without a rotating one."""
    return {"type": "QR_CODE", "value": face.code, "renderEncoding": "UTF_8"}


def nearby(look: Look) -> list[dict[str, float]]:
    """The places near which the phone offers the card; Google's word for issuers it allows."""
    return [{"latitude": place.latitude, "longitude": place.longitude} for place in look.places]


def constraints(look: Look) -> dict[str, Any] | None:
    """What the phone keeps the holder from, where the design says that it is not to be shared."""
    return {"screenshotEligibility": "INELIGIBLE"} if look.sharing_prohibited else None


def without_nothing(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs that have a value."""
    return {name: value for name, value in pairs if value is not None and value != []}


def _module(field: Field, language: str) -> dict[str, Any]:
    made: dict[str, Any] = {"id": field.key, "header": field.label_in(language)}
    if isinstance(field.label, Text | Counted):
        made["localizedHeader"] = localized(field.label_in, language)
    made["body"] = written(field, language)
    if not is_same_everywhere(field):
        made["localizedBody"] = localized(lambda spoken: written(field, spoken), language)
    return made


def _localized_name(name: str) -> str:
    return f"localized{name[0].upper()}{name[1:]}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"
