"""A customer leaves: nothing of them is left but entries that are nobody's."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.cards.models import Card
from app.cards.service import apple_token
from app.certs import make_dev_chain
from app.config import Config
from app.context import Context
from app.delivery import kept, leaving, registrations, wanted
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.wallets import GooglePasses
from app.errors import Conflict, NotFound
from app.keys import KeyRing
from app.ledger.models import Entry
from app.members import consents
from app.members.models import MemberRead
from app.members.reads import Reader
from app.members.service import Contact
from app.programmes.service import programme_by_id
from app.web.disclosing import as_text, disclose
from app.web.joining import join
from passes.apple import bundle
from passes.card import CardStatus
from passes.code import Outcome

LIGA = Contact("Līga Ozola", "liga@example.com")
READER = Reader("cli", "root")


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with certificates, made once."""
    data = tmp_path_factory.mktemp("certified") / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url="sqlite://", url="http://127.0.0.1:8000")
    make_dev_chain(config, KeyRing.open(config), now=datetime(2026, 6, 1, tzinfo=UTC))
    return data


@pytest.fixture
def context(database: Any, clock: Any, certified: Path, tmp_path: Path) -> Context:
    data = Path(shutil.copytree(certified, tmp_path / "data"))
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    return Context(config, database, KeyRing.open(config, now=clock), clock)


def joined(shop: Any, contact: Contact = LIGA) -> Any:
    context = shop.context
    with context.database.write(shop.programme_id) as session:
        return join(
            session,
            context.keys,
            programme_by_id(session, shop.programme_id),
            contact,
            language="lv",
            source="web",
            agreed=[consents.current(session, shop.programme_id, "messages")],
            now=context.clock(),
        )


def erase(shop: Any, who: str) -> leaving.Person:
    now = shop.context.clock()
    return leaving.erase(shop.context, shop.programme_id, who, READER, now=now)


def fresh(shop: Any, card: Card) -> Card:
    with shop.context.database.read(shop.programme_id) as session:
        return cards.card_by_id(session, card.id)


def fetched(client: FlaskClient, context: Context, card: Card) -> dict[str, Any]:
    """The pass as the phone gets it."""
    answer = client.get(
        f"/v1/passes/pass.dev.counterfoil/{card.serial_number}",
        headers={"Authorization": f"ApplePass {apple_token(context.keys, card)}"},
    )
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(bundle.read(answer.data)["pass.json"])
    return found


def test_the_person_is_found_by_card_serial_number_or_whole_address(shop: Any) -> None:
    first, second = joined(shop).card, joined(shop).card
    context = shop.context
    with context.database.read(shop.programme_id) as session:

        def found(who: str) -> set[str]:
            person = leaving.find_person(session, context.keys, shop.programme_id, who)
            return {card.id for card in person.cards}

        assert found(first.id) == found(first.serial_number) == {first.id}
        assert found("LIGA@example.com ") == {first.id, second.id}
        for nobody in ("liga@example", "", "0" * 16, "x" * 5000, "%"):
            with pytest.raises(NotFound):
                found(nobody)


def test_after_an_erasure_nothing_says_who_it_was(
    shop: Any, context: Context, client: FlaskClient
) -> None:
    card, token = (issued := joined(shop)).card, issued.link_token
    shop.accrue(card, 1250)
    assert "Līga Ozola" in json.dumps(fetched(client, context, card), ensure_ascii=False)
    assert card.id in {each for each, _ in kept.kept_of(context).cards()}
    erase(shop, "liga@example.com")
    assert card.id not in {each for each, _ in kept.kept_of(context).cards()}
    after = fresh(shop, card)
    assert (after.status, after.member_id, after.status_reason) == ("erased", None, None)
    assert client.get(f"/card/{token}").status_code == 404
    with context.database.read(shop.programme_id) as session:
        with pytest.raises(NotFound):
            leaving.find_person(session, context.keys, shop.programme_id, "liga@example.com")
        with pytest.raises(CardRefused) as refused:
            cards.card_by_code(session, card.code, now=context.clock())
        assert cards.refused_cards(session) == [(card.id, Outcome.EXPIRED)]
    assert refused.value.outcome == Outcome.EXPIRED
    content = fetched(client, context, card)
    assert content["voided"] is True
    assert "Ozola" not in json.dumps(content, ensure_ascii=False)


def test_the_ledger_stays_whole(shop: Any, context: Context) -> None:
    card = joined(shop).card
    shop.accrue(card, 1250)
    before = shop.balance(card)
    erase(shop, card.id)
    assert shop.balance(card) == before == 12
    with context.database.read(shop.programme_id) as session:
        [entry] = session.scalars(select(Entry)).all()
    assert (entry.card_id, entry.points) == (card.id, 12)


