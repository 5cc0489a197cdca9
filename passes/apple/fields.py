"""The fields of a pass: from the neutral card's to Apple's dictionaries.

Source: developer.apple.com/documentation/walletpasses/passfieldcontent. The phone writes numbers,
money and dates itself, in the form of its own region.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from passes import words
from passes.apple import strings
from passes.card import CardFace, Field, Form, Section
from passes.extras import Link
from passes.text import Counted, Text, Words, said

#: What a poster generic pass (iOS 27) shows on its front.
_POSTER_PRIMARY, _POSTER_FOOTER = 4, 2

_LISTS = {
    Section.HEADER: "headerFields",
    Section.PRIMARY: "primaryFields",
    Section.SECONDARY: "secondaryFields",
    Section.AUXILIARY: "auxiliaryFields",
}


class Gap(str):
    """Stands in a template where a card's own value goes: U+0000, its name, U+0000."""

    __slots__ = ()

    @classmethod
    def of(cls, name: str) -> Gap:
        """The gap called `name`."""
        return cls(f"\0{name}\0")


class Speaker:
    """Says texts as pass.json does: by their key where the design's tables have them."""

    def __init__(self, face: CardFace) -> None:
        self._table: Mapping[str, Text] = strings.table(face.look)
        self._language = face.language

    def __call__(self, words: Words) -> str:
        """The key of a text that travels in all languages; else the words for the holder."""
        if isinstance(words, str):
            return words
        return words.key if self._table.get(words.key) == words else said(words, self._language)

    def change_message(self, field: Field) -> str:
        """What the lock screen says of a changed `field`; `%@` is its new value."""
        label = field.label
        if field.key == "message":
            return "%@"
        if isinstance(label, Counted):
            if isinstance(field.value, Gap):
                return Gap.of(f"change_{field.key}")
            return label.change_key(field.value if isinstance(field.value, int) else 0)
        if isinstance(label, Text) and self._table.get(label.key) == label:
            key = strings.change_key(label)
            if key in self._table:
                return key
        return f"{said(label, self._language).replace('%', '%%')}: %@"


def style_fields(face: CardFace) -> dict[str, list[dict[str, Any]]]:
    """The dictionary of a storeCard or a coupon."""
    speak = Speaker(face)
    found: dict[str, list[dict[str, Any]]] = {}
    for section, name in _LISTS.items():
        fields = [_field(face, field, speak) for field in face.fields(section)]
        if fields:
            found[name] = fields
    found["backFields"] = _back(face, speak)
    return found


def poster_fields(face: CardFace) -> dict[str, list[dict[str, Any]]]:
    """The dictionary of a posterGeneric: one header field, at most four primary, two footers."""
    speak = Speaker(face)
    header = [_field(face, field, speak) for field in face.fields(Section.HEADER)]
    front = [
        _field(face, field, speak)
        for section in (Section.PRIMARY, Section.SECONDARY, Section.AUXILIARY)
        for field in face.fields(section)
    ]
    footer = (header[1:] + front[_POSTER_PRIMARY:])[:_POSTER_FOOTER]
    found = {"headerFields": header[:1], "primaryFields": front[:_POSTER_PRIMARY]}
    if footer:
        found["footerFields"] = footer
    return {name: fields for name, fields in found.items() if fields} | {
        "backFields": _back(face, speak)
    }


def plain(value: object) -> Any:
    """A value as JSON has it: money and shares as numbers, days as Apple's dates."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        # Midnight UTC, shown as that day whatever zone the phone is in.
        return f"{value.isoformat()}T00:00:00Z"
    return value


def _field(face: CardFace, field: Field, speak: Speaker) -> dict[str, Any]:
    made: dict[str, Any] = {"key": field.key, "label": _label(field, speak)}
    value = field.value
    made["value"] = speak(value) if isinstance(value, str | Text) else plain(value)
    match field.form:
        case Form.NUMBER:
            made["numberStyle"] = "PKNumberStyleDecimal"
        case Form.PERCENT:
            made["numberStyle"] = "PKNumberStylePercent"
        case Form.MONEY:
            made["currencyCode"] = field.currency
        case Form.DAY:
            made["dateStyle"] = "PKDateStyleMedium"
            made["timeStyle"] = "PKDateStyleNone"
            made["ignoresTimeZone"] = True
        case Form.TEXT:
            pass
    if field.key == face.layout.announced:
        made["changeMessage"] = speak.change_message(field)
    return made


def _label(field: Field, speak: Speaker) -> str:
    if not isinstance(field.label, Counted):
        return speak(field.label)
    if isinstance(field.value, Gap):
        return Gap.of(f"label_{field.key}")
    return field.label.label_key(field.value if isinstance(field.value, int) else 0)


def _back(face: CardFace, speak: Speaker) -> list[dict[str, Any]]:
    back = [_field(face, field, speak) for field in face.fields(Section.BACK)]
    if not back or back[0]["key"] != "message":
        no_news = Field("message", words.MESSAGE, words.NO_NEWS, Form.TEXT)
        back.insert(0, _field(face, no_news, speak))
    at = 2 if len(back) > 1 and back[1]["key"] == "article" else 1
    named = face.look.links + face.issued.extras.links
    links = [_link(number, link, face, speak) for number, link in enumerate(named, start=1)]
    if face.issued.page is not None:
        links.append(_page(face.issued.page, face, speak))
    return back[:at] + links + back[at:]


def _link(number: int, link: Link, face: CardFace, speak: Speaker) -> dict[str, Any]:
    of_the_design = number <= len(face.look.links)
    if of_the_design and isinstance(link.label, Text):
        shown = strings.anchor_key(number)
    else:
        shown = strings.anchor(said(link.label, face.language), link.url)
    return {
        "key": f"link{number}",
        "label": speak(link.label),
        "value": link.url,
        "attributedValue": shown,
    }


def _page(address: str, face: CardFace, speak: Speaker) -> dict[str, Any]:
    """The way to the card's own page, which is another one on each card."""
    is_gap = isinstance(address, Gap)
    return {
        "key": "page",
        "label": speak(words.PAGE),
        "value": address,
        "attributedValue": Gap.of("page_anchor") if is_gap else page_anchor(face.language, address),
    }


def page_anchor(language: str, address: str) -> str:
    """The card's page as a link on the back, in the holder's language."""
    return strings.anchor(said(words.PAGE, language), address)
