"""Who is told when: once each, within every limit, and never after stop was pressed."""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import event, func, select

from app.campaigns import choosing, mutes, releasing, service
from app.campaigns.errors import NeedsAnother, NotADraft, NotNow
from app.campaigns.models import CampaignState, Recipient
from app.cards import service as cards
from app.cards.models import CardMessage
from app.clock import FixedClock
from app.errors import Invalid, NotFound
from app.ledger.models import Entry, EntryKind
from app.programmes.service import version_at
from passes.card import CardStatus
from tests.app.campaigns.conftest import ILZE, MARTA, Shop


def told(shop: Shop) -> int:
    with shop.context.database.read(shop.programme_id) as session:
        return session.scalar(select(func.count()).select_from(CardMessage)) or 0


def gifts(shop: Shop) -> dict[str, int]:
    """How many gifts of points each account has had."""
    with shop.context.database.read(shop.programme_id) as session:
        rows = session.execute(
            select(Entry.account_id, func.count())
            .where(Entry.kind == EntryKind.ADJUSTMENT)
            .group_by(Entry.account_id)
        )
        return {str(account): int(number) for account, number in rows}


def test_everybody_is_told_once_and_then_it_is_over(shop: Shop, clock: FixedClock) -> None:
    shop.crowd(5)
    shop.member(phone=False)
    campaign_id = shop.send()
    shop.work()
    assert shop.states(campaign_id) == {"sent": 5, "on_page": 1} or told(shop) == 6
    shop.arrive()
    clock.advance(timedelta(seconds=1))
    shop.work()
    assert shop.states(campaign_id) == {"pushed": 5, "on_page": 1}
    assert shop.campaign(campaign_id).state == CampaignState.DONE
    clock.advance(timedelta(minutes=1))
    shop.member()
    shop.work()
    assert len(shop.recipients(campaign_id)) == 6, "who joins afterwards was not meant"


def test_held_out_get_neither_message_nor_gift_and_stand_in_the_same_queue(shop: Shop) -> None:
    accounts = {card.account_id: card for card in shop.crowd(40)}
    plan = {
        "content": {"message": {"en": "A present"}, "points": 20},
        "limits": {"hold_out_percent": 25, "per_week": 0},
    }
    campaign_id = shop.send(plan)
    shop.work()
    rows = {row.account_id: row for row in shop.recipients(campaign_id)}
    assert rows.keys() == accounts.keys()
    for account_id, row in rows.items():
        number = choosing.draw("5eed" * 8, account_id)
        assert row.held_out == choosing.is_held_out(number, 25), "the draw can be recomputed"
        assert shop.balance(accounts[account_id]) == (0 if row.held_out else 20)
        assert row.sent_at is not None
    held = sum(row.held_out for row in rows.values())
    assert 3 <= held <= 18
    assert told(shop) == 40 - held
    campaign = shop.campaign(campaign_id)
    assert campaign.spent_minor == (40 - held) * 20, "a point is worth a cent"


def test_a_campaign_cut_off_anywhere_goes_on_and_gives_nobody_twice(shop: Shop) -> None:
    """Each statement of the work is a place where the process may be killed."""
    shop.crowd(12)
    plan = {"content": {"message": {"en": "A present"}, "points": 5}}
    campaign_id = shop.send(plan)
    chance = random.Random(11)

    class Killed(BaseException):
        pass

    kills = 0
    with mock.patch.object(releasing, "GIFTS_PAGE", 5):
        for _ in range(40):
            fuse = [chance.randrange(1, 24)]

            def burn(*_arguments: Any, fuse: list[int] = fuse) -> None:
                fuse[0] -= 1
                if fuse[0] == 0:
                    raise Killed

            engine = shop.context.database.engine
            event.listen(engine, "before_cursor_execute", burn)
            try:
                if not shop.step(page=5):
                    break
            except Killed:
                kills += 1
            finally:
                event.remove(engine, "before_cursor_execute", burn)
        shop.work()
    assert kills >= 5, "it was cut off in many places"
    assert told(shop) == 12
    assert set(gifts(shop).values()) == {1} and len(gifts(shop)) == 12
    assert sum(shop.states(campaign_id).values()) == 12
    assert shop.campaign(campaign_id).spent_minor == 60


