"""counterfoil ledger."""

import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from app import create_app
from app.clock import system_clock

MANAGER_PIN = "860257"


def enrolled(cafe: Any) -> str:
    """A till's token."""
    said = cafe.run("till", "code", "Counter 1")
    code = re.search(r"--code (\S+)", said)
    assert code is not None
    return str(post(cafe, "/enrolments", {"code": code[1]}, "")["token"])


def post(cafe: Any, path: str, body: dict[str, Any], token: str) -> Any:
    with cafe.open() as context:
        answer = (
            create_app(context)
            .test_client()
            .post(f"/api/till/v1{path}", json=body, headers={"Authorization": f"Bearer {token}"})
        )
    assert answer.status_code in {201, 202}, answer.text
    return answer.json


def accrue(cafe: Any, token: str, *, days_ago: int = 0) -> str:
    """Send what an offline till queued; the posting's id."""
    body = {
        "id": str(uuid.uuid4()),
        "code": cafe.json("card", "issue")["code"],
        "amount_minor": 1250,
        "currency": "EUR",
        "occurred_at": (system_clock() - timedelta(days=days_ago)).isoformat(),
        "cashier_id": str(uuid.uuid4()),
        "offline": True,
    }
    return str(post(cafe, "/accruals", body, token)["posting_id"])


class TestCheck:
    def test_a_ledger_that_nobody_touched_is_whole(self, cafe: Any) -> None:
        accrue(cafe, enrolled(cafe))
        assert cafe.run("ledger", "check") == "The ledger is whole.\n"
        assert cafe.json("ledger", "check") == {"differences": []}

    def test_a_balance_that_was_tampered_with_is_found(self, cafe: Any) -> None:
        accrue(cafe, enrolled(cafe))
        with closing(sqlite3.connect(cafe.data / "counterfoil.sqlite")) as raw, raw:
            raw.execute("UPDATE accounts SET balance = balance + 1000")
        result = cafe.type("ledger", "check")
        assert result.exit_code == 1
        assert re.search(r"account \S+: balance of \S+ is 1012, must be 12\n", result.stdout)
        result = cafe.type("ledger", "check", "--json")
        assert (result.exit_code, "is 1012, must be 12" in result.stdout) == (1, True)

    def test_progress_shows_on_a_terminal_and_never_in_the_output(self, cafe: Any) -> None:
        accrue(cafe, enrolled(cafe))
        shown, terminal = pty.openpty()
        command = [sys.executable, "-m", "app.cli", "ledger", "check", "--json"]
        environment = os.environ | {"COUNTERFOIL_DATA": str(cafe.data), "TERM": "xterm"}
        done = subprocess.run(command, env=environment, stderr=terminal, stdout=subprocess.PIPE)
        os.close(terminal)
        with os.fdopen(shown, "rb") as screen:
            assert b"Comparing" in screen.read1()
        assert (done.returncode, json.loads(done.stdout)) == (0, {"differences": []})


class TestWaiting:
    def test_what_waits_is_listed_and_let_in_by_a_manager(self, cafe: Any) -> None:
        assert cafe.run("ledger", "waiting") == "Nothing waits.\n"
        posting = accrue(cafe, enrolled(cafe), days_ago=20)
        assert posting in cafe.run("ledger", "waiting")
        [row] = cafe.json("ledger", "waiting")
        assert (row["posting_id"], row["operation"]) == (posting, "accrual")
        assert row["body"]["amount_minor"] == 1250
        said = cafe.run("ledger", "approve", posting, "--manager", "Marta", "--pin", MANAGER_PIN)
        assert said == "Posted: 12 points.\n"
        assert cafe.json("ledger", "waiting") == []
        assert cafe.run("ledger", "check") == "The ledger is whole.\n"
        again = cafe.refused(
            "ledger", "approve", posting, "--manager", "Marta", "--pin", MANAGER_PIN
        )
        assert again == "That was decided already."

    def test_a_return_that_waits_is_listed_under_its_own_id(self, cafe: Any) -> None:
        token = enrolled(cafe)
        posted = accrue(cafe, token)
        body = {
            "id": str(uuid.uuid4()),
            "posting_id": posted,
            "occurred_at": (system_clock() - timedelta(days=20)).isoformat(),
            "cashier_id": str(uuid.uuid4()),
            "offline": True,
        }
        post(cafe, "/reversals", body, token)
        [row] = cafe.json("ledger", "waiting")
        assert (row["posting_id"], row["body"]["posting_id"]) == (body["id"], posted)
        said = cafe.run("ledger", "approve", body["id"], "--manager", "Marta", "--pin", MANAGER_PIN)
        assert said == "Posted: -12 points.\n"

    def test_the_pin_is_asked_for_and_not_shown(self, cafe: Any) -> None:
        posting = accrue(cafe, enrolled(cafe), days_ago=20)
        result = cafe.type(
            "ledger", "approve", posting, "--manager", "Marta", "--refuse", typed=MANAGER_PIN + "\n"
        )
        assert (result.exit_code, "Refused for good." in result.stdout) == (0, True)
        assert MANAGER_PIN not in result.output

    @pytest.mark.parametrize(
        ("name", "pin", "says"),
        [
            ("Anna", "274913", "Only a manager or an owner decides this."),
            ("Marta", "000001", "The name or the PIN is not right. Try again."),
            ("Nobody", MANAGER_PIN, "The name or the PIN is not right. Try again."),
        ],
    )
    def test_nobody_else_decides(self, cafe: Any, name: str, pin: str, says: str) -> None:
        posting = accrue(cafe, enrolled(cafe), days_ago=20)
        assert cafe.refused("ledger", "approve", posting, "--manager", name, "--pin", pin) == says
        assert len(cafe.json("ledger", "waiting")) == 1

    def test_guessing_a_manager_s_pin_locks_it(self, cafe: Any) -> None:
        words = ("ledger", "approve", str(uuid.uuid4()), "--manager", "Marta", "--pin")
        for _ in range(5):
            assert "not right" in cafe.refused(*words, "000001")
        assert "Too many wrong PINs." in cafe.refused(*words, MANAGER_PIN)

    def test_an_id_that_is_none_is_a_usage_error(self, cafe: Any) -> None:
        words = ("--manager", "Marta", "--pin", MANAGER_PIN)
        assert cafe.type("ledger", "approve", "nonsense", *words).exit_code == 2
        said = cafe.refused("ledger", "approve", str(uuid.uuid4()), *words)
        assert said == "Nothing of that id waits for a manager."
