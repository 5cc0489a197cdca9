"""A class is inserted before its first card, and updated when the programme looks otherwise."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FixedClock
from app.context import Context
from app.delivery.bringing import Senders
from app.delivery.google.changes import class_change
from app.delivery.google.passes import GooglePasses
from app.delivery.wallets import Wallets
from app.demo.google import GoogleStandIn, Seen
from app.errors import Misconfigured
from app.programmes.models import Programme
from tests.app.delivery.google.shop import ISSUER, deliver, points

CLASS_ID = f"{ISSUER}.kaffa"


def asked(google: GoogleStandIn) -> list[Seen]:
    return [seen for seen in google.requests if "/loyaltyClass" in seen.path]


def rename(programme: Any, name: str) -> None:
    with programme.context.database.write_all() as session:
        session.execute(update(Programme).values(name=name))


def test_a_new_look_is_one_patch_of_what_changed_that_asks_for_a_review(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
) -> None:
    google.requests.clear()
    rename(programme, "Kaffa!")
    programme.earn(saved)
    deliver(context, senders, now=clock())
    [patch] = asked(google)
    assert (patch.method, patch.status) == ("PATCH", 200)
    assert patch.body is not None
    assert patch.body["reviewStatus"] == "UNDER_REVIEW"
    assert "hexBackgroundColor" not in patch.body
    assert google.classes[CLASS_ID]["programName"] == "Kaffa!"
    programme.earn(saved)
    deliver(context, senders, now=clock())
    assert len(asked(google)) == 1


def test_another_process_knows_what_google_was_told(
    programme: Any, saved: Any, context: Context, google: GoogleStandIn, clock: FixedClock
) -> None:
    google.requests.clear()
    Wallets(context).google.save_link(programme.issue().id, now=clock())
    assert asked(google) == []


def test_a_class_that_was_there_before_is_told_all_anew_and_never_echoed(
    programme: Any, context: Context, google: GoogleStandIn, clock: FixedClock, saved: Any
) -> None:
    google.classes[CLASS_ID]["programName"] = "Somebody else's"
    fresh = GooglePasses(context)
    fresh._classes.forget(programme.programme_id, CLASS_ID)
    google.requests.clear()
    fresh.save_link(programme.issue().id, now=clock())
    assert [(seen.method, seen.status) for seen in asked(google)] == [("POST", 409), ("PATCH", 200)]
    assert google.classes[CLASS_ID]["programName"] == "Café kaffa"
    assert {(seen.body or {})["reviewStatus"] for seen in asked(google)} == {"UNDER_REVIEW"}
    assert "approved" not in str([seen.body for seen in google.requests])


def test_a_class_that_cannot_be_changed_now_keeps_no_card_waiting(
    programme: Any,
    saved: Any,
    context: Context,
    senders: Senders,
    google: GoogleStandIn,
    clock: FixedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    rename(programme, "Kaffa!")
    programme.earn(saved)
    google.fail(400, "invalidImage", "Image cannot be loaded.", times=1)
    with caplog.at_level(logging.ERROR):
        deliver(context, senders, now=clock())
    assert "Image cannot be loaded" in caplog.text
    assert points(google, saved) == 10


def test_a_class_that_google_would_refuse_is_refused_before_it_is_asked(
    programme: Any, context: Context, google: GoogleStandIn, clock: FixedClock
) -> None:
    """With Google itself, this machine's own address is of no use for the logo."""
    passes = GooglePasses(context)
    card = passes._find(programme.issue().id, clock())
    with_google = replace(context.config, google_api_url="https://walletobjects.googleapis.com")
    passes._context = replace(context, config=with_google)
    with pytest.raises(Misconfigured, match="COUNTERFOIL_URL"):
        passes.ensure_class(card)
    assert google.requests == []


def test_the_words_of_a_change() -> None:
    told = {"id": "1.a", "reviewStatus": "UNDER_REVIEW", "programName": "A", "heroImage": {"x": 1}}
    assert class_change(told, told) == {}
    changed = class_change(told | {"programName": "B", "heroImage": None}, told)
    assert changed == {"programName": "B", "heroImage": None, "reviewStatus": "UNDER_REVIEW"}
    gone = {name: value for name, value in told.items() if name != "heroImage"}
    assert class_change(gone, told) == {"heroImage": None, "reviewStatus": "UNDER_REVIEW"}
    approved = told | {"reviewStatus": "approved", "programName": "B"}
    assert class_change(approved, told)["reviewStatus"] == "UNDER_REVIEW"
