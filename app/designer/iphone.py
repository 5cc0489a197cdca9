"""An iPhone with the card: open in Wallet, in the stack with its top strip alone, and its back.

Measures are iPhone points. Drawn from the face that the pass is rendered from; which fields iOS
shows follows developer.apple.com/design/human-interface-guidelines/wallet ("Store card", "Coupon").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.designer import brand, svg
from app.designer.brand import Pictures
from passes import words
from passes.card import CardFace, Field, Section
from passes.extras import ActionKind
from passes.text import Text, said, text
from passes.written import written

WIDTH, HEIGHT = 390.0, 700.0
CARD_WIDTH, CARD_HEIGHT = 374.0, 500.0
_HEADER, _STRIP = 62.0, 143.5
#: How far one card of a stack sticks out above the next.
STICKS_OUT = 62.0
#: iOS shows at most so many fields in the header, and so many in the row below the strip.
MOST_HEADER, MOST_ROW = 3, 4

_BUTTON = 38.0
_ACTIONS: Mapping[ActionKind, Text] = {
    ActionKind.CALL: text({"en": "Call", "de": "Anrufen", "lv": "Zvanīt", "ru": "Позвонить"}),
    ActionKind.ORDER: text({"en": "Order", "de": "Bestellen", "lv": "Pasūtīt", "ru": "Заказать"}),
    ActionKind.SHOP: text({"en": "Shop", "de": "Einkaufen", "lv": "Iepirkties", "ru": "Купить"}),
    ActionKind.BENEFITS: text(
        {"en": "Benefits", "de": "Vorteile", "lv": "Priekšrocības", "ru": "Преимущества"}
    ),
    ActionKind.OFFERS: text(
        {"en": "Offers", "de": "Angebote", "lv": "Piedāvājumi", "ru": "Предложения"}
    ),
    ActionKind.TOP_UP: text(
        {"en": "Top up", "de": "Aufladen", "lv": "Papildināt", "ru": "Пополнить"}
    ),
    ActionKind.APPOINTMENT: text(
        {"en": "Book", "de": "Termin buchen", "lv": "Pieteikties", "ru": "Записаться"}
    ),
    ActionKind.SCHEDULE: text(
        {"en": "Schedule", "de": "Zeitplan", "lv": "Grafiks", "ru": "Расписание"}
    ),
}
_DONE = text({"en": "Done", "de": "Fertig", "lv": "Gatavs", "ru": "Готово"})
_UPDATED = text(
    {
        "en": "Updated just now",
        "de": "Gerade aktualisiert",
        "lv": "Tikko atjaunināts",
        "ru": "Обновлено только что",
    }
)
_WALLET = text({"en": "Wallet", "de": "Wallet", "lv": "Maks", "ru": "Wallet"})
_OPEN = text(
    {
        "en": "iPhone with the card of {name} open",
        "de": "iPhone mit der geöffneten Karte von {name}",
        "lv": "iPhone ar atvērtu {name} karti",
        "ru": "iPhone с открытой картой {name}",
    }
)
_STACKED = text(
    {
        "en": "iPhone with the card of {name} among others: only its top strip shows",
        "de": "iPhone mit der Karte von {name} zwischen anderen: nur ihr oberer Streifen ist zu "
        "sehen",
        "lv": "iPhone ar {name} karti starp citām: redzama tikai tās augšējā josla",
        "ru": "iPhone с картой {name} среди других: видна только её верхняя полоса",
    }
)
#: Other people's cards in the stack: grounds and what lies on them.
_OTHERS = (("#1c3f6e", "#dfe9f7"), ("#7a1f2b", "#f7dfe2"), ("#2f5d3a", "#e0f2e4"))


@dataclass(frozen=True, slots=True)
class BackRow:
    """One row of the back of the card: a label, what stands below it, and where it leads."""

    label: str
    value: str
    url: str | None = None


def front(face: CardFace, language: str, pictures: Pictures = brand.NO_PICTURES) -> str:
    """The phone with the card open, as SVG."""
    left, top = (WIDTH - CARD_WIDTH) / 2, 92.0
    name = said(face.look.programme_name, language)
    return svg.drawing(
        "iphone-front",
        _OPEN.said(language).format(name=name),
        WIDTH,
        HEIGHT,
        screen(),
        '<g class="designer-link">',
        svg.words(
            WIDTH - 20, 74, _DONE.said(language), 17, "#0a5fd6", room=120, anchor="end", weight=600
        ),
        "</g>",
        _card(face, language, pictures, left, top, CARD_HEIGHT, "front"),
        *actions(face, language, left, top + CARD_HEIGHT + 12),
        '<g class="designer-pale">',
        svg.words(
            WIDTH / 2,
            top + CARD_HEIGHT + (36 if not face.look.actions else 72),
            f"{said(face.look.organisation, language)} · {_UPDATED.said(language)}",
            13,
            "#6b6b73",
            room=340,
            anchor="middle",
        ),
        "</g>",
    )


def stacked(face: CardFace, language: str, pictures: Pictures = brand.NO_PICTURES) -> str:
    """The phone with the card in a stack: above and below it lie other people's cards."""
    left, top = (WIDTH - CARD_WIDTH) / 2, 132.0
    marks = [_other(left, top, *_OTHERS[0])]
    at = top + STICKS_OUT
    marks.append(_card(face, language, pictures, left, at, CARD_HEIGHT, "stack"))
    for number, colours in enumerate(_OTHERS[1:], start=2):
        marks.append(_other(left, top + STICKS_OUT * number, *colours))
    height = 420.0
    clip = f'<clipPath id="screen"><rect width="{WIDTH:g}" height="{height:g}" rx="44"/></clipPath>'
    name = said(face.look.programme_name, language)
    return svg.drawing(
        "iphone-stack",
        _STACKED.said(language).format(name=name),
        WIDTH,
        height,
        clip,
        f'<g clip-path="url(#screen)">{screen(height)}',
        '<g class="designer-ink">',
        svg.words(20, 108, _WALLET.said(language), 32, "#141416", room=300, weight=700),
        "</g>",
        *marks,
        "</g>",
    )