def test_pause_stands_still_resume_goes_on_and_stop_is_for_good(shop: Shop) -> None:
    shop.crowd(9)
    campaign_id = shop.send()
    shop.step(windows={"apple": 3, "google": 3, "page": 3})
    assert told(shop) == 3, "no more are on their way at a time"
    shop.do(service.pause, campaign_id)
    shop.arrive()
    shop.work(windows={"apple": 3, "google": 3, "page": 3})
    assert told(shop) == 3
    with pytest.raises(NotNow):
        shop.do(service.pause, campaign_id)
    shop.do(service.resume, campaign_id)
    shop.context.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    shop.step(windows={"apple": 3, "google": 3, "page": 3})
    shop.step(windows={"apple": 3, "google": 3, "page": 3})
    assert told(shop) == 6
    shop.do(service.stop, campaign_id)
    shop.arrive()
    shop.context.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]
    shop.work()
    assert told(shop) == 6
    states = shop.states(campaign_id)
    assert states["waiting"] == 3 and states["pushed"] == 6
    assert shop.campaign(campaign_id).end_reason == "stopped"
    for what in (service.resume, service.stop, service.pause):
        with pytest.raises(NotNow):
            shop.do(what, campaign_id)


def test_nothing_goes_in_quiet_hours(shop: Shop, clock: FixedClock) -> None:
    shop.crowd(2)
    clock.now = datetime(2026, 10, 24, 18, 30, tzinfo=UTC)  # 21:30 in Riga; the long night.
    limits = {"quiet_from": "20:00", "quiet_to": "09:00", "hold_out_percent": 0}
    campaign_id = shop.send({"limits": limits})
    for hours in range(14):
        clock.now = datetime(2026, 10, 24, 18, 30, tzinfo=UTC) + timedelta(hours=hours)
        shop.work()
        local_quiet = clock() < datetime(2026, 10, 25, 7, tzinfo=UTC)
        assert told(shop) == (0 if local_quiet else 2), clock()
    due = {row.due_at for row in shop.recipients(campaign_id)}
    assert due == {datetime(2026, 10, 25, 7, tzinfo=UTC)}


def test_nobody_gets_more_a_week_than_anybody_may_over_all_campaigns(
    shop: Shop, clock: FixedClock
) -> None:
    shop.crowd(3)
    limits = {"limits": {"hold_out_percent": 0, "per_week": 2}}
    sent = []
    for _ in range(3):
        sent.append(shop.send(limits))
        shop.work()
        clock.advance(timedelta(days=1))
    assert [shop.states(each).get("skipped", 0) for each in sent] == [0, 0, 3]
    assert {row.reason for row in shop.recipients(sent[2])} == {"capped"}
    clock.advance(timedelta(days=5))
    last = shop.send(limits)
    shop.work()
    assert shop.states(last).get("skipped", 0) == 0, "after a week they may be told again"


def test_two_campaigns_at_once_share_the_week(shop: Shop) -> None:
    shop.crowd(3)
    limits = {"limits": {"hold_out_percent": 0, "per_week": 1}}
    one, other = shop.send(limits), shop.send(limits)
    shop.work()
    assert told(shop) == 3
    skipped = [shop.states(each).get("skipped", 0) for each in (one, other)]
    assert sorted(skipped) == [0, 3]


def test_who_muted_is_left_alone_also_when_that_was_a_moment_ago(shop: Shop) -> None:
    early, late, open_ = shop.crowd(3)
    with shop.context.database.write(shop.programme_id) as session:
        mutes.mute(session, early.account_id, now=shop.now)
    campaign_id = shop.send()
    with mock.patch.object(releasing, "release", return_value=0):
        shop.step()
    assert shop.states(campaign_id) == {"waiting": 2, "skipped": 1}
    with shop.context.database.write(shop.programme_id) as session:
        mutes.mute(session, late.account_id, now=shop.now)
    shop.work()
    reasons = {row.account_id: row.reason for row in shop.recipients(campaign_id)}
    assert reasons == {early.account_id: "muted", late.account_id: "muted", open_.account_id: None}
    with shop.context.database.write(shop.programme_id) as session:
        mutes.unmute(session, late.account_id)
        assert not mutes.is_muted(session, late.account_id)


