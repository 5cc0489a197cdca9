"""Reasons are told in every language, with all their facts, as people write them."""

import ast
import re
import string
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

import app
from app.ledger import writing
from app.ledger.explain import FACTS, IN_WORDS, Voice, because, tell
from app.ledger.sentences import NOTHING, SENTENCES, TIER_REASONS
from app.ledger.tiers import TierReason
from app.ledger.writing import LANGUAGES
from app.programmes.wording import points_label

BEANS = {
    "en": {"one": "bean", "other": "beans"},
    "de": {"one": "Bohne", "other": "Bohnen"},
    "lv": {"zero": "pupiņu", "one": "pupiņa", "other": "pupiņas"},
    "ru": {"one": "боб", "few": "боба", "many": "бобов", "other": "боба"},
}
GOLD = {"en": "Gold", "de": "Gold", "lv": "Zelts", "ru": "Золото"}
#: What stands for a fact of each name.
EXAMPLE: dict[str, Any] = {
    "better": "Double Tuesday",
    "what": "coffee",
    "count": 3,
    "points": 1234,
    "amount_minor": 123456,
    "currency": "EUR",
    "to_minor": 98765,
    "to_currency": "USD",
    "rate": "1.5",
    "per_minor": "100",
    "factor": "2.25",
    "source": "ECB",
    "day": "2026-05-12",
    "at": datetime(2026, 5, 12, 21, 30, tzinfo=UTC),
    "expires_at": datetime(2026, 12, 31, 22, tzinfo=UTC),
    "name": "Big shop",
    "tier": "gold",
    "from_tier": None,
    "to_tier": "gold",
    "reason": "earned",
    "due": 30,
    "earned": 1000,
    "before": 20,
    "size": 10,
}
#: Which facts a name in a sentence speaks of.
SPEAKS_OF = {
    "amount": {"amount_minor", "currency"},
    "to_amount": {"to_minor", "to_currency"},
    "per": {"per_minor", "currency"},
    "expires": {"expires_at"},
    "until": {"at"},
    "why": {"reason"},
}


def voice(language: str, time_zone: str = "Europe/Riga") -> Voice:
    return Voice(
        language,
        time_zone,
        lambda points: points_label(BEANS, points, language),
        {"gold": GOLD.get(language, "Gold")},
    )


def said(language: str, code: str, **facts: Any) -> str:
    [sentence] = tell([because(code, **facts)], voice(language))
    return sentence


def named_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_sentence_in_every_language(language: str) -> None:
    lots = {code for code, facts in FACTS.items() if {"points", "expires_at"} <= facts}
    assert set(SENTENCES[language]) == set(FACTS) | {f"{code}.never" for code in lots}
    assert set(TIER_REASONS[language]) == {str(reason) for reason in TierReason}
    assert NOTHING[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_names_facts_that_its_code_has_and_leaves_no_number_out(language: str) -> None:
    for code, sentence in SENTENCES[language].items():
        facts = FACTS[code.removesuffix(".never")]
        names = named_in(sentence)
        assert names <= IN_WORDS.keys(), code
        spoken_of = set().union(*(SPEAKS_OF.get(name, {name}) for name in names))
        unsaid = {"expires_at"} if code.endswith(".never") else set()
        unsaid |= {"from_tier"} if code == "tier_up" else set()
        assert spoken_of == facts - unsaid, code


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", FACTS)
def test_a_reason_survives_being_kept_and_is_told(language: str, code: str) -> None:
    facts = {name: EXAMPLE[name] for name in FACTS[code]}
    sentence = said(language, code, **facts)
    assert sentence[-1] == "." and not sentence.endswith("..")
    assert not re.search(r"[{_]|None", sentence)


def calls_of_because() -> list[tuple[str, str, set[str]]]:
    """Where the service says why: place, code and the names of its facts."""
    found = []
    for path in Path(app.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id != "because" or not node.args:
                continue
            names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            for code in ast.walk(node.args[0]):
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    found.append((f"{path}:{node.lineno}", code.value, names))
    return found


def test_the_service_gives_no_reason_that_cannot_be_told() -> None:
    calls = calls_of_because()
    assert len(calls) > 10
    for place, code, facts in calls:
        assert code in FACTS, place
        assert facts == FACTS[code], place


def test_an_unknown_code_is_not_passed_over() -> None:
    with pytest.raises(KeyError):
        tell([{"code": "perhaps"}], voice("en"))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Spent: 1 bean, usable until 31 December 2026."),
        ("de", "Eingelöst: 1 Bohne, gültig bis 31. Dezember 2026."),
        ("lv", "Izmantots: 1 pupiņa, termiņš 31.12.2026."),
        ("ru", "Использовано: 1 боб, срок до 31 декабря 2026\u202fг."),
        ("fr", "Spent: 1 bean, usable until 31 December 2026."),
    ],
)
def test_a_lot_is_named_by_its_last_day_in_the_programme_s_zone(
    language: str, sentence: str
) -> None:
    assert said(language, "spent_from", points=1, expires_at=EXAMPLE["expires_at"]) == sentence


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Given back: 5 beans without an end date."),
        ("de", "Zurückgegeben: 5 Bohnen, unbegrenzt gültig."),
        ("lv", "Atdots: 5 pupiņas, bez termiņa."),
        ("ru", "Возвращено: 5 бобов, бессрочно."),
    ],
)
def test_points_that_never_expire_have_a_sentence_of_their_own(
    language: str, sentence: str
) -> None:
    assert said(language, "back_to", points=5, expires_at=None) == sentence


