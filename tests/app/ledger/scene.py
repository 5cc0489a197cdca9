"""Scenarios with several accounts, which merge and part again: see `scenario` for the lines.

    A: earn 100 as S expires day 30
    B: spend 20
    merge A into B as M     the lines of A go on meaning that account, empty by then
    repeat M
    unmerge M as U
    A: -> balance 80; lots: 80 until day 30

Accounts begin with the line that names them first. After every line the books are checked, and
every account's balance against rule 6.
"""

from typing import Any

import pytest

from app.ledger import errors
from app.ledger.postings import Merge, Operation, Unmerge


class Scene:
    """The accounts of a scenario by their names; they share the names of postings."""

    def __init__(self, ledger: Any, scenario: Any) -> None:
        self.ledger, self.scenario = ledger, scenario
        self.accounts: dict[str, Any] = {}

    def account(self, name: str) -> Any:
        if name not in self.accounts:
            stage = self.scenario.Play(self.ledger, self.ledger.account())
            for other in self.accounts.values():
                stage.names, stage.done = other.names, other.done
            self.accounts[name] = stage
        return self.accounts[name]

    def line(self, text: str) -> None:
        name, colon, rest = text.partition(": ")
        if colon and name.isupper():
            self.account(name).line(rest)
            return
        stage = next(iter(self.accounts.values()))
        text, _, error = (part.strip() for part in text.partition("!"))
        words = stage.at(text).split()
        name = words[words.index("as") + 1] if "as" in words else ""
        match words:
            case ["merge", goes, "into", stays, *_]:
                into = self.account(stays).account_id
                self.post(Merge(self.account(goes).account_id, into), name, error)
            case ["unmerge", merge, *_]:
                self.post(Unmerge(stage.names[merge]), name, error)
            case _:
                stage.act(" ".join(words))
        self.ledger.prove()
        for each in self.accounts.values():
            self.ledger.rule_six(each.account_id)

    def post(self, operation: Operation, name: str, error: str) -> None:
        stage = next(iter(self.accounts.values()))
        if error:
            with pytest.raises(getattr(errors, error)):
                self.ledger.post(operation)
            return
        posted = self.ledger.post(operation)
        for each in self.accounts.values():
            each.last = posted
        if name:
            stage.names[name] = posted.answer["posting_id"]
            stage.done[name] = (operation, posted)


def play(ledger: Any, scenario: Any, text: str) -> Scene:
    """Play a scenario on accounts of its own; what it left."""
    ledger.clock.now = scenario.FIRST_DAY + scenario.NINE
    scene = Scene(ledger, scenario)
    for line in text.splitlines():
        line = " ".join(line.partition("#")[0].split())
        if not line:
            continue
        try:
            scene.line(line)
        except BaseException as error:
            error.add_note(f"in the scenario's line: {line}")
            raise
    return scene
