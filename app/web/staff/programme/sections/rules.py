"""Rules: what a receipt earns beside the rate; a form for each kind of rule."""

from collections.abc import Mapping
from typing import Any

from app.languages import Lazy, _, lazy
from app.programmes.rules.model import WEEKDAYS, Kind
from app.web.staff.programme.forms.compound import Hours, Rows, Streak, Things
from app.web.staff.programme.forms.kernel import Around, Part
from app.web.staff.programme.forms.scalars import (
    Choice,
    Moment,
    Number,
    Picks,
    Text,
    Tick,
    Whole,
    Words,
)
from app.web.staff.programme.forms.section import Fieldset, Many, parts_of

WEEKDAY_WORDS = tuple(
    zip(
        WEEKDAYS,
        (
            lazy("Monday"),
            lazy("Tuesday"),
            lazy("Wednesday"),
            lazy("Thursday"),
            lazy("Friday"),
            lazy("Saturday"),
            lazy("Sunday"),
        ),
        strict=True,
    )
)
_NAME = Text("name", lazy("Name"), lazy("Members read it on their receipts."))
_ITEMS = Words("items", lazy("Items"), lazy("One a line, as the till names them."))
_CATEGORIES = Words("categories", lazy("or categories"), lazy("One a line."))
_GIVES = Things("gives", lazy("It gives"))
_WORTH = Whole(
    "worth",
    lazy("Things are worth, in points"),
    lazy("Only where the best promotion is looked for."),
    low=1,
    high=1_000_000,
)
_MOST = Whole("most", lazy("At most so many times a receipt"), low=1, high=1000)
_AT_LEAST = Number("at_least", lazy("The receipt earns on at least"), unit="money")
_ROLES = {
    "base": lazy("A base rule: of all base rules the best one counts"),
    "promotion": lazy("A promotion"),
    "always": lazy("Always, beside everything else"),
}


def _role(*roles: str) -> Choice:
    options = (("", lazy("as usual for its kind")), *((each, _ROLES[each]) for each in roles))
    return Choice("role", lazy("It counts as"), options=options)


_WHEN = Fieldset(
    lazy("When"),
    (
        Moment("from", lazy("From")),
        Moment("until", lazy("Until (without that moment)")),
        Picks("weekdays", lazy("On these days"), lazy("None: any."), options=WEEKDAY_WORDS),
        Hours("hours", lazy("At these hours"), lazy("None: any. May run past midnight.")),
    ),
    is_open=False,
)
_WHERE = Fieldset(
    lazy("Where"),
    (Picks("locations", lazy("In these locations"), lazy("None: in all."), source="locations"),),
    is_open=False,
)
_WHO = Fieldset(
    lazy("For whom"),
    (
        Picks("tiers", lazy("Members of these tiers"), lazy("None: all."), source="tiers"),
        Picks("segments", lazy("Members of these segments"), lazy("None: all."), source="segments"),
        Tick("first_purchase", lazy("Only with their first receipt")),
        Whole("a_day", lazy("Of a day's receipts only the first"), low=1, high=1000),
        Text(
            "once",
            lazy("Once in a lifetime, under this key"),
            lazy("Rules with the same key count together. It has to give points too."),
            longest=40,
        ),
        Streak("streak", lazy("When a visit completes a streak of")),
    ),
    is_open=False,
)
_GOODS = (
    _ITEMS,
    _CATEGORIES,
    Number("quantity", lazy("Pieces, at least"), high=1_000_000),
    Number("at_least", lazy("Money, at least"), unit="money"),
)
_BASKET = Fieldset(
    lazy("What the receipt holds"),
    (_AT_LEAST, Rows("contains", lazy("Goods on it, all of these sets"), parts=_GOODS)),
    is_open=False,
)


def _form(*parts: Part, roles: tuple[str, ...], basket: Fieldset = _BASKET) -> tuple[Fieldset, ...]:
    return (
        Fieldset(None, (_NAME,)),
        Fieldset(lazy("What it gives"), parts),
        basket,
        _WHEN,
        _WHERE,
        _WHO,
        Fieldset(lazy("Beside other rules"), (_role(*roles),), is_open=False),
    )


