"""A list of members, line by line: what each says, what is wrong with it, and the cure.

Lines with the same number that follow each other are one customer, whose points end at several
times; so are "points 2" and "expires 2" beside "points" and "expires", and "lots" written as
``100:2026-12-31 50:never``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from app.errors import Invalid
from app.ledger.postings import OpeningLot
from app.ledger.rules import RoundUp, expiry, start_of_day
from app.ledger.tiers import TierScheme
from app.members.consents import TEXTS
from app.members.service import Contact, read_contact
from app.programmes.settings import Settings
from app.transfer import cells
from app.transfer.cells import Unreadable
from app.transfer.columns import Columns
from app.transfer.reading import BrokenLine, Row, Sheet

#: More lots than a customer can have.
MOST_LOTS = 120
_MOST_STAMPS = 1000
_LOT = re.compile(r"([^:;\s]+):([^;\s]+)")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a line, and what to do. A warning does not keep the line out."""

    line: int
    column: str
    what: str
    cure: str
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the file tells; *told* is what of it the ledger will hold, for a repeat."""

    line: int
    contact: Contact
    language: str | None
    joined_at: datetime | None
    lots: tuple[OpeningLot, ...]
    tier: str | None
    tier_until: datetime | None
    stamps: int
    debt: int
    #: What was agreed to elsewhere: purpose and when.
    consents: tuple[tuple[str, datetime], ...]
    told: dict[str, Any]

    @property
    def number(self) -> str:
        """The number that it is known by."""
        return self.contact.number or ""

    @property
    def points(self) -> int:
        """All points that it brings along."""
        return sum(each.points for each in self.lots)


@dataclass(frozen=True, slots=True)
class Frame:
    """What a line is read by: the programme's rules, and what its operator said of the file."""

    time_zone: str
    settings: Settings
    now: datetime
    dates: str | None = None

    @property
    def scheme(self) -> TierScheme | None:
        """The programme's tiers."""
        return self.settings.tiers.scheme if self.settings.tiers else None

    def by_rules(self) -> tuple[datetime | None, bool]:
        """When points end that somebody gets now, and whether they roll."""
        settings = self.settings
        if settings.expiry_mode == "inactivity":
            return None, True
        if not settings.expires_after_months:
            return None, False
        period = settings.expires_round_up
        round_up = None if period == "none" else RoundUp(period)
        months = settings.expires_after_months
        return expiry(self.now, time_zone=self.time_zone, months=months, round_up=round_up), False


@dataclass(slots=True)
class _Group:
    """The lines of one customer."""

    first: Row
    number: str
    lots: list[tuple[int, str]] = field(default_factory=list)
    debt: int = 0
    problems: list[Problem] = field(default_factory=list)


