"""Finding members and reading their page: who sees what."""

import csv
import io
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from app.clock import FixedClock
from app.members.models import MemberRead
from app.web.staff.members import finding
from tests.app.office import noted


def test_a_member_is_found_in_one_box_and_each_look_is_on_record(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    join("Anna Bērziņa", "anna@example.com")
    manager = signed_in("manager", name="Mara")
    for text in ("ozola", "liga@example.com", "+37126123456", card.id, card.code):
        page = manager.post("members/find", {"q": text})
        assert page.status_code == 200
        assert "Līga Ozola" in page.text, text
    assert "Nobody was found" in manager.get("members?q=ozo").text
    assert "Anna" not in manager.get("members?q=ozola").text
    with shop.context.database.read(shop.programme_id) as session:
        reads = session.scalars(
            select(MemberRead).where(MemberRead.member_id == card.member_id)
        ).all()
    assert {(each.reader, each.purpose) for each in reads} == {("Mara", "list")}
    assert len(reads) == 6
    manager.get(f"members/{card.id}")
    assert "Who looked at this data" in signed_in("auditor").get(f"members/{card.id}").text


def test_what_is_found_comes_in_parts(
    shop: Any, signed_in: Any, join: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PAGE", 1)
    expected = []
    for number in range(3):
        shop.context.clock.advance(timedelta(minutes=1))
        expected.append(join(f"Number{number} Ozola", f"n{number}@example.com").id)
    manager = signed_in("manager")
    for form in ({"q": "ozola"}, {"q": ""}):
        seen, after = [], ""
        while True:
            page = manager.post("members/find", form | {"after": after}).text
            seen += re.findall(r'href="[^"]+/members/([0-9a-f]{16})"', page)
            more = re.search(r'name="after" value="([^"]+)"><button class="btn">More', page)
            more = more or re.search(r'after=([^"&]+)">More', page)
            if more is None:
                break
            after = unquote(more[1])
            assert "ozola" not in re.sub(r'value="[^"]*"', "", page).lower().split("more")[1]
        assert seen == expected[::-1], form


def test_contacts_are_masked_for_cashiers_and_auditors(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    for role in ("cashier", "auditor"):
        colleague = signed_in(role)
        for path in ("members", "members?q=ozola", f"members/{card.id}"):
            page = colleague.get(path).text
            assert "liga@example.com" not in page
            assert "26123456" not in page
            assert "l•••@e•••.com" in page
        assert colleague.get("members/export.csv").status_code == 403
        assert colleague.post("members/export.csv", {"q": "ozola"}).status_code == 403
    for role in ("owner", "marketer", "manager"):
        assert "liga@example.com" in signed_in(role).get(f"members/{card.id}").text


def test_a_file_of_members_holds_no_formula_and_is_on_record(
    shop: Any, signed_in: Any, join: Any
) -> None:
    join("=cmd()|' /C calc'!A0", "liga@example.com")
    owner = signed_in("owner")
    assert owner.get("members/export.csv").status_code == 200
    answer = owner.post("members/export.csv", {"q": "liga@example.com"})
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[1][1] == "'=cmd()|' /C calc'!A0"
    assert rows[1][3] == "'+37126123456"
    assert "members.file" in noted(shop)


def test_the_page_tells_what_happened_in_the_reader_s_language(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    shop.ask("POST", "/presentations", {"code": card.code})
    shop.accrue(card, 1250)
    manager = signed_in("manager")
    said = manager.words(f"members/{card.id}")
    assert "Points for a receipt" in said
    assert "€12.50" in said
    assert "Card read" in said
    assert "Anna" in said
    german = manager.words(f"members/{card.id}?lang=de")
    assert "Karte gelesen" in german


def test_a_long_history_is_told_in_parts_without_a_gap(
    shop: Any, signed_in: Any, join: Any, clock: FixedClock
) -> None:
    card = join()
    for amount in range(1, 90):
        clock.advance(timedelta(seconds=30))
        assert shop.accrue(card, amount * 100).status_code == 201
    manager = signed_in("manager")
    seen: list[str] = []
    page = manager.get(f"members/{card.id}").text
    while True:
        seen += re.findall(r"<p>(€[\d.]+)</p>", page)
        further = re.search(r'hx-get="([^"]+)"', page)
        if further is None:
            break
        address = further[1].replace("&#43;", "+").replace("&amp;", "&")
        page = manager.get(address, headers={"HX-Request": "true"}).text
        assert "<html" not in page
    assert seen == [f"€{amount}.00" for amount in range(89, 0, -1)]
