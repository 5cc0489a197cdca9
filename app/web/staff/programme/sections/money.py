"""Mechanics about prices: discounts, the price list for members, volume bonuses."""

from collections.abc import Mapping
from typing import Any

from app.languages import _, lazy
from app.web.staff.programme.forms.compound import Names, Rows
from app.web.staff.programme.forms.kernel import Around
from app.web.staff.programme.forms.scalars import Choice, Day, Number, Picks, Text, Whole
from app.web.staff.programme.forms.section import Fieldset, Many
from app.web.staff.programme.sections.common import (
    ACCOUNT_WORDS,
    EXCLUDED,
    GROUPS,
    named_list,
)

_SCALE = Rows(
    "scale",
    lazy("Steps of the scale"),
    parts=(
        Number("from", lazy("Spent from"), unit="money", zero=True),
        Number("percent", lazy("Percent"), unit="%", high=100, zero=True),
    ),
)
_SLAB = ("slab", lazy("a scale: the step reached counts for the whole purchase"))
_MARGINAL = ("marginal", lazy("a scale: every part counts at its own step"))


def steps_words(scale: Any, around: Around) -> str:
    """A scale in words: each step with its percent."""
    return ", ".join(
        _(
            "%(percent)s %% from %(money)s",
            percent=each["percent"],
            money=around.money(each["from"]),
        )
        for each in scale
    )


def _discount(discount: Mapping[str, Any], around: Around) -> str:
    if discount.get("scale"):
        return steps_words(discount["scale"], around)
    return f"{discount.get('percent', 0)} %"


DISCOUNTS = named_list(
    "discounts",
    lazy("Discounts"),
    lazy("A share off every purchase, fixed or rising with what was spent."),
    Choice(
        "kind",
        lazy("It is"),
        options=(("fixed", lazy("always the same")), _SLAB, _MARGINAL),
        usual="fixed",
    ),
    Number(
        "percent",
        lazy("Percent off"),
        unit="%",
        high=100,
        when=("kind", ("fixed",)),
    ),
    Rows(
        _SCALE.name,
        _SCALE.label,
        lazy("What was spent before decides."),
        parts=_SCALE.parts,
        when=("kind", ("slab", "marginal")),
    ),
    Whole(
        "months",
        lazy("Spending counts over the last"),
        lazy("0: ever."),
        high=120,
        unit=lazy("months"),
        when=("kind", ("slab", "marginal")),
    ),
    one=lazy("Discount"),
    summary=_discount,
    more=(
        Fieldset(
            lazy("For whom and for what"),
            (
                GROUPS,
                Picks(
                    "accounts",
                    lazy("Only for accounts of"),
                    lazy("None ticked: for all."),
                    options=ACCOUNT_WORDS,
                ),
                EXCLUDED,
            ),
            is_open=False,
        ),
    ),
)


def _price(price: Mapping[str, Any], around: Around) -> str:
    told = around.money(price["price"])
    if price.get("tiers"):
        told += ", " + GROUPS.words(price["tiers"], around)
    return told


PRICES = Many(
    "prices",
    lazy("Price list for members"),
    lazy("What goods cost members; for a tier or a club alone it is a closed deal."),
    key="item",
    one=lazy("Price"),
    forms={
        "": (
            Fieldset(
                None,
                (
                    Text("item", lazy("Item"), lazy("As the till names it."), longest=120),
                    Number(
                        "price", lazy("It costs members"), unit="money", high=1_000_000, zero=True
                    ),
                    Names("names", lazy("What members read"), lazy("Empty: the item's name.")),
                    GROUPS,
                    Day("from", lazy("First day")),
                    Day("until", lazy("Last day")),
                ),
            ),
        )
    },
    summary=_price,
)


def _volume(volume: Mapping[str, Any], around: Around) -> str:
    return f"{dict(_EVERY)[volume['every']]}: {steps_words(volume['scale'], around)}"


_EVERY = (
    ("month", lazy("a month")),
    ("quarter", lazy("a quarter")),
    ("year", lazy("a year")),
)
VOLUMES = named_list(
    "volumes",
    lazy("Volume bonuses"),
    lazy("Points for what a company bought in a whole month, quarter or year."),
    Choice("every", lazy("For what was bought in"), options=_EVERY),
    Choice("kind", lazy("It is"), options=(_SLAB, _MARGINAL), usual="marginal"),
    _SCALE,
    one=lazy("Volume bonus"),
    summary=_volume,
    more=(
        Fieldset(
            lazy("For whom and when"),
            (
                Picks(
                    "accounts",
                    lazy("For accounts of"),
                    options=ACCOUNT_WORDS,
                    usual=["company"],
                ),
                Whole(
                    "after_days",
                    lazy("Given after the period"),
                    lazy("Until then returns count."),
                    high=60,
                    unit=lazy("days"),
                    usual=14,
                ),
            ),
        ),
    ),
)
