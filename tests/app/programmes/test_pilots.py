"""A change on trial holds where and for whom it was said, from its moment on, and leaves no trace
in what was earned before or elsewhere."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database
from app.errors import Conflict, Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.facts import facts_of
from app.ledger.postings import AccountFacts, Activity, Asked, Circumstances, Request, Terms
from app.programmes import pilots, service
from app.programmes.earning import Sale
from app.programmes.pricing import Priced, price
from app.programmes.rules import in_segments, read_segments
from app.programmes.terms import rulebook_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Brand:
    """A programme of two shops, and short ways to change it."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock = database, clock
        with database.write_all() as session:
            made = service.create_programme(session, slug="kaffa", name="Kaffa", now=clock())
            self.id = made.id
            self.places = {
                slug: service.add_location(
                    session, made.id, slug=slug, name=slug.title(), now=clock()
                ).id
                for slug in ("old-town", "harbour")
            }

    def pilot(self, *, at: datetime | None = None, **facts: Any) -> int:
        changes = {name: facts.pop(name) for name in list(facts) if name not in SCOPE}
        with self.database.write(self.id) as session:
            made = pilots.start_pilot(
                session, self.id, changes, valid_from=at or self.clock(), now=self.clock(), **facts
            )
            return made.number

    def change(self, *, at: datetime | None = None, **settings: Any) -> int:
        with self.database.write(self.id) as session:
            made = service.change_settings(
                session, self.id, settings, valid_from=at or self.clock()
            )
            return made.number

    def do(self, what: Any, number: int, **facts: Any) -> Any:
        with self.database.write(self.id) as session:
            return what(session, self.id, number, at=self.clock(), **facts).number

    def priced(self, at: datetime | None = None, place: str = "harbour") -> Priced:
        now = self.clock()
        with self.database.read(self.id) as session:
            sale = Sale(1000, "EUR", at or now)
            book = rulebook_of(session, self.id, now)
            return price(session, book, sale, now=now, location_id=self.places[place])

    def points(
        self,
        at: datetime | None = None,
        place: str = "harbour",
        facts: AccountFacts = AccountFacts(),  # noqa: B008 - frozen
    ) -> int:
        return self.priced(at, place).value(facts).points


SCOPE = ("locations", "segments")


@pytest.fixture
def brand(database: Database, clock: FixedClock) -> Brand:
    return Brand(database, clock)


def test_a_pilot_holds_in_its_location_and_nowhere_else(brand: Brand) -> None:
    brand.pilot(points="3", locations=["old-town"])
    assert (brand.points(place="old-town"), brand.points(place="harbour")) == (30, 10)
    told = brand.priced(place="old-town").value(AccountFacts()).explain
    assert told[0]["code"] == "on_trial"


def test_a_late_receipt_is_valued_by_what_was_on_trial_on_its_day_in_its_place(
    brand: Brand,
) -> None:
    start = brand.clock()
    number = brand.pilot(points="3", locations=["old-town"])
    brand.clock.now = start + 5 * DAY
    assert brand.do(pilots.roll_back, number) == 1
    late = start + 2 * DAY
    assert brand.points(late, "old-town") == 30
    assert brand.points(late, "harbour") == 10
    assert brand.points(start - HOUR, "old-town") == 10
    assert brand.points(place="old-town") == 10
    found = brand.priced(late, "old-town")
    assert found.rule_version == number
    assert [each["code"] for each in found.value(AccountFacts()).explain][:2] == [
        "rules_of_day",
        "on_trial",
    ]


def test_a_pilot_that_is_widened_holds_elsewhere_from_then_on_only(brand: Brand) -> None:
    start = brand.clock()
    number = brand.pilot(points="3", locations=["old-town"])
    brand.clock.now = start + 2 * DAY
    wider = brand.do(pilots.widen_pilot, number, locations=["harbour"], now=brand.clock())
    brand.clock.now = start + 3 * DAY
    assert brand.points(place="harbour") == 30
    assert brand.points(start + DAY, "harbour") == 10
    assert brand.points(start + DAY, "old-town") == 30
    assert brand.priced(start + DAY, "old-town").rule_version == number
    assert brand.priced(place="old-town").rule_version == wider
    with pytest.raises(Conflict, match="is over already"):
        brand.do(pilots.roll_back, number)


def test_what_was_on_trial_becomes_the_rule_for_all(brand: Brand) -> None:
    start = brand.clock()
    number = brand.pilot(points="3", locations=["old-town"])
    brand.clock.now = start + 2 * DAY
    assert brand.do(pilots.adopt_pilot, number) == 3
    assert brand.points(place="harbour") == 30
    assert brand.points(start + DAY, "harbour") == 10
    assert brand.priced(place="old-town").rule_version == 3


def test_a_pilot_stands_over_whatever_holds_below_it(brand: Brand) -> None:
    brand.pilot(points="3", locations=["old-town"])
    brand.change(per_amount="2")
    assert (brand.points(place="old-town"), brand.points(place="harbour")) == (15, 5)


def test_of_two_pilots_in_a_place_the_newer_holds(brand: Brand) -> None:
    brand.pilot(points="3", locations=["old-town", "harbour"])
    brand.clock.now += HOUR
    brand.pilot(points="5", locations=["harbour"])
    assert (brand.points(place="old-town"), brand.points(place="harbour")) == (30, 50)


