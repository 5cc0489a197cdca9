"""Why a number is what it is, kept as codes and facts and told in the reader's language.

A `Reason` is what is stored with a posting's answer: a code of the closed list `FACTS` and its
facts (whole numbers, exact decimals as text, ISO dates, names). `tell` makes a sentence of it, one
of those in `app.ledger.sentences`. Pure.

Units: *…_minor* are minor units of *currency*, *per_minor* a decimal of them; *expires_at* and
*until* are the first moment without, and told as the last day with; *at* is told with its time.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from app.ledger import writing
from app.ledger.sentences import NOTHING, SENTENCES, TIER_REASONS

Reason: TypeAlias = dict[str, Any]

_LOT = {"points", "expires_at"}
_MONEY = {"amount_minor", "currency"}
_THING = {"name", "what", "count"}
_TIER = {"from_tier", "to_tier", "reason"}

#: Every code and the facts it has. *expires_at* may be None (never), a tier too (none).
FACTS: Mapping[str, frozenset[str]] = {
    code: frozenset(facts)
    for code, facts in {
        # What a receipt is worth.
        "rules_of_day": {"day"},
        "exchanged": _MONEY | {"to_minor", "to_currency", "rate", "source", "day"},
        "excluded": _MONEY,
        "coupons": _MONEY,
        "paid_with_points": _MONEY | {"points"},
        "tax": _MONEY,
        "multiplied": {"tier", "factor"},
        "carried_in": _MONEY,
        "carried_less": _MONEY,
        "carried_over": _MONEY,
        "earned": _MONEY | {"rate", "per_minor", "points"},
        "earned_rounded": _MONEY | {"rate", "per_minor", "points"},
        "usable_until": {"expires_at"},
        "rolling_until": {"at"},
        "bonus": {"name", "points"},
        "bonus_once": {"name"},
        # Rules beside the rate.
        "on_trial": set(),
        "best_base": {"name"},
        "base_rule": {"name", "points"},
        "multiplied_by": {"name", "factor"},
        "not_stacked": {"name", "better"},
        "enough_today": {"name", "count"},
        "given_stamps": _THING,
        "given_coupon": _THING,
        "given_gift": _THING,
        "given_tickets": _THING,
        "given_visits": _THING,
        # When it can be spent.
        "pending_until": {"at"},
        "pending_unconfirmed": set(),
        "available_now": {"points"},
        "waits_for_manager": set(),
        # Lots.
        "spent_from": _LOT,
        "reserved_from": _LOT,
        "taken_from": _LOT,
        "back_to": _LOT,
        "grace_lot": _LOT,
        "brought_along": _LOT,
        "transferred_in": _LOT,
        "transferred_out": _LOT,
        "released": {"points"},
        "expired": {"points"},
        # Debt.
        "repaid_debt": {"points"},
        "owed": {"points"},
        "owed_again": {"points"},
        "no_longer_owed": {"points"},
        "forgiven": {"points"},
        # Returns.
        "due_so_far": {"due", "earned", "before"},
        "had_expired": {"points"},
        "bonus_gone": {"name", "points"},
        "next_best": {"name", "better"},
        "bonus_kept": {"name"},
        "bonus_back": {"name", "points"},
        # What there is besides points.
        "given": {"name", "count"},
        "given_again": {"name", "count"},
        "given_back": {"name", "count"},
        "given_kept": {"name", "count"},
        "gift_back": {"name", "count"},
        "stamps_now": {"name", "count", "size"},
        "stamps_full": {"name", "count"},
        "stamps_owed": {"name", "count"},
        "coupon_given": {"name"},
        "coupon_back": {"name"},
        "coupon_owed": {"name"},
        "coupon_kept": {"name"},
        "coupon_repaid": {"name"},
        "used": {"name"},
        "used_again": {"name"},
        "paid_with": {"name", "count"},
        "reward_back": {"name"},
        # Tiers.
        "tier_up": _TIER,
        "tier_down": _TIER,
    }.items()
}


def because(code: str, **facts: Any) -> Reason:
    """A reason, ready to be stored as JSON."""
    reason: Reason = {"code": code}
    for name, value in facts.items():
        reason[name] = value.isoformat() if isinstance(value, datetime) else value
    return reason


#: Reasons as they are found; None where nobody wants to know.
Story = list[Reason] | None


def note(story: Story, code: str, **facts: Any) -> None:
    """Add a reason to a story, where one is told."""
    if story is not None:
        story.append(because(code, **facts))


#: Sentences that a voice keeps; some hundred kilobytes.
_MOST_SAID = 2048


@dataclass(frozen=True, slots=True)
class Voice:
    """Who tells: the reader's language, the programme's zone, and what it calls things.

    *label* says what so many points are called, *tiers* what each tier is.
    """

    language: str
    time_zone: str
    label: Callable[[int], str]
    tiers: Mapping[str, str] = field(default_factory=dict)
    #: Sentences by their reason: a shop's receipts say the same few all day.
    said: dict[tuple[Any, ...], str] = field(default_factory=dict, compare=False, repr=False)

    def points(self, count: int) -> str:
        """So many points: "12 beans"."""
        return f"{writing.number(count, self.language)} {self.label(count)}"

    def money(self, minor: int | Decimal, currency: str) -> str:
        """An amount in minor units of a currency."""
        return writing.money(minor, currency, self.language)

    def tier(self, code: str | None) -> str:
        """What a tier is called; "no tier" where there is none."""
        if code is None:
            return NOTHING[writing.spoken(self.language)]
        return self.tiers.get(code, code)


def tell(reasons: Iterable[Reason], voice: Voice) -> list[str]:
    """A sentence for each reason. Raises `KeyError` for a code that is not of the list."""
    sentences = SENTENCES[writing.spoken(voice.language)]
    said = voice.said
    told = []
    for reason in reasons:
        facts = tuple(reason.items())
        sentence = said.get(facts)
        if sentence is None:
            sentence = _in_words(sentences, voice, reason)
            if len(said) >= _MOST_SAID:
                said.clear()
            said[facts] = sentence
        told.append(sentence)
    return told


def _in_words(sentences: Mapping[str, str], voice: Voice, reason: Reason) -> str:
    code = reason["code"]
    if reason.get("expires_at", "") is None:
        code += ".never"
    said = sentences[code].format_map(_Facts(voice, reason))
    # A date or a name may bring the full stop along.
    return said[:-1] if said.endswith("..") else said


class _Facts(dict[str, str]):
    """The facts of a reason in words: each is put into words when its sentence names it."""

    def __init__(self, voice: Voice, reason: Reason) -> None:
        self.voice, self.reason = voice, reason

    def __missing__(self, name: str) -> str:
        return IN_WORDS[name](self.voice, self.reason)


def _money_of(amount: str, currency: str = "currency") -> Callable[[Voice, Reason], str]:
    return lambda voice, reason: voice.money(reason[amount], reason[currency])


def _last_day_of(name: str) -> Callable[[Voice, Reason], str]:
    return lambda voice, reason: writing.last_day(
        datetime.fromisoformat(reason[name]), voice.time_zone, voice.language
    )


def _count_of(name: str) -> Callable[[Voice, Reason], str]:
    return lambda voice, reason: writing.number(reason[name], voice.language)


def _decimal_of(name: str) -> Callable[[Voice, Reason], str]:
    return lambda voice, reason: writing.decimal_text(reason[name], voice.language)


def _tier_of(name: str) -> Callable[[Voice, Reason], str]:
    return lambda voice, reason: voice.tier(reason[name])


#: What a sentence may name, and how it is put into words.
IN_WORDS: Mapping[str, Callable[[Voice, Reason], str]] = {
    "points": lambda voice, reason: voice.points(reason["points"]),
    "amount": _money_of("amount_minor"),
    "to_amount": _money_of("to_minor", "to_currency"),
    "per": lambda voice, reason: voice.money(Decimal(reason["per_minor"]), reason["currency"]),
    "rate": _decimal_of("rate"),
    "factor": _decimal_of("factor"),
    "expires": _last_day_of("expires_at"),
    "until": _last_day_of("at"),
    "at": lambda voice, reason: writing.moment(
        datetime.fromisoformat(reason["at"]), voice.time_zone, voice.language
    ),
    "day": lambda voice, reason: writing.day(date.fromisoformat(reason["day"]), voice.language),
    "due": _count_of("due"),
    "earned": _count_of("earned"),
    "before": _count_of("before"),
    "count": _count_of("count"),
    "size": _count_of("size"),
    "name": lambda voice, reason: str(reason["name"]),
    "better": lambda voice, reason: str(reason["better"]),
    "what": lambda voice, reason: str(reason["what"]),
    "source": lambda voice, reason: str(reason["source"]),
    "tier": _tier_of("tier"),
    "from_tier": _tier_of("from_tier"),
    "to_tier": _tier_of("to_tier"),
    "why": lambda voice, reason: TIER_REASONS[writing.spoken(voice.language)][reason["reason"]],
}
