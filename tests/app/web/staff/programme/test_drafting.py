"""Somebody changes rules in forms: they see what it means, and nobody is touched."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.audit import AuditEntry
from app.programmes.drafts import service as drafts
from app.programmes.file.examples import EXAMPLES, example
from app.programmes.file.reading import read
from app.programmes.service import change_settings, version_at
from app.web.staff.programme.forms.section import Many
from app.web.staff.programme.sections import SECTIONS
from tests.app.office import Colleague

SignIn = Callable[..., Colleague]


def put(shop: Any, changes: dict[str, Any]) -> None:
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, changes, valid_from=shop.context.clock())


def draft_of(shop: Any) -> dict[str, Any]:
    with shop.context.database.read(shop.programme_id) as session:
        return dict(drafts.look(session, shop.context.clock()).changes)


def in_force(shop: Any) -> Any:
    with shop.context.database.read(shop.programme_id) as session:
        return version_at(session, shop.programme_id, shop.context.clock()).settings


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_page_of_every_example_opens(shop: Any, signed_in: SignIn, name: str) -> None:
    put(shop, read(example(name)).settings.as_json())
    owner = signed_in("owner")
    for page in ("programme", "programme/draft"):
        assert owner.get(page).status_code == 200, page
    kept = in_force(shop).as_json()
    for code, section in SECTIONS.items():
        assert owner.get(f"programme/draft/{code}").status_code == 200, code
        if isinstance(section, Many):
            for kind in section.forms or {}:
                new = owner.get(f"programme/draft/{code}/new?kind={kind}")
                assert new.status_code == 200, (code, kind)
            for place in range(len(kept[code])):
                assert owner.get(f"programme/draft/{code}/{place}").status_code == 200
            assert owner.get(f"programme/draft/{code}/99").status_code == 404
    assert draft_of(shop) == {}


PAGES = ("", "/draft", "/compare", "/versions", "/names", "/places", "/draws", "/draws/new",
         "/file", "/setup/goal", "/setup/margin", "/setup/template", "/setup/look", "/setup/card",
         *(f"/draft/{code}" for code in SECTIONS),
         "/draft/rules/0", "/draft/rewards/1")  # fmt: skip


def test_pages_speak_four_languages(shop: Any, signed_in: SignIn) -> None:
    put(shop, read(example("bookshop")).settings.as_json())
    owner = signed_in("owner")
    owner.post("programme/draft/redeeming", {"redeem_minimum": "150"})
    english = {page: owner.words(f"programme{page}") for page in PAGES}
    for language, word in (("de", "Entwurf"), ("lv", "Melnraksts"), ("ru", "Черновик")):
        for page in PAGES:
            told = owner.words(f"programme{page}?lang={language}")
            assert word in told and told != english[page], page
            assert "Keep in the draft" not in told and "What it means" not in told


def test_a_form_is_kept_in_the_draft_and_says_who_did_it(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner", name="Olga")
    form = {"points": "2,5", "per_amount": "1", "earn_on": "net", "stacking": "all"}
    answer = owner.post("programme/draft/earning", form)
    assert answer.status_code == 303
    assert draft_of(shop) == {"points": "2.5", "earn_on": "net"}
    assert in_force(shop).points == 1
    assert "changed in the draft" in owner.get("programme/draft/earning").text
    with shop.context.database.read(shop.programme_id) as session:
        noted = session.scalars(select(AuditEntry)).all()[-1]
        assert (noted.actor, noted.action, noted.subject) == ("Olga", "programme.draft", "earning")
    owner.post("programme/draft/discard", {"section": "earning"})
    assert draft_of(shop) == {}


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    form = {"points": "lots", "per_amount": "1", "pending_days": "7", "kind_of": ""}
    answer = owner.post("programme/draft/earning", form)
    assert answer.status_code == 422
    assert 'value="lots"' in answer.text and 'id="w-points"' in answer.text
    assert "Give a number from 0" in answer.text
    assert draft_of(shop) == {}
    german = owner.post("programme/draft/earning?lang=de", form)
    assert german.status_code == 422


def test_things_are_added_changed_moved_and_removed(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    rule = {"kind_of": "multiplier", "name": "Tuesday", "factor": "2", "weekdays": ["tue", "wed"]}
    assert owner.post("programme/draft/rules", rule).status_code == 303
    visit = {"kind_of": "visit", "name": "Visit", "gives.points": "3"}
    assert owner.post("programme/draft/rules", visit).status_code == 303
    assert owner.post("programme/draft/rules", visit).status_code == 422
    assert "points × 2; Tuesday, Wednesday" in owner.words("programme/draft/rules")
    changed = rule | {"place": "0", "was": "Tuesday", "factor": "3"}
    assert owner.post("programme/draft/rules", changed).status_code == 303
    owner.post("programme/draft/rules/up", {"place": "1", "was": "Visit"})
    found = draft_of(shop)["rules"]
    assert [(each["name"], each.get("factor")) for each in found] == [
        ("Visit", None),
        ("Tuesday", "3"),
    ]
    stale = owner.post("programme/draft/rules/remove", {"place": "1", "was": "Visit"})
    assert stale.status_code == 409
    moved = owner.post("programme/draft/rules", changed)
    assert moved.status_code == 422 and "meanwhile" in moved.text
    owner.post("programme/draft/rules/remove", {"place": "0", "was": "Visit"})
    assert [each["name"] for each in draft_of(shop)["rules"]] == ["Tuesday"]


def test_what_others_need_is_not_removed(shop: Any, signed_in: SignIn) -> None:
    put(shop, read(example("cafe")).settings.as_json())
    owner = signed_in("owner")
    answer = owner.post("programme/draft/stamps/remove", {"place": "0", "was": "coffee"})
    assert answer.status_code == 409
    assert "Rewards" in answer.text and draft_of(shop) == {}


def test_two_who_change_the_draft_at_once_hear_of_one_another(shop: Any, signed_in: SignIn) -> None:
    one, other = signed_in("owner"), signed_in("marketer")
    form = {"redeem_minimum": "5", "redeem_step": "1", "point_value": "0.01", "revision": "0"}
    assert one.post("programme/draft/redeeming", form).status_code == 303
    late = other.post("programme/draft/redeeming", form | {"redeem_minimum": "9"})
    assert late.status_code == 422
    assert "meanwhile" in late.text and 'value="9"' in late.text
    assert draft_of(shop) == {"redeem_minimum": 5}


def test_consequences_follow_the_typing_and_nothing_is_kept(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    typed = {
        "edits": "yes",
        "points": "2",
        "per_amount": "1",
        "baskets.0.amount": "12,50",
        "baskets.0.visits": "3",
    }
    page = owner.post("programme/draft/earning/consequences", typed).text
    assert "A €12.50 basket earns 25 points" in page
    assert "In force now: 12 points" in page
    assert "Every 1" not in page and "Why" in page
    large = typed | {"baskets.0.amount": "9" * 18}
    page = owner.post("programme/draft/earning/consequences", large).text
    assert f"Basket 1, “{'9' * 18}”: Give a number from 0 to 1000000" in page
    broken = owner.post("programme/draft/earning/consequences", typed | {"points": "x"}).text
    assert "not complete yet" in broken and "earns 12 points" in broken
    multiplied = {
        "edits": "yes",
        "kind_of": "multiplier",
        "name": "Tuesday",
        "factor": "3",
        "weekdays": "tue",
        "baskets.0.amount": "10",
        "baskets.0.at": "2026-06-02T09:00",
        "baskets.1.amount": "10",
        "baskets.1.at": "2026-06-03T09:00",
    }
    page = owner.post("programme/draft/rules/consequences", multiplied).text
    assert "earns 30 points" in page and "earns 10 points" in page
    assert draft_of(shop) == {}


def test_managers_and_auditors_look_and_cashiers_do_not(shop: Any, signed_in: SignIn) -> None:
    form = {"points": "2", "per_amount": "1"}
    for role, sees in (("manager", 200), ("auditor", 200), ("cashier", 403)):
        person = signed_in(role)
        assert person.get("programme/draft/earning").status_code == sees
        assert person.post("programme/draft/earning", form).status_code == 403
    assert draft_of(shop) == {}


NASTY = ["<script>alert(1)</script>", "%s%n", "9" * 4000, "{{7*7}}", '" onfocus="x', "🙂" * 50]


@pytest.mark.parametrize("turn", [0, 3])
def test_no_text_becomes_markup_and_no_text_breaks_a_page(
    shop: Any, signed_in: SignIn, turn: int
) -> None:
    owner = signed_in("owner")
    names = ("name", "names.en", "names.de", "points", "item", "items", "tiers", "code", "once")
    names += ("baskets.0.amount", "baskets.0.lines.0.item", "baskets.0.at", "place", "revision")
    form = {name: NASTY[(at + turn) % len(NASTY)] for at, name in enumerate(names)}
    for code, section in SECTIONS.items():
        kind = next(iter(section.forms or {})) if isinstance(section, Many) else ""
        sent = form | {"kind_of": kind, "edits": "yes"}
        answer = owner.post(f"programme/draft/{code}", sent)
        assert answer.status_code in (303, 422), (code, kind, answer.status_code)
        assert "<script>alert" not in answer.text and '" onfocus="' not in answer.text
        told = owner.post(f"programme/draft/{code}/consequences", sent)
        assert told.status_code == 200, (code, told.text[-500:].replace(chr(10), " "))
        assert "<script>alert" not in told.text
    assert owner.get("programme/draft").status_code == 200


def test_the_largest_numbers_are_reckoned_or_said_to_be_too_large(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    most = "999999.999999"
    tiers = {"levels": [{"code": "gold", "at_least": 1, "multiplier": "100"}]}
    rules = [
        {"name": f"Times {n}", "kind": "multiplier", "factor": "100", "role": "always"}
        for n in range(60)
    ]
    wild = {"points": most, "per_amount": "1", "point_value": most, "tiers": tiers, "rules": rules}
    wild |= {"rewards": [{"code": "x", "names": {"en": "X"}, "points": 1_000_000_000}]}
    wild |= {"expires_after_months": 1200, "expires_round_up": "year"}
    put(shop, wild)
    basket = {"baskets.0.amount": "1000000", "baskets.0.tier": "gold", "baskets.1.amount": "0.01"}
    for code in SECTIONS:
        answer = owner.post(f"programme/draft/{code}/consequences", basket | {"edits": ""})
        assert answer.status_code == 200, code
        assert owner.get(f"programme/draft/{code}").status_code == 200, code
    assert owner.get("programme").status_code == 200
