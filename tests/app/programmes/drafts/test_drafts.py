"""A draft touches nobody until it is published; then everybody knows who did it."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.db import Database, enter
from app.errors import Conflict, Invalid, NotFound
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request
from app.programmes import pilots
from app.programmes.drafts import purpose, service, trials
from app.programmes.drafts.models import Did, ProgrammeTrial, TrialState
from app.programmes.earning import Sale
from app.programmes.pricing import price
from app.programmes.service import add_location, change_settings, create_programme, version_at
from app.programmes.terms import rulebook_of
from app.staff.service import add_staff

DAY = timedelta(days=1)


class Shop:
    """A programme with two members who buy for 10.00 each."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.database, self.clock = database, clock
        with database.write_all() as session:
            slug = f"p-{uuid.uuid4().hex[:8]}"
            made = create_programme(session, slug=slug, name="P", now=clock())
            enter(session, made.id)
            self.id = made.id
            add_location(session, made.id, slug="old-town", name="Old Town", now=clock())
            self.owner = add_staff(
                session, made.id, name="Olga", role="owner", pin="274913", now=clock()
            ).id
            self.accounts = [ledger.open_account(session, now=clock()).id for _ in range(2)]

    def buy(self, account_id: str, minor: int) -> None:
        self.clock.advance(timedelta(hours=1))
        now = self.clock()
        with self.database.write(self.id) as session:
            book = rulebook_of(session, self.id, now)
            priced = price(session, book, Sale(minor, "EUR", now), now=now)
            name = str(uuid.uuid4())
            operation = Accrue(account_id, minor, "EUR", **priced.fields())
            request = Request(name, "accrual", bytes(32))
            ledger.post(
                session, request, operation, Circumstances(now), now=now, terms=book.terms(now)
            )

    def change(self, changes: dict[str, Any], **more: Any) -> service.Draft:
        with self.database.write(self.id) as session:
            return service.change(session, changes, by=self.owner, now=self.clock(), **more)

    def look(self) -> service.Draft:
        with self.database.read(self.id) as session:
            return service.look(session, self.clock())


@pytest.fixture
def shop(database: Database, clock: FixedClock) -> Shop:
    return Shop(database, clock)


def test_a_draft_changes_nothing_until_it_is_published_and_then_from_its_date(shop: Shop) -> None:
    shop.change({"points": "2"})
    found = shop.change({"redeem_minimum": 50})
    assert dict(found.changes) == {"points": "2", "redeem_minimum": 50}
    with shop.database.write(shop.id) as session:
        now = shop.clock()
        assert version_at(session, shop.id, now).settings.points == 1
        made = service.publish(session, valid_from=now + DAY, by=shop.owner, now=now)
        assert version_at(session, shop.id, now).settings.points == 1
        later = version_at(session, shop.id, now + DAY)
        assert (later.number, later.settings.points, later.settings.redeem_minimum) == (
            made.number,
            2,
            50,
        )
        (noted,) = service.publications(session)
        assert (noted.number, noted.did, noted.staff_id) == (2, Did.PUBLISHED, shop.owner)
        with pytest.raises(Conflict, match="nothing to publish"):
            service.publish(session, valid_from=now + DAY, now=now)
    assert shop.look().changes == {}


def test_what_is_put_back_leaves_the_draft(shop: Shop) -> None:
    shop.change({"points": "2", "redeem_step": 5})
    assert dict(shop.change({"points": "1"}).changes) == {"redeem_step": 5}
    with shop.database.write(shop.id) as session:
        service.discard(session, {"redeem_step"}, now=shop.clock())
    assert shop.look().changes == {}


def test_nonsense_is_refused_by_setting_and_the_draft_stays(shop: Shop) -> None:
    shop.change({"points": "2"})
    with pytest.raises(Invalid) as refused:
        shop.change({"points": "lots", "nonsense": 1})
    assert set(refused.value.fields) == {"points", "nonsense"}
    assert dict(shop.look().changes) == {"points": "2"}


def test_a_form_that_was_opened_before_anothers_change_is_told_so(shop: Shop) -> None:
    opened = shop.look().revision
    shop.change({"points": "2"}, revision=opened)
    with pytest.raises(Conflict, match="meanwhile"):
        shop.change({"points": "3"}, revision=opened)
    assert shop.look().settings.points == 2


def test_a_draft_that_was_overtaken_is_published_only_after_somebody_looked(shop: Shop) -> None:
    shop.change({"points": "2", "redeem_step": 5})
    with shop.database.write(shop.id) as session:
        now = shop.clock()
        change_settings(session, shop.id, {"points": "5"}, valid_from=now)
    assert shop.look().overtaken == ("points",)
    with shop.database.write(shop.id) as session:
        with pytest.raises(Conflict, match="points"):
            service.publish(session, valid_from=now, now=now)
        assert service.take_over(session, now=now).overtaken == ()
        assert service.publish(session, valid_from=now, now=now).settings.points == 2


def test_a_draft_does_not_slip_before_a_planned_version(shop: Shop) -> None:
    now = shop.clock()
    with shop.database.write(shop.id) as session:
        change_settings(session, shop.id, {"redeem_minimum": 7}, valid_from=now + 3 * DAY)
    shop.change({"points": "2"})
    with shop.database.write(shop.id) as session:
        with pytest.raises(Conflict, match="Version 2 is planned"):
            service.publish(session, valid_from=now, now=now)
        made = service.publish(session, valid_from=now + 4 * DAY, now=now)
        assert (made.settings.points, made.settings.redeem_minimum) == (2, 7)


