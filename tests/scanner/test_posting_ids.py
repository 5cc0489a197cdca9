"""Ids of postings: in the order of time, and never the same."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from scanner.posting_ids import posting_id

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_an_id_is_a_uuid_of_version_7_that_tells_its_moment() -> None:
    made = uuid.UUID(posting_id(NOW, random.Random(4).getrandbits))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == NOW.timestamp() * 1000


def test_later_ids_come_later() -> None:
    moments = [NOW + timedelta(milliseconds=each) for each in range(200)]
    ids = [posting_id(moment) for moment in moments]
    assert ids == sorted(ids)


def test_ids_of_one_moment_differ() -> None:
    assert len({posting_id(NOW) for _ in range(2_000)}) == 2_000


@pytest.mark.parametrize("year", [1900, 9999])
def test_a_clock_that_is_far_off_makes_ids_all_the_same(year: int) -> None:
    assert uuid.UUID(posting_id(NOW.replace(year=year))).version == 7
