"""One file describes a programme: what is shown applies to the same, what is wrong has a line."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid
from app.ledger import service as ledger
from app.ledger.postings import Adjust, Circumstances, Request, fingerprint
from app.programmes import service
from app.programmes.file import applying, reading, writing
from app.programmes.file.examples import EXAMPLES, example
from app.programmes.file.positions import positions
from app.programmes.models import Programme, ProgrammeDesign
from app.programmes.settings import settings_from_json


def make(database: Database, clock: FixedClock, text: str) -> Programme:
    with database.write_all() as session:
        wanted = reading.read(text)
        return applying.create(session, wanted, slug=wanted.about.get("slug", "shop"), now=clock())


def described(database: Database, programme: Programme, clock: FixedClock) -> reading.Described:
    with database.read(programme.id) as session:
        found = session.get_one(Programme, programme.id)
        return applying.describe(session, found, clock())


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_made_shown_and_applied_to_the_same(
    database: Database, clock: FixedClock, name: str
) -> None:
    text = example(name)
    programme = make(database, clock, text)
    now = described(database, programme, clock)
    assert applying.plan(now, reading.read(text)).changes == ()
    shown = writing.write(now)
    again = reading.read(shown)
    assert again == now
    assert writing.write(again) == shown
    with database.write(programme.id) as session:
        found = session.get_one(Programme, programme.id)
        done = applying.apply(session, found, again, valid_from=clock(), now=clock())
        assert done.changes == ()
        assert service.version_at(session, programme.id, clock()).number == 1


def test_what_changes_is_told_in_words_and_becomes_a_version(
    database: Database, clock: FixedClock
) -> None:
    programme = make(database, clock, example("cafe"))
    text = example("cafe").replace("per_amount = 1", "per_amount = 2")
    text = text.replace('name = "Kaffa Roasters"', 'name = "Kaffa"').replace(
        "factor = 2", "factor = 3"
    )
    text = text.replace('name = "Central Station"', 'name = "Station"')
    wanted = reading.read(text)
    told = [
        str(each) for each in applying.plan(described(database, programme, clock), wanted).changes
    ]
    assert told[0] == "programme.name: Kaffa Roasters becomes Kaffa"
    assert "earning.per_amount: 1 becomes 2" in told
    assert any(each.startswith("rules: Slow mornings: ") for each in told)
    assert told[-1] == 'locations: station: {"name": "Central Station"} becomes {"name": "Station"}'
    with database.write(programme.id) as session:
        found = session.get_one(Programme, programme.id)
        applying.apply(session, found, wanted, valid_from=clock(), now=clock())
        assert service.version_at(session, programme.id, clock()).number == 2
        design = session.query(ProgrammeDesign).one()
        assert design.version > design.spread_version
    assert applying.plan(described(database, programme, clock), wanted).changes == ()


def test_the_zone_stays_once_somebody_has_points(database: Database, clock: FixedClock) -> None:
    programme = make(database, clock, example("cafe"))
    wanted = reading.read('[programme]\ntime_zone = "Europe/Berlin"\n')
    with database.write(programme.id) as session:
        account = ledger.open_account(session, now=clock())
        mark = fingerprint(programme.id, None, "x", {})
        request = Request("0b8f4a52-6f1e-4ad5-9a45-2b7ad7b0f002", "adjustment", mark)
        ledger.post(
            session, request, Adjust(account.id, 5, "hello"), Circumstances(clock()), now=clock()
        )
    with database.write(programme.id) as session, pytest.raises(Conflict, match="time_zone"):
        found = session.get_one(Programme, programme.id)
        applying.apply(session, found, wanted, valid_from=clock(), now=clock())


def test_a_location_that_the_file_does_not_name_stays(
    database: Database, clock: FixedClock
) -> None:
    programme = make(database, clock, example("cafe"))
    wanted = reading.read('[[locations]]\nslug = "station"\nname = "Central Station"\n')
    made = applying.plan(described(database, programme, clock), wanted)
    assert (made.locations, made.stays) == (
        (),
        ("The location 'old-town' is not in the file; it stays.",),
    )
    assert applying.plan(described(database, programme, clock), reading.read("")).stays == ()


WRONG: list[tuple[str, int, int, str]] = [
    ('[programme]\nnmae = "x"\n', 2, 1, "Did you mean 'name'?"),
    ("[erning]\npoints = 1\n", 1, 1, "Did you mean 'earning'?"),
    ("points = 1\n", 1, 1, ""),
    ("per_amount = 1\n", 1, 1, ""),
    ("after_months = 1\n", 1, 1, "stands in the table [expiry]"),
    ("[earning]\npoints = -1\n", 2, 1, "from zero"),
    ("[earning]\n\n# more\n  earn_on = 'grosss'\n", 4, 3, "gross"),
    ('[expiry]\nmode = "inactivity"\n', 1, 1, "after how many months"),
    ("[earning]\npoints = 1,5\n", 2, 11, "quotation marks"),
    ("[programme]\nname = Kaffa\n", 2, 8, "quotation marks"),
    ("[earning]\npoints = 1\n[earning]\n", 3, 9, "put the two together"),
    ("[earning\n", 1, 9, ""),
    (
        "[[tiers.levels]]\ncode='a'\nat_least=1\n[[tiers.levels]]\ncode='b'\nat_least=1\n",
        6,
        1,
        "more",
    ),
    ("[[tiers.levels]]\ncode='a'\nat_least=1\nmultiplier=200\n", 4, 1, "up to 100"),
    ("[tiers]\nlevels=[{code='a',at_least=1},\n  {code='a',at_least=5}]\n", 3, 4, "its own"),
    (
        "[[rules]]\nname='a'\nkind='visit'\ngives={points=1}\n[[rules]]\nname='b'\nkind='visi'\n",
        7,
        1,
        "visit",
    ),
    ("[[rules]]\nname='a'\nkind='multiplier'\nfacter=2\n", 4, 1, "Did you mean 'factor'?"),
    (
        "[[rules]]\nname='a'\nkind='multiplier'\nfactor=2\nweekday=['mon']\n",
        5,
        1,
        "Did you mean 'weekdays'?",
    ),
    ("[[rules]]\nname='a'\nkind='multiplier'\nfactor=2\nweekdays=['monday']\n", 5, 1, "mon"),
    ("[[rules]]\nname='a'\nkind='multiplier'\nfactor=2\ntiers=['gold']\n", 1, 1, "no tier 'gold'"),
    ("[[locations]]\nslug='a'\n", 1, 1, "name"),
    ("[[locations]]\nslug='a'\nname='A'\nlatitude='north'\n", 4, 1, "degrees"),
    ("[programme]\nname = 5\n", 2, 1, "quotation marks"),
    ("earning = 5\n", 1, 1, "[earning]"),
]


@pytest.mark.parametrize(("text", "line", "column", "cure"), WRONG)
def test_what_is_wrong_has_a_line_and_a_cure(text: str, line: int, column: int, cure: str) -> None:
    with pytest.raises(reading.BrokenFile) as caught:
        reading.read(text, "shop.toml")
    places = [(each[0], each[1]) for each in caught.value.problems]
    assert (line, column) in places, caught.value.problems
    assert cure in " ".join(each[2] for each in caught.value.problems)
    assert f"line {line}, column {column}" in caught.value.fields


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(reading.BrokenFile) as caught:
        reading.read("[earning]\npoints = 'x'\nper_amount = 0\n[returns]\nfloor = 3\n")
    assert [each[0] for each in caught.value.problems] == [2, 3, 5]


SETTINGS: list[dict[str, Any]] = [
    {"points": "1.15", "per_amount": "0.3", "point_value": "0.010"},
    {"bonuses": [{"name": 'Big "shop"\n', "at_least": "50.00", "points": 10, "once": "b"}]},
    {"excluded_categories": ["1", "a, b", "#x", "ж"], "carry_remainder": True},
    {
        "tiers": {
            "levels": [
                {"code": "1", "at_least": 5, "names": {"en": "One"}, "multiplier": "1.50"},
                {"code": "two", "at_least": 50},
            ],
            "window": "rolling",
        },
        "segments": {
            "new ones": {"joined_within_days": 30},
            "x.y": {"within_days": 9, "spend_at_least": "10"},
        },
        "rules": [
            {
                "name": "A, b",
                "kind": "basket",
                "contains": [
                    {"items": ["1", "x"], "quantity": "1.5"},
                    {"categories": ["y"], "at_least": "3"},
                ],
                "gives": {"points": 5, "gift": {"A long name of a present": 1, "cup": 2}},
                "from": "2026-06-01T08:00",
                "hours": ["22:00-02:00"],
                "segments": ["new ones", "x.y"],
                "tiers": ["1"],
            },
            {"name": "v", "kind": "visit", "gives": {"points": 1}, "a_day": 1},
        ],
    },
]


@pytest.mark.parametrize("said", SETTINGS)
def test_settings_are_read_as_they_were_written(said: dict[str, Any]) -> None:
    settings = settings_from_json({"points": "1", "per_amount": "1"} | said)
    place = reading.Place("a", 'The "yard"', (56.9489, -24.1))
    about = {"name": 'Ж \\ "x"\x7f', "points_names": {"en": {"other": "p"}}}
    whole = reading.Described(about, settings, (place,))
    text = writing.write(whole)
    assert reading.read(text) == whole, text


@given(st.text(max_size=60))
def test_any_name_is_read_as_it_was_written(name: str) -> None:
    settings = settings_from_json({"points": "1", "per_amount": "1"})
    whole = reading.Described({"name": name}, settings, None)
    assert reading.read(writing.write(whole)).about == {"name": name}


def test_positions_follow_quotes_comments_and_tables() -> None:
    text = (
        '# [no]\na = """x\n[[b]]""" # = \n"q.1" = {c = [1, {d = 2}],\n\te = \'#\'}\n'
        "[[t]]\n x.y = 1\n[t.u]\nz=[\n 1, # one\n 2]\n[[t]]\n[[t.v]]\nw=1\n"
    ).replace(",\n\te", ", e")
    found = positions(text)
    assert found["a",] == (2, 1)
    assert found["q.1", "c", 1, "d"] == (4, 19)
    assert found["q.1", "e"] == (4, 28)
    assert found["t", 0, "x", "y"] == (6, 2)
    assert found["t", 0, "u", "z", 1] == (10, 2)
    assert found["t", 1, "v", 0, "w"] == (13, 1)


def test_a_file_that_is_too_long_is_refused() -> None:
    with pytest.raises(Invalid, match="characters"):
        reading.read("#" * 1_000_001)
    with pytest.raises(Invalid):
        reading.read("a = " + "[" * 5000 + "]" * 5000)


def test_there_are_three_examples(tmp_path: Path) -> None:
    assert EXAMPLES == ("bookshop", "builders-merchant", "cafe")
    with pytest.raises(Invalid, match="bookshop"):
        example("pharmacy")