def test_a_card_that_works_no_more_is_passed_over(shop: Shop) -> None:
    blocked, _ = shop.crowd(2)
    campaign_id = shop.send()
    with mock.patch.object(releasing, "release", return_value=0):
        shop.step()
    with shop.context.database.write(shop.programme_id) as session:
        cards.set_status(session, blocked.id, CardStatus.BLOCKED, now=shop.now)
    shop.work()
    reasons = {row.account_id: row.reason for row in shop.recipients(campaign_id)}
    assert reasons[blocked.account_id] == "no_card"
    assert told(shop) == 1


def test_no_minute_holds_more_than_its_number(shop: Shop, clock: FixedClock) -> None:
    shop.crowd(25)
    campaign_id = shop.send({"limits": {"hold_out_percent": 0, "per_week": 0, "per_minute": 6}})
    chance = random.Random(5)
    for _ in range(400):
        shop.step()
        clock.advance(timedelta(seconds=chance.choice((0.3, 2, 7, 31))))
        if shop.campaign(campaign_id).state == CampaignState.DONE:
            break
    moments = sorted(row.sent_at for row in shop.recipients(campaign_id) if row.sent_at)
    assert len(moments) == 25
    for moment in moments:
        within = [each for each in moments if moment <= each < moment + timedelta(minutes=1)]
        assert len(within) <= 7, "six, and the one with which the minute ends"


def test_the_budget_is_never_passed(shop: Shop) -> None:
    shop.crowd(10)
    plan = {
        "content": {"message": {"en": "A present"}, "points": 30},
        "limits": {"hold_out_percent": 0, "per_week": 0, "budget_minor": 100},
    }
    campaign_id = shop.send(plan)
    shop.work()
    campaign = shop.campaign(campaign_id)
    assert (campaign.state, campaign.end_reason) == (CampaignState.DONE, "budget")
    assert campaign.spent_minor == 90
    assert sum(gifts(shop).values()) == 3
    assert shop.states(campaign_id)["waiting"] == 7


def test_in_each_members_best_hour(shop: Shop, clock: FixedClock) -> None:
    early, late, new = shop.crowd(3)
    for card, hour in ((early, 5), (late, 15)):
        for day in (3, 10, 17):
            shop.buy(card, at=datetime(2026, 5, 31, hour, 20, tzinfo=UTC) - timedelta(days=day))
    shop.know()
    campaign_id = shop.send({"when": {"kind": "best_hour"}})
    shop.step()
    due = {row.account_id: row.due_at for row in shop.recipients(campaign_id)}
    # 8:20 and 18:20 in Riga, in summer; now it is noon there.
    assert due[early.account_id] == datetime(2026, 6, 2, 5, tzinfo=UTC)
    assert due[late.account_id] == datetime(2026, 6, 1, 15, tzinfo=UTC)
    assert due[new.account_id] in (due[early.account_id], due[late.account_id])


def test_a_repeating_campaign_tells_again_in_its_next_turn(shop: Shop, clock: FixedClock) -> None:
    shop.crowd(2)
    when = {"kind": "repeating", "every_days": 7, "time": "13:00", "first": "2026-06-01",
            "until": "2026-06-08"}  # fmt: skip
    campaign_id = shop.send({"when": when})
    shop.work()
    assert told(shop) == 0, "its first turn is at one o'clock"
    clock.advance(timedelta(hours=1))
    shop.work()
    with shop.context.database.read(shop.programme_id) as session:
        first = {row.card_id: row.facts for row in session.query(CardMessage)}
    shop.member()
    clock.advance(timedelta(days=7))
    shop.work()
    occasions = sorted(row.occasion for row in shop.recipients(campaign_id))
    assert occasions == ["turn:2026-06-01T10:00Z"] * 2 + ["turn:2026-06-08T10:00Z"] * 3
    with shop.context.database.read(shop.programme_id) as session:
        second = {row.card_id: row.facts for row in session.query(CardMessage)}
    assert all(first[card] != second[card] for card in first), "the same text is told anew"
    assert shop.campaign(campaign_id).state == CampaignState.DONE


