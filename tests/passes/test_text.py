import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from passes.errors import FaceError
from passes.text import LANGUAGES, MAX_TEXT, Text, plural, said, sample, samples, text
from passes.words import LABELS, NOW_HAVE
from tests.passes.faces import BEANS


@given(st.integers())
def test_a_sample_takes_the_plural_of_its_number_in_every_language(number: int) -> None:
    for language in LANGUAGES:
        rule = Locale.parse(language).plural_form
        assert plural(language, sample(number)) == rule(abs(number))
    assert sample(number) in samples()


def test_there_are_few_samples() -> None:
    assert samples() == (0, 1, 2, 5, 21)


@pytest.mark.parametrize(
    ("number", "language", "name"),
    [
        (1, "en", "bean"),
        (0, "en", "beans"),
        (1, "de-AT", "Bohne"),
        (10, "lv", "pupiņu"),
        (31, "lv_LV", "pupiņa"),
        (3, "ru", "зерна"),
        (12, "ru", "зёрен"),
        (-1, "ru", "зерно"),
        (2, "fr", "beans"),
    ],
)
def test_points_are_called_by_the_plural_of_their_number(
    number: int, language: str, name: str
) -> None:
    assert BEANS.said(number, language) == name


def test_a_text_is_said_in_the_language_asked_for_or_in_its_first() -> None:
    gold = text({"de": "Gold!", "lv": "Zelts"})
    assert gold.said("lv-LV") == "Zelts"
    assert gold.said("fr") == "Gold!"
    assert said("plain", "ru") == "plain"


def test_equal_texts_have_one_key_and_others_have_another() -> None:
    assert text({"en": "a"}) == text({"en": "a"})
    assert text({"en": "a"}).key == text({"en": "a"}).key != text({"en": "b"}).key
    assert text({"en": "a"}, "title").key == "title"


@pytest.mark.parametrize("words", [(), (("en", "a"), ("en", "b")), (("en", "x" * (MAX_TEXT + 1)),)])
def test_a_text_without_words_or_with_too_many_is_refused(
    words: tuple[tuple[str, str], ...],
) -> None:
    with pytest.raises(FaceError, match="text"):
        Text(words)


def test_a_card_speaks_all_its_languages() -> None:
    for label in (*LABELS, NOW_HAVE):
        assert [language for language, _ in label.words] == list(LANGUAGES)
        assert all(words for _, words in label.words)
    assert len({label.key for label in LABELS}) == len(LABELS)
    assert all("%@" in words and "{points}" in words for _, words in NOW_HAVE.words)
