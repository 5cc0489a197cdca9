"""What a posting answers, what it refuses, and that a repeat is harmless."""

import json
import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import FixedClock
from app.errors import Invalid, NotFound
from app.ledger import service
from app.ledger.errors import (
    InsufficientPoints,
    PostingIdReused,
    ReturnTooLarge,
    UnknownAccount,
    UnknownHold,
    UnknownPosting,
)
from app.ledger.models import Account, Draw, Entry, Lot, Posting, Receipt, ReceiptLine
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    HoldPoints,
    Line,
    Operation,
    Release,
    ReturnedLine,
    Reverse,
    Value,
    fingerprint,
)


def rows(ledger: Any) -> list[int]:
    """How many rows each table of the ledger has."""
    with ledger.database.read_all() as session:
        return [
            session.scalar(select(func.count()).select_from(model))
            for model in (Posting, Entry, Lot, Draw, Receipt)
        ]


def accrual(ledger: Any, account_id: str, points: int = 12, **facts: Any) -> Accrue:
    facts = {"amount_minor": 1250, "currency": "EUR", **facts}
    valued = {name: facts.pop(name) for name in Value.__slots__ if name in facts}
    value = Value(points, **{"available_from": ledger.clock.now, **valued})
    return Accrue(account_id=account_id, value=value, **facts)


def test_an_answer_says_everything_and_is_json(ledger: Any) -> None:
    account_id = ledger.account()
    posted = ledger.post(
        accrual(ledger, account_id, explain=({"code": "earned", "points": 12},)),
        late=True,
    )
    answer = posted.answer
    assert json.loads(json.dumps(answer)) == answer
    assert not posted.repeated
    assert answer["kind"] == "accrual"
    assert answer["status"] == "posted"
    assert answer["points"] == 12
    assert answer["late"] is True
    assert answer["explain"][0] == {"code": "earned", "points": 12}
    assert answer["recorded_at"] == ledger.clock.now.isoformat()
    assert answer["standing"] == {
        "balance": 12,
        "pending": 0,
        "held": 0,
        "available": 12,
        "debt": 0,
    }
    with ledger.database.read(ledger.programme_id) as session:
        entry = session.scalars(select(Entry)).one()
        assert (entry.id, entry.late, entry.kind) == (answer["entry_id"], True, "accrual")
        assert entry.posting_id == answer["posting_id"]


def test_a_hold_answers_until_when_it_holds(ledger: Any) -> None:
    account_id = ledger.account()
    ledger.earn(account_id, 30)
    until = ledger.clock.now + timedelta(minutes=15)
    answer = ledger.post(HoldPoints(account_id, 20, until)).answer
    assert (answer["kind"], answer["status"], answer["points"]) == ("hold", "held", 20)
    assert answer["expires_at"] == until.isoformat()
    released = ledger.post(Release(answer["posting_id"])).answer
    assert (released["kind"], released["status"], released["points"]) == ("release", "released", 0)


def test_what_happened_and_when_we_learned_of_it_are_two_things(ledger: Any) -> None:
    account_id = ledger.account()
    occurred_at = ledger.clock.now - timedelta(days=3)
    ledger.post(accrual(ledger, account_id), occurred_at=occurred_at, late=True)
    with ledger.database.read(ledger.programme_id) as session:
        entry = session.scalars(select(Entry)).one()
        assert (entry.occurred_at, entry.recorded_at) == (occurred_at, ledger.clock.now)


def test_a_receipt_keeps_its_lines_and_its_rate(ledger: Any) -> None:
    lines = (Line("beans", 500, Decimal("0.35"), "coffee"), Line("cup", 750, 2))
    ledger.post(
        accrual(
            ledger,
            ledger.account(),
            receipt_number="17",
            lines=lines,
            exchange_rate=Decimal("1.1023"),
            exchange_source="ECB",
        )
    )
    with ledger.database.read(ledger.programme_id) as session:
        receipt = session.scalars(select(Receipt)).one()
        assert (receipt.number, receipt.amount_minor, receipt.exchange_rate) == (
            "17",
            1250,
            "1.1023",
        )
        found = session.execute(
            select(
                ReceiptLine.item, ReceiptLine.quantity_thousandths, ReceiptLine.category
            ).order_by(ReceiptLine.position)
        )
        assert [tuple(row) for row in found] == [("beans", 350, "coffee"), ("cup", 2000, None)]


# --- repeats ----------------------------------------------------------------------------------


