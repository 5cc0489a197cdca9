"""A segment counted by the database is the segment counted by hand, on both databases."""

import random
import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.campaigns import habits, lists, selecting
from app.campaigns.rfm import Bounds, class_of
from app.campaigns.segments import Condition, Group, Node, read_segment
from app.campaigns.selecting import Ground
from app.cards import service as cards
from app.clock import FixedClock
from app.errors import Invalid
from app.ledger.models import Account
from app.members.service import Contact
from passes.card import CardStatus
from tests.app.campaigns.conftest import Shop

TIERS = ("silver", "gold", None)


@pytest.fixture
def people(shop: Shop, clock: FixedClock) -> dict[str, dict[str, Any]]:
    """Forty accounts of all kinds, and what is so of each."""
    chance = random.Random(7)
    now, known = clock(), {}
    for number in range(40):
        joined = now - timedelta(days=chance.choice((1, 30, 100, 400)))
        birthday = f"{now + timedelta(days=chance.randrange(30)):%m-%d}"
        card = shop.member(
            Contact(email=f"p{number}@example.com", birthday=birthday),
            joined=joined,
            phone=False,
            language=chance.choice(("en", "lv")),
        )
        visits = []
        for _ in range(chance.choice((0, 0, 1, 2, 6, 12))):
            day = chance.choice((2, 10, 45, 100, 200, 380))
            if now - timedelta(days=day) > joined:
                place = chance.choice(("old-town", "station"))
                points = chance.randrange(1, 60)
                at = now - timedelta(days=day)
                shop.buy(card, points, at=at, place=place, expires_at=at + timedelta(days=410))
                visits.append((day, place, points))
        tier = chance.choice(TIERS)
        status = CardStatus.BLOCKED if number % 13 == 5 else CardStatus.ACTIVE
        with shop.context.database.write(shop.programme_id) as session:
            session.execute(update(Account).where(Account.id == card.account_id).values(tier=tier))
            if status != CardStatus.ACTIVE:
                cards.set_status(session, card.id, status, now=now)
        known[card.account_id] = {
            "tier": tier, "visits": visits, "joined": joined, "birthday": birthday,
            "language": card.language, "works": status == CardStatus.ACTIVE,
        }  # fmt: skip
    shop.know()
    return known


def by_hand(shop: Shop, person: dict[str, Any], node: Node, bounds: Bounds, today: date) -> bool:
    if isinstance(node, Group):
        parts = [by_hand(shop, person, each, bounds, today) for each in node.of]
        if node.how == "not":
            return not parts[0]
        return any(parts) if node.how == "any" else all(parts)
    return _is(person, node, bounds, today)


def _is(person: dict[str, Any], each: Condition, bounds: Bounds, today: date) -> bool:
    visits = person["visits"]
    last = min((day for day, _, _ in visits), default=None)
    year = [visit for visit in visits if visit[0] < 365]
    spend = sum(points for _, _, points in year) * 100
    joined_days = (today - person["joined"].date()).days
    values = each.values
    match each.kind:
        case "tier":
            return (person["tier"] or "none") in values["tiers"]
        case "last_visit":
            away = joined_days if last is None else last
            least, most = values.get("days_at_least"), values.get("days_at_most")
            return (least is None or away >= least) and (
                most is None or (last is not None and last <= most)
            )
        case "visits":
            return _between(len(year), values)
        case "spend":
            return _between(spend, values)
        case "balance":
            return _between(sum(points for _, _, points in visits), values)
        case "language":
            return person["language"] in values["languages"]
        case "joined":
            return not ("from" in values and person["joined"].date() < values["from"]) and not (
                "to" in values and person["joined"].date() > values["to"]
            )
        case "birthday":
            ahead = [today + timedelta(days=n) for n in range(values["within_days"] + 1)]
            return person["birthday"] in {f"{day:%m-%d}" for day in ahead}
        case "expiring":
            ending = [p for day, _, p in visits if 0 < 410 - day <= values["within_days"]]
            return sum(ending) >= values.get("at_least", 1)
        case "rfm":
            return class_of(last, len(year), spend, bounds) in values["classes"]
        case _:
            places = [place for _, place, _ in year]
            most = min(set(places), key=lambda p: (-places.count(p), _id(p)), default=None)
            return most in values["locations"]


_places: dict[str, str] = {}


def _id(place: str) -> str:
    return _places[place]


def _between(number: int, values: Any) -> bool:
    return values.get("at_least", 0) <= number <= values.get("at_most", 10**12)


