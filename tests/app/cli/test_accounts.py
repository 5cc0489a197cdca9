"""counterfoil account, and the cards that share one."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import system_clock
from app.db import enter
from app.ledger.models import Account, Entry
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.ledger.service import post
from app.programmes.models import Programme
from app.programmes.service import change_settings

MANAGER_PIN = "860257"
TIERS = {
    "levels": [
        {"code": "silver", "at_least": 100, "names": {"en": "Silver"}},
        {"code": "gold", "at_least": 1000, "names": {"en": "Gold"}},
    ]
}


def agreed(cafe: Any, *words: str, pin: str = MANAGER_PIN) -> Any:
    """Type a command to which Marta agrees; its JSON."""
    result = cafe.type(*words, "--manager", "Marta", "--json", typed=f"{pin}\n")
    assert result.exit_code == 0, result.output
    assert MANAGER_PIN not in result.output
    return json.loads(result.stdout)


def card_of(cafe: Any, *words: str) -> str:
    return str(cafe.json("card", "issue", *words)["card_id"])


def account_of(cafe: Any, card_id: str) -> str:
    return str(cafe.json("account", "show", card_id)["account_id"])


def shared(cafe: Any, kind: str = "household") -> str:
    return str(cafe.json("account", "open", "--kind", kind)["account_id"])


def points(cafe: Any, account_id: str, count: int) -> dict[str, Any]:
    words = ("account", "adjust", account_id, str(count), "--reason", "for the test")
    return dict(cafe.json(*words))


def balance(cafe: Any, which: str) -> int:
    return int(cafe.json("account", "show", which)["standing"]["balance"])


class TestShow:
    def test_it_shows_points_lots_and_cards_and_no_personal_data(self, cafe: Any) -> None:
        card = card_of(cafe, "--name", "Anna Ozola", "--email", "anna@example.org")
        points(cafe, card, 250)
        page = cafe.json("account", "show", card)
        assert (page["kind"], page["merged_into_id"]) == ("personal", None)
        assert page["standing"] == {
            "balance": 250,
            "pending": 0,
            "held": 0,
            "available": 250,
            "debt": 0,
        }
        assert [lot["left"] for lot in page["lots"]] == [250]
        assert [(each["card_id"], each["role"]) for each in page["cards"]] == [(card, "owner")]
        said = cafe.run("account", "show", page["account_id"])
        assert f"Personal account {page['account_id']}" in said
        assert f"  {card}  active, owner\n" in said
        assert "Anna" not in said + str(page)

    def test_nobody_s_account_is_a_plain_refusal(self, cafe: Any) -> None:
        assert "no such account or card" in cafe.refused("account", "show", "0" * 16)


class TestSharing:
    def test_cards_of_a_company_share_one_balance_by_their_roles(self, cafe: Any) -> None:
        company = shared(cafe, "company")
        owner = card_of(cafe, "--account", company, "--name", "Anna")
        words = ("--role", "spender", "--limit", "50", "--period", "week")
        spender = card_of(cafe, "--account", company, *words)
        points(cafe, spender, 100)
        assert {balance(cafe, each) for each in (owner, spender, company)} == {100}
        told = cafe.json("card", "role", spender, "collector")
        assert (told["role"], told["redeem_limit"]) == ("collector", None)
        limit = ("--limit", "1200", "--period", "month")
        assert cafe.run("card", "role", spender, "spender", *limit) == (
            f"Card {spender}: spender of at most 1,200 points a month.\n"
        )
        assert "spender of at most 1,200 points a month" in cafe.run("account", "show", company)
        assert cafe.run("ledger", "check") == "The ledger is whole.\n"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("--role", "spender", "--limit", "5"), "give both, or neither"),
            (("--role", "collector", "--limit", "5", "--period", "day"), "Only a spender"),
        ],
    )
    def test_a_role_that_makes_no_sense_is_refused(
        self, cafe: Any, words: tuple[str, ...], says: str
    ) -> None:
        result = cafe.type("card", "issue", "--account", shared(cafe), *words)
        assert (result.exit_code, says in result.stderr) == (1, True)

    def test_a_card_of_its_own_is_an_owner_s(self, cafe: Any) -> None:
        assert cafe.type("card", "issue", "--role", "collector").exit_code == 2
        card = card_of(cafe)
        assert "personal account" in cafe.type("card", "role", card, "collector").stderr


class TestAdjusting:
    def test_points_are_given_and_taken(self, cafe: Any) -> None:
        card = card_of(cafe)
        assert points(cafe, card, 40)["points"] == 40
        said = cafe.run("account", "adjust", card, "-15", "--reason", "a mistake")
        assert said.startswith("Took 15.\n")
        assert "Now: balance 25, debt 0" in said
        assert "can be spent" in cafe.refused("account", "adjust", card, "-26", "--reason", "no")

    def test_a_large_one_takes_a_manager_and_is_written_under_that_name(self, cafe: Any) -> None:
        account_id = account_of(cafe, card_of(cafe))
        words = ("account", "adjust", account_id, "1000", "--reason", "a present")
        assert "add --manager NAME" in cafe.refused(*words)
        assert agreed(cafe, *words)["points"] == 1000
        with cafe.open() as context, context.database.read_all() as session:
            [entry] = session.scalars(select(Entry))
        assert (entry.actor_kind, entry.actor_id is not None) == ("staff", True)
        assert "add --manager" in cafe.refused(
            "account", "adjust", account_id, "-1000", "--reason", "back"
        )

    def test_a_wrong_pin_changes_nothing(self, cafe: Any) -> None:
        card = card_of(cafe)
        words = ("account", "adjust", card, "5000", "--reason", "a present")
        result = cafe.type(*words, "--manager", "Marta", typed="000001\n")
        assert (result.exit_code, "not right" in result.stderr) == (1, True)
        result = cafe.type(*words, "--manager", "Anna", typed="274913\n")
        assert (result.exit_code, "Only a manager" in result.stderr) == (1, True)
        assert balance(cafe, card) == 0

    def test_the_same_id_again_changes_nothing(self, cafe: Any) -> None:
        card, posting_id = card_of(cafe), str(uuid.uuid4())
        words = ("account", "adjust", card, "5", "--reason", "once", "--id", posting_id)
        assert cafe.json(*words) == cafe.json(*words)
        assert balance(cafe, card) == 5

    def test_points_by_hand_last_as_long_as_a_receipt_s(self, cafe: Any) -> None:
        change(cafe, {"expires_after_months": 1, "expires_round_up": "year"})
        card = card_of(cafe)
        points(cafe, card, 5)
        [lot] = cafe.json("account", "show", card)["lots"]
        assert lot["expires_at"] is not None


class TestMerging:
    def test_two_accounts_become_one_and_two_again(self, cafe: Any) -> None:
        one, other = card_of(cafe), card_of(cafe)
        goes, stays = account_of(cafe, one), account_of(cafe, other)
        points(cafe, goes, 70)
        points(cafe, stays, 5)
        assert "A manager has to agree" in cafe.refused("account", "merge", goes, stays)
        merged = agreed(cafe, "account", "merge", one, other)
        assert merged["standing"]["balance"] == balance(cafe, one) == 75
        page = cafe.json("account", "show", stays)
        assert {each["card_id"] for each in page["cards"]} == {one, other}
        assert page["merges"][0]["posting_id"] == merged["posting_id"]
        assert f"Merged into account {stays}." in cafe.run("account", "show", goes)
        assert f"account unmerge {merged['posting_id']}" in cafe.run("account", "show", stays)
        assert cafe.run("ledger", "check") == "The ledger is whole.\n"
        agreed(cafe, "account", "unmerge", merged["posting_id"], "--reason", "two people")
        assert (balance(cafe, one), balance(cafe, other)) == (70, 5)
        again = cafe.type(
            "account", "unmerge", merged["posting_id"], "--manager", "Marta", typed=MANAGER_PIN
        )
        assert (again.exit_code, "undone already" in again.stderr) == (1, True)
        assert cafe.run("ledger", "check") == "The ledger is whole.\n"

    def test_the_words_for_people_say_what_moved_and_how_to_undo_it(self, cafe: Any) -> None:
        goes, stays = account_of(cafe, card_of(cafe)), account_of(cafe, card_of(cafe))
        points(cafe, goes, 70)
        result = cafe.type("account", "merge", goes, stays, "--manager", "Marta", typed=MANAGER_PIN)
        assert result.stdout.startswith("Merged. To undo it: counterfoil account unmerge ")
        assert "Moved here: 70 beans" in result.stdout
        assert MANAGER_PIN not in result.output

    def test_a_posting_that_merged_nothing_is_not_undone(self, cafe: Any) -> None:
        result = cafe.type(
            "account", "unmerge", str(uuid.uuid4()), "--manager", "Marta", typed=MANAGER_PIN
        )
        assert (result.exit_code, "No posting of that id" in result.stderr) == (1, True)


def change(cafe: Any, settings: dict[str, Any]) -> None:
    """Change the programme's settings from a moment ago on."""
    with cafe.open() as context, context.database.write_all() as session:
        programme = session.scalars(select(Programme)).one()
        when = context.clock() - timedelta(seconds=1)
        change_settings(session, programme.id, settings, valid_from=when)


