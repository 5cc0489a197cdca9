"""A programme speaks with its own words for points and tiers."""

from datetime import UTC, datetime

import pytest

from app.ledger.explain import because, tell
from app.programmes.models import Programme
from app.programmes.settings import settings_from_json
from app.programmes.voices import voice_of

PROGRAMME = Programme(
    points_names={
        "en": {"one": "bean", "other": "beans"},
        "ru": {"one": "боб", "few": "боба", "many": "бобов", "other": "боба"},
    },
    time_zone="Europe/Riga",
)
SETTINGS = settings_from_json(
    {
        "points": "1",
        "per_amount": "1",
        "tiers": {
            "levels": [
                {"code": "a", "at_least": 1, "names": {"en": "Gold", "lv": "Zelts"}},
                {"code": "b", "at_least": 2, "names": {"de": "Platin"}},
                {"code": "c", "at_least": 3},
            ]
        },
    }
)


@pytest.mark.parametrize(
    ("language", "beans", "tiers"),
    [
        ("en", "3 beans", ["Gold", "Platin", "c"]),
        ("lv", "3 beans", ["Zelts", "Platin", "c"]),
        ("ru", "3 боба", ["Gold", "Platin", "c"]),
    ],
)
def test_points_and_tiers_are_called_as_the_programme_calls_them(
    language: str, beans: str, tiers: list[str]
) -> None:
    voice = voice_of(PROGRAMME, SETTINGS, language)
    assert voice.points(3) == beans
    assert [voice.tier(code) for code in "abc"] == tiers


def test_days_are_those_of_the_programme_s_zone() -> None:
    voice = voice_of(PROGRAMME, SETTINGS, "en")
    reason = because("pending_until", at=datetime(2026, 1, 1, 22, tzinfo=UTC))
    assert tell([reason], voice) == ["Pending until 2 January 2026, 00:00."]