def actions(face: CardFace, language: str, x: float, y: float) -> list[str]:
    """The buttons below the card on iOS 27, with the phone's own words on them."""
    marks, count = [], len(face.look.actions)
    for number, action in enumerate(face.look.actions):
        wide = (CARD_WIDTH - 8 * (count - 1)) / count
        left = x + (wide + 8) * number
        marks.append(
            '<g class="designer-button">'
            + svg.box(left, y, wide, _BUTTON, "#e3e3e8", radius=_BUTTON / 2)
            + '</g><g class="designer-link">'
            + svg.words(
                left + wide / 2, y + 24, _ACTIONS[action.kind].said(language), 15, "#0a5fd6",
                room=wide - 24, anchor="middle", weight=600, shrinks=0.75,
            )
            + "</g>"
        )  # fmt: skip
    return marks


def back(face: CardFace, language: str) -> list[BackRow]:
    """What the back of the card lists, in the order of `passes.apple.fields`: news first, which
    stand there before there are any, then links, then the rest."""
    fields = face.fields(Section.BACK)
    rows = [_row(field, language) for field in fields]
    if not fields or fields[0].key != "message":
        rows.insert(0, BackRow(words.MESSAGE.said(language), words.NO_NEWS.said(language)))
    at = 2 if len(fields) > 1 and fields[1].key == "article" else 1
    labels = [(said(link.label, language), link.url) for link in face.links]
    links = [BackRow(label, label, url) for label, url in labels]
    return [*rows[:at], *links, *rows[at:]]


def left_out(face: CardFace) -> list[str]:
    """The keys of fields that are on the front of the card and that iOS has no room for."""
    header = [field.key for field in face.fields(Section.HEADER)]
    primary = [field.key for field in face.fields(Section.PRIMARY)]
    row = [field.key for field in _row_below(face)]
    return header[MOST_HEADER:] + primary[1:] + row[MOST_ROW:]


def _row_below(face: CardFace) -> Sequence[Field]:
    return (*face.fields(Section.SECONDARY), *face.fields(Section.AUXILIARY))


def _row(field: Field, language: str) -> BackRow:
    return BackRow(field.label_in(language), written(field, language))


def screen(height: float = HEIGHT) -> str:
    """The phone around the card; pages show it dark where the reader's system is."""
    return (
        f'<rect class="designer-screen" width="{WIDTH:g}" height="{height:g}" rx="44" '
        'fill="#f2f2f7"/><g class="designer-ink">'
        + svg.words(36, 40, "9:41", 16, "#141416", room=60, weight=600)
        + svg.box(WIDTH - 62, 28, 26, 12, "#141416", radius=3)
        + "</g>"
        + svg.box(WIDTH / 2 - 61, 14, 122, 34, "#000000", radius=17)
    )