class TestTiers:
    @pytest.fixture
    def tiers(self, cafe: Any) -> Any:
        change(cafe, {"tiers": TIERS})
        return cafe

    def test_a_tier_is_set_by_hand_until_a_day_and_ended(self, tiers: Any) -> None:
        card = card_of(tiers)
        until = f"{system_clock() + timedelta(days=30):%Y-%m-%d}"
        words = ("account", "tier", card, "--set", "gold", "--until", until, "--reason", "a friend")
        told = tiers.json(*words)
        assert (told["tier"], told["set_by_hand"]) == ("gold", "gold")
        assert (told["why"]["reason"], told["why"]["note"]) == ("override", "a friend")
        said = tiers.run("account", "show", card)
        assert "Tier Gold, since " in said
        assert "(a friend)" in said
        assert tiers.json("account", "tier", card, "--end")["tier"] is None
        assert "nothing to end" in tiers.refused("account", "tier", card, "--end")
        page = tiers.json("account", "show", card)["tier"]
        assert (page["progress"]["counted"], page["progress"]["missing"]) == (0, 100)
        assert "Silver lacks 100 beans by the end of 31 December" in tiers.run(
            "account", "show", card
        )

    @pytest.mark.parametrize(
        "words", [(), ("--set", "gold"), ("--set", "gold", "--end"), ("--until", "2030-01-01")]
    )
    def test_half_an_order_is_a_usage_error(self, tiers: Any, words: tuple[str, ...]) -> None:
        assert tiers.type("account", "tier", card_of(tiers), *words).exit_code == 2

    def test_a_tier_that_is_none_is_refused(self, tiers: Any) -> None:
        words = ("--set", "tin", "--until", "2090-01-01", "--reason", "why not")
        result = tiers.type("account", "tier", card_of(tiers), *words)
        assert (result.exit_code, "silver, gold" in result.stderr) == (1, True)

    def test_a_programme_without_tiers_says_so(self, cafe: Any) -> None:
        words = ("--set", "gold", "--until", "2090-01-01", "--reason", "why not")
        assert "has no tiers" in cafe.refused("account", "tier", card_of(cafe), *words)


def test_points_that_wait_to_be_confirmed_are_confirmed(cafe: Any) -> None:
    card = card_of(cafe)
    account_id, posting_id = account_of(cafe, card), str(uuid.uuid4())
    with cafe.open() as context, context.database.write_all() as session:
        enter(session, session.get_one(Account, account_id).programme_id)
        post(
            session,
            Request(posting_id, "accrual", bytes(32)),
            Accrue(account_id, 1000, "EUR", Value(10, None)),
            Circumstances(context.clock()),
            now=context.clock(),
        )
    assert cafe.json("account", "show", card)["standing"]["pending"] == 10
    assert "pending until confirmed" in cafe.run("account", "show", card)
    assert cafe.run("ledger", "confirm", posting_id) == "Confirmed. Now 10 points can be spent.\n"
    assert "pending" in cafe.refused("ledger", "confirm", posting_id)
    assert "no such posting" in cafe.refused("ledger", "confirm", str(uuid.uuid4()))
