"""Faces of every kind, for tests that hold for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from passes.card import CardFace, CardKind, CardStatus, Colours, Issued, Look
from passes.extras import (
    Action,
    ActionKind,
    Beacon,
    CodeFormat,
    Extras,
    FurtherCode,
    Link,
    Moment,
    Place,
)
from passes.kinds import (
    club_card,
    company_card,
    coupon,
    discount_card,
    points_card,
    stamp_card,
)
from passes.text import LANGUAGES, Text, counted, text
from tests.passes.apple.forge import issued, look

UNTIL = datetime(2027, 11, 23, 22, 59, 59, 999999, tzinfo=UTC)
BEANS = counted(
    {
        "en": {"one": "bean", "other": "beans"},
        "de": {"one": "Bohne", "other": "Bohnen"},
        "lv": {"zero": "pupiņu", "one": "pupiņa", "other": "pupiņas"},
        "ru": {"one": "зерно", "few": "зерна", "many": "зёрен", "other": "зерна"},
    }
)
GOLD = text({"en": "Gold", "de": "Gold", "lv": "Zelts", "ru": "Золото"})
COFFEE = text(
    {"en": "Free coffee", "de": "Gratis-Kaffee", "lv": "Bezmaksas kafija", "ru": "Кофе даром"}
)
SHOP = Link(
    text({"en": "Shop", "de": "Laden", "lv": "Veikals", "ru": "Магазин"}),
    "https://a.example/?a=1&b=2",
)
EVERYTHING: dict[str, Any] = {
    "counted": BEANS,
    "vocabulary": (GOLD, COFFEE),
    "links": (SHOP, Link("Call us", "tel:+37120000000")),
    "terms": text(
        {"en": "One each", "de": "Eine je Person", "lv": "Viena katram", "ru": "По одной"}
    ),
    "contact": "hello@example.com",
    "places": (Place(56.95, 24.1, "Beans nearby"), Place(0, 0)),
    "beacons": (Beacon("f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1", 1, 2, "Hello"),),
    "actions": (Action(ActionKind.SHOP, "https://a.example/shop"),),
    "sharing_prohibited": True,
    "store_identifiers": (284910350,),
    "app_launch_url": "beans://card",
    "is_poster": True,
}
WHOLE: dict[str, Any] = {
    "member_name": "Ada Kalniņa",
    "message": "New roast",
    "valid_from": datetime(2026, 11, 23, tzinfo=UTC),
    "valid_until": UNTIL,
    "extras": Extras(
        links=(Link("Yours", "https://a.example/you"),),
        moments=(Moment(datetime(2026, 12, 24, 9, tzinfo=UTC), UNTIL), Moment(UNTIL)),
        codes=(FurtherCode(CodeFormat.EAN_13, "4006381333931"),),
    ),
}


def of_every_kind(*, everything: bool) -> dict[CardKind, CardFace]:
    """A face of each kind: with all that it can have, or with the least."""
    shared, own = (EVERYTHING, WHOLE) if everything else ({}, {})

    def made(kind: CardKind, **more: Any) -> tuple[Look, Issued]:
        return look(kind, **(shared | more)), issued(**own)

    def if_all(value: Any) -> Any:
        return value if everything else None

    return {
        CardKind.POINTS: points_card(
            *made(CardKind.POINTS), balance=1250, pending=7 if everything else 0, tier=if_all(GOLD)
        ),
        CardKind.DISCOUNT: discount_card(
            *made(CardKind.DISCOUNT),
            share=Decimal("0.075"),
            currency="EUR",
            spent=if_all(Decimal("1234.50")),
            until_next=if_all(Decimal("65.50")),
            next_share=if_all(Decimal("0.1")),
        ),
        CardKind.STAMPS: stamp_card(
            *made(CardKind.STAMPS, stamps=10),
            stamps=3,
            reward=if_all(COFFEE),
            rewards_ready=1 if everything else 0,
        ),
        CardKind.CLUB: club_card(
            *made(CardKind.CLUB),
            valid_until=date(2027, 11, 23),
            tier=if_all("Patron"),
            since=if_all(date(2020, 1, 31)),
            renew_by=if_all(date(2027, 10, 31)),
        ),
        CardKind.COUPON: coupon(
            *made(CardKind.COUPON), offer=COFFEE, valid_until=if_all(date(2027, 11, 23))
        ),
        CardKind.COMPANY: company_card(
            *made(CardKind.COMPANY),
            balance=-5,
            company="Ozols & Co",
            role=if_all("Buyer"),
            limit=if_all(500),
        ),
    }


# -- anything at all ---------------------------------------------------------------------------

_line = st.text(max_size=20)
_texts = st.tuples(*(st.tuples(st.just(language), _line) for language in LANGUAGES)).map(Text)
_words = _line | _texts
_links = st.builds(Link, _words, st.just("https://example.com/x"))
_places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180), st.none() | _line)
looks = st.builds(
    Look,
    kind=st.just(CardKind.POINTS),
    programme_name=_words,
    organisation=_words,
    description=_words,
    colours=st.just(Colours("#3b2314", "#fff6e8", "#e0b070")),
    counted=st.none() | st.just(BEANS),
    terms=st.none() | _words,
    is_poster=st.booleans(),
    links=st.lists(_links, max_size=2).map(tuple),
    places=st.lists(_places, max_size=2).map(tuple),
    sharing_prohibited=st.booleans(),
)
cards = st.builds(
    Issued,
    serial_number=_line,
    code=_line,
    issued_on=st.dates(),
    status=st.sampled_from(CardStatus),
    language=st.sampled_from(["en", "de", "lv-LV", "ru", "xx"]),
    member_name=st.none() | _line,
    message=st.none() | _line,
    valid_until=st.none() | st.datetimes(timezones=st.just(UTC)),
)
faces = st.builds(
    points_card,
    looks,
    cards,
    balance=st.integers(),
    pending=st.integers(0, 1000),
    tier=st.none() | _words,
    announce_message=st.booleans(),
)
