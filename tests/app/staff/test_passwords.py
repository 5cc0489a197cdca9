"""Which passwords are taken, and how they are kept."""

import pytest

from app.errors import Invalid
from app.staff import passwords


def test_a_password_is_kept_as_an_argon2id_hash_that_its_like_does_not_open() -> None:
    kept = passwords.hash_password("four words of my own")
    assert kept.startswith("$argon2id$")
    assert "words" not in kept
    assert passwords.is_password("four words of my own", kept)
    for other in ("four words of my own ", "Four words of my own", "", "x" * 10_000, "\0"):
        assert not passwords.is_password(other, kept)
    assert kept != passwords.hash_password("four words of my own")
    assert not passwords.wants_new_hash(kept)


def test_where_none_is_kept_no_password_is_right() -> None:
    for given in ("", "nobody's password", "four words of my own"):
        assert not passwords.is_password(given, None)


def test_the_same_letters_typed_on_another_machine_are_the_same_password() -> None:
    kept = passwords.hash_password("zw\u00f6lf gr\u00fcne \u00c4pfel")
    assert passwords.is_password("zwo\u0308lf gru\u0308ne A\u0308pfel", kept)


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "short",
        "nine char",
        "x" * 201,
        "aaaaaaaaaaaa",
        "abababababab",
        "1234567890",
        "0987654321",
        "qwertyuiop",
        "abcdefghijkl",
        "Password123!",
        "!!!iloveyou!!!",
        "Anna Ozola",
        "annaozola1",
        "Kaffa2026!",
        "пароль123456",
    ],
)
def test_what_is_guessed_first_is_refused(weak: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.hash_password(weak, about=("Anna Ozola", "Kaffa Roasters"))
    assert refused.value.fields["password"]


@pytest.mark.parametrize(
    "fine", ["tr0ub4dor&3x", "kaffa smells of november", "correct horse battery", "żółw żółw pięć"]
)
def test_nobody_is_asked_for_capitals_and_signs(fine: str) -> None:
    kept = passwords.hash_password(fine, about=("Anna Ozola", "Kaffa Roasters"))
    assert passwords.is_password(fine, kept)
