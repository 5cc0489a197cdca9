"""The pages of campaigns, as a marketer clicks through them."""

import re
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

from app.campaigns import service, step
from app.campaigns.models import CampaignState, UploadedList
from app.delivery.reaching import Reaching
from app.members.models import MemberRead
from app.programmes.service import change_settings
from tests.app.office import Colleague

SignIn = Callable[..., Colleague]
HOSTILE = "<script>alert(1)</script>\"'{{7*7}}"


def begin(marketer: Colleague) -> str:
    """A new draft; its id."""
    answer = marketer.post("campaigns/new", {})
    assert answer.status_code == 303, answer.text
    return str(answer.location.split("/")[-2])


FORM = {
    "name": "Come back",
    "message-en": "{name}, we miss you",
    "when": "now",
    "hold_out_percent": "0",
    "measure_days": "14",
}


def test_a_campaign_from_the_draft_to_its_progress(shop: Any, signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    cards = [shop.issue() for _ in range(3)]
    shop.accrue(cards[0], 5000)
    campaign_id = begin(marketer)
    page = marketer.get(f"campaigns/{campaign_id}/edit")
    assert page.status_code == 200 and "Everybody with a card" in page.text
    added = marketer.post(f"campaigns/{campaign_id}/segment", FORM | {"do": "add:group"})
    assert "days_at_least" in added.text
    conditions = {"c-0-0-kind": "balance", "c-0-0-at_least": "10"}
    counted = marketer.post(f"campaigns/{campaign_id}/segment", FORM | conditions)
    assert re.search(r"segment-count\">1<", counted.text), counted.text
    turned = conditions | {"c-0-0-not": "on", "do": "sample"}
    found = marketer.post(f"campaigns/{campaign_id}/segment", FORM | turned)
    assert re.search(r"segment-count\">2<", found.text)
    assert found.text.count("<tr><td>") == 2
    kept = marketer.post(f"campaigns/{campaign_id}/edit", FORM | conditions | {"do": "try"})
    assert kept.location.endswith(f"{campaign_id}/try"), kept.text
    tried = marketer.get(f"campaigns/{campaign_id}/try?counted")
    assert "We miss you" in tried.text, "nobody is called by a name that nobody gave"
    assert "<strong>points on the card: at least 10</strong>" in tried.text
    assert marketer.post(f"campaigns/{campaign_id}/propose", {}).status_code == 303
    assert marketer.get(f"campaigns/{campaign_id}/edit").status_code == 303, "it is no draft"
    assert marketer.post(f"campaigns/{campaign_id}/approve", {}).status_code == 303
    context = shop.context
    while step.step(context, Reaching(), now=context.clock()):
        pass
    context.clock.advance(timedelta(seconds=1))
    while step.step(context, Reaching(), now=context.clock()):
        pass
    live = marketer.get(f"campaigns/{campaign_id}/live")
    assert re.search(r'data-count="on_page">1<', live.text), live.text
    shown = marketer.get(f"campaigns/{campaign_id}")
    assert "Nobody was held out" in shown.text
    assert "Come back" in marketer.get("campaigns").text
    copied = marketer.post(f"campaigns/{campaign_id}/copy", {})
    assert "/edit" in copied.location


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_kept(
    shop: Any, signed_in: SignIn
) -> None:
    marketer = signed_in("marketer")
    campaign_id = begin(marketer)
    for change, said in (
        ({"per_week": "many"}, "whole number"),
        ({"budget": "1.234,5"}, "amount"),
        ({"message-en": ""}, "lock screen"),
        ({"message-en": "{surname}"}, 'id="w-message-en">{surname} is filled in with nothing'),
        ({"name": " "}, "1 to 120"),
        ({"when": "at", "at": "yesterday"}, 'id="w-at">Choose a day'),
        ({"when": "event", "event": "lapsed"}, "days"),
        ({"quiet_from": "20:00", "quiet_to": ""}, 'id="w-quiet_to">Say both'),
        ({"quiet_from": "20:00", "quiet_to": "20:00"}, 'id="w-quiet_to">This is the time'),
        ({"hold_out_percent": "51"}, 'id="w-hold_out_percent">Give a whole number from 0 to 50'),
        ({"c-0-0-kind": "balance", "c-0-0-at_least": "ten"}, "whole number"),
    ):
        answer = marketer.post(f"campaigns/{campaign_id}/edit", FORM | change | {"do": "save"})
        assert answer.status_code == 200, change
        assert said in answer.text, change
        assert not re.search(r"(?:content|limits|when|segment): ", answer.text), change
    with shop.context.database.read(shop.programme_id) as session:
        assert service.campaign_by_id(session, campaign_id).name != "Come back"


def test_what_is_typed_stays_text(shop: Any, signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    shop.issue()
    campaign_id = begin(marketer)
    form = FORM | {
        "name": HOSTILE,
        "message-en": HOSTILE.replace("{{7*7}}", ""),
        "title-en": "<b>x</b>",
        "text-en": "<img src=x onerror=alert(1)>",
    }
    marketer.post(f"campaigns/{campaign_id}/edit", form | {"do": "try"})
    for page in ("edit", "try", "try?counted"):
        answer = marketer.get(f"campaigns/{campaign_id}/{page}")
        text = answer.text
        assert answer.status_code == 200
        assert "<script>alert" not in text and "<img src=x" not in text and "<b>x" not in text
    assert "<script>alert" not in marketer.get("campaigns").text
    bad = marketer.post(f"campaigns/{campaign_id}/segment", {"c-0-0-kind": HOSTILE})
    assert bad.status_code == 200 and "<script>alert" not in bad.text


def test_roles_and_foreign_campaigns(
    shop: Any, signed_in: SignIn, open_shop: Callable[[], Any]
) -> None:
    marketer, manager, cashier = (signed_in(r) for r in ("marketer", "manager", "cashier"))
    campaign_id = begin(marketer)
    assert cashier.get("campaigns").status_code == 403
    assert manager.get(f"campaigns/{campaign_id}/edit").status_code == 403
    assert manager.get(f"campaigns/{campaign_id}/try").status_code == 200
    other = open_shop()
    with other.context.database.write(other.programme_id) as session:
        foreign = service.create(
            session, other.programme_id, "Foreign", {"content": {"message": {"en": "x"}}},
            by=None, now=other.context.clock(),
        ).id  # fmt: skip
    for page in ("", "/edit", "/try", "/live", "/result.csv"):
        assert marketer.get(f"campaigns/{foreign}{page}").status_code == 404, page
    for form in ("edit", "propose", "approve", "pause", "stop", "copy", "delete"):
        answer = marketer.post(f"campaigns/{foreign}/{form}", FORM)
        assert answer.status_code == 404, form
    with other.context.database.read(other.programme_id) as session:
        assert service.campaign_by_id(session, foreign).state == CampaignState.DRAFT


def test_a_second_person_and_a_list_and_who_read_names(shop: Any, signed_in: SignIn) -> None:
    owner, marketer = signed_in("owner"), signed_in("marketer")
    rules = {"needs_another": "yes", "quiet_from": "21:00", "quiet_to": "08:00", "per_week": "1"}
    assert owner.post("campaigns/rules", rules).status_code == 303
    campaign_id = begin(marketer)
    assert 'value="21:00"' in marketer.get(f"campaigns/{campaign_id}/edit").text
    card = shop.issue()
    file = {"file": (BytesIO(card.serial_number.encode()), "list.csv"), "list_name": "Fair"}
    answer = marketer.post(f"campaigns/{campaign_id}/list", file)
    assert answer.status_code == 303
    with shop.context.database.read(shop.programme_id) as session:
        made = session.query(UploadedList).one()
        assert (made.found, made.unknown) == (1, 0)
        assert session.query(MemberRead).count() == 0
    marketer.post(f"campaigns/{campaign_id}/propose", {})
    marketer.post(f"campaigns/{campaign_id}/approve", {})
    with shop.context.database.read(shop.programme_id) as session:
        assert service.campaign_by_id(session, campaign_id).state == CampaignState.PROPOSED
    owner.post(f"campaigns/{campaign_id}/approve", {})
    with shop.context.database.read(shop.programme_id) as session:
        assert service.campaign_by_id(session, campaign_id).state == CampaignState.SCHEDULED


def test_what_a_campaign_costs_stands_against_its_budget_before_it_goes_out(
    shop: Any, signed_in: SignIn
) -> None:
    named = {"names": {"en": "A slice of cake"}}
    with shop.context.database.write(shop.programme_id) as session:
        settings = {
            "point_value": "0.05",
            "coupons": [
                {"code": "five", "names": {"en": "5 off"}, "kind": "amount_off", "amount": "5.00"},
                {"code": "cake", **named},
            ],
            "rewards": [{"code": "mug", "names": {"en": "A mug"}, "points": 80}],
        }
        change_settings(session, shop.programme_id, settings, valid_from=shop.context.clock())
    shop.context.clock.advance(timedelta(seconds=1))
    marketer = signed_in("marketer")
    for _ in range(3):
        shop.issue()
    campaign_id = begin(marketer)

    def tried(**typed: str) -> str:
        marketer.post(f"campaigns/{campaign_id}/edit", FORM | typed | {"do": "try"})
        return marketer.words(f"campaigns/{campaign_id}/try?counted")

    page = tried(points="20", thing="coupon/five", thing_count="2", budget="25")
    assert "20 points €1.00 each, €3.00 for 3" in page
    assert "2 × Coupon: 5 off €10.00 each, €30.00 for 3" in page
    assert "Presents cost at most €22.00" in page and "€25.00: not enough" in page
    assert "The budget is enough for 2 of them: then it ends." in page
    page = tried(thing="gift/mug", thing_count="1", budget="25")
    assert "1 × Reward: A mug €4.00 each, €12.00 for 3" in page
    assert "€25.00: enough, €13.00 are left" in page
    page = tried(thing="coupon/cake", thing_count="1")
    assert "Nobody said what one costs you" in page and "none set" in page
    page = tried(thing="coupon/cake", thing_count="1", thing_cost="1.20")
    assert "€1.20 each, €3.60 for 3" in page
    assert "What it costs" not in tried(), "words alone cost nothing"
    # Whoever approves reads the same.
    tried(points="20")
    marketer.post(f"campaigns/{campaign_id}/propose", {})
    assert "€1.00 each, €3.00 for 3" in signed_in("owner").words(
        f"campaigns/{campaign_id}/try?counted"
    )


def test_whoever_approves_reads_who_it_goes_to(shop: Any, signed_in: SignIn) -> None:
    marketer = signed_in("marketer")
    campaign_id = begin(marketer)
    conditions = {
        "c-0-0-kind": "last_visit", "c-0-0-days_at_least": "60", "c-0-0-not": "on",
        "c-0-1-kind": "rfm", "c-0-1-classes": ["lost", "asleep"],
        "c-1-0-kind": "spend", "c-1-0-at_least": "12.50",
    }  # fmt: skip
    marketer.post(f"campaigns/{campaign_id}/edit", FORM | conditions | {"do": "try"})
    page = marketer.words(f"campaigns/{campaign_id}/try")
    assert "not (last visit: at least so many days ago 60) or kind of customer: " in page
    assert "asleep: long ago, seldom" in page and "lost: nothing for a year" in page
    assert "and spent in the last year: at least 12.5" in page
    marketer.post(f"campaigns/{campaign_id}/propose", {})
    assert "points on the card" not in signed_in("owner").words(f"campaigns/{campaign_id}/try")