def test_a_trial_in_one_place_leaves_the_draft_and_the_rest_alone(shop: Shop) -> None:
    shop.change({"points": "2"})
    now = shop.clock()
    with shop.database.write(shop.id) as session:
        with pytest.raises(NotFound):
            service.try_out(session, locations=["nowhere"], valid_from=now, now=now)
    assert dict(shop.look().changes) == {"points": "2"}
    with shop.database.write(shop.id) as session:
        made = service.try_out(session, locations=["old-town"], valid_from=now, now=now)
        assert made.changes == {"points": "2"}
        assert pilots.history(session, shop.id)[-1].locations == ("old-town",)
    assert shop.look().changes == {}


def test_a_trial_over_history_counts_to_the_point_and_can_be_stopped(
    shop: Shop, clock: FixedClock
) -> None:
    began = clock()
    for _ in range(3):
        shop.buy(shop.accounts[0], 1000)
    shop.buy(shop.accounts[1], 450)
    with shop.database.write(shop.id) as session:
        asked = trials.ask(session, {"points": "2"}, since=began, now=clock())
        stopped = trials.ask(session, {"points": "9"}, since=began, now=clock())
        trials.stop(session, stopped.id, now=clock())
    assert trials.run_one(shop.database, clock, processes=1) == 1
    assert trials.run_one(shop.database, clock) == 0
    with shop.database.read(shop.id) as session:
        done = trials.by_id(session, asked.id)
        assert (done.state, done.done, done.total) == (TrialState.DONE, 4, 4)
        assert done.found is not None
        # 10 + 10 + 10 + 4 points become twice that, but for the half that was rounded off: 9.
        assert (done.found["points_before"], done.found["points_after"]) == (34, 69)
        assert done.found["winners"]["members"] == 2
        assert trials.by_id(session, stopped.id).state == TrialState.STOPPED
        assert version_at(session, shop.id, clock()).settings.points == 1


def test_a_trial_whose_runner_died_is_begun_again_and_one_of_nonsense_says_why(
    shop: Shop, clock: FixedClock
) -> None:
    began = clock()
    shop.buy(shop.accounts[0], 1000)
    with shop.database.write(shop.id) as session:
        one = trials.ask(session, {"points": "2"}, since=began, now=clock()).id
        row = session.get_one(ProgrammeTrial, one)
        row.state, row.heard_at = str(TrialState.RUNNING), clock()
        two = trials.ask(session, {"points": "2"}, since=began, segments=["nobody"], now=clock()).id
    assert trials.run_one(shop.database, clock) == 1
    assert trials.run_one(shop.database, clock) == 0
    clock.advance(trials.LOST + timedelta(seconds=1))
    assert trials.run_one(shop.database, clock) == 1
    with shop.database.read(shop.id) as session:
        assert trials.by_id(session, one).state == TrialState.DONE
        failed = trials.by_id(session, two)
        assert failed.state == TrialState.FAILED
        assert failed.said is not None and "nobody" in failed.said


def test_a_trial_of_another_programme_is_not_there(
    shop: Shop, database: Database, clock: FixedClock
) -> None:
    other = Shop(database, clock)
    with database.write(shop.id) as session:
        made = trials.ask(session, {"points": "2"}, since=clock() - DAY, now=clock()).id
    with database.write(other.id) as session:
        with pytest.raises(NotFound):
            trials.stop(session, made, now=clock())


def test_a_trial_that_is_stopped_while_it_runs_ends(shop: Shop, clock: FixedClock) -> None:
    began = clock()
    shop.buy(shop.accounts[0], 1000)
    with shop.database.write(shop.id) as session:
        made = trials.ask(session, {"points": "2"}, since=began, now=clock()).id

    def stopping() -> Callable[[], float]:
        calls = iter(range(10_000))

        def seconds() -> float:
            count = next(calls)
            if count == 1:  # The trial has just said that it begins.
                with shop.database.write(shop.id) as session:
                    trials.stop(session, made, now=clock())
            return float(count)

        return seconds

    assert trials.run_one(shop.database, clock, seconds=stopping()) == 1
    with shop.database.read(shop.id) as session:
        found = trials.by_id(session, made)
        assert (found.state, found.found) == (TrialState.STOPPED, None)


def test_what_a_programme_is_for_is_kept_and_nonsense_is_refused(shop: Shop) -> None:
    now = shop.clock()
    with shop.database.write(shop.id) as session:
        assert purpose.next_step(purpose.look(session)) == "goal"
        with pytest.raises(Invalid) as refused:
            purpose.say(session, {"goal": "riches", "margin": "a lot"}, now=now)
        assert set(refused.value.fields) == {"goal", "margin"}
    with shop.database.write(shop.id) as session:
        purpose.say(session, {"goal": "come_back", "margin": "32.50"}, by=shop.owner, now=now)
        purpose.done(session, "goal", now=now)
    with shop.database.read(shop.id) as session:
        row = purpose.look(session)
        assert row is not None
        assert (row.goal, str(purpose.margin_of(row))) == ("come_back", "32.5")
        assert purpose.next_step(row) == "benefit"