def test_both_wallets_are_brought_up_to_date_afterwards(shop: Any, context: Context) -> None:
    card = joined(shop).card
    GooglePasses(context).promise_link(card.id, now=context.clock())
    with context.database.write(shop.programme_id) as session:
        registrations.register(
            session, card, device_id="phone", push_token="a1" * 32, now=context.clock()
        )
    with context.database.write_all() as session:
        wanted.take_up(session, now=context.clock(), limit=10)
        for wallet in (AppleRegistration, GooglePass):
            session.query(wallet).update({"delivered_version": wallet.wanted_version})
    erase(shop, card.id)
    with context.database.write_all() as session:
        wanted.take_up(session, now=context.clock(), limit=10)
        for wallet in (AppleRegistration, GooglePass):
            [errand] = wanted.claim(session, wallet, now=context.clock(), limit=10)
            assert errand.card_id == card.id


def test_every_card_of_the_person_ends_and_nobody_else_s(shop: Any) -> None:
    mine = [joined(shop).card for _ in range(2)]
    other = joined(shop, Contact("Anna", "anna@example.com")).card
    with shop.context.database.write(shop.programme_id) as session:
        new = cards.replace_card(
            session, shop.context.keys, mine[0].id, now=shop.context.clock(), reason="Līga lost it"
        )
    erase(shop, "liga@example.com")
    assert {fresh(shop, card).status for card in (*mine, new)} == {"erased"}
    assert fresh(shop, other).status == "active"


def test_a_card_without_a_name_ends_with_those_that_it_replaced(shop: Any) -> None:
    card, other = joined(shop, Contact()).card, joined(shop, Contact()).card
    with shop.context.database.write(shop.programme_id) as session:
        new = cards.replace_card(session, shop.context.keys, card.id, now=shop.context.clock())
    assert erase(shop, new.id).member_ids == []
    assert {fresh(shop, each).status for each in (card, new)} == {"erased"}
    assert fresh(shop, other).status == "active"


def test_an_erased_card_never_comes_back(shop: Any) -> None:
    card = joined(shop).card
    erase(shop, card.id)
    now = shop.context.clock()
    for change in (
        lambda session: cards.set_status(session, card.id, CardStatus.ACTIVE, now=now),
        lambda session: cards.replace_card(session, shop.context.keys, card.id, now=now),
    ):
        with (
            pytest.raises(Conflict, match="erased"),
            shop.context.database.write(shop.programme_id) as session,
        ):
            change(session)
    assert erase(shop, card.id).cards[0].id == card.id  # again: clears away what may be left


def test_an_erasure_is_on_record_and_says_nothing_of_the_person(shop: Any) -> None:
    member_id = joined(shop).card.member_id
    erase(shop, "liga@example.com")
    with shop.context.database.read(shop.programme_id) as session:
        [read] = session.scalars(select(MemberRead)).all()
    assert (read.member_id, read.purpose, read.reader) == (member_id, "erase", "root")


def test_a_household_goes_on_without_the_one_who_left(shop: Any, context: Context) -> None:
    mine = joined(shop).card
    other = joined(shop, Contact("Anna", "anna@example.com")).card
    with context.database.write(shop.programme_id) as session:
        cards.card_by_id(session, other.id).account_id = mine.account_id
    shop.accrue(mine, 700)
    shop.accrue(other, 500)
    with context.database.read(shop.programme_id) as session:
        person = leaving.find_person(session, context.keys, shop.programme_id, mine.id)
        has = leaving.belongings(session, context.keys, person, now=context.clock())
        told = disclose(session, context.keys, person, now=context.clock())
    assert (has.points, has.shared_accounts) == (0, 1)
    assert [row["points"] for row in told["entries"]] == [7]
    assert "lots" not in told
    assert "Anna" not in json.dumps(told)
    erase(shop, mine.id)
    assert shop.accrue(other, 100).status_code == 201
    assert shop.balance(mine) == 13


def test_an_export_holds_everything_and_no_secret(shop: Any, context: Context, clock: Any) -> None:
    issued = joined(shop)
    card = issued.card
    line = {"item": "Flat white", "category": "coffee", "quantity": 1, "amount_minor": 1250}
    answer = shop.accrue(card, 1250, receipt="4711", lines=[line])
    assert answer.status_code == 201, answer.json
    joined(shop, Contact("Anna", "anna@example.com"))
    clock.advance(timedelta(minutes=1))
    with context.database.read(shop.programme_id) as session:
        person = leaving.find_person(session, context.keys, shop.programme_id, card.id)
        told = disclose(session, context.keys, person, now=clock())
        of_card = session.scalar(select(func.count()).select_from(Entry))
    [member] = told["members"]
    assert (member["name"], member["email"], member["language"]) == (LIGA.name, LIGA.email, "lv")
    assert [row["purpose"] for row in told["consents"]] == ["messages"]
    assert [row["code"] for row in told["cards"]] == [card.code]
    assert len(told["entries"]) == of_card == 1
    assert [row["item"] for row in told["receipt_lines"]] == ["Flat white"]
    assert [row["number"] for row in told["receipts"]] == ["4711"]
    assert told.keys() >= {"accounts", "lots", "postings", "card_links"}
    written = json.dumps(told, ensure_ascii=False)
    for absent in (issued.link_token, "token_hash", "Anna", "email_index", shop.token):
        assert absent not in written
    said = as_text(told)
    assert "RECEIPT LINES" in said
    assert "    name: Līga Ozola\n" in said