class Reader:
    """Goes through a file once. `problems` are given as they are found, with each customer."""

    def __init__(self, sheet: Sheet, columns: Columns, frame: Frame) -> None:
        self.sheet, self.columns, self.frame = sheet, columns, frame
        self._tiers = _tier_names(frame.settings)
        self._by_rules = frame.by_rules()
        self._seen: dict[int, int] = {}

    def customers(self) -> Iterator[tuple[Customer | None, list[Problem]]]:
        """Each customer, or None where the line cannot be used, with what is wrong."""
        group: _Group | None = None
        try:
            for row in self.sheet.rows():
                try:
                    number = cells.number(self._cell(row, "number"))
                except Unreadable as error:
                    yield None, [_problem(row.line, "number", error)]
                    continue
                if group is not None and group.number == number:
                    self._add(group, row)
                    continue
                if group is not None:
                    yield self._finish(group)
                group = _Group(row, number)
                self._collect(group, row)
        except BrokenLine as error:
            if group is not None:
                yield self._finish(group)
            cure = "Correct the file: nothing behind this line was read."
            yield None, [Problem(error.line, "", error.message, cure)]
            return
        if group is not None:
            yield self._finish(group)

    # --- one customer -------------------------------------------------------------------------

    def _cell(self, row: Row, name: str) -> str:
        place = self.columns.places.get(name)
        return row.cells[place] if place is not None and place < len(row.cells) else ""

    def _add(self, group: _Group, row: Row) -> None:
        """A further line of a customer tells of further points, and of nothing else anew."""
        for name in self.columns.places:
            said = self._cell(row, name).strip()
            if name not in {"number", "lots"} and said:
                if said != self._cell(group.first, name).strip():
                    what = "This customer is in the line before with something else here."
                    cure = "Give further points only, or correct the number."
                    group.problems.append(Problem(row.line, name, what, cure))
        self._collect(group, row)

    def _collect(self, group: _Group, row: Row) -> None:
        count = len(self.sheet.header.cells)
        if len(row.cells) != count and any(each.strip() for each in row.cells[count:]):
            what = f"The line has {len(row.cells)} cells, the heading has {count}."
            cure = "Put text that holds the separator between quotation marks."
            group.problems.append(Problem(row.line, "", what, cure))
        for number, (points_at, end_at) in enumerate(self.columns.lots, 1):
            name = "points" if number == 1 else f"points {number}"
            try:
                points = cells.balance(_at(row, points_at))
            except Unreadable as error:
                group.problems.append(_problem(row.line, name, error))
                continue
            if points < 0:
                group.debt -= points
            elif points:
                group.lots.append((points, cells.text(_at(row, end_at))))
            elif points_at is None and _at(row, end_at).strip():
                what = "There is an end, and no column of points beside it."
                cure = f"Name the column of points: --column {name.replace(' ', '')}=HEADING"
                group.problems.append(Problem(row.line, name, what, cure))
        told = self._cell(row, "lots").strip()
        found = _LOT.findall(told)
        if told and re.sub(r"[;\s]", "", _LOT.sub("", told)):
            what = f"{told[:40]!r} are no points with their ends."
            cure = "Write them as 100:2026-12-31 50:never."
            group.problems.append(Problem(row.line, "lots", what, cure))
            found = []
        try:
            in_lots = [(cells.points(points), end) for points, end in found]
        except Unreadable as error:
            group.problems.append(_problem(row.line, "lots", error))
            return
        balance = sum(points for points, _ in group.lots)
        if in_lots and balance:
            if balance != sum(points for points, _ in in_lots):
                what = f"The lots do not add up to the {balance} points of this line."
                group.problems.append(Problem(row.line, "lots", what, "Correct one of them."))
            group.lots.clear()
        group.lots.extend(each for each in in_lots if each[0])

    def _finish(self, group: _Group) -> tuple[Customer | None, list[Problem]]:
        row, problems = group.first, group.problems
        mark = hash(group.number)
        before = self._seen.setdefault(mark, row.line)
        if before != row.line:
            what = f"Line {before} has the same number."
            cure = "Let lines of one customer follow each other, or correct the number."
            problems.append(Problem(row.line, "number", what, cure))

        def read(name: str, reader: Any, *more: Any) -> Any:
            try:
                return reader(self._cell(row, name), *more)
            except Unreadable as error:
                problems.append(_problem(row.line, name, error))
                return None

        contact = self._contact(row, group.number, problems)
        language = read("language", cells.language)
        contact = replace(contact, birthday=read("birthday", cells.birthday, self.frame.dates))
        joined = read("joined", self._joined)
        tier = read("tier", self._tier)
        until = read("tier_until", self._until) if tier else None
        stamps = read("stamps", cells.points) or 0
        if stamps and len(self.frame.settings.stamps) != 1:
            what = "Stamps can be brought along where the programme has one stamp card."
            problems.append(Problem(row.line, "stamps", what, "Leave the column out."))
        elif stamps > _MOST_STAMPS:
            what = f"{stamps} stamps are more than {_MOST_STAMPS}."
            problems.append(
                Problem(row.line, "stamps", what, "Look whether it is the right column.")
            )
        debt = self._debt(group)
        consents = self._consents(row, problems)
        lots = self._lots(group)
        if any(not each.is_warning for each in problems):
            return None, problems
        told: dict[str, Any] = {"lots": [list(each) for each in group.lots], "tier": tier}
        told["tier_until"] = None if until is None else until.isoformat()
        if stamps:
            told["stamps"] = stamps
        if debt:
            told["debt"] = debt
        if consents:
            told["consents"] = {each: self._cell(row, f"consent_{each}") for each, _ in consents}
        customer = Customer(
            line=row.line,
            contact=contact,
            language=language,
            joined_at=joined,
            lots=lots,
            tier=tier,
            tier_until=until,
            stamps=stamps,
            debt=debt,
            consents=consents,
            told=told,
        )
        return customer, problems

    def _debt(self, group: _Group) -> int:
        """What is owed: a balance below zero, or a column of its own; points pay it off."""
        line = group.first.line
        debt = group.debt
        try:
            owed = abs(cells.balance(self._cell(group.first, "debt")))
        except Unreadable as error:
            group.problems.append(_problem(line, "debt", error))
            return 0
        if owed and debt and owed != debt:
            what = f"The balance says that {debt} points are owed, and this cell {owed}."
            group.problems.append(Problem(line, "debt", what, "Correct one of them."))
        debt = owed or debt
        if debt > cells.MOST_POINTS:
            what = f"{debt:,} points are more than {cells.MOST_POINTS:,}."
            cure = "Look whether it is the right column."
            group.problems.append(Problem(line, "debt", what, cure))
        if debt and group.lots:
            what = f"{debt} points are owed, and there are points beside them."
            cure = "Give what is left when one pays for the other."
            group.problems.append(Problem(line, "debt", what, cure))
        return debt

    def _consents(self, row: Row, problems: list[Problem]) -> tuple[tuple[str, datetime], ...]:
        """What was agreed to, each with the beginning of its day; the present one, if none."""
        found = []
        for purpose in TEXTS:
            name = f"consent_{purpose}"
            cell = self._cell(row, name)
            answer = cells.answer(cell)
            if answer is True:
                found.append((purpose, self.frame.now))
            if answer is not None:
                continue
            try:
                given = self._joined(cell)
            except Unreadable as error:
                cure = f"{error.cure} Or write yes or no."
                problems.append(Problem(row.line, name, error.what, cure))
                continue
            if given is not None:
                found.append((purpose, given))
        return tuple(found)

    def _contact(self, row: Row, number: str, problems: list[Problem]) -> Contact:
        name = cells.text(self._cell(row, "name")) or " ".join(
            cells.text(self._cell(row, part)) for part in ("first_name", "last_name")
        )
        email, phone = (cells.text(self._cell(row, each)) for each in ("email", "phone"))
        try:
            read = read_contact(name, email, phone)
        except Invalid as error:
            for column, texts in error.fields.items():
                said = {"name": name, "email": email, "phone": phone}[column]
                problems.append(Problem(row.line, column, f"{said[:40]!r}.", " ".join(texts)))
            return Contact(number=number)
        return Contact(read.name, read.email, read.phone, number)

    def _lots(self, group: _Group) -> tuple[OpeningLot, ...]:
        made = []
        line = group.first.line
        if len(group.lots) > MOST_LOTS:
            what = f"The customer has points with more than {MOST_LOTS} ends."
            group.problems.append(Problem(line, "lots", what, "Put some of them together."))
            return ()
        for points, said in group.lots:
            if cells.is_never(said):
                made.append(OpeningLot(points))
                continue
            try:
                end = cells.end(said, self.frame.time_zone, self.frame.dates)
            except Unreadable as error:
                group.problems.append(_problem(line, "expires", error))
                continue
            if end is None:
                made.append(OpeningLot(points, *self._by_rules))
            elif end <= self.frame.now:
                what = f"{points} points have expired ({said[:40]})."
                cure = "Leave them out, or correct the day."
                group.problems.append(Problem(line, "expires", what, cure))
            else:
                made.append(OpeningLot(points, end))
        return tuple(made)

    # --- cells that take the programme's rules ------------------------------------------------

    def _joined(self, cell: str) -> datetime | None:
        end = cells.end(cell, self.frame.time_zone, self.frame.dates)
        if end is None:
            return None
        day = cells.day(cell, self.frame.dates)
        moment = end if day is None else start_of_day(day, self.frame.time_zone)
        if moment > self.frame.now:
            raise Unreadable(f"{cell.strip()[:40]!r} has not come yet.", "Correct the day.")
        return moment

    def _tier(self, cell: str) -> str | None:
        said = cells.text(cell)
        if not said:
            return None
        found = self._tiers.get(said.casefold())
        if found is None:
            codes = ", ".join(dict.fromkeys(self._tiers.values()))
            if not codes:
                raise Unreadable("This programme has no tiers.", "Leave the column out.")
            close = get_close_matches(said.casefold(), self._tiers, 1)
            cure = f"Did you mean {self._tiers[close[0]]}? " if close else ""
            raise Unreadable(f"There is no tier {said[:40]!r}.", f"{cure}There are: {codes}.")
        return found

    def _until(self, cell: str) -> datetime | None:
        end = cells.end(cell, self.frame.time_zone, self.frame.dates)
        if end is not None and end <= self.frame.now:
            raise Unreadable(f"{cell.strip()[:40]!r} is over.", "Leave the tier out.")
        return end


def _at(row: Row, place: int | None) -> str:
    return row.cells[place] if place is not None and place < len(row.cells) else ""


def _problem(line: int, column: str, error: Unreadable) -> Problem:
    return Problem(line, column, error.what, error.cure)


def _tier_names(settings: Settings) -> dict[str, str]:
    """Every name of every tier, in small letters, and the tier's code."""
    if settings.tiers is None:
        return {}
    found = {}
    for level in settings.tiers.scheme.levels:
        found[level.code.casefold()] = level.code
        for name in settings.tiers.names.get(level.code, {}).values():
            found.setdefault(name.casefold(), level.code)
    return found