def test_a_repeat_changes_nothing_and_gets_the_first_answer(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    operation = accrual(ledger, account_id)
    first = ledger.post(operation)
    ledger.spend(account_id, 12)
    clock.advance(timedelta(days=400))
    before = (rows(ledger), ledger.row(account_id).version)
    again = ledger.post(operation, first.answer["posting_id"].upper())
    assert again.repeated
    assert again.answer == first.answer
    assert (rows(ledger), ledger.row(account_id).version) == before


def test_a_repeat_is_known_before_anything_is_done(ledger: Any) -> None:
    operation = accrual(ledger, ledger.account())
    request = ledger.request(operation)
    with ledger.database.write(ledger.programme_id) as session:
        assert service.replayed(session, request) is None
    answer = ledger.post(operation, request.id).answer
    with ledger.database.write(ledger.programme_id) as session:
        assert service.replayed(session, request) == answer
        with pytest.raises(PostingIdReused):
            service.replayed(session, replace(request, fingerprint=bytes(32)))


def test_another_body_under_the_same_id_is_refused(ledger: Any) -> None:
    account_id = ledger.account()
    first = ledger.post(accrual(ledger, account_id))
    for other in (
        accrual(ledger, account_id, 13),
        accrual(ledger, ledger.account()),
        HoldPoints(account_id, 500, ledger.clock.now + timedelta(minutes=1)),
        Capture(str(uuid.uuid4())),
    ):
        with pytest.raises(PostingIdReused) as refused:
            ledger.post(other, first.answer["posting_id"])
        assert refused.value.code == "posting_id_reused"
    assert ledger.standing(account_id).balance == 12


def test_a_refusal_is_not_stored_and_may_be_tried_again(ledger: Any) -> None:
    account_id = ledger.account()
    hold = HoldPoints(account_id, 10, ledger.clock.now + timedelta(minutes=15))
    posting_id = str(uuid.uuid4())
    before = rows(ledger)
    with pytest.raises(InsufficientPoints) as refused:
        ledger.post(hold, posting_id)
    assert refused.value.facts == {"points": 10, "available": 0}
    assert rows(ledger) == before
    ledger.earn(account_id, 10)
    assert not ledger.post(hold, posting_id).repeated


def test_a_fingerprint_covers_programme_till_operation_and_body() -> None:
    body = {"points": 1, "code": "CF1:É"}
    one = fingerprint("p", "t", "accrual", body)
    assert len(one) == 32
    assert one == fingerprint("p", "t", "accrual", dict(reversed(body.items())))
    others = {
        fingerprint("q", "t", "accrual", body),
        fingerprint("p", None, "accrual", body),
        fingerprint("p", "t", "hold", body),
        fingerprint("p", "t", "accrual", body | {"points": 2}),
        fingerprint("p", "t", "accrual", body | {"points": "1"}),
    }
    assert len(others) == 5
    assert one not in others


# --- walls ------------------------------------------------------------------------------------


def test_another_programmes_things_do_not_exist(ledger: Any, make_bench: Any) -> None:
    theirs = make_bench(ledger.database, ledger.clock)
    account_id = theirs.account()
    sale = theirs.earn(account_id, 10)
    held = theirs.hold(account_id, 5)
    for operation in (
        accrual(ledger, account_id),
        Adjust(account_id, 5, "mine now"),
        HoldPoints(account_id, 5, ledger.clock.now + timedelta(minutes=1)),
        Reverse(sale),
        Capture(held),
        Release(held),
    ):
        with pytest.raises(NotFound):
            ledger.post(operation)
    with pytest.raises(UnknownAccount):
        ledger.standing(account_id)
    assert theirs.standing(account_id).balance == 10


def test_two_programmes_may_use_the_same_posting_id(ledger: Any, make_bench: Any) -> None:
    theirs = make_bench(ledger.database, ledger.clock)
    posting_id = str(uuid.uuid4())
    for bench in (ledger, theirs):
        assert not bench.post(accrual(bench, bench.account()), posting_id).repeated
    ledger.prove()


def test_another_accounts_posting_cannot_be_reversed(ledger: Any) -> None:
    sale = ledger.earn(ledger.account(), 10)
    with pytest.raises(UnknownPosting):
        ledger.reverse(sale, account_id=ledger.account())


@pytest.mark.parametrize("name", [str(uuid.UUID(int=7)), "no id at all", ""])
def test_what_does_not_exist_is_not_found(ledger: Any, name: str) -> None:
    for operation, error in (
        (Reverse(name), UnknownPosting),
        (Capture(name), UnknownHold),
        (Release(name), UnknownHold),
    ):
        with pytest.raises(error):
            ledger.post(operation)


# --- nonsense ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"points": -1}, "points"),
        ({"points": 1.5}, "points"),
        ({"points": True}, "points"),
        ({"points": 10**13}, "points"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": 10**16}, "amount_minor"),
        ({"receipt_number": "7" * 65}, "receipt"),
        ({"lines": (Line("a", 1000),)}, "lines"),
        ({"lines": (Line("a", 2250), Line("b", -1000))}, "lines"),
        ({"lines": (Line("a", 1250, Decimal("0.0001")),)}, "lines"),
        ({"lines": (Line("a", 1250, 0),)}, "lines"),
        ({"lines": (Line("a", 1250, Decimal("NaN")),)}, "lines"),
        ({"lines": tuple(Line("a", 0) for _ in range(1001))}, "lines"),
    ],
)
def test_a_nonsensical_accrual_names_its_field(
    shared_ledger: Any, facts: dict[str, Any], field: str
) -> None:
    before = rows(shared_ledger)
    operation = accrual(shared_ledger, shared_ledger.account(), **facts)
    with pytest.raises(Invalid) as refused:
        shared_ledger.post(operation)
    assert set(refused.value.fields) == {field}
    assert rows(shared_ledger) == before