def _segments(today: date) -> list[dict[str, Any]]:
    leaves: list[dict[str, Any]] = [
        {"is": "tier", "tiers": ["gold", "none"]},
        {"is": "tier", "tiers": ["silver"]},
        {"is": "last_visit", "days_at_least": 60},
        {"is": "last_visit", "days_at_most": 45},
        {"is": "visits", "at_least": 2},
        {"is": "spend", "at_least": 2000, "at_most": 20000},
        {"is": "balance", "at_most": 40},
        {"is": "language", "languages": ["lv"]},
        {"is": "joined", "from": f"{today - timedelta(days=100)}"},
        {"is": "birthday", "within_days": 7},
        {"is": "expiring", "within_days": 40, "at_least": 10},
        {"is": "rfm", "classes": ["champions", "loyal"]},
        {"is": "rfm", "classes": ["lost", "asleep", "at_risk"]},
        {"is": "location", "locations": ["old-town"]},
    ]
    chance = random.Random(3)
    mixed: list[dict[str, Any]] = [{"all": []}, {"any": []}]
    for _ in range(40):
        a, b, c = (chance.choice(leaves) for _ in range(3))
        mixed.append({"all": [a, {"not": b}, {"any": [c, {"not": {"all": [a, b]}}]}]})
        mixed.append({"any": [a, {"all": [b, {"not": c}]}]})
    return leaves + mixed


def test_a_segment_is_whom_it_says(
    shop: Shop, people: dict[str, dict[str, Any]], clock: FixedClock
) -> None:
    _places.update(shop.places)
    with shop.context.database.read(shop.programme_id) as session:
        ground = Ground.of(session, shop.context.keys, shop.programme_id, clock())
        progress = habits.progress_of(session, shop.programme_id)
        assert progress is not None and progress.is_whole
        bounds = Bounds.read(progress.bounds)
        sizes = set()
        for said in _segments(ground.today):
            node = read_segment(said)
            wanted = sorted(
                account_id
                for account_id, person in people.items()
                if person["works"] and by_hand(shop, person, node, bounds, ground.today)
            )
            found = selecting.page(ground, node, after=selecting.FIRST, limit=100)
            assert found == wanted, said
            assert selecting.count(ground, node) == len(wanted)
            assert set(selecting.sample(ground, node)) <= set(wanted)
            assert len(selecting.sample(ground, node)) == min(10, len(wanted))
            sizes.add(len(wanted))
    assert len(sizes) > 10, "segments of many sizes were tried"


def test_new_visits_are_known_without_counting_everybody(shop: Shop, clock: FixedClock) -> None:
    card, other = shop.member(), shop.member()
    shop.know()
    node = read_segment({"is": "visits", "at_least": 1})
    shop.buy(card)
    shop.know()
    with shop.context.database.read(shop.programme_id) as session:
        ground = Ground.of(session, shop.context.keys, shop.programme_id, clock())
        assert selecting.page(ground, node, after=selecting.FIRST, limit=9) == [card.account_id]
        assert selecting.those_of(ground, node, [card.account_id, other.account_id]) == [
            card.account_id
        ]


def test_a_list_is_found_by_card_contact_and_number_and_keeps_none_of_them(
    shop: Shop, clock: FixedClock
) -> None:
    by_card, by_mail = shop.member(), shop.member(Contact(email="ada@example.com"))
    by_phone = shop.member(Contact(phone="+37126123456"))
    by_number = shop.member(Contact(number="K-17"))
    stranger = uuid.uuid4().hex
    lines = f"{by_card.serial_number}\nADA@example.com;Ada\n+371 26 123 456\nK-17\n{stranger}\n"
    with shop.context.database.write(shop.programme_id) as session:
        made = lists.upload(session, shop.context.keys, "Fair", lines.encode(), now=clock())
        assert (made.found, made.unknown) == (4, 1)
        node = read_segment({"is": "list", "list": made.id})
        ground = Ground.of(session, shop.context.keys, shop.programme_id, clock())
        wanted = sorted(each.account_id for each in (by_card, by_mail, by_phone, by_number))
        assert sorted(selecting.page(ground, node, after=selecting.FIRST, limit=9)) == wanted
        with pytest.raises(Invalid, match="UTF-8"):
            lists.upload(session, shop.context.keys, "x", b"\xff\xfe\x00", now=clock())
        with pytest.raises(Invalid, match="nobody"):
            lists.upload(session, shop.context.keys, "x", b"\n\n", now=clock())
