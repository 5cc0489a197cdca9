"""The members' pages: who sees what, what one may do alone, and what takes two."""

import csv
import io
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from sqlalchemy import select

from app.audit import AuditEntry
from app.clock import FixedClock
from app.ledger.models import Entry, EntryKind
from app.members.models import Consent, Member, MemberRead
from app.members.service import add_member, contact_of, read_contact
from app.programmes.service import change_settings
from app.web.staff.members import finding
from tests.app.office import Colleague

XSS = "<script>alert(1)</script>"


@pytest.fixture
def join(shop: Any) -> Callable[..., Any]:
    """A card of somebody with a name."""

    def make(name: str = "Līga Ozola", email: str = "liga@example.com", of: Any = None) -> Any:
        where = of or shop
        with where.context.database.write(where.programme_id) as session:
            member = add_member(
                session,
                where.context.keys,
                where.programme_id,
                read_contact(name, email, "+371 26123456"),
                language="lv",
                consents=frozenset({"messages"}),
                now=where.context.clock(),
            )
        return where.issue(member_id=member.id)

    return make


def noted(shop: Any) -> list[str]:
    with shop.context.database.read(shop.programme_id) as session:
        return [each.action for each in session.scalars(select(AuditEntry))]


def deed(**more: Any) -> dict[str, Any]:
    return {"deed_id": str(uuid.uuid4()), "reason": "Forgotten receipts", **more}


def balance(shop: Any, card: Any) -> int:
    return int(shop.balance(card))


# --- finding and reading ----------------------------------------------------------------------


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


# --- changes of one person --------------------------------------------------------------------


