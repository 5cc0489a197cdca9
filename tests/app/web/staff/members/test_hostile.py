"""The members' pages give nothing to whom it does not belong."""

import re
import uuid
from typing import Any

from tests.app.office import noted
from tests.app.web.staff.members.conftest import XSS, balance, deed


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
