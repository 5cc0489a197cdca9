"""A language for ledger scenarios that reads like a statement.

    earn   100  day 1   expires day 10
    spend   60  day 2
    earn    50  day 3   expires day 30
    sweep       day 11
    -> balance 50; lots: 50 until day 30

Each line is a posting on one account, at its day (the first is day 1, 9 o'clock UTC, or the time
given) or at the moment of the line before. After every line the books are checked.

    earn 100 [as A] [from day 5 | pending] [expires day 10] [receipt 7] [worth 50.00]
             [lines 2x3.00 1x4.00]
    spend 60 [as S] [receipt 7]             a hold and its capture at once
    hold 60 [as H] [minutes 15] [receipt 7]
    capture H [as S]        release H       confirm A
    adjust +5 | -5 [as X] [expires day 10]
    reverse A [as R]        [policy within_balance] [floor 20] [grace 30]
    return 30.00 of A [as R]    return lines 1:2 2:all of A    (options as for reverse)
    repeat R                the same posting again: the same answer
    sweep                   every background step

A line may end in "! InsufficientPoints": it is refused with that error. Expected after "->", apart
by ";": balance, available, pending, held, debt, moved (by the last posting), and lots, in draw
order ("lots: 50 until day 30, 20 for ever" or "lots: none").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.ledger import errors
from app.ledger.postings import (
    Accrue,
    Adjust,
    Capture,
    Confirm,
    HoldPoints,
    Line,
    Operation,
    Posted,
    Release,
    ReturnedLine,
    Reverse,
    Value,
)

FIRST_DAY = datetime(2026, 6, 1, tzinfo=UTC)
NINE = timedelta(hours=9)
_DAY = re.compile(r"day (\d+)(?: (\d\d):(\d\d))?")
_OPTIONS = re.compile(
    r"\b(?:(as|receipt|worth|minutes|policy|floor|grace) (\S+)"
    r"|(expires|from) (day \d+(?: \d\d:\d\d)?)"
    r"|(lines) ((?:\S*\d[x:]\S+ ?)+)"
    r"|(of) (\S+)|(pending))"
)


def moment(text: str, default: timedelta) -> datetime:
    """ "day 3 12:30"; without a time the default one of that day."""
    match = _DAY.fullmatch(text)
    assert match, text
    day, hour, minute = match.groups()
    time = timedelta(hours=int(hour), minutes=int(minute)) if hour else default
    return FIRST_DAY + timedelta(days=int(day) - 1) + time


def minor(text: str) -> int:
    """ "12.50" as 1250."""
    return int(Decimal(text) * 100)


@dataclass
class Play:
    """A scenario on the stage: the account, and what its postings were called."""

    ledger: Any
    account_id: str
    names: dict[str, str] = field(default_factory=dict)
    done: dict[str, tuple[Operation, Posted]] = field(default_factory=dict)
    last: Posted | None = None

    def line(self, text: str) -> None:
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
        self.ledger.prove(self.account_id)

    def at(self, text: str) -> str:
        """Move the clock to the line's own day, which is the one that belongs to no option."""
        for match in _DAY.finditer(text):
            before = text[: match.start()].split()
            if before[-1] not in {"expires", "from"}:
                now = moment(match.group(), NINE)
                assert now >= self.ledger.clock.now, f"time runs forward: {text}"
                self.ledger.clock.now = now
                return text[: match.start()] + text[match.end() :]
        return text

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
        options, words = self.options(rest)
        name = options.pop("as", None)
        for operation in self.operations(verb, words, options):
            self.last = self.ledger.post(operation)
            assert self.last is not None
            if name:
                self.names[name] = self.last.answer["posting_id"]
                self.done[name] = (operation, self.last)

    def options(self, rest: str) -> tuple[dict[str, str], list[str]]:
        found: dict[str, str] = {}
        for match in _OPTIONS.finditer(rest):
            parts = [part for part in match.groups() if part is not None]
            found[parts[0]] = parts[-1].strip()
        return found, _OPTIONS.sub("", rest).split()

    def operations(
        self, verb: str, words: list[str], options: dict[str, str]
    ) -> Iterator[Operation]:
        subject = words[0] if words else ""
        match verb:
            case "earn":
                yield self.accrual(int(subject), options)
            case "spend":
                yield self.hold(int(subject), options)
                assert self.last is not None
                yield Capture(self.last.answer["posting_id"])
            case "hold":
                yield self.hold(int(subject), options)
            case "capture":
                yield Capture(self.names[subject])
            case "release":
                yield Release(self.names[subject])
            case "confirm":
                yield Confirm(self.names[subject])
            case "adjust":
                yield Adjust(
                    self.account_id, int(subject), "scenario", expires_at=self.expiry(options)
                )
            case "reverse":
                yield Reverse(self.names[subject], **self.terms(options))
            case "return":
                yield self.part(subject, options)
            case _:
                raise AssertionError(f"what is {verb!r}?")

    def accrual(self, points: int, options: dict[str, str]) -> Accrue:
        available_from = self.ledger.clock.now
        if "from" in options:
            available_from = moment(options["from"], timedelta())
        lines = []
        for line in options.get("lines", "").split():
            quantity, _, amount = line.partition("x")
            lines.append(Line(f"item {len(lines) + 1}", minor(amount), Decimal(quantity)))
        value = Value(
            points, None if "pending" in options else available_from, self.expiry(options)
        )
        return Accrue(
            account_id=self.account_id,
            amount_minor=sum(line.amount_minor for line in lines)
            or minor(options.get("worth", str(points))),
            currency="EUR",
            value=value,
            receipt_number=options.get("receipt"),
            lines=tuple(lines),
        )

    def expiry(self, options: dict[str, str]) -> datetime | None:
        return moment(options["expires"], timedelta()) if "expires" in options else None

    def hold(self, points: int, options: dict[str, str]) -> HoldPoints:
        minutes = int(options.get("minutes", "15"))
        return HoldPoints(
            self.account_id,
            points,
            self.ledger.clock.now + timedelta(minutes=minutes),
            options.get("receipt"),
        )

    def terms(self, options: dict[str, str]) -> dict[str, Any]:
        terms: dict[str, Any] = {"return_policy": options.get("policy", "allow_debt")}
        if "floor" in options:
            terms["debt_floor"] = int(options["floor"])
        if "grace" in options:
            terms["grace_days"] = int(options["grace"])
        return terms

    def part(self, subject: str, options: dict[str, str]) -> Reverse:
        posting_id = self.names[options["of"]]
        if "lines" not in options:
            return Reverse(posting_id, amount_minor=minor(subject), **self.terms(options))
        lines = []
        for line in options["lines"].split():
            position, _, quantity = line.partition(":")
            lines.append(
                ReturnedLine(int(position), None if quantity == "all" else Decimal(quantity))
            )
        return Reverse(posting_id, lines=tuple(lines), **self.terms(options))

    def expect(self, wanted: str) -> None:
        if wanted.startswith("lots:"):
            assert self.lots() == wanted.removeprefix("lots:").strip()
            return
        what, _, number = wanted.partition(" ")
        if what == "moved":
            assert self.last is not None
            shown = self.last.answer["points"]
        else:
            shown = getattr(self.ledger.standing(self.account_id), what)
        assert f"{what} {shown}" == f"{what} {int(number)}"

    def lots(self) -> str:
        told = []
        for remaining, expires_at in self.ledger.lots(self.account_id):
            if expires_at is None:
                told.append(f"{remaining} for ever")
                continue
            since = expires_at - FIRST_DAY
            time = "" if not since.seconds else f" {expires_at:%H:%M}"
            told.append(f"{remaining} until day {since.days + 1}{time}")
        return ", ".join(told) or "none"


def play(ledger: Any, text: str) -> None:
    """Play a scenario on a new account."""
    ledger.clock.now = FIRST_DAY + NINE
    stage = Play(ledger, ledger.account())
    for line in text.splitlines():
        line = " ".join(line.partition("#")[0].split())
        if not line:
            continue
        try:
            stage.line(line)
        except BaseException as error:
            error.add_note(f"in the scenario's line: {line}")
            raise
