"""Objects are brought up to date: what changed, aloud while Google allows it, many at once."""

import json
import logging
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.cards import service as cards
from app.cards.models import Card
from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.delivery.google.sender import GoogleSender
from app.delivery.models import GooglePass
from app.delivery.sending import Errand, Outcome
from app.delivery.status import status
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn
from app.keys import Purpose
from passes.card import CardStatus
from tests.app.delivery.google.shop import (
    ISSUER,
    changes,
    deliver,
    issue_many,
    patches,
    points,
    shown,
)


def test_a_change_is_one_patch_with_a_notice(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    assert deliver(context, senders, now=clock()) > 0, "the fresh card is taken up"
    assert patches(google) == []
    for _ in range(10):
        programme.earn(saved)
    deliver(context, senders, now=clock())
    assert points(google, saved) == 100
    assert [body["notifyPreference"] for body in patches(google)] == ["NOTIFY_ON_UPDATE"]
    assert "rotatingBarcode" in shown(google, saved)
    assert deliver(context, senders, now=clock()) == 0


def test_a_blocked_card_becomes_inactive(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    with context.database.write(programme.programme_id) as session:
        cards.set_status(session, saved.id, CardStatus.BLOCKED, now=clock())
    deliver(context, senders, now=clock())
    assert shown(google, saved)["state"] == "INACTIVE"


def test_beyond_three_notices_a_day_the_points_still_change_quietly(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    for number in range(1, 6):
        programme.earn(saved)
        deliver(context, senders, now=clock())
        assert points(google, saved) == 10 * number
    aloud = ["notifyPreference" in body for body in patches(google)]
    assert aloud == [True, True, True, False, False]
    assert {seen.status for seen in changes(google)} == {200}, "no request was in vain"
    clock.advance(timedelta(hours=24, seconds=1))
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert "notifyPreference" in patches(google)[5], "on the next day it is asked for again"


def test_notices_are_counted_in_the_database_whoever_sends_them(
    programme: Any, saved: Any, context: Context, google: GoogleStandIn, clock: FixedClock
) -> None:
    for _ in range(4):
        programme.earn(saved)
        senders = Senders(context, Wallets(context))
        deliver(context, senders, now=clock())
        senders.close()
    assert ["notifyPreference" in body for body in patches(google)] == [True, True, True, False]
    assert len(programme.google_pass(saved).notices) == 3


def test_a_quota_that_google_counted_fuller_than_we_did_loses_no_update(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    google.exceed_quota()
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert points(google, saved) == 10
    assert [seen.status for seen in changes(google)] == [403, 200]
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert points(google, saved) == 20
    assert [seen.status for seen in changes(google)] == [403, 200, 200], "it is not asked again"
    google.well()
    clock.advance(timedelta(days=1, seconds=1))
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert "notifyPreference" in patches(google)[-1]


def test_a_pass_that_was_removed_from_the_phone_is_kept_up_to_date_quietly(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    with context.database.write_all() as session:
        session.execute(update(GooglePass).values(removed_at=clock()))
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert points(google, saved) == 10
    assert "notifyPreference" not in patches(google)[-1]


def test_only_what_changed_is_sent(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert [sorted(body) for body in patches(google)] == [["loyaltyPoints", "notifyPreference"]]
    with context.database.write(programme.programme_id) as session:
        cards.set_status(session, saved.id, CardStatus.BLOCKED, now=clock())
    deliver(context, senders, now=clock())
    assert patches(google)[-1] == {"state": "INACTIVE"}


def test_a_change_that_shows_nothing_asks_google_nothing(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    with context.database.write(programme.programme_id) as session:
        session.execute(update(Card).values(version=Card.version + 1))
    google.requests.clear()
    deliver(context, senders, now=clock())
    assert google.requests == []
    row = programme.google_pass(saved)
    assert (row.delivered_version, row.next_attempt_at) == (row.wanted_version, None)


def test_what_is_kept_of_google_names_nobody(programme: Any, saved: Any, context: Context) -> None:
    told = programme.google_pass(saved).told
    assert set(told) >= {"state", "loyaltyPoints", "rotatingBarcode"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", digest) for digest in told.values())
    assert saved.serial_number not in json.dumps(told)


def test_a_rotated_master_key_gives_the_card_a_new_rotating_code(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    context.keys.rotate(Purpose.TOTP_MASTER)
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert "rotatingBarcode" in patches(google)[-1]
    [parameter] = shown(google, saved)["rotatingBarcode"]["totpDetails"]["parameters"]
    assert bytes.fromhex(parameter["key"]) == cards.totp_keys(context.keys, saved.id)[0]


def test_many_go_in_one_request(
    programme: Any, context: Context, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    issued = issue_many(programme, context, senders, 30, clock)
    assert google.batches == [30]
    google.batches.clear()
    for card in issued:
        programme.earn(card)
    deliver(context, senders, now=clock())
    assert google.batches == [30]
    assert [points(google, card) for card in issued] == [10] * 30
    assert all("notifyPreference" in body for body in patches(google))


def test_each_part_of_a_batch_has_its_own_answer_and_only_what_failed_is_sent_again(
    programme: Any, context: Context, senders: Senders, google: GoogleStandIn, clock: FixedClock
) -> None:
    issued = issue_many(programme, context, senders, 12, clock)
    for card in issued:
        programme.earn(card)
    google.fail(503, times=3)
    deliver(context, senders, now=clock())
    assert sorted(seen.status for seen in changes(google)) == [200] * 9 + [503] * 3
    late = [card for card in issued if points(google, card) == 0]
    assert len(late) == 3
    google.requests.clear()
    clock.advance(timedelta(seconds=3))
    deliver(context, senders, now=clock())
    assert {seen.path.rpartition(".")[2] for seen in changes(google)} == {
        card.serial_number for card in late
    }
    assert [points(google, card) for card in issued] == [10] * 12


def test_parts_that_google_limits_make_the_next_batches_smaller(
    programme: Any, context: Context, wallets: Wallets, google: GoogleStandIn, clock: FixedClock
) -> None:
    senders = Senders(context, wallets)
    sender = senders._google
    assert sender.batch == 100
    issued = issue_many(programme, context, senders, 40, clock)
    for card in issued:
        programme.earn(card)
    google.fail(429, "rateLimitExceeded", times=1)
    deliver(context, senders, now=clock())
    assert sender.batch == 20
    clock.advance(timedelta(seconds=5))
    deliver(context, senders, now=clock())
    assert [points(google, card) for card in issued] == [10] * 40
    senders.close()


def test_an_object_that_is_gone_is_inserted_again(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    google.objects.clear()
    google.classes.clear()
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert points(google, saved) == 10
    assert list(google.classes) == [f"{ISSUER}.kaffa"]


@pytest.mark.parametrize(
    ("status_code", "reason"),
    [(429, "rateLimitExceeded"), (403, "rateLimitExceeded"), (500, "x"), (503, "backendError")],
)
def test_a_google_that_asks_for_time_gets_it(
    status_code: int,
    reason: str,
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    programme.earn(saved)
    google.fail(status_code, reason, times=1, retry_after=30)
    deliver(context, senders, now=clock())
    assert str(status_code) in programme.google_pass(saved).last_error
    clock.advance(timedelta(seconds=29))
    deliver(context, senders, now=clock())
    assert points(google, saved) == 0
    clock.advance(timedelta(seconds=5))
    deliver(context, senders, now=clock())
    assert points(google, saved) == 10


def test_a_refusal_is_shown_in_words_and_tried_again_much_later(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    programme.earn(saved)
    google.deny()
    deliver(context, senders, now=clock())
    assert "permissionDenied" in programme.google_pass(saved).last_error
    with context.database.read_all() as session:
        totals = status(session)["google"]
    assert totals == {"passes": 1, "delivered": 0, "behind": 1, "failed": 1}
    google.well()
    clock.advance(timedelta(hours=1))
    deliver(context, senders, now=clock())
    assert points(google, saved) == 10


def test_once_google_is_found_down_the_rest_of_the_batch_is_spared(
    programme: Any,
    context: Context,
    wallets: Wallets,
    clock: FixedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    issued = [programme.issue() for _ in range(12)]
    config = replace(context.config, google_api_url="http://127.0.0.1:9")
    down = replace(context, config=config)
    sender = GoogleSender(down, Wallets(down).google)
    errands = [
        Errand(number, card.id, f"{ISSUER}.{card.serial_number}", 2, 0)
        for number, card in enumerate(issued)
    ]
    try:
        results = sender.send(errands)
    finally:
        sender.close()
    assert {result.outcome for result in results} == {Outcome.UNSENT}


def test_a_card_that_cannot_be_shown_keeps_no_other_waiting(
    programme: Any,
    saved: Any,
    context: Context,
    wallets: Wallets,
    google: GoogleStandIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    programme.earn(saved)
    sender = GoogleSender(context, wallets.google)
    errands = [
        Errand(1, "0" * 16, f"{ISSUER}.none", 3, 0),
        Errand(2, saved.id, f"{ISSUER}.{saved.serial_number}", 3, 0),
    ]
    with caplog.at_level(logging.CRITICAL, "app.delivery.google"):
        results = sender.send(errands)
    sender.close()
    assert [result.outcome for result in results] == [Outcome.REFUSED, Outcome.DELIVERED]
    assert points(google, saved) == 10
