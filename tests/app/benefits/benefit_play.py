"""The ledger's scenarios, with what a card has besides points.

earn 5 gives coffee 2 [and week ...]   an accrual that gives stamps, coupons, gifts
give cake [coffee 3]                   without a receipt
take free-coffee [as R] [receipt 7]    a reward for a full card or for points
use cake [as U] [receipt 7]            the oldest open coupon of that kind
programme policy within_balance        how returns go from now on
-> stamps coffee 7; coupons cake: open, used; gifts mug 1; taken mug 2
"""

import re
from dataclasses import replace
from typing import Any

import pytest
from counterfoil_tests_ledger_scenario import Play
from counterfoil_tests_ledger_words import FIRST_DAY, NINE, Options, options
from msgspec import structs

from app.benefits import errors
from app.benefits.service import Order, Price
from app.ledger import errors as ledger_errors
from app.ledger.postings import Accrue, Given, Operation, Present, Value

STAMPS = {"coffee": 10, "lunch": 5, "tea": 6}
COUPONS = {"cake", "week"}
REWARDS = {"free-coffee": ("coffee", 10, 0), "free-lunch": ("lunch", 5, 0), "mug": (None, 0, 50)}
STOCK = {"mug": 2}
_GIVES = re.compile(r"\bgives ((?:[a-z-]+ \d+ ?)+)")


def given(text: str) -> tuple[Given, ...]:
    """ "coffee 2 cake 1" as things that are given."""
    words = text.split()
    found = []
    for what, count in zip(words[::2], words[1::2], strict=True):
        kind = "stamps" if what in STAMPS else "coupon" if what in COUPONS else "gift"
        found.append(Given(kind, what, int(count), f"{what} rule"))
    return tuple(found)


class BenefitPlay(Play):
    """The stage, with further words."""

    things: tuple[Given, ...] = ()

    def line(self, text: str) -> None:
        if text.startswith("programme policy "):
            self.versions = getattr(self, "versions", 1) + 1
            self.ledger.policy(text.split()[-1], number=self.versions)
            return
        match = _GIVES.search(text)
        self.things = given(match[1]) if match else ()
        if match:
            text = " ".join((text[: match.start()] + text[match.end() :]).split())
        head, _, error = (part.strip() for part in text.partition("!"))
        who, colon, rest = head.partition(": ")
        verb = (rest if colon and who.isalpha() else head).split(" ")[0]
        if verb in ("take", "use"):
            self.who = who if colon and who.isalpha() else ""
            self.redeem_line(verb, rest if self.who else head, error)
            return
        if hasattr(errors, error):
            self.who = who if colon and who.isalpha() else ""
            with pytest.raises(getattr(errors, error)):
                self.act(self.at(rest if self.who else head))
            self.look()
            return
        super().line(text)

    def earn(self, points: str, said: Options) -> Accrue:
        made = super().earn(points, said)
        assert isinstance(made.value, Value)
        return replace(made, value=structs.replace(made.value, given=self.things))

    def give(self, _subject: str, said: Options) -> Operation:
        return Present(self.account_id, self.things, "for the test")

    # --- redeeming ----------------------------------------------------------------------------

    def redeem_line(self, verb: str, text: str, error: str) -> None:
        text = self.at(text)
        said, words = options(" ".join(text.split(" ")[1:]))
        order = getattr(self, f"order_{verb}")(words[0], said.named.get("receipt"))
        if error:
            with pytest.raises(getattr(errors, error, None) or ledger_error(error)):
                self.ledger.redeem(self.account_id, order)
        else:
            self.last = self.ledger.redeem(self.account_id, order)
            if name := said.named.get("as"):
                self.names[name] = self.last.answer["posting_id"]
                self.done[name] = (order, self.last)
        self.look()

    def order_take(self, what: str, receipt: str | None) -> Order:
        card, count, points = REWARDS[what]
        return Order(
            kind="reward",
            what=what,
            name=what,
            worth={"kind": "goods"},
            points=points,
            price=Price("stamps", card, count) if card else None,
            stock=STOCK.get(what),
            receipt_number=receipt,
        )

    def order_use(self, what: str, receipt: str | None) -> Order:
        found = self.ledger.open_coupons(self.account_id, what)
        coupon_id = found[0] if found else self.ledger.any_coupon(self.account_id, what)
        return Order(
            kind="coupon",
            what=what,
            name=what,
            worth={"kind": "goods"},
            coupon_id=coupon_id,
            receipt_number=receipt,
        )

    # --- what is expected ---------------------------------------------------------------------

    def expect(self, wanted: str) -> None:
        what, _, said = wanted.partition(" ")
        kind = {"stamps": "stamps", "gifts": "gift"}.get(what)
        if kind:
            thing, count = said.split()
            found = self.ledger.tally(self.account_id, kind, thing)
            assert found == int(count), f"{wanted}: there are {found}"
        elif what == "coupons":
            thing, _, states = said.partition(": ")
            found = ", ".join(self.ledger.coupons(self.account_id, thing)) or "none"
            assert found == states, f"{wanted}: they are {found}"
        elif what == "taken":
            thing, count = said.split()
            assert self.ledger.taken(thing) == int(count)
        else:
            super().expect(wanted)


def ledger_error(name: str) -> Any:
    return getattr(ledger_errors, name)


def play(bench: Any, text: str) -> None:
    """Play a scenario on new accounts."""
    bench.clock.now = FIRST_DAY + NINE
    stage = BenefitPlay(bench)
    for line in text.splitlines():
        line = " ".join(line.partition("#")[0].split())
        if not line:
            continue
        try:
            stage.line(line)
        except BaseException as error:
            error.add_note(f"in the scenario's line: {line}")
            raise
    bench.prove()
