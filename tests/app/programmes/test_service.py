"""Programmes, their locations, and the settings that hold at a moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid, NotFound
from app.programmes import service

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def programme_id(database: Database, clock: FixedClock) -> str:
    with database.write_all() as session:
        return service.create_programme(session, slug="kaffa", name="Kaffa", now=clock()).id


def rate_at(database: Database, programme_id: str, moment: datetime) -> tuple[int, str]:
    with database.read(programme_id) as session:
        version = service.version_at(session, programme_id, moment)
        return version.number, str(version.settings.points)


def change(database: Database, programme_id: str, valid_from: datetime, **settings: Any) -> None:
    with database.write(programme_id) as session:
        service.change_settings(session, programme_id, settings, valid_from=valid_from)


def test_a_version_holds_from_its_moment_until_the_next(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    june, july = clock(), clock() + timedelta(days=30)
    change(database, programme_id, june, points="2")
    change(database, programme_id, july, points="3")
    instant = timedelta(microseconds=1)
    moments = [service.ALWAYS, june - instant, june, july - instant, july]
    held = [rate_at(database, programme_id, moment) for moment in moments]
    assert held == [(1, "1"), (1, "1"), (2, "2"), (2, "2"), (3, "3")]


def test_of_two_versions_from_the_same_moment_the_one_published_last_holds(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    change(database, programme_id, clock(), points="2")
    change(database, programme_id, clock(), points="4")
    assert rate_at(database, programme_id, clock()) == (3, "4")


def test_a_version_published_later_for_an_earlier_time_leaves_what_follows(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    later = clock() + timedelta(days=30)
    change(database, programme_id, later, points="2")
    change(database, programme_id, clock(), points="5")
    assert rate_at(database, programme_id, clock()) == (3, "5")
    assert rate_at(database, programme_id, later) == (2, "2")


def test_what_a_change_does_not_name_stays(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    change(database, programme_id, clock(), redeem_step=5)
    change(database, programme_id, clock(), points="2")
    with database.read(programme_id) as session:
        settings = service.version_at(session, programme_id, clock()).settings
    assert (str(settings.points), settings.redeem_step) == ("2", 5)


def test_a_change_that_makes_no_sense_makes_no_version(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    with pytest.raises(Invalid):
        change(database, programme_id, clock(), points="-2")
    assert rate_at(database, programme_id, clock()) == (1, "1")


def test_before_the_first_version_there_are_no_rules(database: Database, programme_id: str) -> None:
    with pytest.raises(NotFound, match="no rules yet on that day"):
        rate_at(database, programme_id, datetime(2019, 12, 31, tzinfo=UTC))


@pytest.mark.parametrize(
    "wrong",
    [
        {"slug": ""},
        {"slug": "Kaffa"},
        {"slug": "a b"},
        {"slug": "-a"},
        {"slug": "a" * 41},
        {"slug": "../a"},
        {"slug": "ka\n"},
        {"name": " "},
        {"name": "K" * 81},
        {"time_zone": "Riga"},
        {"currency": "eur"},
        {"currency": "XXXX"},
        {"settings": {"points": "x"}},
        {"points_names": {"en": {"one": "bean"}}},
        {"colours": {"background": "red"}},
        {"colours": {"background": "red", "foreground": "#fff", "label": "blue"}},
    ],
)
def test_a_programme_that_makes_no_sense_is_not_made(
    database: Database, clock: FixedClock, wrong: dict[str, Any]
) -> None:
    good: dict[str, Any] = {"slug": "kaffa", "name": "Kaffa", "now": clock()}
    with pytest.raises(Invalid), database.write_all() as session:
        service.create_programme(session, **good | wrong)
    with database.write_all() as session:
        service.create_programme(session, **good)


def test_a_slug_names_one_programme(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    with pytest.raises(Conflict), database.write_all() as session:
        service.create_programme(session, slug="kaffa", name="Other", now=clock())
    with database.read_all() as session:
        assert service.programme_by_slug(session, "kaffa").id == programme_id
        with pytest.raises(NotFound):
            service.programme_by_slug(session, "tea")
        with pytest.raises(NotFound):
            service.programme_by_id(session, "00000000-0000-4000-8000-000000000000")


def test_a_location_s_slug_is_its_programme_s_own(
    database: Database, programme_id: str, clock: FixedClock
) -> None:
    with database.write_all() as session:
        tea = service.create_programme(session, slug="tea", name="Tea", now=clock()).id
        for each in (programme_id, tea):
            service.add_location(session, each, slug="old-town", name="Old Town", now=clock())
        with pytest.raises(Conflict):
            service.add_location(session, tea, slug="old-town", name="Again", now=clock())
        with pytest.raises(Invalid):
            service.add_location(session, tea, slug="Old Town", name="Old Town", now=clock())
        with pytest.raises(NotFound):
            service.location_by_slug(session, tea, "harbour")
        assert service.location_by_slug(session, tea, "old-town").programme_id == tea
