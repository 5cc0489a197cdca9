"""counterfoil coupon: given by hand, as a set of passes, listed, taken back."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

CAKE = [{"code": "cake", "names": {"en": "A slice of cake"}, "valid_days": 30}]
GOLD = [{"code": "gold", "names": {"en": "For gold"}, "tiers": ["gold"]}]
LEVELS = {"levels": [{"code": "gold", "at_least": 1000}]}


@pytest.fixture
def kinds(cafe: Any) -> Any:
    settings = (f"coupons={json.dumps(CAKE + GOLD)}", f"tiers={json.dumps(LEVELS)}")
    cafe.run("programme", "settings", *(word for each in settings for word in ("--set", each)))
    return cafe


def test_a_coupon_given_by_hand_has_a_pass_and_a_page_and_can_be_withdrawn(kinds: Any) -> None:
    card = kinds.json("card", "issue")
    [made] = kinds.json("coupon", "issue", "cake", card["card_id"])
    page = kinds.get(made["card_url"])
    assert page.status_code == 200
    assert "A slice of cake" in page.text
    [row] = kinds.json("coupon", "list", card["card_id"])
    assert (row["coupon_id"], row["status"]) == (made["coupon_id"], "open")
    assert kinds.run("coupon", "withdraw", made["posting_id"]) == "Taken back.\n"
    assert kinds.run("coupon", "list", card["card_id"]) == "There are no coupons.\n"
    [row] = kinds.json("coupon", "list", card["card_id"], "--all")
    assert row["status"] == "withdrawn"
    assert kinds.run("ledger", "check") == "The ledger is whole.\n"


def test_a_set_of_coupons_is_one_file_of_passes(kinds: Any, tmp_path: Path) -> None:
    kinds.run("certs", "dev")
    card = kinds.json("card", "issue")
    out = tmp_path / "set.pkpasses"
    made = kinds.json("coupon", "issue", "cake", card["card_id"], "--count", "3", "--out", str(out))
    with zipfile.ZipFile(out) as archive:
        assert len(archive.namelist()) == len(made) == 3
    assert out.stat().st_mode & 0o077 == 0
    said = kinds.refused(
        "coupon", "issue", "cake", card["card_id"], "--count", "11", "--out", str(out)
    )
    assert said == "One file holds at most 10 passes: make several files."


def test_the_last_day_may_be_said_and_a_repeat_gives_nothing_more(kinds: Any) -> None:
    card = kinds.json("card", "issue")
    words = ("coupon", "issue", "cake", card["card_id"], "--until", "2099-01-31")
    posting = "0d9d0d3e-3c1c-4c7c-9a55-6a8f5a8c2a11"
    [first] = kinds.json(*words, "--id", posting)
    assert first["expires_at"] == "2099-01-31 22:00:00+00:00"
    [again] = kinds.json(*words, "--id", posting)
    assert again["coupon_id"] == first["coupon_id"]
    assert len(kinds.json("coupon", "list", card["card_id"])) == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("gold", "This coupon is for members of gold, not of this tier."),
        ("pie", "There is no such coupon. The programme has: cake, gold."),
    ],
)
def test_what_cannot_be_given_is_refused(kinds: Any, code: str, says: str) -> None:
    card = kinds.json("card", "issue")
    assert kinds.refused("coupon", "issue", code, card["card_id"]) == says
    assert kinds.json("coupon", "list", card["card_id"], "--all") == []
