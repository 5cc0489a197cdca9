"""Mechanics that are things: stamp cards, rewards, coupons, prepaid passes."""

from collections.abc import Mapping
from typing import Any

from app.languages import _, lazy, ngettext
from app.web.staff.programme.forms.compound import Names
from app.web.staff.programme.forms.kernel import Around
from app.web.staff.programme.forms.scalars import Choice, Number, Pick, Whole, Words
from app.web.staff.programme.forms.section import Fieldset
from app.web.staff.programme.sections.common import (
    FROM,
    KIND_WORDS,
    TIERS,
    TO,
    named_list,
)
from passes.card import MAX_STAMPS


def _stamp_card(card: Mapping[str, Any], around: Around) -> str:
    stamps = ngettext("%(num)d stamp", "%(num)d stamps", int(card["size"]))
    return f"{stamps}, {dict(_PER)[card.get('per', 'visit')]}"


_PER = (
    ("visit", lazy("one for a visit")),
    ("item", lazy("one for each piece of certain goods")),
    ("rule", lazy("only rules give them")),
)
STAMPS = named_list(
    "stamps",
    lazy("Stamp cards"),
    lazy("So many stamps, then a reward."),
    Whole("size", lazy("Stamps on a full card"), low=1, high=MAX_STAMPS),
    Choice("per", lazy("A stamp is given"), options=_PER, usual="visit"),
    Words(
        "items",
        lazy("For these items"),
        lazy("One a line, as the till names them. None: any."),
        when=("per", ("item",)),
    ),
    Words(
        "categories",
        lazy("or categories"),
        lazy("One a line."),
        when=("per", ("item",)),
    ),
    one=lazy("Stamp card"),
    summary=_stamp_card,
    more=(
        Fieldset(
            lazy("Limits"),
            (
                Number(
                    "at_least",
                    lazy("The receipt earns on at least"),
                    unit="money",
                    high=1_000_000,
                    zero=True,
                ),
                Whole("at_most", lazy("Stamps of a receipt, at most"), lazy("0: any."), high=1000),
                Whole(
                    "lasts_months",
                    lazy("Stamps last after the last one"),
                    lazy("0: for ever."),
                    high=1200,
                    unit=lazy("months"),
                ),
            ),
        ),
    ),
)


def _worth(thing: Mapping[str, Any], around: Around) -> str:
    if thing.get("amount"):
        return around.money(thing["amount"])
    if thing.get("percent"):
        return f"{thing['percent']} %"
    return str(dict(KIND_WORDS)[thing.get("kind", "goods")])


def _reward(reward: Mapping[str, Any], around: Around) -> str:
    if reward.get("stamps"):
        name = around.stamps.get(reward["stamps"], reward["stamps"])
        cost = _("a full card: %(name)s", name=name)
    elif reward.get("points_from"):
        cost = _("from %(points)s points, the cashier chooses", points=reward["points_from"])
    else:
        cost = ngettext("%(num)d point", "%(num)d points", int(reward.get("points") or 0))
    return f"{_worth(reward, around)}, {cost}"


_OFF = ("amount_off",)
REWARDS = named_list(
    "rewards",
    lazy("Rewards"),
    lazy("What points or a full stamp card are good for."),
    Choice("kind", lazy("It is"), options=KIND_WORDS, usual="goods"),
    Number(
        "amount",
        lazy("Amount off"),
        lazy("Empty where the cashier chooses the points."),
        unit="money",
        high=1_000_000,
        when=("kind", _OFF),
    ),
    Number(
        "percent",
        lazy("Percent off"),
        unit="%",
        high=100,
        when=("kind", ("percent_off",)),
    ),
    one=lazy("Reward"),
    summary=_reward,
    more=(
        Fieldset(
            lazy("What it costs: one of these"),
            (
                Whole("points", lazy("Points"), low=1),
                Pick("stamps", lazy("A full card of"), source="stamps"),
                Whole(
                    "points_from",
                    lazy("The cashier chooses, from"),
                    unit=lazy("points"),
                    low=1,
                    when=("kind", _OFF),
                ),
                Whole(
                    "points_step",
                    lazy("in steps of"),
                    unit=lazy("points"),
                    low=1,
                    when=("kind", _OFF),
                ),
                Whole("points_to", lazy("up to"), unit=lazy("points"), low=1, when=("kind", _OFF)),
            ),
        ),
        Fieldset(
            lazy("How many, when, for whom"),
            (
                Whole("stock", lazy("There are so many in all"), lazy("Empty: any number.")),
                FROM,
                TO,
                TIERS,
            ),
            is_open=False,
        ),
    ),
)


def _coupon(coupon: Mapping[str, Any], around: Around) -> str:
    told = [_worth(coupon, around)]
    if coupon.get("at_least"):
        told.append(_("from %(money)s on", money=around.money(coupon["at_least"])))
    if coupon.get("valid_days") is not None:
        told.append(ngettext("%(num)d day", "%(num)d days", int(coupon["valid_days"])))
    return ", ".join(told)


COUPONS = named_list(
    "coupons",
    lazy("Coupons"),
    lazy("Good once, each a pass of its own; rules, presents and campaigns give them."),
    Choice("kind", lazy("It is"), options=KIND_WORDS, usual="goods"),
    Number(
        "amount",
        lazy("Amount off"),
        unit="money",
        high=1_000_000,
        when=("kind", _OFF),
    ),
    Number(
        "percent",
        lazy("Percent off"),
        unit="%",
        high=100,
        when=("kind", ("percent_off",)),
    ),
    Number("at_least", lazy("On a receipt of at least"), unit="money", high=1_000_000),
    one=lazy("Coupon"),
    summary=_coupon,
    more=(
        Fieldset(
            lazy("When it can be used"),
            (
                FROM,
                Whole(
                    "valid_days",
                    lazy("So many days from its issue"),
                    lazy("0: only on that day. Empty: for ever."),
                    high=3650,
                    unit=lazy("days"),
                ),
                TO,
            ),
        ),
        Fieldset(lazy("Given by hand only to"), (TIERS,), is_open=False),
    ),
)


def _multipass(multipass: Mapping[str, Any], around: Around) -> str:
    return ngettext("%(num)d entry", "%(num)d entries", int(multipass["entries"]))


MULTIPASSES = named_list(
    "multipasses",
    lazy("Prepaid passes"),
    lazy("Entries that are paid for at once and used one by one."),
    Words(
        "items",
        lazy("Bought with these items"),
        lazy("One a line, as the till names them."),
    ),
    Whole("entries", lazy("Entries"), low=1, high=1000),
    Names("entry_names", lazy("What one entry is called")),
    Whole(
        "lasts_months",
        lazy("Entries last after the last one was bought"),
        lazy("0: for ever."),
        high=1200,
        unit=lazy("months"),
    ),
    one=lazy("Prepaid pass"),
    summary=_multipass,
)
