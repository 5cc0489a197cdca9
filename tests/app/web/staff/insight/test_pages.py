"""The pages of insight: findings with their figures, tables and files."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.db import enter
from app.insight import folding
from app.languages import LANGUAGES
from app.ledger.models import Account, TierChange
from app.programmes.service import add_location
from app.web.staff.insight import FINDINGS, TOPICS
from tests.app.office import Colleague, sign_in

SignIn = Callable[..., Colleague]
DAY = timedelta(days=1)


def follow(shop: Any) -> None:
    for _ in range(3):
        while True:
            with shop.context.database.write_all() as session:
                if not folding.step(session, shop.context.clock()):
                    break


@pytest.fixture
def busy(shop: Any, clock: FixedClock) -> Any:
    """Three members over two months: one comes twice this month, one once, one only before."""
    cards = [shop.issue(source="old-town") for _ in range(3)]
    assert shop.accrue(cards[2], 5000).status_code == 201
    clock.advance(40 * DAY)
    shop.session = shop.sign_in()
    first = shop.accrue(cards[0], 1000)
    assert first.status_code == 201, first.json
    assert shop.accrue(cards[1], 2000).status_code == 201
    clock.advance(3 * DAY)
    shop.session = shop.sign_in()
    assert shop.accrue(cards[0], 1500).status_code == 201
    back = shop.accrue(cards[1], 900)
    returned = shop.ask("POST", "/reversals", shop.posting(posting_id=back.json["posting_id"]))
    assert returned.status_code == 201, returned.json
    clock.advance(timedelta(minutes=11))
    follow(shop)
    return shop


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_figures_are_those_of_the_period_beside_those_before(
    busy: Any, signed_in: SignIn
) -> None:
    words = signed_in("owner").words("insight?period=30-days")
    for said in (
        "Members 3 ",
        "Members who came 2 ▲ before: 1 (+100",
        "Repeat rate 50.0",
        "Repeat rate, unasked 50.0",
        "Visits 3 ▲ before: 1 (+200",
        "Average receipt €15.00 ▼ before: €50.00 (−70",
        "There were more visits than before",
        "Members spent less than before",
        "Too few came to tell whether more of them come again",
        "Of the members, 66.7 % came",
    ):
        assert said in words, (said, words)


def test_every_finding_has_a_chart_a_sentence_a_table_and_a_file_of_the_same_numbers(
    busy: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    seen = set()
    for topic in TOPICS:
        page = owner.get(f"insight/{topic}?period=90-days").text
        for name in re.findall(r'href="[^"]*/insight/(\w+)\.csv\?', page):
            seen.add(name)
            answer = owner.get(f"insight/{name}.csv?period=90-days")
            assert answer.status_code == 200
            assert answer.mimetype == "text/csv"
            header, *body = rows(answer.text)
            drawn = re.search(rf'id="chart-{name}">(.*?)</script>', page)
            assert drawn is not None
            assert json.loads(drawn[1])["series"]
            table = re.search(rf'<table[^>]*id="{name}".*?</table>', page, re.DOTALL)
            assert table is not None
            assert re.findall(r"<th [^>]*>(.*?)</th>", table[0]) == header
            values = re.findall(r'<td data-value="([^"]*)"', table[0])
            assert values == [cell for row in body for cell in row]
    # Nobody has a tier here: that is said, and there is nothing to draw.
    assert seen == set(FINDINGS) - {"moves"}


def test_money_is_taken_away_in_whole_units_and_adds_up(busy: Any, signed_in: SignIn) -> None:
    _, *body = rows(signed_in("auditor").get("insight/spend.csv?period=30-days").text)
    assert sum(float(row[1]) for row in body) == 45.0
    assert sum(int(row[2]) for row in body) == 3
    _, *body = rows(signed_in("marketer").get("insight/outstanding.csv?period=30-days").text)
    with busy.context.database.read(busy.programme_id) as session:
        balance = session.scalar(select(func.sum(Account.balance)))
    assert int(body[-1][1]) == balance


@pytest.mark.parametrize(
    ("question", "days", "is_understood"),
    [
        ("period=last-month", ("1 Jun 2026", "30 Jun 2026"), True),
        ("from=2026-06-01&to=2026-06-01", ("1 Jun 2026", "31 May 2026"), True),
        ("period=for-ever", ("15 Jun 2026", "14 Jul 2026"), False),
        ("from=2026-06-01&to=2026-05-01", ("15 Jun 2026", "14 Jul 2026"), False),
        ("from=1&to=9999-12-31", ("15 Jun 2026", "14 Jul 2026"), False),
        ("from=0001-01-01&to=2026-05-01", ("15 Jun 2026", "14 Jul 2026"), False),
        ("location=old-town&period=7-days", ("8 Jul 2026", "14 Jul 2026"), True),
        ("location=%3Cscript%3E", ("15 Jun 2026", "14 Jul 2026"), False),
    ],
)
def test_any_period_can_be_asked_for_and_nonsense_is_said_to_be_so(
    busy: Any, signed_in: SignIn, question: str, days: tuple[str, str], is_understood: bool
) -> None:
    owner = signed_in("owner")
    for topic in TOPICS if question.startswith("from") else ("visits",):
        words = owner.words(f"insight/{topic}?{question}")
        assert all(day in words for day in days), words
        assert ("could not be understood" in words) != is_understood
        assert "<script>" not in words


def test_a_location_has_figures_of_its_own(busy: Any, signed_in: SignIn, clock: FixedClock) -> None:
    with busy.context.database.write_all() as session:
        enter(session, busy.programme_id)
        add_location(session, busy.programme_id, slug="harbour", name="=HARBOUR()", now=clock.now)
    owner = signed_in("manager")
    here = owner.words("insight?period=30-days&location=old-town")
    assert "Visits 3" in here and "Repeat rate, unasked" not in here
    assert "Nobody came in this time" in owner.words("insight?period=30-days&location=harbour")
    page = owner.words("insight/locations?period=30-days")
    assert "Old Town has 100 % of the visits" in page
    _, first, other = rows(owner.get("insight/locations.csv?period=30-days").text)
    assert first[:6] == ["Old Town", "3", "1", "2", "0", "45.00"]
    # A spreadsheet would run it.
    assert other[:2] == ["'=HARBOUR()", "0"]


def test_the_pages_speak_four_languages(busy: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    said = {}
    for language in LANGUAGES:
        owner.post("account/language", {"language": language})
        said[language] = [owner.words(f"insight/{topic}?period=90-days") for topic in TOPICS]
    assert "Besuche" in said["de"][0] and "Apmeklējumi" in said["lv"][0]
    assert "Визиты" in said["ru"][0]


def test_while_a_history_is_counted_the_page_says_so(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    assert "not complete yet" in owner.words("insight")
    for topic in TOPICS:
        owner.words(f"insight/{topic}")
    follow(shop)
    words = owner.words("insight")
    assert "not complete yet" not in words and "Counted up to" in words


def test_another_programme_s_figures_are_no_part_of_it(
    busy: Any, open_shop: Callable[[], Any], context: Any, client: Any
) -> None:
    other = open_shop()
    stranger = sign_in(context, client, other.slug, other.programme_id, "owner")
    follow(other)
    assert "Members 0" in stranger.words("insight?period=90-days")
    assert stranger.get(f"/staff/{busy.slug}/insight").status_code == 303


def test_tiers_show_who_moved_and_how_many_have_each(
    shop: Any, signed_in: SignIn, clock: FixedClock
) -> None:
    cards = [shop.issue() for _ in range(3)]

    def move(card: Any, of: str | None, to: str | None) -> None:
        with shop.context.database.write(shop.programme_id) as session:
            session.add(
                TierChange(
                    account_id=card.account_id,
                    from_tier=of,
                    to_tier=to,
                    reason="earned",
                    counted=0,
                    effective_from=clock.now,
                    recorded_at=clock.now,
                    actor_kind="system",
                )
            )

    move(cards[0], None, "a-silver")
    move(cards[1], None, "b-gold")
    clock.advance(40 * DAY)
    move(cards[0], "a-silver", "b-gold")
    move(cards[1], "b-gold", "a-silver")
    move(cards[2], None, "a-silver")
    clock.advance(timedelta(minutes=11))
    follow(shop)
    owner = signed_in("owner")
    words = owner.words("insight/tiers?period=7-days")
    assert "Of the members, 100.0 % have a tier" in words
    assert "2 rose to a higher tier, 1 fell to a lower one" in words
    _, *body = rows(owner.get("insight/tiers.csv?period=7-days").text)
    assert body == [
        ["no tier", "1", "0", "-1"],
        ["a-silver", "1", "2", "1"],
        ["b-gold", "1", "1", "0"],
    ]
    _, *body = rows(owner.get("insight/moves.csv?period=7-days").text)
    assert sorted(body) == [
        ["a-silver", "b-gold", "1"],
        ["b-gold", "a-silver", "1"],
        ["no tier", "a-silver", "1"],
    ]
