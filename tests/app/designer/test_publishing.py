"""A draft reaches every pass through delivery; how far it is can be seen, and it can be undone."""

from datetime import timedelta

import pytest

from app.clock import FixedClock
from app.delivery import wanted
from app.delivery.fetches import Fetches
from app.delivery.models import AppleRegistration
from app.delivery.registrations import register
from app.delivery.sending import DELIVERED, Outcome, Result
from app.designer import drafts, publishing
from app.errors import Conflict, Invalid
from app.programmes import designs
from app.programmes.design_releases import releases
from passes.text import said
from tests.app.designer.conftest import Designer
from tests.passes.artwork.pictures import wordmark


def publish(shop: Designer, *, over: bool = False) -> int:
    context, programme = shop.context, shop.row()
    with context.database.write(shop.programme_id) as session:
        draft = drafts.current(session, programme)
        drafted = drafts.read(session, programme, draft)
        return publishing.publish(
            session, programme, draft, drafted, by="Olga", now=context.clock(), over=over
        )


def again(shop: Designer, number: int) -> int:
    with shop.context.database.write(shop.programme_id) as session:
        return publishing.publish_again(
            session, shop.row(), number, by="Olga", now=shop.context.clock()
        )


def progress(shop: Designer) -> publishing.Progress:
    with shop.context.database.read(shop.programme_id) as session:
        found = publishing.progress(session, shop.row(), now=shop.context.clock())
    assert found is not None
    return found


def test_a_draft_is_published_whole_and_gone(kaffa: Designer) -> None:
    kaffa.type(background="#102030", name_lv="Kafija", terms_en="Be nice.", no_sharing="yes")
    kaffa.upload(logo=wordmark())
    assert publish(kaffa) == 1
    with kaffa.context.database.read(kaffa.programme_id) as session:
        design = designs.current(session, kaffa.programme_id)
    assert design.logo is not None and design.extras.sharing_prohibited
    assert design.name is not None and said(design.name, "lv") == "Kafija"
    assert kaffa.row().colours["background"] == "#102030"
    draft = kaffa.draft()
    assert (draft.edit, draft.base, draft.typed["terms_en"]) == (0, 1, "Be nice.")
    # What is taken out of the draft is taken from the cards.
    kaffa.type(no_sharing="", terms_en="", name_lv="")
    kaffa.upload(logo=None)
    assert publish(kaffa) == 2
    with kaffa.context.database.read(kaffa.programme_id) as session:
        design = designs.current(session, kaffa.programme_id)
    assert (design.logo, design.terms, design.name) == (None, None, None)
    assert not design.extras.sharing_prohibited


def test_an_earlier_design_is_published_again_with_its_pictures(kaffa: Designer) -> None:
    kaffa.type(background="#102030", terms_en="Be nice.")
    kaffa.upload(logo=wordmark())
    publish(kaffa)
    kaffa.type(background="#ffffff", foreground="#000000", terms_en="")
    kaffa.upload(logo=None)
    publish(kaffa)
    assert again(kaffa, 1) == 3
    with kaffa.context.database.read(kaffa.programme_id) as session:
        design = designs.current(session, kaffa.programme_id)
        found = releases(session, kaffa.programme_id)
    assert (design.logo is not None, design.terms) == (True, "Be nice.")
    assert kaffa.row().colours["background"] == "#102030"
    assert [(each.number, each.published_by) for each in found] == [
        (3, "Olga"),
        (2, "Olga"),
        (1, "Olga"),
    ]
    assert found[0].content == found[2].content and found[0].pictures == found[2].pictures


def test_a_draft_with_something_wrong_in_it_changes_nothing(kaffa: Designer) -> None:
    kaffa.type(background="#102030", valid_until="some day")
    with pytest.raises(Invalid) as caught:
        publish(kaffa)
    assert caught.value.fields.keys() == {"valid_until"}
    assert kaffa.row().colours["background"] == "#3b2a20" and kaffa.draft().edit == 1


def test_a_design_that_came_between_is_not_overwritten_unseen(kaffa: Designer) -> None:
    kaffa.type(background="#102030")
    with kaffa.context.database.write(kaffa.programme_id) as session:
        read = designs.read_changes({"terms": "From elsewhere."})
        designs.change(session, kaffa.programme_id, read, now=kaffa.context.clock())
    with pytest.raises(Conflict, match="Another design was published"):
        publish(kaffa)
    assert publish(kaffa, over=True) == 2


def deliver(shop: Designer, results: list[Result]) -> None:
    """Take up what changed, and send it with these outcomes, one a pass."""
    context, now = shop.context, shop.context.clock()
    with context.database.write_all() as session:
        wanted.take_up(session, now=now, limit=100)
    with context.database.write_all() as session:
        errands = wanted.claim(session, AppleRegistration, now=now, limit=len(results))
        done = list(zip(errands, results, strict=True))
        wanted.settle(
            session, AppleRegistration, done, leased_at=now, now=now, jitter=[0.5] * len(done)
        )


def test_the_progress_of_a_release_is_what_delivery_did(kaffa: Designer) -> None:
    context, clock = kaffa.context, kaffa.context.clock
    assert isinstance(clock, FixedClock)
    cards = [kaffa.issue() for _ in range(3)]
    for number, card in enumerate(cards):
        with context.database.write(kaffa.programme_id) as session:
            token = f"{number:064x}"
            register(session, card, device_id=f"device-{number}", push_token=token, now=clock())
    with context.database.read(kaffa.programme_id) as session:
        audience = publishing.audience(session)
        assert (audience.apple, audience.google) == (3, 0)
        assert publishing.progress(session, kaffa.row(), now=clock()) is None
    deliver(kaffa, [])
    clock.advance(timedelta(minutes=1))
    kaffa.type(background="#102030")
    publish(kaffa)
    begun = progress(kaffa)
    assert (begun.apple.passes, begun.apple.waiting, begun.apple.told) == (3, 3, 0)
    assert (begun.unmarked, begun.accounts, begun.is_done) == (3, 3, False)
    assert begun.apple.left_seconds is None, "nobody knows yet"
    clock.advance(timedelta(seconds=10))
    with context.database.write_all() as session:
        designs.spread(session, clock(), 500)
    assert progress(kaffa).unmarked == 0
    refused = Result(Outcome.REFUSED, reason="Apple did not answer the passes: 500")
    deliver(kaffa, [DELIVERED, DELIVERED, refused])
    half = progress(kaffa)
    assert (half.apple.waiting, half.apple.told, half.apple.failed) == (1, 2, 1)
    assert [each.count for each in half.apple.errors] == [1]
    assert half.apple.left_seconds == pytest.approx(5)
    assert (half.apple.fetched, half.is_done) == (0, False)
    noted = Fetches(context)
    noted.note(kaffa.programme_id, cards[0].id, clock())
    noted.flush()
    assert progress(kaffa).apple.fetched == 1
    clock.advance(timedelta(hours=1))
    deliver(kaffa, [DELIVERED])
    done = progress(kaffa)
    assert (done.is_done, done.apple.waiting, done.apple.failed) == (True, 0, 0)
    # Whoever comes now has the new design from the beginning.
    late = kaffa.issue()
    with context.database.write(kaffa.programme_id) as session:
        register(session, late, device_id="late", push_token="ff" * 32, now=clock())
    assert (progress(kaffa).apple.passes, progress(kaffa).is_done) == (4, True)
