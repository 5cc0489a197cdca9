"""PINs made for somebody."""

from app.staff.service import hash_pin, make_pin


def test_a_made_pin_is_one_that_is_taken() -> None:
    draws = iter([111111, 0, 7])
    assert make_pin(lambda _below: next(draws)) == "000007"


def test_a_pin_made_by_chance_has_six_digits() -> None:
    for _ in range(3):
        assert hash_pin(make_pin())