def _other(x: float, y: float, ground: str, ink: str) -> str:
    return (
        svg.box(x, y, CARD_WIDTH, CARD_HEIGHT, ground, radius=13)
        + svg.box(x + 14, y + 18, 96, 18, ink, radius=4)
        + svg.box(x + CARD_WIDTH - 62, y + 14, 46, 8, ink, radius=3)
        + svg.box(x + CARD_WIDTH - 50, y + 28, 34, 16, ink, radius=4)
    )


def _card(
    face: CardFace,
    language: str,
    pictures: Pictures,
    x: float,
    y: float,
    height: float,
    name: str,
) -> str:
    colours = face.colours
    clip = (
        f'<clipPath id="card-{name}"><rect x="{x:g}" y="{y:g}" width="{CARD_WIDTH:g}" '
        f'height="{height:g}" rx="13"/></clipPath>'
    )
    marks = [
        svg.box(x, y, CARD_WIDTH, height, colours.background),
        brand.strip(face, pictures, x, y + _HEADER, CARD_WIDTH, _STRIP, f"strip-{name}"),
        _head(face, language, pictures, x, y),
    ]
    marks += _over_the_strip(face, language, x, y)
    marks += _below_the_strip(face, language, x, y + _HEADER + _STRIP)
    side = 176.0
    middle, top = x + CARD_WIDTH / 2, y + height - side - 36
    marks.append(svg.box(middle - side / 2 - 10, top - 10, side + 20, side + 20, "#fff", radius=6))
    marks.append(svg.code(face.code, middle - side / 2, top, side))
    return f'{clip}<g clip-path="url(#card-{name})">{"".join(marks)}</g>'


def _head(face: CardFace, language: str, pictures: Pictures, x: float, y: float) -> str:
    """What sticks out of a stack: logo, name, and what counts."""
    colours, right = face.colours, x + CARD_WIDTH - 14
    marks = []
    for field in face.fields(Section.HEADER)[:MOST_HEADER]:
        label, value = field.label_in(language).upper(), written(field, language)
        wide = min(140.0, max(svg.measured(label, 10.5), svg.measured(value, 22)) + 2)
        if right - wide < x + 120:
            break
        marks.append(
            svg.words(
                right, y + 22, label, 10.5, colours.label, room=wide, anchor="end", weight=600
            )
        )
        marks.append(
            svg.words(
                right, y + 48, value, 22, colours.foreground, room=wide, anchor="end", shrinks=0.45
            )
        )
        right -= wide + 14
    drawn, wide = brand.logo(face, pictures, x + 10, y + 8, 160, 46)
    marks.append(drawn)
    room = right - (x + 10 + wide + 10)
    if room > 24:
        name = said(face.look.programme_name, language)
        marks.append(
            svg.words(
                x + 20 + wide, y + 38, name, 19, colours.foreground, room=room, weight=500,
                shrinks=0.75,
            )
        )  # fmt: skip
    return "".join(marks)


def _over_the_strip(face: CardFace, language: str, x: float, y: float) -> list[str]:
    marks = []
    for field in face.fields(Section.PRIMARY)[:1]:
        value = written(field, language)
        marks = [
            svg.words(
                x + 16, y + _HEADER + 74, value, 44, face.colours.foreground, shrinks=0.45,
                room=CARD_WIDTH - 32,
            ),
            svg.words(
                x + 16, y + _HEADER + 98, field.label_in(language), 14, face.colours.foreground,
                room=CARD_WIDTH - 32,
            ),
        ]  # fmt: skip
    return marks


def _below_the_strip(face: CardFace, language: str, x: float, y: float) -> list[str]:
    fields = _row_below(face)[:MOST_ROW]
    share = (CARD_WIDTH - 32) / max(1, len(fields))
    marks = []
    for number, field in enumerate(fields):
        is_last = number == len(fields) - 1 and number > 0
        at = x + CARD_WIDTH - 16 if is_last else x + 16 + share * number
        anchor = "end" if is_last else "start"
        label, value = field.label_in(language).upper(), written(field, language)
        marks.append(
            svg.words(
                at, y + 24, label, 10.5, face.colours.label, room=share - 8, anchor=anchor,
                weight=600, shrinks=0.85,
            )
        )  # fmt: skip
        marks.append(
            svg.words(
                at, y + 46, value, 18, face.colours.foreground, room=share - 8, anchor=anchor,
                shrinks=0.65,
            )
        )  # fmt: skip
    return marks