def test_a_sent_campaign_is_copied_never_changed(shop: Shop, clock: FixedClock) -> None:
    shop.member()
    campaign_id = shop.send()
    with shop.context.database.write(shop.programme_id) as session:
        with pytest.raises(NotADraft):
            service.change(session, campaign_id, name="Another", now=clock())
        with pytest.raises(NotADraft):
            service.delete(session, campaign_id)
        made = service.copy(session, campaign_id, by=MARTA, now=clock())
        assert made.plan == service.campaign_by_id(session, campaign_id).plan
        assert made.seed != service.campaign_by_id(session, campaign_id).seed
        assert (made.state, made.copied_from_id) == (CampaignState.DRAFT, campaign_id)
        service.delete(session, made.id)
        with pytest.raises(NotFound):
            service.campaign_by_id(session, made.id)


def test_where_the_programme_asks_a_second_person_approves(shop: Shop, clock: FixedClock) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        service.set_rules(session, shop.programme_id, needs_another=True, limits={"per_week": 1})
        settings = version_at(session, shop.programme_id, clock()).settings
    campaign_id = shop.draft({})
    with shop.context.database.write(shop.programme_id) as session:
        with pytest.raises(NotNow):
            service.approve(session, campaign_id, by=ILZE, now=clock())
        service.propose(session, campaign_id, settings, by=MARTA, now=clock())
        with pytest.raises(NotADraft):
            service.change(session, campaign_id, name="Changed after it was looked at", now=clock())
        with pytest.raises(NeedsAnother):
            service.approve(session, campaign_id, by=MARTA, now=clock())
        service.approve(session, campaign_id, by=ILZE, now=clock())
    with pytest.raises(NotNow):
        shop.do(service.take_back, campaign_id)


def test_what_is_not_there_is_not_promised(shop: Shop, clock: FixedClock) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        settings = version_at(session, shop.programme_id, clock()).settings
    for plan in (
        {"content": {"message": {"en": "x"}, "gives": {"coupon": {"cake": 1}}}},
        {"when": {"kind": "at", "at": "2026-05-01T10:00+03:00"}},
        {"segment": {"is": "list", "list": str(uuid.uuid4())}},
    ):
        campaign_id = shop.draft(plan)
        with (
            shop.context.database.write(shop.programme_id) as session,
            pytest.raises(Invalid),
        ):
            service.propose(session, campaign_id, settings, by=MARTA, now=clock())


def test_recipients_are_told_in_the_order_of_the_draw(shop: Shop) -> None:
    """So that those who were told before a stop are as the others are."""
    shop.crowd(12)
    campaign_id = shop.send()
    shop.step(windows={"apple": 4, "google": 4, "page": 4})
    rows = shop.recipients(campaign_id)
    first = sorted(rows, key=lambda row: row.draw)[:4]
    assert {row.account_id for row in rows if row.sent_at} == {row.account_id for row in first}
    assert isinstance(rows[0], Recipient)


def test_the_day_on_which_points_end_is_the_programme_s(shop: Shop, clock: FixedClock) -> None:
    """Half past one at night in Riga is still the day before in UTC."""
    english, latvian, nothing = shop.member(), shop.member(language="lv"), shop.member()
    end = datetime(2026, 6, 10, 22, 30, tzinfo=UTC)
    for card in (english, latvian):
        shop.buy(card, 30, expires_at=end)
        shop.buy(card, 5, expires_at=end + timedelta(days=3))
        shop.buy(card, 7, expires_at=end + timedelta(days=60))
    shop.send({"content": {"message": {"en": "{expiring} end on {expires_on}"}}})
    shop.work()
    with shop.context.database.read(shop.programme_id) as session:
        facts = {row.card_id: json.loads(row.facts) for row in session.query(CardMessage)}
    assert facts[english.id] == {"expiring": 35, "expires_on": "2026-06-11"}
    assert facts[latvian.id] == {"expiring": 35, "expires_on": "2026-06-11"}
    assert facts[nothing.id] == {"expiring": 0, "expires_on": "–"}
