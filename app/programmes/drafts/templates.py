"""Programmes to begin with: proposed for a goal, a key benefit and a margin. Pure.

What is given back is `SHARE` of the margin: at a margin of 30 % of a sale that is 4.5 % of it, in
points, in stamps, as a discount or as a membership that is paid for. Every proposal says what it
costs at most, in percent of a sale; one that would cost more than half of the margin is not made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from typing import Any

from app.programmes.drafts.purpose import Benefit, Goal
from app.programmes.file import examples
from app.programmes.file.reading import read
from app.programmes.settings import Settings, settings_from_json
from app.programmes.wording import currency_exponent

#: Of the margin so much is given back, and never less or more than these percents of a sale.
SHARE = Decimal("0.15")
LEAST, MOST = Decimal("0.1"), Decimal(10)
#: Stamps on a card: fewer are given away too soon, more are never filled.
FEWEST_STAMPS, MOST_STAMPS = 5, 15

#: What a template is for; the first ones suit best.
FOR: Mapping[Benefit, tuple[str, ...]] = {
    Benefit.FREE_ITEM: ("stamps", "points"),
    Benefit.POINTS: ("points", "tiers", "stamps"),
    Benefit.DISCOUNT: ("discount", "tiers", "points"),
    Benefit.MEMBERSHIP: ("club", "discount", "points"),
}
#: Worked examples that may be begun with as they are.
EXAMPLES = examples.EXAMPLES


@dataclass(frozen=True, slots=True)
class Proposal:
    """A programme to begin with. *costs* is percent of a sale; None for an example, which was made
    for another shop's margin. *is_first*: it suits best."""

    code: str
    settings: Settings
    costs: Decimal | None
    is_first: bool = False


def give_back(margin: Decimal) -> Decimal:
    """What may be given back at a margin: both in percent of a sale, to a tenth of a percent."""
    return min(MOST, max(LEAST, (margin * SHARE).quantize(Decimal("0.1"), ROUND_HALF_UP)))


def stamps_to_fill(margin: Decimal) -> int:
    """After how many bought ones the next is free: what it costs the shop is what may be given."""
    cost = 100 - margin
    count = (cost / give_back(margin)).to_integral_value(ROUND_CEILING)
    return min(MOST_STAMPS, max(FEWEST_STAMPS, int(count)))


def proposals(goal: Goal, benefit: Benefit, margin: Decimal, currency: str) -> tuple[Proposal, ...]:
    """What to begin with, the best first: programmes that run and leave half of the margin."""
    found: list[Proposal] = []
    for code in FOR[benefit]:
        terms, costs = _MAKERS[code](margin, _unit(currency))
        if costs <= margin / 2:
            _ADDED[goal](terms, _unit(currency))
            found.append(Proposal(code, settings_from_json(terms), costs, not found))
    return tuple(found)


def example(name: str) -> Proposal:
    """A worked example's settings. Raises `Invalid` where there is none of that name."""
    return Proposal(name, read(examples.example(name)).settings, None)


def find(code: str, goal: Goal, benefit: Benefit, margin: Decimal, currency: str) -> Proposal:
    """The proposal of that code, or the example. Raises `Invalid`."""
    for each in proposals(goal, benefit, margin, currency):
        if each.code == code:
            return each
    return example(code)


def _unit(currency: str) -> Decimal:
    """About the price of a small thing: 1.00 EUR, 100 JPY."""
    return Decimal(1) if currency_exponent(currency) >= 2 else Decimal(100)


def _text(number: Decimal) -> str:
    return f"{number.normalize():f}"


# --- templates --------------------------------------------------------------------------------


def _points(margin: Decimal, unit: Decimal) -> tuple[dict[str, Any], Decimal]:
    share = give_back(margin)
    terms: dict[str, Any] = {
        "points": "1",
        "per_amount": _text(unit),
        "point_value": _text(share * unit / 100),
        "expires_after_months": 12,
        "expires_round_up": "month",
        "redeem_minimum": 20,
        "redeem_step": 10,
        "return_policy": "within_balance",
        "rewards": [
            {
                "code": "off",
                "names": _OFF,
                "kind": "amount_off",
                "points_from": 20,
                "points_step": 10,
            }
        ],
    }
    return terms, share


def _tiers(margin: Decimal, unit: Decimal) -> tuple[dict[str, Any], Decimal]:
    terms, share = _points(margin, unit)
    # Gold members get one and a half times as much; with them it is no more than may be given.
    terms["point_value"] = _text((share * unit / 150).quantize(Decimal("0.0001")))
    terms["tiers"] = {
        "measure": "points",
        "window": "rolling",
        "downgrade": "one_step",
        "grace_days": 30,
        "levels": [
            {"code": "silver", "at_least": 200, "names": _SILVER, "multiplier": "1.25"},
            {"code": "gold", "at_least": 500, "names": _GOLD, "multiplier": "1.5"},
        ],
    }
    return terms, share


def _stamps(margin: Decimal, unit: Decimal) -> tuple[dict[str, Any], Decimal]:
    size = stamps_to_fill(margin)
    terms: dict[str, Any] = {
        "points": "0",
        "per_amount": _text(unit),
        "return_policy": "within_balance",
        "stamps": [
            {
                "code": "card",
                "names": _CARD,
                "size": size,
                "per": "visit",
                "at_least": _text(unit * 2),
                "lasts_months": 12,
            }
        ],
        "rewards": [{"code": "free", "names": _FREE, "kind": "goods", "stamps": "card"}],
    }
    return terms, ((100 - margin) / size).quantize(Decimal("0.1"))