NEW = {"new": {"joined_within_days": 30}, "busy": {"within_days": 30, "visits_at_least": 3}}


def test_a_pilot_for_a_segment_holds_for_its_members_alone(brand: Brand) -> None:
    brand.change(segments=NEW, excluded_categories=["tobacco"])
    with brand.database.write(brand.id) as session:
        number = pilots.start_pilot(
            session,
            brand.id,
            {"points": "3", "excluded_categories": []},
            segments=["new"],
            valid_from=brand.clock(),
            now=brand.clock(),
        ).number
    today = brand.clock().date()
    priced = brand.priced()
    young = priced.value(AccountFacts(joined_on=today - 29 * DAY))
    old = priced.value(AccountFacts(joined_on=today - 30 * DAY))
    assert (young.points, young.rule_version) == (30, number)
    assert (old.points, old.rule_version) == (10, 2)
    assert priced.asked is None


def test_a_pilot_for_a_segment_asks_what_it_has_to_know(brand: Brand) -> None:
    brand.change(segments=NEW)
    with brand.database.write(brand.id) as session:
        pilots.start_pilot(
            session,
            brand.id,
            {"points": "3"},
            segments=["busy"],
            locations=["harbour"],
            valid_from=brand.clock(),
            now=brand.clock(),
        )
    assert brand.priced(place="old-town").asked is None
    priced = brand.priced(place="harbour")
    assert priced.asked is not None
    assert priced.asked.windows == (30,)
    busy = AccountFacts(windows={30: Activity(3, 0)})
    assert (priced.value(busy).points, priced.value(AccountFacts()).points) == (30, 10)


def test_what_is_one_for_all_accounts_cannot_be_tried_by_some(brand: Brand) -> None:
    with pytest.raises(Invalid) as refused:
        brand.pilot(points="3", redeem_step=5, locations=["harbour"])
    assert refused.value.fields.keys() == {"redeem_step"}
    for error, scope in (
        (Invalid, {}),
        (NotFound, {"locations": ["nowhere"]}),
        (Invalid, {"segments": ["nobody"]}),
    ):
        with pytest.raises(error):
            brand.pilot(points="3", **scope)
    with pytest.raises(Invalid, match="changes nothing"):
        brand.pilot(locations=["harbour"])
    assert brand.points(place="harbour") == 10


def test_a_version_that_is_rolled_back_gives_way_to_the_one_before(brand: Brand) -> None:
    start = brand.clock()
    brand.change(points="2")
    brand.clock.now = start + DAY
    number = brand.change(points="7", at=start + 2 * DAY)
    brand.do(pilots.roll_back, number)
    brand.clock.now = start + 3 * DAY
    assert brand.points() == 20  # it never held
    number = brand.change(points="9")
    brand.clock.now += HOUR
    assert brand.points() == 90
    brand.do(pilots.roll_back, number)
    assert brand.points() == 20
    with pytest.raises(Conflict, match="no longer holds"):
        brand.do(pilots.roll_back, 2)
    with pytest.raises(Conflict, match="has none before it"):
        brand.do(pilots.roll_back, 1)
    with pytest.raises(NotFound):
        brand.do(pilots.roll_back, 99)


def test_the_history_says_what_each_version_and_pilot_changed(brand: Brand) -> None:
    start = brand.clock()
    double = {"name": "Double", "kind": "multiplier", "factor": "2"}
    visit = {"name": "Visit", "kind": "visit", "gives": {"points": 5}}
    brand.change(rules=[double])
    brand.clock.now = start + DAY
    brand.change(points="2", rules=[double | {"factor": "3"}, visit])
    number = brand.pilot(rules=[visit], locations=["harbour"])
    with brand.database.read(brand.id) as session:
        told = pilots.history(session, brand.id)
    assert [(each.number, each.is_pilot, sorted(each.changes)) for each in told] == [
        (1, False, []),
        (2, False, ["rules: Double"]),
        (3, False, ["points", "rules: Double", "rules: Visit"]),
        (number, True, ["rules: Double"]),
    ]
    assert told[2].changes["points"] == ("1", "2")
    assert told[1].until == start + DAY
    assert told[3].locations == ("harbour",)


def test_the_database_and_the_receipt_agree_who_is_in_a_segment(brand: Brand) -> None:
    found = read_segments(
        NEW | {"firms": {"kinds": ["company"]}, "rich": {"within_days": 9, "spend_at_least": "20"}}
    )
    now = brand.clock()
    with brand.database.write(brand.id) as session:
        old = ledger.open_account(session, now=now - 40 * DAY).id
        firm = ledger.open_account(session, now=now, kind="company").id
        for days_ago in (20, 8, 1):
            at = now - days_ago * DAY
            book = rulebook_of(session, brand.id, at)
            priced = price(session, book, Sale(1000, "EUR", at), now=at)
            ledger.post(
                session,
                Request(f"00000000-0000-4000-8000-{days_ago:012}", "accrual", bytes(32)),
                ledger.Accrue(old, 1000, "EUR", **priced.fields()),
                Circumstances(at),
                now=at,
            )
        asked = Asked(now.date(), windows=tuple({each.within_days or 1 for each in found}))
        held = {
            each: in_segments(
                found,
                facts_of(session, each, now=now, terms=Terms("Europe/Riga"), asked=asked),
                now.date(),
                2,
            )
            for each in (old, firm)
        }
        assert held == {old: {"busy", "rich"}, firm: {"new", "firms"}}
