"""When to try again, and the tag that tells what a device knows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.delivery.rules import (
    LONGEST_TAG,
    asked_seconds,
    decode_tag,
    encode_tag,
    wait_after_refusal,
    wait_after_unknown,
    wait_before_retry,
)

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
VERSIONS = st.dictionaries(st.integers(1, 2**40), st.integers(0, 2**62), max_size=40)


def test_a_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    waits = [wait_before_retry(n, jitter=1).total_seconds() for n in range(1, 12)]
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 900
    assert wait_before_retry(10**6, jitter=1).total_seconds() == 900


def test_jitter_spreads_the_second_half_of_a_wait() -> None:
    assert wait_before_retry(3, jitter=0) == timedelta(seconds=4)
    assert wait_before_retry(3, jitter=0.5) == timedelta(seconds=6)
    assert wait_after_refusal(jitter=0) == timedelta(minutes=30)


def test_a_wallet_that_is_unknown_is_asked_for_less_and_less_down_to_once_a_week() -> None:
    hours = [wait_after_unknown(n, jitter=1).total_seconds() / 3600 for n in range(1, 11)]
    assert hours == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168]
    assert wait_after_unknown(10**6, jitter=0) == timedelta(days=3.5)


def test_what_the_other_side_asked_for_is_never_undercut() -> None:
    assert wait_before_retry(1, jitter=0, retry_after_seconds=30) == timedelta(seconds=30)
    assert wait_before_retry(9, jitter=1, retry_after_seconds=1) == timedelta(seconds=512)


def test_nobody_is_left_alone_for_longer_than_a_day_because_they_asked() -> None:
    assert wait_before_retry(1, jitter=0, retry_after_seconds=1e12) == timedelta(days=1)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("Mon, 01 Jun 2026 09:02:00 GMT", 120),
        ("Monday, 01-Jun-26 09:02:00 GMT", 120),
        ("Mon Jun  1 09:02:00 2026", 120),
        ("Mon, 01 Jun 2026 08:00:00 GMT", 0),
        ("", None),
        ("-7", None),
        ("soon", None),
        ("Mon, 99 Jun 2026 09:02:00 GMT", None),
        ("9" * 5000, None),
    ],
)
def test_the_other_side_asks_in_seconds_or_until_a_date(said: str, seconds: float | None) -> None:
    assert asked_seconds(said, now=NOW) == seconds


@given(st.text(max_size=60))
def test_a_time_to_wait_that_is_none_does_no_harm(said: str) -> None:
    found = asked_seconds(said, now=NOW)
    assert found is None or found >= 0


@given(VERSIONS)
def test_a_tag_tells_what_it_was_made_of(versions: dict[int, int]) -> None:
    assert decode_tag(encode_tag(versions)) == versions


@given(st.text(max_size=200))
def test_a_tag_that_is_not_ours_tells_something_harmless(text: str) -> None:
    assert isinstance(decode_tag(text), dict)


@pytest.mark.parametrize(
    "tag", [None, "", "A", "AA", "AQ", "AQg", "AQGB", "☃", "AQ==", "A" * 5000, "AYGBgYGBgYGBgYGBgQ"]
)
def test_a_malformed_tag_tells_nothing(tag: str | None) -> None:
    assert decode_tag(tag) == {}


def test_a_tag_stays_short_and_leaves_out_what_does_not_fit() -> None:
    versions = {number * 1000: 10**12 + number for number in range(1, 3000)}
    tag = encode_tag(versions)
    assert len(tag) <= LONGEST_TAG
    told = decode_tag(tag)
    assert 300 < len(told) < 3000
    assert told.items() <= versions.items()
