"""A language for ledger scenarios that reads like a statement.

    earn   100  day 1   expires day 10
    spend   60  day 2
    earn    50  day 3   expires day 30
    sweep       day 11
    -> balance 50; lots: 50 until day 30

Each line is a posting on one account, at its day (the first is day 1, 9 o'clock UTC, or the time
given) or at the moment of the line before. After every line the account's sums are compared, and
on SQLite all the books are checked; on PostgreSQL, where that takes longer than the scenario, once
at its end: the same code posts to both, and books that are wrong stay wrong. Days are told as dates
once the programme has a zone: "2026-10-25 03:30", by its clocks ("again": the second).

    earn 100 [as A] [from day 5 | pending] [expires day 10 | lasts 1 month to the end of the year |
             rolling] [receipt 7] [worth 50.00] [counts 40.00] [lines 2x3.00 tobacco:1x4.00]
             [bonus 50 [at 100.00] [once]] [happened day 3] [late] [by Bakery]
    buy 50.00 [as A] [lines ...] [in USD] [coupons 5.00] [tax 2.00] [paid 100] [happened ...] ...
                            the same, valued by the programme's own rules
    spend 60 [as S] [receipt 7] [by Cinema]   a hold and its capture at once
    hold 60 [as H] [minutes 15] [receipt 7]
    capture H [as S] [by Cinema]    release H       confirm A
    adjust +5 | -5 [as X] [expires day 10]
    reverse A [as R]        [policy within_balance] [floor 20] [grace 30]
    return 30.00 of A [as R]    return lines 1:2 2:all of A    (options as for reverse)
    merge Anna into Bert as M    unmerge M
    lift gold until day 30  a tier by hand
    repeat R                the same posting again: the same answer
    sweep                   every background step

    programme zone Europe/Riga; inactive 12 months; tiers silver 100, gold 300x2, by spend, rolling,
              one step, grace 30; earns 1 per 50.00 carried on; not tobacco; bonus 50 at 100.00;
              money JPY; money USD 0.9; stacking best; segment new joined_within_days=3;
              rule Buns item categories=bun gives=3+stamps:cup:2 most=5;
              rule Set basket contains=coffee:1,bun:2 each gives=5+coupon:cake
                                                (terms that a scenario needs; they may change)
    buy ... place harbour   in that location

A line may begin with somebody's name ("Anna: earn 100"): it is about an account of that name. It
may end in "! InsufficientPoints": it is refused with that error. Expected after "->", apart by ";":
balance, available, pending, held, debt, moved (by the last posting), lots, in draw order ("lots:
50 until day 30, 20 for ever" or "lots: none"), tier (or "tier none"), counted and spent (towards
tiers), carried, told (a reason in the last answer), changes ("changes: silver earned, none
returned"), given (by the last posting: "given 2 stamps cup"), left (of what A gave, after returns:
"left A 1 stamps cup"), settled ("settled: Bakery -60, Cinema 60"), rolling (until when).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from counterfoil_tests_ledger_words import (
    FIRST_DAY,
    MIDNIGHT,
    NINE,
    OWN,
    Options,
    ProgrammeWords,
    lines,
    minor,
    options,
)

from app.ledger import errors
from app.ledger.grounds import count_left, grounds_from_json
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    Confirm,
    HoldPoints,
    Merge,
    Operation,
    Posted,
    Release,
    ReturnedLine,
    Reverse,
    Unmerge,
    Value,
)
from app.programmes.earning import earning_of, value_of

_MICRO_OF_A_UNIT = 100_000_000


@dataclass
class Play:
    """A scenario on the stage: its accounts, and what its postings were called."""

    ledger: Any
    programme: ProgrammeWords = field(default_factory=ProgrammeWords)
    accounts: dict[str, str] = field(default_factory=dict)
    partners: dict[str, str] = field(default_factory=dict)
    who: str = ""
    names: dict[str, str] = field(default_factory=dict)
    done: dict[str, tuple[Operation, Posted]] = field(default_factory=dict)
    last: Posted | None = None

    @property
    def account_id(self) -> str:
        return self.account(self.who)

    def account(self, name: str) -> str:
        if name not in self.accounts:
            self.accounts[name] = self.ledger.account()
        return self.accounts[name]

    def line(self, text: str) -> None:
        if text.startswith("programme "):
            self.programme.change(text.removeprefix("programme "))
            self.ledger.terms = self.programme.terms
            return
        who, colon, rest = text.partition(": ")
        self.who = ""
        if colon and who.isalpha():
            self.who, text = who, rest
        if text.startswith("->"):
            for wanted in text[2:].split(";"):
                self.expect(wanted.strip())
            return
        text, _, error = (part.strip() for part in text.partition("!"))
        text = self.at(text)
        if error:
            with pytest.raises(getattr(errors, error)):
                self.act(text)
        else:
            self.act(text)
        self.look()

    def look(self) -> None:
        """What is looked at after each line."""
        if self.ledger.database.is_sqlite:
            self.ledger.prove(self.account_id)
        else:
            self.ledger.rule_six(self.account_id)

    def at(self, text: str) -> str:
        """Move the clock to the line's own moment."""
        match = OWN.search(text)
        if match is None:
            return text
        now = self.programme.moment(match.group(), NINE)
        first = not self.accounts
        assert first or now >= self.ledger.clock.now, f"time runs forward: {text}"
        self.ledger.clock.now = now
        return text[: match.start()] + text[match.end() :]

    # --- postings -----------------------------------------------------------------------------

    def act(self, text: str) -> None:
        verb, _, rest = text.partition(" ")
        rest = " ".join(rest.split())
        if verb == "sweep":
            self.ledger.sweep()
            return
        if verb == "repeat":
            operation, first = self.done[rest]
            again = self.ledger.post(operation, self.names[rest])
            assert again.repeated
            assert again.answer == first.answer
            return
        said, words = options(rest)
        subject = words[0] if words else ""
        if verb == "lift":
            until = self.programme.moment(said.moments["until"], MIDNIGHT)
            self.ledger.lift(self.account_id, subject, until)
            return
        if verb == "spend":
            verb, subject = "capture", self.post(self.hold(subject, said), said)
            self.names[subject] = subject
        make: Callable[[str, Options], Operation] = getattr(self, f"{verb}_", None) or getattr(
            self, verb
        )
        operation = make(subject, said)
        posting_id = self.post(operation, said)
        if name := said.named.get("as"):
            assert self.last is not None
            self.names[name] = posting_id
            self.done[name] = (operation, self.last)

    def post(self, operation: Operation, said: Options) -> str:
        occurred_at = None
        if "happened" in said.moments:
            occurred_at = self.programme.moment(said.moments["happened"], NINE)
        self.last = self.ledger.post(operation, occurred_at=occurred_at, late="late" in said.flags)
        assert self.last is not None
        return str(self.last.answer["posting_id"])

    def partner(self, said: Options) -> str | None:
        name = said.named.get("by")
        if name is None:
            return None
        if name not in self.partners:
            self.partners[name] = self.ledger.partner(name)
        return self.partners[name]

    def earn(self, points: str, said: Options) -> Accrue:
        earned_at = self.ledger.clock.now
        if "happened" in said.moments:
            earned_at = self.programme.moment(said.moments["happened"], NINE)
        available_from: datetime | None = earned_at
        if "from" in said.moments:
            available_from = self.programme.moment(said.moments["from"], MIDNIGHT)
        if "pending" in said.flags:
            available_from = None
        told = lines(said.named.get("lines", ""))
        counts = said.named.get("counts")
        return Accrue(
            account_id=self.account_id,
            amount_minor=sum(line.amount_minor for line in told)
            or minor(said.named.get("worth", points)),
            currency="EUR",
            value=Value(
                int(points),
                available_from,
                self.programme.expiry(said, earned_at),
                rolling="rolling" in said.flags,
                earning_minor=None if counts is None else minor(counts),
                bonuses=tuple(said.bonuses),
            ),
            receipt_number=said.named.get("receipt"),
            lines=told,
            issuing_partner_id=self.partner(said),
        )

    def buy(self, amount: str, said: Options) -> Accrue:
        now = self.ledger.clock.now
        at = now
        if "happened" in said.moments:
            at = self.programme.moment(said.moments["happened"], NINE)
        tariff = self.programme.tariff()
        sale, exchange = self.programme.sale(said, amount, at)
        earning = earning_of(tariff, sale, exchange)
        return Accrue(
            account_id=self.account_id,
            amount_minor=sale.amount_minor,
            currency=sale.currency,
            value=Valued(lambda facts: value_of(tariff, earning, facts, now=now)),
            receipt_number=said.named.get("receipt"),
            lines=sale.lines,
            issuing_partner_id=self.partner(said),
            exchange_rate=exchange.rate if exchange else None,
            exchange_source=exchange.source if exchange else None,
            once_keys=earning.once_keys,
            asked=earning.asked(tariff),
        )

    def hold(self, points: str, said: Options) -> HoldPoints:
        until = self.ledger.clock.now + timedelta(minutes=int(said.named.get("minutes", "15")))
        return HoldPoints(self.account_id, int(points), until, said.named.get("receipt"))

    def capture(self, name: str, said: Options) -> Capture:
        return Capture(self.names[name], self.partner(said))

    def release(self, name: str, said: Options) -> Release:
        return Release(self.names[name])

    def confirm(self, name: str, said: Options) -> Confirm:
        return Confirm(self.names[name])

    def adjust(self, points: str, said: Options) -> Adjust:
        expires_at = self.programme.expiry(said, self.ledger.clock.now)
        return Adjust(self.account_id, int(points), "scenario", expires_at=expires_at)

    def reverse(self, name: str, said: Options) -> Reverse:
        return Reverse(self.names[name], **self.programme.facts(said))

    def return_(self, amount: str, said: Options) -> Reverse:
        posting_id, facts = self.names[said.named["of"]], self.programme.facts(said)
        if "lines" not in said.named:
            return Reverse(posting_id, amount_minor=minor(amount), **facts)
        back = []
        for line in said.named["lines"].split():
            position, _, quantity = line.partition(":")
            part = None if quantity == "all" else Decimal(quantity)
            back.append(ReturnedLine(int(position), part))
        return Reverse(posting_id, lines=tuple(back), **facts)

    def merge(self, name: str, said: Options) -> Merge:
        return Merge(self.account(name), self.account(said.named["into"]))

    def unmerge(self, name: str, said: Options) -> Unmerge:
        return Unmerge(self.names[name])

    # --- what is expected ---------------------------------------------------------------------

    def expect(self, wanted: str) -> None:
        what, _, said = wanted.partition(" ")
        what = what.rstrip(":")
        if what == "told":
            assert self.last is not None
            codes = [reason["code"] for reason in self.last.answer["explain"]]
            assert said in codes, codes
            return
        if what == "left":
            name, _, said = said.partition(" ")
            found = self.left(name)
        else:
            found = self.found(what)
        assert found == said.strip(), f"{what} is {found}"

    def found(self, what: str) -> str:
        account_id = self.account_id
        match what:
            case "moved":
                assert self.last is not None
                return str(self.last.answer["points"])
            case "lots":
                return self.lots()
            case "given":
                assert self.last is not None
                return _told_things(self.last.answer.get("given", []))
            case "tier":
                return str(self.ledger.row(account_id).tier or "none")
            case "changes":
                changes = self.ledger.changes(account_id)
                return ", ".join(f"{each.to_tier or 'none'} {each.reason}" for each in changes)
            case "counted":
                return str(self.ledger.counted(account_id)[0])
            case "spent":
                return f"{self.ledger.counted(account_id)[1] / 100:.2f}"
            case "carried":
                return f"{self.ledger.row(account_id).carried_micro / _MICRO_OF_A_UNIT:.2f}"
            case "rolling":
                return self.programme.told(self.ledger.row(account_id).rolling_expires_at)
            case "settled":
                names = {partner: name for name, partner in self.partners.items()} | {None: "us"}
                nets = {names[each]: points for each, points in self.ledger.settled().items()}
                told = [f"{name} {nets[name]}" for name in sorted(nets) if nets[name]]
                return ", ".join(told) or "none"
        return str(getattr(self.ledger.standing(account_id), what))

    def left(self, name: str) -> str:
        """What is left of the things that a posting gave, by what is kept of its receipt."""
        given = self.done[name][1].answer.get("given", [])
        kept = self.ledger.kept(self.names[name])
        return _told_things(
            [
                each
                | {"count": count_left(each["count"], grounds_from_json(each["grounds"]), kept)}
                for each in given
            ]
        )

    def lots(self) -> str:
        told = []
        for remaining, expires_at in self.ledger.lots(self.account_id):
            when = "for ever" if expires_at is None else f"until {self.programme.told(expires_at)}"
            told.append(f"{remaining} {when}")
        return ", ".join(told) or "none"


def _told_things(given: list[dict[str, Any]]) -> str:
    told = [f"{each['count']} {each['kind']} {each['what']}" for each in given if each["count"]]
    return ", ".join(told) or "nothing"


class Valued:
    """Says a receipt's value once its account is known. Two of one operation look the same."""

    def __init__(self, value: Callable[[Any], Value]) -> None:
        self.value = value

    def __call__(self, facts: Any) -> Value:
        return self.value(facts)

    def __repr__(self) -> str:
        return "valued by the programme"


def play(ledger: Any, text: str) -> None:
    """Play a scenario on new accounts."""
    ledger.clock.now = FIRST_DAY + NINE
    stage = Play(ledger)
    for line in text.splitlines():
        line = " ".join(line.partition("#")[0].split())
        if not line:
            continue
        try:
            stage.line(line)
        except BaseException as error:
            error.add_note(f"in the scenario's line: {line}")
            raise
    ledger.prove()
