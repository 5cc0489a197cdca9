"""Customers come in with what they had, once, whatever happens on the way."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.benefits import check as benefits_check
from app.benefits import service as benefits
from app.benefits.models import Tally
from app.cards.models import Card
from app.errors import Invalid
from app.keys import Purpose
from app.ledger import check
from app.ledger import service as ledger
from app.ledger.models import Account, Entry, Posting, TierChange
from app.ledger.postings import Adjust, Circumstances, Request, Reverse, fingerprint
from app.ledger.reports.liability import Terms, liability
from app.members import consents
from app.members import service as members
from app.members.models import Consent, Member
from app.programmes.giving import RuledPromises
from app.programmes.terms import rulebook_of, terms_of
from app.transfer.customers import customers
from app.transfer.importing import PIECE
from tests.app.transfer.conftest import Desk

LIST = """number,name,e-mail,phone,language,member since,points,expires,points 2,expires 2,tier
K-1,Ilze Bērziņa,ilze@example.com,+371 2000 0001,lv,2019-03-05,120,2026-12-31,30,never,
K-2,Jörg Müller,,,de,,75,,,,gold
K-3,,,,,,0,,,,
"""


def count(desk: Desk, model: Any) -> int:
    with desk.context.database.read(desk.programme.id) as session:
        return int(session.scalar(select(func.count()).select_from(model)) or 0)


def test_a_customer_comes_with_contact_points_ends_and_tier(desk: Desk) -> None:
    summary = desk.run(desk.write(LIST))
    assert (summary.customers, summary.points, summary.lots, summary.wrong) == (3, 225, 3, 0)
    assert desk.standing("K-1").balance == 150
    # Usable to the end of the local day; Riga is an hour or two before UTC.
    assert desk.lots("K-1") == [(120, "2026-12-31T22:00:00+00:00"), (30, None)]
    # No end in the file: by the programme's rules, as what is earned today.
    assert desk.lots("K-2") == [(75, "2027-06-01T21:00:00+00:00")]
    with desk.context.database.read(desk.programme.id) as session:
        found = members.members_by_phone(
            session, desk.context.keys, desk.programme.id, "00371 20000001"
        )
        contact = members.contact_of(session, desk.context.keys, found[0])
        assert contact == members.Contact("Ilze Bērziņa", "ilze@example.com", "+37120000001", "K-1")
        account = session.get_one(Account, desk.account("K-1"))
        assert account.created_at.isoformat() == "2019-03-04T22:00:00+00:00"
        assert session.get_one(Account, desk.account("K-2")).tier == "gold"
        assert session.scalars(select(TierChange.reason)).all() == ["opening"]
        kinds = session.scalars(select(Entry.kind)).all()
        assert kinds == ["opening"] * 3
        assert list(check.check(session)) == []
        cards = session.scalars(select(Card).order_by(Card.language)).all()
        assert [card.language for card in cards] == ["de", "en", "lv"]


def test_personal_data_stands_nowhere_in_the_clear(desk: Desk) -> None:
    desk.run(desk.write(LIST))
    with desk.context.database.engine.connect() as connection:
        for table in (Member, Account, Card, Entry, Posting):
            for row in connection.execute(select(table.__table__)):
                told = repr(tuple(row))
                assert "Ilze" not in told and "K-1" not in told and "2000" + "0001" not in told


def test_the_same_file_twice_changes_nothing(desk: Desk) -> None:
    path = desk.write(LIST)
    desk.run(path)
    before = [count(desk, model) for model in (Member, Account, Card, Entry, Posting)]
    desk.context.clock.advance(timedelta(days=40))  # type: ignore[attr-defined]
    again = desk.run(path)
    assert (again.customers, again.there_before, again.wrong) == (0, 3, 0)
    assert [count(desk, model) for model in (Member, Account, Card, Entry, Posting)] == before


def test_the_same_file_is_known_after_the_keys_were_rotated(desk: Desk) -> None:
    path = desk.write(LIST)
    desk.run(path)
    desk.context.keys.rotate(Purpose.BLIND_INDEX)
    desk.context.keys.rotate(Purpose.FIELD)
    assert desk.run(path).there_before == 3


def test_an_import_that_is_cut_off_goes_on_where_it_was(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [f"C{number:05},{number}" for number in range(2 * PIECE + 7)]
    path = desk.write("number,points\n" + "\n".join(lines))
    importer = desk.importer()
    seen: list[int] = []

    def cut(line: int) -> None:
        seen.append(line)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer.run(desk.reader(importer, path), cut)
    assert count(desk, Member) == PIECE
    rest = desk.run(path)
    assert (rest.customers, rest.there_before) == (PIECE + 7, PIECE)
    assert count(desk, Member) == count(desk, Account) == 2 * PIECE + 7
    with desk.context.database.read(desk.programme.id) as session:
        assert session.scalar(select(func.sum(Account.balance))) == sum(range(2 * PIECE + 7))
        assert list(check.check(session)) == []


def test_a_customer_who_changed_in_the_file_is_told_and_left(desk: Desk) -> None:
    desk.run(desk.write("number,points\nA,10\nB,20\n"))
    summary, problems = desk.check(desk.write("number,points\nA,11\nB,20\n"))
    assert (summary.customers, summary.there_before, summary.wrong) == (0, 1, 1)
    assert (problems[0].line, problems[0].column) == (2, "points")
    assert "account adjust" in problems[0].cure


def test_a_number_that_another_import_brought_is_refused(desk: Desk) -> None:
    path = desk.write("number,points\nA,10\n")
    desk.run(path, "one")
    summary, [problem] = desk.check(path, "two")
    assert summary.wrong == 1
    assert "--name" in problem.cure
    assert desk.run(path, "two").customers == 0


def test_the_same_numbers_in_two_programmes_are_strangers(
    open_desk: Callable[..., Desk],
) -> None:
    one, two = open_desk("one"), open_desk("two")
    path = one.write("number,points\nA,10\n")
    assert one.run(path).customers == two.run(path).customers == 1
    assert one.account("A") != two.account("A")


def test_an_erased_customer_does_not_come_back_with_the_same_file(desk: Desk) -> None:
    path = desk.write("number,name,points\nA,Ada,10\n")
    desk.run(path)
    with desk.context.database.write(desk.programme.id) as session:
        members.erase(session, session.scalars(select(Member.id)).one())
    assert desk.run(path).there_before == 1
    assert count(desk, Member) == 0


def test_an_opening_can_be_reversed_and_is_owed_in_the_report(desk: Desk) -> None:
    desk.run(desk.write("number,points\nA,100\n"))
    account = desk.account("A")
    now = desk.context.clock()
    with desk.context.database.write(desk.programme.id) as session:
        report = liability(session, Terms(2, "Europe/Riga"), now + timedelta(seconds=1))
        assert report.total.outstanding == 100
        opening = session.scalars(select(Posting.id)).one()
        body = {"posting_id": opening}
        request = Request(
            "0b8f4a52-6f1e-4ad5-9a45-2b7ad7b0f001",
            "reverse",
            fingerprint(desk.programme.id, None, "reverse", body),
        )
        terms = terms_of(session, desk.programme.id, now)
        ledger.post(session, request, Reverse(opening), Circumstances(now), now=now, terms=terms)
        assert ledger.standing(session, account, now=now).balance == 0
        assert list(check.check(session)) == []


def test_points_that_roll_come_in_rolling(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(expiry_mode="inactivity", inactivity_months=6)
    desk.run(desk.write("number,points,expires,points2,expires2\nA,10,,5,2026-12-31\n"))
    account = desk.account("A")
    with desk.context.database.read(desk.programme.id) as session:
        row = session.get_one(Account, account)
        assert row.rolling_expires_at is not None
        assert row.rolling_expires_at.date().isoformat() == "2026-12-01"


def test_a_tier_that_was_brought_along_ends_with_its_day(desk: Desk) -> None:
    desk.run(desk.write("number,points,tier,tier until\nA,1,Zelts,2026-07-31\n"))
    account = desk.account("A")
    clock: Any = desk.context.clock
    clock.advance(timedelta(days=70))
    with desk.context.database.read(desk.programme.id) as session:
        terms = terms_of(session, desk.programme.id, clock())
        assert ledger.look(session, account, now=clock(), terms=terms).account.tier.tier is None


def test_a_name_is_needed(desk: Desk) -> None:
    with pytest.raises(Invalid, match="--name"):
        desk.importer(" ")


def test_stamps_come_along_and_go_with_the_opening(open_desk: Callable[..., Desk]) -> None:
    card = {"code": "coffee", "names": {"en": "Coffee"}, "size": 10}
    desk = open_desk(stamps=[card])
    path = desk.write("number,points,stamps\nA,5,7\nB,,13\nC,1,\n")
    summary, problems = desk.check(path)
    assert (summary.customers, problems) == (3, [])
    desk.run(path)
    assert desk.run(path).there_before == 3
    now = desk.context.clock()
    with desk.context.database.write(desk.programme.id) as session:
        found = {
            number: session.scalar(
                select(Tally.count).where(Tally.account_id == desk.account(number))
            )
            for number in "ABC"
        }
        assert found == {"A": 7, "B": 13, "C": None}
        opening = session.scalars(
            select(Posting.id).where(Posting.account_id == desk.account("A"))
        ).one()
        book = rulebook_of(session, desk.programme.id, now)
        request = Request(str(uuid.uuid4()), "reverse", bytes(32))
        benefits.post(
            session,
            request,
            Reverse(opening),
            Circumstances(now),
            RuledPromises(book, now),
            now=now,
            terms=book.terms(now),
        )
        left = select(Tally.count).where(Tally.account_id == desk.account("A"))
        assert session.scalar(left) == 0
        assert list(check.check(session)) == []
        assert list(benefits_check.check(session)) == []


def test_stamps_without_a_card_for_them_are_told(desk: Desk) -> None:
    _, [problem] = desk.check(desk.write("number,stamps\nA,3\n"))
    assert (problem.line, problem.column) == (2, "stamps")


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("1985-05-17", "05-17"),
        ("17.05.1899", "05-17"),
        ("17.5.", "05-17"),
        ("05-17", "05-17"),
        ("29.02.1987", "02-29"),
        ("", None),
    ],
)
def test_of_a_birthday_day_and_month_come_along(desk: Desk, told: str, kept: str | None) -> None:
    desk.run(desk.write(f"number,Geburtsdatum\nA,{told}\n"))
    with desk.context.database.read(desk.programme.id) as session:
        keys, programme_id = desk.context.keys, desk.programme.id
        found = members.members_by_numbers(session, keys, programme_id, ["A"])
        assert members.contact_of(session, keys, found["A"]).birthday == kept


def test_a_birthday_that_is_none_is_told(desk: Desk) -> None:
    _, [problem] = desk.check(desk.write("number,birthday\nA,31.02.1985\n"))
    assert (problem.line, problem.column) == (2, "birthday")


def test_debt_and_consents_come_along_once(desk: Desk) -> None:
    text = (
        "number,email,joined,points,lots,debt,consent messages,partners consent\n"
        "K-1,a@b.cd,2020-01-05,-40,,,2021-03-01,no\n"
        "K-2,b@b.cd,,,,25,yes,\n"
        "K-3,,,10,,,,\n"
    )
    path = desk.write(text)
    dry, problems = desk.check(path)
    assert problems == []
    for summary in (dry, desk.run(path)):
        assert (summary.customers, summary.points, summary.debt) == (3, 10, 65)
        assert summary.by_consent == {"messages": 2}
    standing = desk.standing("K-1")
    assert (standing.balance, standing.available, standing.debt) == (-40, -40, 40)
    again = desk.run(path)
    assert (again.customers, again.there_before, again.debt) == (0, 3, 0)
    assert count(desk, Consent) == 2
    with desk.context.database.read(desk.programme.id) as session:
        given = session.scalars(select(Consent).order_by(Consent.given_at)).all()
        assert [each.purpose for each in given] == ["messages", "messages"]
        assert given[0].given_at.isoformat() == "2021-02-28T22:00:00+00:00"
        assert given[1].given_at == desk.context.clock()
        read = consents.wording(session, desk.programme.id, "messages", given[0].text_version)
        assert "Brand" in read.text("de", "Brand")
        assert list(check.check(session)) == []
    # What is given next pays it off.
    with desk.context.database.write(desk.programme.id) as session:
        ledger.post(
            session,
            Request(str(uuid.uuid4()), "adjustment", fingerprint(desk.programme.id, None, "a", {})),
            Adjust(desk.account("K-1"), 100, "a gift"),
            Circumstances(desk.context.clock()),
            now=desk.context.clock(),
        )
    assert desk.standing("K-1").available == 60
    # It comes out as it came in.
    with desk.context.database.read(desk.programme.id) as session:
        lines = {
            each.number: each
            for each in customers(session, desk.context.keys, desk.programme, desk.context.clock())
        }
    assert (lines["K-2"].debt, lines["K-2"].points) == (25, 0)
    assert lines["K-1"].consents == ("2021-03-01", "")
    # Another debt under the same name is told, not taken.
    changed, problems = desk.check(desk.write(text.replace(",,25,", ",,26,")))
    assert (changed.wrong, changed.there_before) == (1, 2)
    assert [each.line for each in problems] == [3]


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("5,,40,,", "debt"),
        (",7:never,40,,", "debt"),
        ("-5,,6,,", "debt"),
        (",,many,,", "debt"),
        (",,9999999999,,", "debt"),
        (",,,maybe,", "consent_messages"),
        (",,,2999-01-01,", "consent_messages"),
        (",,,,31.02.2020", "consent_partners"),
        (",-7:never,,,", "lots"),
    ],
)
def test_a_debt_or_a_consent_that_makes_no_sense_is_told_by_line(
    desk: Desk, cells: str, column: str
) -> None:
    text = f"number,points,lots,debt,consent messages,consent partners\nK-1,{cells}\nK-2,1,,,,\n"
    summary, problems = desk.check(desk.write(text))
    assert (summary.customers, summary.wrong) == (1, 1)
    assert [(each.line, each.column) for each in problems] == [(2, column)]
    assert problems[0].cure
