"""What a campaign may say: read strictly, kept as it was read, refused in words."""

from typing import Any

import pytest

from app.campaigns.choosing import draw, gift_id, is_held_out
from app.campaigns.plans import plan_as_json, read_plan
from app.campaigns.rfm import CLASSES, Bounds, class_of
from app.campaigns.segments import as_json, read_segment
from app.cards.news_text import shown
from app.programmes.fields import Wrong

WHOLE: dict[str, Any] = {
    "segment": {
        "all": [
            {"is": "last_visit", "days_at_least": 60},
            {"not": {"is": "tier", "tiers": ["gold"]}},
            {"any": [{"is": "joined", "from": "2026-01-01"}, {"is": "rfm", "classes": ["lost"]}]},
        ]
    },
    "content": {
        "message": {"en": "Come back, {name}!", "lv": "Nāc atpakaļ!"},
        "article": {"en": ["Title", "Text with {points}."]},
        "points": 20,
        "points_last_days": 30,
        "gives": {"coupon": {"cake": 1}},
        "thing_cost_minor": 150,
        "email": True,
    },
    "when": {"kind": "repeating", "every_days": 7, "time": "10:00", "first": "2026-06-01"},
    "limits": {
        "quiet_from": "20:00",
        "quiet_to": "09:00",
        "hold_out_percent": 10,
        "per_week": 2,
        "per_minute": 600,
        "budget_minor": 50000,
    },
    "measure_days": 14,
}


def test_a_plan_is_kept_as_it_was_read() -> None:
    plan = read_plan(WHOLE)
    assert plan_as_json(plan) == WHOLE
    assert read_plan(plan_as_json(plan)) == plan
    assert as_json(read_segment(WHOLE["segment"])) == WHOLE["segment"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"content": {}}, "message"),
        ({"content": {"message": {"en": "x" * 171}}}, "170"),
        ({"content": {"message": {"en": "{surname}"}}}, "surname"),
        ({"content": {"message": {"fr": "Bonjour"}}}, "language"),
        ({"content": {"message": {"en": "a\u0000b"}}}, "cannot be shown"),
        ({"segment": {"is": "shoe_size"}}, "shoe_size"),
        ({"segment": {"is": "tier"}}, "tiers"),
        ({"segment": {"is": "balance", "at_least": 5, "at_most": 4}}, "nobody"),
        ({"segment": {"is": "balance", "at_least": "5; DROP TABLE"}}, "whole number"),
        ({"segment": {"all": {}}}, "list"),
        ({"segment": {"not": [{"is": "tier"}]}}, "segment"),
        ({"when": {"kind": "sometimes"}}, "Choose"),
        ({"when": {"kind": "at", "at": "2026-05-17T10:00"}}, "zone"),
        ({"when": {"kind": "event", "event": "lapsed"}}, "days"),
        ({"limits": {"quiet_from": "20:00"}}, "quiet"),
        ({"limits": {"quiet_from": "25:00", "quiet_to": "09:00"}}, "20:00"),
        ({"limits": {"hold_out_percent": 51}}, "50"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(change: dict[str, Any], said: str) -> None:
    with pytest.raises(Wrong, match=said):
        read_plan(WHOLE | change)


def test_a_segment_cannot_be_deeper_or_longer_than_can_be_read() -> None:
    deep: dict[str, Any] = {"is": "balance", "at_least": 1}
    for _ in range(6):
        deep = {"not": deep}
    with pytest.raises(Wrong, match="deep"):
        read_segment(deep)
    with pytest.raises(Wrong, match="40"):
        read_segment({"all": [{"all": [{"is": "balance", "at_least": 1}] * 21}] * 2})


def test_the_draw_is_even_and_anybody_can_recompute_it() -> None:
    seed = "5eed" * 8
    drawn = [draw(seed, f"account {number}") for number in range(20_000)]
    assert drawn == [draw(seed, f"account {number}") for number in range(20_000)]
    held_out = sum(is_held_out(each, 10) for each in drawn)
    assert 1830 < held_out < 2170, "four standard errors around 2,000"
    assert sum(is_held_out(each, 0) for each in drawn) == 0
    other = [draw("0" * 32, f"account {number}") for number in range(20_000)]
    both = sum(is_held_out(a, 10) and is_held_out(b, 10) for a, b in zip(drawn, other, strict=True))
    assert 140 < both < 260, "another campaign holds out others"
    assert gift_id("c", "a", "", "points") == gift_id("c", "a", "", "points")
    assert len({gift_id("c", "a", o, w) for o in ("", "x") for w in ("points", "things")}) == 4


def test_everybody_is_in_one_class() -> None:
    bounds = Bounds()
    found = {
        class_of(days, visits, spend, bounds)
        for days in (None, 1, 20, 45, 90, 200)
        for visits in (0, 1, 3, 9)
        for spend in (0, 3000, 20000)
    }
    assert found == set(CLASSES)
    assert class_of(3, 12, 50_000, bounds) == "champions"
    assert class_of(90, 12, 50_000, bounds) == "at_risk"
    assert class_of(None, 0, 0, bounds) == "lost"


def test_a_text_calls_by_name_whom_it_can() -> None:
    content = '{"message": {"en": "{name}, your {points} beans wait.", "lv": "Sveiki!"}}'
    facts = {"points": 30}
    named = shown(content, facts, language="en", member_name="Ada {points}")
    assert named.message == "Ada {points}, your 30 beans wait.", "a name is not filled in again"
    assert shown(content, facts, language="de", member_name=None).message == "Your 30 beans wait."
    assert shown(content, facts, language="lv", member_name="Ada").message == "Sveiki!"
    again = shown(content, {"again": 1}, language="lv", member_name=None).message
    assert again != "Sveiki!" and again.strip("\u2060") == "Sveiki!"
