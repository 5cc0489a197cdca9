"""Several cards on one account, their roles, and accounts that become one."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.cards import accounts, ending, holders
from app.cards import service as cards
from app.cards.models import Card
from app.cards.rules import Period, read_holder, window
from app.clock import FixedClock
from app.context import Context
from app.errors import Conflict, Forbidden, Invalid
from app.ledger import service as ledger
from app.ledger.check import check
from app.ledger.errors import AlreadyReversed, NotMergeable
from app.ledger.models import Account, Entry
from app.ledger.postings import Adjust, Circumstances, Merge, Operation, Request, Terms, Unmerge
from app.members import service as members
from app.members.models import Consent, Member
from app.members.service import Contact
from passes.card import CardStatus

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class People:
    """Accounts, cards and the people who hold them."""

    def __init__(self, shop: Any) -> None:
        self.context: Context = shop.context
        self.programme_id, self.now = shop.programme_id, shop.context.clock

    def writing(self) -> Any:
        return self.context.database.write(self.programme_id)

    def account(self, kind: str = "personal", points: int = 0) -> str:
        with self.writing() as session:
            account_id = ledger.open_account(session, now=self.now(), kind=kind).id
        if points:
            self.post(Adjust(account_id, points, "a present"))
        return account_id

    def post(self, operation: Operation, posting_id: str | None = None) -> Any:
        request = Request(posting_id or str(uuid.uuid4()), "by hand", bytes(32))
        post: Any = {Merge: accounts.merge, Unmerge: accounts.unmerge}.get(
            type(operation), ledger.post
        )
        with self.writing() as session:
            where = Circumstances(self.now())
            return post(session, request, operation, where, now=self.now(), terms=Terms())

    def member(self, name: str, *purposes: str) -> str:
        with self.writing() as session:
            return members.add_member(
                session,
                self.context.keys,
                self.programme_id,
                Contact(name, f"{name.lower()}@example.org"),
                language="en",
                consents=frozenset(purposes),
                now=self.now(),
            ).id

    def card(self, account_id: str, role: str = "owner", **options: Any) -> Card:
        limits = {name: options.pop(name, None) for name in ("limit", "period")}
        with self.writing() as session:
            return holders.issue(
                session,
                self.context.keys,
                self.programme_id,
                account_id=account_id,
                holder=read_holder(role, **limits),
                now=self.now(),
                **options,
            )

    def set_role(self, card: Card, role: str, by: Card | None = None, **limits: Any) -> Card:
        with self.writing() as session:
            holder = read_holder(role, **limits)
            return holders.set_role(session, card.id, holder, now=self.now(), by=by)

    def stored(self, model: Any, id_: str) -> Any:
        with self.context.database.read(self.programme_id) as session:
            return session.scalars(select(model).where(model.id == id_)).one()

    def version(self, card: Card) -> int:
        stored = self.stored(Card, card.id)
        return int(stored.version + self.stored(Account, stored.account_id).version)

    def consents(self, member_id: str) -> set[str]:
        with self.context.database.read(self.programme_id) as session:
            found = select(Consent.purpose).where(
                Consent.member_id == member_id, Consent.withdrawn_at.is_(None)
            )
            return set(session.scalars(found))

    def prove(self) -> None:
        with self.context.database.read_all() as session:
            assert [str(each) for each in check(session)] == []


@pytest.fixture
def people(shop: Any) -> People:
    return People(shop)


class TestRoles:
    def test_an_owner_of_the_account_gives_roles_and_nobody_else_who_shares_it(
        self, people: People
    ) -> None:
        account = people.account("company")
        owner, spender = people.card(account), people.card(account, "spender")
        other = people.card(people.account("company"))
        assert people.set_role(spender, "collector", by=owner).role == "collector"
        for by in (spender, other):
            with pytest.raises(Forbidden, match="Only an owner"):
                people.set_role(owner, "owner", by=by)
        with people.writing() as session:
            cards.set_status(session, owner.id, CardStatus.BLOCKED, now=people.now())
        with pytest.raises(Forbidden):
            people.set_role(spender, "owner", by=owner)
        assert people.set_role(spender, "owner").role == "owner"

    def test_a_role_that_changes_is_shown_by_the_pass(self, people: People) -> None:
        card = people.card(people.account("household"))
        people.card(card.account_id)
        before = people.version(card)
        people.set_role(card, "spender", limit=10, period="day")
        assert people.version(card) > before
        before = people.version(card)
        people.set_role(card, "spender", limit=10, period="day")
        assert people.version(card) == before

    @on_sqlite
    def test_an_account_keeps_an_owner(self, people: People) -> None:
        owner = people.card(people.account("household"))
        child = people.card(owner.account_id, "collector")
        with pytest.raises(Conflict, match="make another card its owner"):
            people.set_role(owner, "spender")
        people.set_role(child, "owner")
        assert people.set_role(owner, "spender").role == "spender"

    @on_sqlite
    def test_a_personal_account_has_owners_only(self, people: People) -> None:
        card = people.card(people.account())
        with pytest.raises(Invalid, match="personal account"):
            people.set_role(card, "collector")
        with pytest.raises(Invalid, match="personal account"):
            people.card(card.account_id, "spender")

    @on_sqlite
    def test_a_card_that_is_over_has_no_role_any_more(self, people: People) -> None:
        card = people.card(people.account("household"))
        with people.writing() as session:
            cards.replace_card(session, people.context.keys, card.id, now=people.now())
        with pytest.raises(Conflict, match="took its place"):
            people.set_role(card, "collector")

    @pytest.mark.parametrize(
        ("role", "limit", "period", "field"),
        [
            ("king", None, None, "role"),
            ("spender", 10, None, "period"),
            ("spender", None, "day", "limit"),
            ("spender", 10, "year", "period"),
            ("spender", 0, "day", "limit"),
            ("spender", True, "day", "limit"),
            ("spender", 10**10, "day", "limit"),
            ("owner", 10, "day", "limit"),
            ("collector", 10, "day", "limit"),
        ],
    )
    def test_nonsense_is_refused_by_its_field(
        self, role: str, limit: Any, period: str | None, field: str
    ) -> None:
        with pytest.raises(Invalid) as caught:
            read_holder(role, limit, period)
        assert field in caught.value.fields


@pytest.mark.parametrize(
    ("now", "period", "begins", "ends"),
    [
        # A week in which the clocks change has an hour less or more.
        ("2026-03-29 12:00", "week", "2026-03-22 22:00", "2026-03-29 21:00"),
        ("2026-10-25 12:00", "day", "2026-10-24 21:00", "2026-10-25 22:00"),
        ("2026-12-31 22:00", "month", "2026-12-31 22:00", "2027-01-31 22:00"),
        ("2028-02-29 12:00", "month", "2028-01-31 22:00", "2028-02-29 22:00"),
    ],
)
def test_periods_are_local(now: str, period: str, begins: str, ends: str) -> None:
    found = window(Period(period), _utc(now), "Europe/Riga")
    assert found == (_utc(begins), _utc(ends))


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class TestMerging:
    def test_cards_come_along_and_their_passes_are_wanted_anew(self, people: People) -> None:
        goes, stays = people.account(points=70), people.account(points=5)
        for _ in range(5):  # The account that goes has a far higher version.
            people.post(Adjust(goes, 1, "again"))
        card, other = people.card(goes), people.card(stays)
        before = people.version(card), people.version(other)
        merged = people.post(Merge(goes, stays))
        assert people.stored(Card, card.id).account_id == stays
        assert people.version(card) > before[0]
        assert people.version(other) > before[1]
        middle = people.version(card), people.version(other)
        people.post(Unmerge(merged.answer["posting_id"]))
        assert people.stored(Card, card.id).account_id == goes
        assert people.stored(Card, other.id).account_id == stays
        assert people.version(card) > middle[0]
        assert people.version(other) > middle[1]
        assert people.stored(Account, goes).balance == 75
        people.prove()

    def test_a_card_that_was_replaced_meanwhile_goes_back_with_its_successor(
        self, people: People
    ) -> None:
        goes, stays = people.account(), people.account()
        card, other = people.card(goes), people.card(stays)
        merged = people.post(Merge(goes, stays))
        with people.writing() as session:
            new = cards.replace_card(session, people.context.keys, card.id, now=people.now())
            stay = cards.replace_card(session, people.context.keys, other.id, now=people.now())
        people.post(Unmerge(merged.answer["posting_id"]))
        assert {people.stored(Card, each.id).account_id for each in (card, new)} == {goes}
        assert {people.stored(Card, each.id).account_id for each in (other, stay)} == {stays}

    def test_a_repeat_moves_no_card_again(self, people: People) -> None:
        goes, stays = people.account(), people.account()
        card = people.card(goes)
        posting_id = str(uuid.uuid4())
        people.post(Merge(goes, stays), posting_id)
        people.post(Unmerge(posting_id))
        version = people.version(card)
        assert people.post(Merge(goes, stays), posting_id).repeated
        assert people.stored(Card, card.id).account_id == goes
        assert people.version(card) == version
        with pytest.raises(AlreadyReversed):
            people.post(Unmerge(posting_id))

    def test_the_stricter_consent_wins_and_stays(self, people: People) -> None:
        goes, stays = people.account(), people.account()
        yes, no = people.member("Anna", "messages"), people.member("Anna")
        people.card(goes, member_id=yes)
        people.card(stays, member_id=no)
        merged = people.post(Merge(goes, stays))
        assert people.consents(yes) == set()
        people.post(Unmerge(merged.answer["posting_id"]))
        assert people.consents(yes) == set()
        assert people.stored(Member, no).name is not None

    @on_sqlite
    def test_a_consent_that_both_gave_stands(self, people: People) -> None:
        goes, stays = people.account(), people.account()
        both = [people.member("Anna", "messages") for _ in range(2)]
        for account_id, member_id in zip((goes, stays), both, strict=True):
            people.card(account_id, member_id=member_id)
        people.card(stays)  # A card of nobody's says nothing of anybody.
        people.post(Merge(goes, stays))
        assert [people.consents(each) for each in both] == [{"messages"}] * 2

    @on_sqlite
    def test_whoever_joins_a_household_consents_alone(self, people: People) -> None:
        goes, stays = people.account(), people.account("household")
        anna, otto = people.member("Anna", "messages"), people.member("Otto")
        people.card(goes, member_id=anna)
        people.card(stays, member_id=otto)
        people.post(Merge(goes, stays))
        assert people.consents(anna) == {"messages"}

    @on_sqlite
    @pytest.mark.parametrize(
        ("goes", "stays", "fits"),
        [
            ("household", "household", True),
            ("company", "company", True),
            ("personal", "household", True),
            ("personal", "company", False),
            ("household", "personal", False),
            ("company", "household", False),
        ],
    )
    def test_only_accounts_that_fit_are_merged(
        self, people: People, goes: str, stays: str, fits: bool
    ) -> None:
        merge = Merge(people.account(goes), people.account(stays))
        if fits:
            people.post(merge)
        else:
            with pytest.raises(NotMergeable, match=f"A {goes} account"):
                people.post(merge)


def test_merges_replacements_and_roles_at_once_wait_for_nobody_for_ever(people: People) -> None:
    pair = [people.account("household", points=10) for _ in range(2)]
    cards_ = [people.card(account_id) for account_id in pair for _ in range(4)]
    barrier = threading.Barrier(10)

    def work(number: int) -> str:
        barrier.wait(timeout=30)
        try:
            if number < 2:
                people.post(Merge(*(pair if number else reversed(pair))))
            elif number < 6:
                people.set_role(cards_[number], "spender")
            else:
                with people.writing() as session:
                    card_id = cards_[number - 6].id
                    cards.replace_card(session, people.context.keys, card_id, now=people.now())
        except (Conflict, NotMergeable) as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(10) as pool:
        outcomes = list(pool.map(work, range(10)))
    assert sorted(outcomes[:2]) == ["NotMergeable", "done"]
    assert outcomes[6:] == ["done"] * 4
    balances = [people.stored(Account, each).balance for each in pair]
    assert sorted(balances) == [0, 20]
    stays = pair[balances.index(20)]
    with people.context.database.read(people.programme_id) as session:
        assert len(holders.cards_of(session, stays)) == 12
    people.prove()


class TestErasure:
    """Rule 30."""

    def test_erasing_a_member_leaves_every_entry_and_nothing_that_names_anybody(
        self, people: People, clock: FixedClock
    ) -> None:
        account = people.account(points=100)
        member_id = people.member("Anna", "messages")
        card = people.card(account, member_id=member_id)
        people.post(Adjust(account, -30, "a mistake"))
        before = self.entries(people)
        with people.writing() as session:
            ending.erase(session, session.get_one(Card, card.id), now=people.now())
            assert members.erase(session, member_id)
        assert self.entries(people) == before
        assert people.stored(Account, account).balance == 70
        assert people.stored(Card, card.id).member_id is None
        people.prove()
        # The ledger goes on: what waits for it is posted and balances.
        people.post(Adjust(account, 5, "late"))
        assert len(self.entries(people)) == len(before) + 1
        people.prove()

    def entries(self, people: People) -> list[tuple[Any, ...]]:
        columns = tuple(Entry.__table__.columns.keys())
        with people.context.database.read(people.programme_id) as session:
            rows = session.scalars(select(Entry).order_by(Entry.sequence))
            return [tuple(getattr(row, name) for name in columns) for row in rows]