def _discount(margin: Decimal, unit: Decimal) -> tuple[dict[str, Any], Decimal]:
    share = give_back(margin)
    steps = [(0, share / 2), (500, share * 3 / 4), (2000, share)]
    terms: dict[str, Any] = {
        "points": "0",
        "per_amount": _text(unit),
        "discounts": [
            {
                "code": "card",
                "names": _DISCOUNT,
                "kind": "marginal",
                "months": 12,
                "scale": [
                    {"from": _text(Decimal(bound) * unit), "percent": _text(percent)}
                    for bound, percent in steps
                ],
            }
        ],
    }
    return terms, share


def _club(margin: Decimal, unit: Decimal) -> tuple[dict[str, Any], Decimal]:
    # Members have paid for it: they get twice what a card gives that costs nothing.
    share = min(MOST, give_back(margin) * 2)
    terms: dict[str, Any] = {
        "points": "0",
        "per_amount": _text(unit),
        "clubs": [
            {
                "code": "club",
                "names": _CLUB,
                "items": ["MEMBERSHIP"],
                "months": 12,
                "renew_days": 30,
            }
        ],
        "discounts": [
            {"code": "members", "names": _DISCOUNT, "percent": _text(share), "tiers": ["club"]}
        ],
    }
    return terms, share


_MAKERS: Mapping[str, Callable[[Decimal, Decimal], tuple[dict[str, Any], Decimal]]] = {
    "points": _points,
    "tiers": _tiers,
    "stamps": _stamps,
    "discount": _discount,
    "club": _club,
}


# --- what a goal adds -------------------------------------------------------------------------


def _thanks(terms: Mapping[str, Any], points: int) -> dict[str, Any]:
    """Points, or a stamp where the programme has no points to spend."""
    return {"stamps": {"card": 1}} if terms.get("stamps") else {"points": points}


def _rule(terms: dict[str, Any], rule: dict[str, Any]) -> None:
    if _counts(terms):
        terms.setdefault("rules", []).append(rule)


def _counts(terms: Mapping[str, Any]) -> bool:
    """Whether there is anything that a rule could give: a plain discount has no points."""
    return bool(terms.get("stamps") or terms.get("rewards"))


def _come_back(terms: dict[str, Any], unit: Decimal) -> None:
    _rule(
        terms,
        {
            "name": "Four weeks in a row",
            "kind": "visit",
            "role": "always",
            "streak": {"weeks": 4},
            "gives": _thanks(terms, 10),
        },
    )


def _spend_more(terms: dict[str, Any], unit: Decimal) -> None:
    _rule(
        terms,
        {
            "name": "A large basket",
            "kind": "basket",
            "at_least": _text(unit * 30),
            "gives": _thanks(terms, 10),
        },
    )


def _stay(terms: dict[str, Any], unit: Decimal) -> None:
    if _counts(terms):
        given = _thanks(terms, 10)
        present = {"points": 10} if "points" in given else {"gives": given}
        terms["occasions"] = [
            {"code": "birthday", "names": _BIRTHDAY, "on": "birthday", "days_before": 3} | present
        ]


def _recommend(terms: dict[str, Any], unit: Decimal) -> None:
    if _counts(terms):
        given = _thanks(terms, 20)
        side = {"points": 20} if "points" in given else {"gives": given}
        terms["referral"] = {
            "names": _REFERRAL,
            "at_least": _text(unit * 10),
            "within_days": 90,
            "referrer": side,
            "referred": side,
            "taper": [100, 50, 25],
            "most_a_year": 10,
        }


def _know(terms: dict[str, Any], unit: Decimal) -> None:
    _rule(
        terms,
        {
            "name": "Welcome",
            "kind": "basket",
            "first_purchase": True,
            "at_least": _text(unit * 5),
            "gives": _thanks(terms, 10),
        },
    )


_ADDED: Mapping[Goal, Callable[[dict[str, Any], Decimal], None]] = {
    Goal.COME_BACK: _come_back,
    Goal.SPEND_MORE: _spend_more,
    Goal.STAY: _stay,
    Goal.RECOMMEND: _recommend,
    Goal.KNOW: _know,
}

# --- names, which members read ----------------------------------------------------------------

_OFF = {"en": "Money off", "de": "Rabatt", "lv": "Atlaide", "ru": "Скидка"}
_CARD = {"en": "Stamp card", "de": "Stempelkarte", "lv": "Zīmogu karte", "ru": "Карта штампов"}
_FREE = {
    "en": "One is free",
    "de": "Einmal gratis",
    "lv": "Viens bez maksas",
    "ru": "Один бесплатно",
}
_SILVER = {"en": "Silver", "de": "Silber", "lv": "Sudrabs", "ru": "Серебро"}
_GOLD = {"en": "Gold", "de": "Gold", "lv": "Zelts", "ru": "Золото"}
_DISCOUNT = {
    "en": "Member's discount",
    "de": "Mitgliederrabatt",
    "lv": "Biedra atlaide",
    "ru": "Скидка участника",
}
_CLUB = {"en": "Club", "de": "Klub", "lv": "Klubs", "ru": "Клуб"}
_BIRTHDAY = {
    "en": "Happy birthday!",
    "de": "Alles Gute zum Geburtstag!",
    "lv": "Daudz laimes dzimšanas dienā!",
    "ru": "С днём рождения!",
}
_REFERRAL = {
    "en": "Thanks for bringing a friend",
    "de": "Danke fürs Weitersagen",
    "lv": "Paldies, ka atvedi draugu",
    "ru": "Спасибо, что привели друга",
}