def test_what_the_member_asks_for_is_changed_and_recorded(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    told = {"name": "Līga Kalniņa", "email": "new@example.com", "phone": "", "language": "en"}
    assert manager.post(f"members/{card.id}/contact", told).status_code == 303
    assert manager.post(f"members/{card.id}/consents", {}).status_code == 303
    note = {"text": "Prefers oat milk"}
    assert manager.post(f"members/{card.id}/note", note).status_code == 303
    vip = {"vip": "yes", "note": "Say hello"}
    assert manager.post(f"members/{card.id}/counter", vip).status_code == 303
    said = manager.words(f"members/{card.id}")
    for words in ("Līga Kalniņa", "new@example.com", "no consent", "oat milk", "Say hello", "VIP"):
        assert words in said
    with shop.context.database.read(shop.programme_id) as session:
        assert contact_of(session, shop.context.keys, card.member_id).phone is None
        assert session.scalars(select(Consent)).one().withdrawn_at is not None
    assert noted(shop) == ["member.contact", "member.consents", "member.note", "member.counter"]
    page = manager.get(f"members/{card.id}").text
    [remove] = re.findall(r'action="([^"]+/remove)"', page)
    assert manager.post(remove).status_code == 303
    assert "oat milk" not in manager.get(f"members/{card.id}").text


def test_a_wrong_field_is_named_beside_its_input_and_what_was_typed_stays(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    answer = manager.post(f"members/{card.id}/contact", {"name": "Eva", "email": "no", "phone": ""})
    assert answer.status_code == 422
    assert "does not look like an e-mail address" in answer.text
    assert 'value="Eva"' in answer.text
    for points in ("", "0", "1.5", "x", "9" * 30, "１２"):
        answer = manager.post(f"members/{card.id}/adjust", deed(points=points))
        assert answer.status_code == 422, points
    assert manager.post(f"members/{card.id}/note", {"text": " "}).status_code == 422
    assert noted(shop) == []


def test_a_card_without_a_member_gets_one_with_its_first_note(shop: Any, signed_in: Any) -> None:
    card = shop.issue()
    manager = signed_in("manager")
    assert manager.post(f"members/{card.id}/note", {"text": "Has a dog"}).status_code == 303
    assert "Has a dog" in manager.get(f"members/{card.id}").text
    with shop.context.database.read(shop.programme_id) as session:
        assert len(session.scalars(select(Member)).all()) == 1


def test_a_card_is_blocked_accepted_again_and_replaced(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    assert manager.post(f"members/{card.id}/block", {"reason": "Lost"}).status_code == 303
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    assert seen["outcome"] == "blocked"
    assert manager.post(f"members/{card.id}/unblock").status_code == 303
    answer = manager.post(f"members/{card.id}/replace", {"reason": "New phone"})
    assert answer.status_code == 200
    [link] = re.findall(r"http://127\.0\.0\.1:8000(/card/[0-9a-f]+)", answer.text)
    assert shop.client.get(link).status_code == 200
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    assert seen["outcome"] == "replaced"
    again = manager.post(f"members/{card.id}/replace", {"reason": "New phone"})
    assert again.status_code == 409
    assert "took its place" in manager.get(f"members/{card.id}").text
    assert noted(shop) == ["card.blocked", "card.active", "card.replace"]


# --- two people -------------------------------------------------------------------------------


def test_a_small_adjustment_is_one_person_s_and_is_made_once(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    signed_in("owner")
    manager = signed_in("manager")
    form = deed(points="+999")
    for _ in range(2):
        assert manager.post(f"members/{card.id}/adjust", form).status_code == 303
    assert balance(shop, card) == 999
    other = manager.post(f"members/{card.id}/adjust", form | {"points": "5"})
    assert other.status_code == 409
    taken = manager.post(f"members/{card.id}/adjust", deed(points="\u2212 1 000"))
    assert taken.status_code == 303, "asks for a second person"
    assert manager.post(f"members/{card.id}/adjust", deed(points="-999")).status_code == 303
    assert balance(shop, card) == 0
    refused = manager.post(f"members/{card.id}/adjust", deed(points="-1"))
    assert refused.status_code == 409 and "This member has 0 points to take." in refused.text
    with shop.context.database.read(shop.programme_id) as session:
        entries = session.scalars(select(Entry).order_by(Entry.sequence)).all()
        assert [each.points for each in entries] == [999, -999]
        assert {each.actor_id for each in entries} == {manager.person.id}
        assert {each.reason for each in entries} == {"Forgotten receipts"}


def test_a_large_adjustment_waits_for_another_and_is_made_once(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    form = deed(points="5000")
    for _ in range(2):
        assert manager.post(f"members/{card.id}/adjust", form).status_code == 303
    assert balance(shop, card) == 0
    assert "1 change waits for a second person" in owner.words("today")
    assert "+5,000" in owner.words("members/approvals")
    decision = f"members/approvals/{form['deed_id']}"
    assert manager.post(decision, {"decision": "approve"}).status_code == 403
    for role in ("cashier", "marketer", "auditor"):
        assert signed_in(role).post(decision, {"decision": "approve"}).status_code == 403
    assert owner.post(decision, {"decision": "approve"}).status_code == 303
    assert balance(shop, card) == 5000
    assert owner.post(decision, {"decision": "approve"}).status_code == 409
    assert balance(shop, card) == 5000
    with shop.context.database.read(shop.programme_id) as session:
        entry = session.scalars(select(Entry)).one()
        assert (entry.kind, entry.actor_id) == (EntryKind.ADJUSTMENT, manager.person.id)
    assert "A second person agreed" in owner.words(f"members/{card.id}")
    assert noted(shop) == ["member.adjustment.ask", "member.adjustment.approve"]


def test_what_is_refused_changes_nothing_and_may_be_asked_for_anew(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    for decider in (owner, manager):
        form = deed(points="5000")
        manager.post(f"members/{card.id}/adjust", form)
        answer = decider.post(f"members/approvals/{form['deed_id']}", {"decision": "refuse"})
        assert answer.status_code == 303
    assert balance(shop, card) == 0
    assert "Nothing waits" in owner.words("members/approvals")


def test_the_programme_says_from_how_many_points_on_it_takes_two(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    signed_in("owner")
    with shop.context.database.write(shop.programme_id) as session:
        now = shop.context.clock()
        change_settings(session, shop.programme_id, {"adjust_alone_below": 10}, valid_from=now)
    manager.post(f"members/{card.id}/adjust", deed(points="10"))
    assert balance(shop, card) == 0
    manager.post(f"members/{card.id}/adjust", deed(points="9"))
    assert balance(shop, card) == 9


def test_an_approval_that_cannot_be_done_waits_on(shop: Any, signed_in: Any, join: Any) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    form = deed(points="-5000")
    manager.post(f"members/{card.id}/adjust", form)
    answer = owner.post(f"members/approvals/{form['deed_id']}", {"decision": "approve"})
    assert answer.status_code == 409
    assert "1 change waits" in owner.words("today")


def merged(shop: Any, manager: Colleague, owner: Colleague, stays: Any, goes: Any) -> str:
    page = manager.get(f"members/{stays.id}/merge?with={goes.id}")
    assert page.status_code == 200
    form = deed(**{"with": goes.id})
    assert manager.post(f"members/{stays.id}/merge", form).status_code == 303
    decision = {"decision": "approve"}
    assert owner.post(f"members/approvals/{form['deed_id']}", decision).status_code == 303
    return str(form["deed_id"])


def test_a_merge_is_shown_first_takes_two_and_can_be_undone(
    shop: Any, signed_in: Any, join: Any
) -> None:
    stays, goes = join(), join("Liga Ozola", "other@example.com")
    shop.accrue(stays, 5000)
    shop.accrue(goes, 2000)
    manager, owner = signed_in("manager"), signed_in("owner")
    assert goes.id in manager.get(f"members/{stays.id}/merge?q=ozola").text
    said = manager.words(f"members/{stays.id}/merge?with={goes.id}")
    assert "70 points" in said
    merge_id = merged(shop, manager, owner, stays, goes)
    assert balance(shop, stays) == 70
    said = manager.words(f"members/{goes.id}")
    assert "From a merged account" in said
    form = {"deed_id": str(uuid.uuid4()), "merge_id": merge_id}
    for _ in range(2):
        assert manager.post(f"members/{stays.id}/unmerge", form).status_code == 303
    assert (balance(shop, stays), balance(shop, goes)) == (50, 20)
    assert noted(shop) == ["member.merge.ask", "member.merge.approve", "member.unmerge"]
    with shop.context.database.read(shop.programme_id) as session:
        purposes = session.scalars(select(MemberRead.purpose)).all()
    assert "merge" in purposes


def test_forgetting_takes_two_and_leaves_the_entries_alone(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    shop.accrue(card, 5000)
    manager, owner = signed_in("manager"), signed_in("owner")
    manager.post(f"members/{card.id}/note", {"text": "Prefers oat milk"})
    assert "50 points" in manager.words(f"members/{card.id}/erase")
    form = deed()
    assert manager.post(f"members/{card.id}/erase", form).status_code == 303
    assert "Līga Ozola" in manager.words(f"members/{card.id}")
    owner.post(f"members/approvals/{form['deed_id']}", {"decision": "approve"})
    said = manager.words(f"members/{card.id}")
    assert "Somebody who is forgotten" in said
    assert "Points for a receipt" in said
    for words in ("Līga", "oat milk", "liga@"):
        assert words not in said
    assert "Nobody was found" in manager.words("members?q=ozola")
    with shop.context.database.read(shop.programme_id) as session:
        assert session.scalars(select(Member)).all() == []
        assert len(session.scalars(select(Entry)).all()) == 1


def test_a_shop_of_one_person_asks_nobody_and_the_log_says_so(
    shop: Any, signed_in: Any, join: Any
) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        from app.staff.service import leave

        leave(session, "Marta", now=shop.context.clock())
    card = join()
    owner = signed_in("owner")
    owner.post(f"members/{card.id}/adjust", deed(points="5000"))
    assert balance(shop, card) == 5000
    owner.post(f"members/{card.id}/erase", deed())
    assert "Somebody who is forgotten" in owner.words(f"members/{card.id}")
    with shop.context.database.read(shop.programme_id) as session:
        details = [each.detail for each in session.scalars(select(AuditEntry))]
    assert all(each.get("alone") for each in details)


def test_a_receipt_that_cannot_be_believed_is_let_in_or_refused(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager = signed_in("manager")
    when = (shop.context.clock() - timedelta(days=20)).isoformat()
    for decision, points in (("refuse", 0), ("approve", 12)):
        sent = shop.accrual(card, 1250, occurred_at=when, offline=True)
        answer = shop.ask("POST", "/accruals", sent)
        assert answer.json["status"] == "waiting_for_manager", answer.json
        assert "1 receipt came with a date" in manager.words("today")
        assert "€12.50" in manager.words("members/approvals")
        path = f"members/approvals/receipts/{sent['id']}"
        assert signed_in("cashier", name=decision).post(path).status_code == 403
        assert manager.post(path, {"decision": decision}).status_code == 303
        assert balance(shop, card) == points
        assert manager.post(path, {"decision": decision}).status_code == 409
    assert noted(shop) == ["receipt.decide"] * 2


# --- hostile ----------------------------------------------------------------------------------


def test_what_was_written_is_shown_as_text_and_never_run(
    shop: Any, signed_in: Any, join: Any
) -> None:
    card = join(XSS, "liga@example.com")
    manager, owner = signed_in("manager"), signed_in("owner")
    manager.post(f"members/{card.id}/note", {"text": XSS})
    manager.post(f"members/{card.id}/counter", {"note": XSS})
    manager.post(f"members/{card.id}/adjust", deed(points="5000", reason=XSS))
    manager.post(f"members/{card.id}/block", {"reason": XSS})
    for path in (
        "members",
        f"members?q={XSS}",
        f"members/{card.id}",
        f"members/{card.id}/erase",
        f"members/{card.id}/merge?q={XSS}",
        "members/approvals",
        "today",
    ):
        page = owner.get(path).text
        assert XSS not in page, path
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in owner.get(f"members/{card.id}").text
    answer = manager.post(f"members/{card.id}/adjust", deed(points=XSS, reason=XSS))
    assert XSS not in answer.text


def test_the_staff_of_another_programme_reach_nobody_here(
    shop: Any, open_shop: Any, signed_in: Any, join: Any
) -> None:
    card = join()
    manager, owner = signed_in("manager"), signed_in("owner")
    note = manager.post(f"members/{card.id}/note", {"text": "x"})
    assert note.status_code == 303
    [remove] = re.findall(r"members/[^\"]+/remove", manager.get(f"members/{card.id}").text)
    form = deed(points="5000")
    manager.post(f"members/{card.id}/adjust", form)
    other = open_shop()
    foreign = signed_in("manager", of=other)
    own = join("Own", "own@example.com", of=other)
    for path in ("", "/merge", "/erase", "/timeline?before=2026-01-01T00:00:00%2B00:00"):
        assert foreign.get(f"members/{card.id}{path}").status_code == 404, path
    assert foreign.get(f"members/{own.id}/merge?with={card.id}").status_code == 404
    posts: dict[str, dict[str, Any]] = {
        f"members/{card.id}/contact": {"name": "Eve"},
        f"members/{card.id}/consents": {},
        f"members/{card.id}/note": {"text": "x"},
        f"members/{card.id}/counter": {"vip": "yes"},
        f"members/{card.id}/adjust": deed(points="5"),
        f"members/{card.id}/block": {"reason": "x"},
        f"members/{card.id}/unblock": {},
        f"members/{card.id}/unlock": {},
        f"members/{card.id}/replace": {"reason": "x"},
        f"members/{card.id}/merge": deed(**{"with": own.id}),
        f"members/{own.id}/merge": deed(**{"with": card.id}),
        f"members/{card.id}/merge/find": {"q": "own"},
        f"members/{card.id}/unmerge": deed(merge_id=str(uuid.uuid4())),
        f"members/{card.id}/erase": deed(),
        remove.replace(card.id, own.id): {},
        f"members/approvals/{form['deed_id']}": {"decision": "approve"},
        f"members/approvals/receipts/{uuid.uuid4()}": {"decision": "approve"},
    }
    for path, data in posts.items():
        assert foreign.post(path, data).status_code == 404, path
    assert noted(other) == []
    assert balance(shop, card) == 0
    assert owner.post(f"members/approvals/{form['deed_id']}", {"decision": "approve"})
    assert balance(shop, card) == 5000


def test_a_coupon_is_nobody(shop: Any, signed_in: Any) -> None:
    from passes.code import Kind

    coupon = shop.issue(kind=Kind.COUPON)
    manager = signed_in("manager")
    assert manager.get(f"members/{coupon.id}").status_code == 404
    assert coupon.id not in manager.get("members").text
    for card_id in ("0" * 16, "x", "%00", "..%2f..", "é"):
        assert manager.get(f"members/{card_id}").status_code == 404