def test_nonsense_of_every_other_kind_is_refused(shared_ledger: Any) -> None:
    ledger = shared_ledger
    account_id = ledger.account()
    later = ledger.clock.now + timedelta(minutes=1)
    sale = ledger.earn(account_id, 10, lines=(Line("a", 1000, 2),))
    spent = ledger.spend(account_id, 1)
    nonsense: list[tuple[Operation, type[Invalid], str]] = [
        (HoldPoints(account_id, 0, later), Invalid, "points"),
        (HoldPoints(account_id, 1, ledger.clock.now), Invalid, "expires_at"),
        (Adjust(account_id, 0, "nothing"), Invalid, "points"),
        (Adjust(account_id, 1, " "), Invalid, "reason"),
        (Reverse(sale, amount_minor=0), Invalid, "amount_minor"),
        (Reverse(sale, amount_minor=1001), ReturnTooLarge, "amount_minor"),
        (Reverse(sale, amount_minor=1, lines=()), Invalid, "lines"),
        (Reverse(sale, lines=()), Invalid, "lines"),
        (Reverse(sale, lines=(ReturnedLine(2),)), Invalid, "lines"),
        (Reverse(sale, lines=(ReturnedLine(1, 3),)), ReturnTooLarge, "lines"),
        (Reverse(sale, lines=(ReturnedLine(1), ReturnedLine(1))), ReturnTooLarge, "lines"),
        (Reverse(spent, amount_minor=1), Invalid, "amount_minor"),
    ]
    for operation, error, field in nonsense:
        with pytest.raises(error) as refused:
            ledger.post(operation)
        assert set(refused.value.fields) == {field}
    with pytest.raises(Invalid):
        ledger.post(accrual(ledger, account_id), "17")
    assert ledger.standing(account_id).balance == 9


# --- versions ---------------------------------------------------------------------------------


def test_every_posting_raises_the_version_and_moves_its_date_by_a_second_or_more(
    ledger: Any, clock: FixedClock
) -> None:
    account_id = ledger.account()
    seen = [ledger.row(account_id)]

    def look() -> None:
        row: Account = ledger.row(account_id)
        assert row.version == seen[-1].version + 1
        assert row.changed_at >= seen[-1].changed_at + timedelta(seconds=1)
        assert row.changed_at.microsecond == 0
        seen.append(row)

    sale = ledger.earn(account_id, 10)
    look()
    held = ledger.hold(account_id, 5)
    look()
    ledger.release(held)
    look()
    clock.advance(timedelta(seconds=-30))
    ledger.reverse(sale)
    look()
    clock.advance(timedelta(hours=1, milliseconds=700))
    ledger.earn(account_id, 0)
    look()
    assert seen[-1].changed_at == clock.now.replace(microsecond=0)
    with ledger.database.write(ledger.programme_id) as session:
        service.raise_version(session, account_id, now=clock.now)
    look()


def test_a_change_of_a_card_moves_the_date_alone(ledger: Any, clock: FixedClock) -> None:
    account_id = ledger.account()
    before = ledger.row(account_id)
    with ledger.database.write(ledger.programme_id) as session:
        service.mark_changed(session, account_id, now=clock.now)
    after = ledger.row(account_id)
    assert after.version == before.version
    assert after.changed_at == before.changed_at + timedelta(seconds=1)
