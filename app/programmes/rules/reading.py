"""Reading rules: from JSON, with words for what is wrong and what to write instead. Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from app.programmes.fields import (
    HIGHEST_MULTIPLIER,
    LONGEST_CATEGORY,
    LONGEST_KEY,
    LONGEST_NAME,
    MOST_CATEGORIES,
    BonusRule,
    Reader,
    Wrong,
    choice,
    decimal,
    listed,
    option,
    text_of,
    whole,
    yes_or_no,
)
from app.programmes.rules.model import (
    THINGS,
    WEEKDAYS,
    Conditions,
    Gives,
    Goods,
    Kind,
    Role,
    Rule,
)
from app.programmes.rules.segments import tier_code
from app.programmes.rules.streaks import MOST, UNITS, Streak

MOST_RULES = 200
MOST_POINTS = 1_000_000
MOST_TIMES = 1000
_MOST_SETS = 20
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_MONEY = decimal(Decimal(1_000_000_000))
_RATE = decimal(Decimal("999999.999999"))
_QUANTITY = decimal(1_000_000, decimals=3)
_FACTOR = decimal(HIGHEST_MULTIPLIER, decimals=4)


def _name(value: Any) -> str:
    return text_of(value, LONGEST_NAME, "a name")


def _goods_name(value: Any) -> str:
    return text_of(value, 120, "an item")


def _category(value: Any) -> str:
    return text_of(value, LONGEST_CATEGORY, "a category")


def _moment(value: Any) -> datetime:
    try:
        if isinstance(value, datetime) and value.tzinfo is None:
            return value
        if type(value) is date:
            return datetime.combine(value, datetime.min.time())
        if isinstance(value, str) and len(value) <= 19:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None and 2000 <= moment.year <= 2200:
                return moment
    except ValueError:
        pass
    raise Wrong('write a local day or time such as "2026-06-01" or "2026-06-01T12:00".')


def _weekday(value: Any) -> int:
    if value not in WEEKDAYS:
        raise Wrong(f"write days as {', '.join(WEEKDAYS)}.")
    return WEEKDAYS.index(value)


def _hours(value: Any) -> tuple[int, int]:
    match = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if match:
        start, end = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
        if start != end and end <= 24 * 60:
            return start, end
    raise Wrong('write hours such as "08:00-11:00".')


_GOODS: dict[str, Reader] = {
    "items": listed(_goods_name, MOST_CATEGORIES),
    "categories": listed(_category, MOST_CATEGORIES),
    "quantity": _QUANTITY,
    "at_least": _MONEY,
}


def _goods(value: Any) -> Goods:
    if not isinstance(value, Mapping):
        raise Wrong('write goods as {"categories": ["coffee"], "quantity": "2"}.')
    for unknown in value.keys() - _GOODS.keys():
        raise Wrong(f"goods have no {unknown!r}; they have {', '.join(_GOODS)}.")
    goods = Goods(**{name: option(name, _GOODS[name], value) for name in value})
    if not goods.items and not goods.categories:
        raise Wrong("say which goods: items, categories or both.")
    if goods.quantity is None and goods.at_least is None:
        raise Wrong("say how much: quantity, at_least (money) or both.")
    return goods


_ANYTHING = 'write what is given, such as {"points": 10, "stamps": {"coffee": 1}}.'


def _gives(value: Any) -> Gives:
    if not isinstance(value, Mapping) or not value:
        raise Wrong(_ANYTHING)
    for unknown in value.keys() - {"points", *THINGS}:
        raise Wrong(f"there is no {unknown!r} to give; there are points, {', '.join(THINGS)}.")
    points = option("points", whole(1, MOST_POINTS), value) if "points" in value else 0
    things = []
    for kind in THINGS:
        if kind not in value:
            continue
        named = value[kind]
        if not isinstance(named, Mapping) or not 1 <= len(named) <= 20:
            raise Wrong(f'{kind}: write which and how many, such as {{"name": 1}}.')
        for what, count in named.items():
            text_of(what, LONGEST_NAME, f"{kind}: a name")
            things.append((kind, what, option(what, whole(1, 1000), {what: count})))
    return Gives(points, tuple(things))


def _streak(value: Any) -> Streak:
    if (
        not isinstance(value, Mapping)
        or len(value) != 1
        or (unit := next(iter(value))) not in UNITS
    ):
        raise Wrong(f'write it as {{"weeks": 4}}, in {", ".join(UNITS)}.')
    return Streak(unit, option(unit, whole(2, MOST[unit]), value))


_CONDITIONS: dict[str, Reader] = {
    "from": _moment,
    "until": _moment,
    "weekdays": listed(_weekday, 7),
    "hours": listed(_hours, 24),
    "locations": listed(lambda value: text_of(value, 40, "a location"), 1000),
    "tiers": listed(tier_code, 20),
    "segments": listed(_name, 50),
    "first_purchase": yes_or_no,
    "at_least": _MONEY,
    "contains": listed(_goods, _MOST_SETS),
    "a_day": whole(1, 1000),
    "once": lambda value: text_of(value, LONGEST_KEY, "once"),
    "streak": _streak,
}
_NAMED = {"from": "begins", "until": "ends"}
_COMMON = ("name", "kind", "role", *_CONDITIONS)
_TIMES = whole(1, MOST_TIMES)
#: What each kind may say besides, and what it has to say.
_PARTS: dict[Kind, dict[str, Reader]] = {
    Kind.AMOUNT: {
        "points": _RATE,
        "per_amount": _RATE,
        "on": choice("gross", "net"),
        "only_categories": listed(_category, MOST_CATEGORIES),
        "excluded_categories": listed(_category, MOST_CATEGORIES),
    },
    Kind.VISIT: {"gives": _gives, "worth": whole(1, MOST_POINTS)},
    Kind.ITEM: {
        "items": _GOODS["items"],
        "categories": _GOODS["categories"],
        "per_quantity": _QUANTITY,
        "most": _TIMES,
        "gives": _gives,
        "worth": whole(1, MOST_POINTS),
    },
    Kind.BASKET: {
        "each": yes_or_no,
        "per_amount": _RATE,
        "most": _TIMES,
        "gives": _gives,
        "worth": whole(1, MOST_POINTS),
    },
    Kind.MULTIPLIER: {"factor": _FACTOR},
}
_NEEDED = {
    Kind.AMOUNT: ("points", "per_amount"),
    Kind.VISIT: ("gives",),
    Kind.ITEM: ("gives",),
    Kind.BASKET: ("gives",),
    Kind.MULTIPLIER: ("factor",),
}


def read_rules(value: Any) -> tuple[Rule, ...]:
    """Rules in their order. Raises `Wrong` that names the rule and says what to write instead."""
    if not isinstance(value, list | tuple) or len(value) > MOST_RULES:
        raise Wrong(f"Give a list of at most {MOST_RULES} rules.")
    found: list[Rule] = []
    for place, said in enumerate(value, 1):
        name = said.get("name") if isinstance(said, Mapping) else None
        called = f"Rule {name!r}" if isinstance(name, str) and name.strip() else f"Rule {place}"
        try:
            found.append(_rule(said))
        except Wrong as wrong:
            raise Wrong(f"{called[:80]}: {wrong}") from wrong
        if any(name == each.name for each in found[:-1]):
            raise Wrong(f"{called}: another rule has this name: give each its own.")
    return tuple(found)


def _rule(said: Any) -> Rule:
    if not isinstance(said, Mapping):
        raise Wrong('write it as {"name": "Double Tuesday", "kind": "multiplier", ...}.')
    name = option("name", _name, said)
    if name == "base":
        raise Wrong('"base" is the rate of the settings themselves: choose another name.')
    kind = Kind(option("kind", choice(*Kind), said))
    parts = _PARTS[kind]
    for unknown in said.keys() - parts.keys() - set(_COMMON):
        names = ", ".join((*parts, *_COMMON))
        raise Wrong(f"a rule of kind {kind} has no {str(unknown)[:40]!r}; it may have {names}.")
    for needed in _NEEDED[kind]:
        option(needed, lambda value: value, said)
    read = {part: option(part, parts[part], said) for part in parts if part in said}
    conditions = Conditions(
        **{
            _NAMED.get(each, each): option(each, _CONDITIONS[each], said)
            for each in _CONDITIONS
            if each in said
        }
    )
    if kind is Kind.ITEM:
        read["goods"] = Goods(read.pop("items", ()), read.pop("categories", ()))
    gives = read.get("gives", Gives())
    role = option("role", choice(*Role), said) if "role" in said else _usual(kind, gives)
    rule = Rule(name, kind, Role(role), conditions, **read)
    _check(rule)
    return rule


def _usual(kind: Kind, gives: Gives) -> Role:
    """The role of a rule that does not say it."""
    if kind in (Kind.BASKET, Kind.MULTIPLIER):
        return Role.PROMOTION
    return Role.ALWAYS if gives.things else Role.BASE


def _check(rule: Rule) -> None:
    """What makes no sense together."""
    on = rule.conditions
    if on.begins is not None and on.ends is not None and on.begins >= on.ends:
        raise Wrong("until: it would be over before it begins.")
    if rule.kind is Kind.ITEM and not rule.goods.items and not rule.goods.categories:
        raise Wrong("say which goods: items, categories or both.")
    if rule.only_categories and rule.excluded_categories:
        raise Wrong("only_categories or excluded_categories, not both.")
    if rule.kind is Kind.MULTIPLIER and rule.role is Role.BASE:
        raise Wrong('role: a multiplier multiplies the base: write "promotion" or "always".')
    if rule.factor is not None and rule.factor < 1:
        raise Wrong("factor: a multiplier is at least 1.")
    if rule.role is Role.BASE and rule.gives.things:
        raise Wrong('role: a base rule gives points only: write "always" or "promotion".')
    if on.once is not None and not rule.gives.points:
        raise Wrong("once: what is given once has points with it: give at least 1 point too.")
    if rule.kind is Kind.BASKET:
        if on.at_least is None and not on.contains and rule.per_amount is None:
            raise Wrong("say what the basket holds: at_least, contains or per_amount.")
        if rule.each and not on.contains:
            raise Wrong("each: it counts complete sets of goods: say which with contains.")
        if rule.each and rule.per_amount is not None:
            raise Wrong("each or per_amount, not both.")
        if rule.most is not None and not rule.each and rule.per_amount is None:
            raise Wrong("most: it limits each or per_amount: say one of them.")


def bonus_as_rule(bonus: BonusRule) -> Rule:
    """A bonus of the settings as the promotion that it is."""
    on = Conditions(at_least=bonus.at_least, once=bonus.once)
    return Rule(bonus.name, Kind.BASKET, Role.PROMOTION, on, Gives(bonus.points))