FORMS: Mapping[str, tuple[Fieldset, ...]] = {
    Kind.AMOUNT: _form(
        Number("points", lazy("Points"), high=999_999),
        Number("per_amount", lazy("for each full"), unit="money", high=999_999),
        Choice(
            "on",
            lazy("Counted is the amount"),
            options=(
                ("", lazy("as for the rate")),
                ("gross", lazy("with tax")),
                ("net", lazy("without tax")),
            ),
        ),
        Words("only_categories", lazy("Only of these categories"), lazy("One a line. None: all.")),
        Words("excluded_categories", lazy("Not of these categories"), lazy("One a line.")),
        roles=("base", "promotion", "always"),
    ),
    Kind.VISIT: _form(_GIVES, _WORTH, roles=("base", "promotion", "always")),
    Kind.ITEM: _form(
        _ITEMS,
        _CATEGORIES,
        Number("per_quantity", lazy("For each so many pieces"), high=1_000_000),
        _GIVES,
        _MOST,
        _WORTH,
        roles=("base", "promotion", "always"),
    ),
    Kind.BASKET: _form(
        _GIVES,
        Tick("each", lazy("For each complete set of the goods")),
        Number("per_amount", lazy("or for each full"), unit="money", high=999_999),
        _MOST,
        _WORTH,
        roles=("base", "promotion", "always"),
        basket=Fieldset(_BASKET.title, _BASKET.parts),
    ),
    Kind.MULTIPLIER: _form(
        Number("factor", lazy("Points are multiplied by"), lazy("2 is double."), high=100),
        roles=("promotion", "always"),
    ),
}
KIND_WORDS: Mapping[str, tuple[Lazy, Lazy]] = {
    Kind.AMOUNT: (lazy("Points for money"), lazy("So many points for each full amount.")),
    Kind.VISIT: (lazy("For a visit"), lazy("Points, stamps or more for a receipt.")),
    Kind.ITEM: (lazy("For goods"), lazy("For each piece of certain items or categories.")),
    Kind.BASKET: (lazy("For a basket"), lazy("For a minimum spend, or goods bought together.")),
    Kind.MULTIPLIER: (
        lazy("Multiply"),
        lazy("Double points on a slow day, in a shop, for a tier."),
    ),
}


def _goods_words(goods: Mapping[str, Any], around: Around) -> str:
    """Goods and how much of them."""
    names = ", ".join([*goods.get("items", ()), *goods.get("categories", ())])
    least = [f"{goods['quantity']} ×"] if goods.get("quantity") else []
    money = (
        [_("from %(money)s on", money=around.money(goods["at_least"]))]
        if goods.get("at_least")
        else []
    )
    return " ".join([*least, names, *money])


def _what_words(rule: Mapping[str, Any], around: Around) -> list[str]:
    """What a rule gives, and for what."""
    if rule["kind"] == Kind.MULTIPLIER:
        return [_("points × %(factor)s", factor=rule["factor"])]
    if rule["kind"] == Kind.AMOUNT:
        money = around.money(rule["per_amount"])
        told = [_("%(points)s points for each %(money)s", points=rule["points"], money=money)]
        for name in ("only_categories", "excluded_categories"):
            if rule.get(name):
                label = _PARTS[rule["kind"]][name].label
                told.append(f"{label}: {', '.join(rule[name])}")
        return told
    told = [_GIVES.words(rule["gives"], around)]
    if rule["kind"] == Kind.ITEM:
        goods = _goods_words({**rule, "at_least": None}, around)
        count = rule.get("per_quantity", "1")
        told.append(_("for each %(count)s × %(goods)s", count=count, goods=goods))
    if rule.get("per_amount"):
        told.append(_("for each full %(money)s", money=around.money(rule["per_amount"])))
    if rule.get("each"):
        told.append(str(_PARTS[rule["kind"]]["each"].label))
    return told


#: What `_what_words` says, and what needs no saying.
_SAID = frozenset(
    "name role kind points per_amount only_categories excluded_categories gives items categories "
    "per_quantity each factor worth contains".split()
)
#: What speaks for itself.
_PLAIN = frozenset(("weekdays", "hours", "locations", "tiers", "segments", "streak"))


def _summary(rule: Mapping[str, Any], around: Around) -> str:
    """A rule in a line: what it gives and when."""
    told = _what_words(rule, around)
    if rule.get("contains"):
        sets = " + ".join(_goods_words(each, around) for each in rule["contains"])
        told.append(_("with %(goods)s", goods=sets))
    for name, part in _PARTS[rule["kind"]].items():
        if name in _SAID or rule.get(name) in (None, [], {}, "", False):
            continue
        words = part.words(rule[name], around)
        if name == "at_least":
            told.append(_("from %(money)s on", money=words))
        elif name in _PLAIN:
            told.append(words)
        else:
            told.append(str(part.label) if rule[name] is True else f"{part.label}: {words}")
    return "; ".join(told)


_PARTS: Mapping[str, Mapping[str, Part]] = {
    kind: {part.name: part for part in parts_of(form)} for kind, form in FORMS.items()
}

RULES = Many(
    "rules",
    lazy("Rules"),
    lazy("What a receipt earns beside the rate: double days, goods, baskets, visits."),
    key="name",
    one=lazy("Rule"),
    forms=FORMS,
    kinds=KIND_WORDS,
    summary=_summary,
)


def _bonus(bonus: Mapping[str, Any], around: Around) -> str:
    return _(
        "%(points)s points from %(money)s on",
        points=bonus["points"],
        money=around.money(bonus["at_least"]),
    )


BONUSES = Many(
    "bonuses",
    lazy("Bonuses"),
    lazy("Points for a receipt that is large enough."),
    key="name",
    one=lazy("Bonus"),
    forms={
        "": (
            Fieldset(
                None,
                (
                    _NAME,
                    _AT_LEAST,
                    Whole("points", lazy("Points"), low=1),
                    Text("once", lazy("Once in a lifetime, under this key"), longest=40),
                ),
            ),
        )
    },
    summary=_bonus,
)