def test_a_moment_is_told_in_the_programme_s_zone() -> None:
    reason = because("pending_until", at=datetime(2026, 5, 12, 21, 30, tzinfo=UTC))
    assert tell([reason], voice("en")) == ["Pending until 13 May 2026, 00:30."]
    assert tell([reason], voice("en", "Europe/Berlin")) == ["Pending until 12 May 2026, 23:30."]


def test_what_was_earned_says_the_money_and_the_rate() -> None:
    facts = {
        "amount_minor": 1999,
        "currency": "EUR",
        "rate": "1.5",
        "per_minor": "100",
        "points": 29,
    }
    assert said("en", "earned_rounded", **facts) == (
        "€19.99 at 1.5 for each €1.00: 29 beans, rounded down."
    )
    assert said("de", "earned", **facts) == "19,99\xa0€, 1,5 je 1,00\xa0€: 29 Bohnen."


def test_a_tier_is_called_by_its_name_and_the_lack_of_one_in_words() -> None:
    down = {"from_tier": "gold", "to_tier": None, "reason": "review"}
    assert said("en", "tier_down", **down) == (
        "Tier: no tier instead of Gold (review at the period's end)."
    )
    up = {"from_tier": None, "to_tier": "gold", "reason": "earned"}
    assert said("lv", "tier_up", **up) == "Jauns līmenis: Zelts (sakrāts pietiekami)."


def test_a_name_is_taken_as_it_is() -> None:
    assert said("en", "bonus_kept", name="{points} {0}").startswith("“{points} {0}” stays")


# --- numbers, money, dates --------------------------------------------------------------------


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(["EUR", "USD", "JPY", "KWD", "RUB", "CHF", "ISK", "CLF"]),
    st.sampled_from(LANGUAGES),
)
def test_money_is_written_as_cldr_has_it(minor: int, currency: str, language: str) -> None:
    exact = Decimal(minor).scaleb(-get_currency_precision(currency))
    assert writing.money(minor, currency, language) == format_currency(
        exact, currency, locale=language
    )


@given(st.integers(-(10**12), 10**12), st.sampled_from(LANGUAGES))
def test_numbers_are_written_as_cldr_has_them(value: int, language: str) -> None:
    assert writing.number(value, language) == format_decimal(value, locale=language)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_dates_are_written_as_cldr_has_them(day: date) -> None:
    for language, locale in (("en", "en_GB"), ("de", "de"), ("ru", "ru")):
        assert writing.day(day, language) == format_date(day, "long", locale=locale)
    assert writing.day(day, "lv") == format_date(day, "dd.MM.yyyy.", locale="lv")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (Decimal("0.1"), "EUR", "€0.001"),
        (Decimal("100"), "EUR", "€1.00"),
        (Decimal("12.50"), "JPY", "¥12.5"),
        (Decimal("-0.5"), "KWD", "-KWD0.0005"),
    ],
)
def test_what_is_finer_than_the_currency_is_written_out(
    minor: Decimal, currency: str, text: str
) -> None:
    assert writing.money(minor, currency, "en") == text


def test_the_last_day_is_the_one_before_the_first_moment_without() -> None:
    end = datetime(2026, 3, 28, 22, tzinfo=UTC)  # midnight in Riga, the day the clocks change
    assert writing.last_day(end, "Europe/Riga", "en") == "28 March 2026"
    assert writing.last_day(end + timedelta(hours=23), "Europe/Riga", "en") == "29 March 2026"
