"""Every outcome has its colour, its sign, its sound, and words in every language."""

import re
from datetime import UTC, datetime

import pytest

from passes.code import Outcome
from scanner.page.outcomes import LOOKS, Told, Tone, told_of_code, told_of_scan
from scanner.page.state import View
from scanner.page.words import LANGUAGES, words

GREEN = {
    "accepted", "given", "kept", "redeemed", "handed_out", "undone", "undo_kept", "returned",
    "return_kept", "visit", "kept_visit",
}  # fmt: skip
RED = {
    "bad_signature", "blocked", "expired", "step_out_of_window", "nothing_redeemed",
    "not_confirmed", "cannot_keep", "pin_locked", "too_many_tries", "sign_in_refused",
    "till_revoked", "not_a_manager", "hold_over", "no_exchange_rate", "not_reversible", "refused",
}  # fmt: skip
FACTS = {"points", "balance", "amount", "what", "until", "example", "most", "detail"}


@pytest.mark.parametrize("told", Told)
def test_an_outcome_has_one_colour_a_sign_and_a_sound(told: Told) -> None:
    look = LOOKS[told]
    wanted = Tone.GREEN if told in GREEN else Tone.RED if told in RED else Tone.AMBER
    assert look.tone is wanted
    # The sign alone tells good from bad, for who cannot tell the colours.
    assert (look.sign in "✓↻") == (wanted is Tone.GREEN or told is Told.OFFLINE_CARD)
    assert (look.sign == "✕") == (wanted is Tone.RED)
    assert look.sound in {"read", "good", "look", "stop"}
    assert (look.sound == "stop") == (wanted is Tone.RED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("told", Told)
def test_an_outcome_says_what_happened_and_what_to_do(told: Told, language: str) -> None:
    said = words(language)["outcomes"][told]
    assert set(said) == {"title", "next"}
    assert said["title"] and len(said["title"]) <= 60
    assert said["next"].endswith((".", "}", "?")) and len(said["next"]) <= 160
    assert set(re.findall(r"\{(\w+)\}", said["title"] + said["next"])) <= FACTS
    assert not re.search(r"\b(error|invalid|fehler|ungültig|kļūda|ошибка)\b", said["title"].lower())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_outcome_and_no_text_is_missing_in_a_language(language: str) -> None:
    spoken, english = words(language), words("en")
    assert set(spoken["outcomes"]) == {str(told) for told in Told}
    for part in ("page", "hints"):
        assert set(spoken[part]) == set(english[part])
        for name, text in spoken[part].items():
            assert text, (part, name)
            assert sorted(re.findall(r"\{(\w+)\}", text)) == sorted(
                re.findall(r"\{(\w+)\}", english[part][name])
            ), (part, name)


def test_every_hint_of_the_reader_has_words() -> None:
    from scanner.hints import Hint

    assert {str(hint) for hint in Hint} <= set(words("en")["hints"])


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_a_scan_is_told(outcome: Outcome) -> None:
    assert told_of_scan(outcome) == outcome.value


@pytest.mark.parametrize(
    ("code", "told", "tone"),
    [
        ("wrong_pin", Told.WRONG_PIN, "amber"),
        ("locked", Told.PIN_LOCKED, "red"),
        ("too_many", Told.TOO_MANY_TRIES, "red"),
        ("sign_in_again", Told.SIGN_IN_AGAIN, "amber"),
        ("till_revoked", Told.TILL_REVOKED, "red"),
        ("approval_needed", Told.APPROVAL_NEEDED, "amber"),
        ("not_your_posting", Told.NOT_YOUR_POSTING, "amber"),
        ("insufficient_points", Told.INSUFFICIENT_POINTS, "amber"),
        ("limit_reached", Told.LIMIT_REACHED, "amber"),
        ("card_only_collects", Told.CARD_ONLY_COLLECTS, "amber"),
        ("presentation_over", Told.PRESENTATION_OVER, "amber"),
        ("hold_not_open", Told.HOLD_OVER, "red"),
        ("no_exchange_rate", Told.NO_EXCHANGE_RATE, "red"),
        ("already_reversed", Told.ALREADY_REVERSED, "amber"),
        ("not_reversible", Told.NOT_REVERSIBLE, "red"),
        ("return_too_large", Told.RETURN_TOO_LARGE, "amber"),
        ("something_new", Told.REFUSED, "red"),
    ],
)
def test_a_refusal_of_the_service_is_told_in_the_cashiers_words_from_code_to_colour(
    code: str, told: Told, tone: str
) -> None:
    assert told_of_code(code) is told
    shown = View().told(told, datetime(2026, 6, 1, tzinfo=UTC)).notice
    assert shown is not None and LOOKS[shown.told].tone == tone
