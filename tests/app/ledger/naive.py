"""A naive ledger: every single point is an object that remembers where it went.

No caches, no plans, no event queue: time passes hour by hour, points move one by one. Slow and
plain, so that it can be believed; the real ledger has to agree with it.
"""

from dataclasses import dataclass, field
from itertools import count

NEVER = 10**9


@dataclass
class Point:
    """One point of one lot. *where* is "free", ("held", id), ("taken", id), "repaid", "expired"."""

    lot: "NaiveLot"
    where: object = "free"
    expired_at: int = 0


@dataclass
class NaiveLot:
    number: int
    available: int
    expires: int
    grace_for: "NaiveLot | None" = None
    points: list[Point] = field(default_factory=list)

    @property
    def order(self) -> tuple[int, int]:
        return (self.expires, self.number)


@dataclass
class Deed:
    """A posting that can be undone."""

    kind: str
    lot: NaiveLot | None = None
    value: int = 0
    earned: int = 0
    #: Parts that have come back: name of the deed -> (value, points due).
    back: dict[int, tuple[int, int]] = field(default_factory=dict)
    shelved: dict[int, tuple[int, int]] = field(default_factory=dict)
    undone_by: int | None = None
    undoes: int | None = None
    debt: int = 0
    gave: list[Point] = field(default_factory=list)
    lots_made: list[NaiveLot] = field(default_factory=list)
    step: int = 0


class NaiveLedger:
    """One account. Names of postings are numbers; a refusal is None."""

    def __init__(self) -> None:
        self.now = 0
        self.debt = 0
        self.lots: list[NaiveLot] = []
        self.holds: dict[int, int] = {}
        self.deeds: dict[int, Deed] = {}
        self.names = count(1)
        self.steps = count(1)

    # --- looking ------------------------------------------------------------------------------

    def points(self, where: object = "free", lot: NaiveLot | None = None) -> list[Point]:
        return [
            point
            for one in sorted(self.lots, key=lambda one: one.order)
            if lot is None or one is lot
            for point in one.points
            if point.where == where
        ]

    def spendable(self) -> list[Point]:
        return [p for p in self.points() if p.lot.available <= self.now < p.lot.expires]

    def standing(self) -> tuple[int, int, int, int, int]:
        held = sum(len(self.points(("held", name))) for name in self.holds)
        pending = sum(p.lot.available > self.now for p in self.points())
        balance = len(self.points()) + held - self.debt
        return (balance, pending, held, balance - pending - held, self.debt)

    def remainders(self) -> list[int]:
        left = []
        for lot in sorted(self.lots, key=lambda one: one.order):
            here = sum(
                p.where == "free" or (isinstance(p.where, tuple) and p.where[0] == "held")
                for p in lot.points
            )
            left += [here] if here else []
        return left

    # --- time ---------------------------------------------------------------------------------

    def wait(self, hours: int) -> None:
        for _ in range(hours):
            self.now += 1
            self.pass_moment()

    def pass_moment(self) -> None:
        for name in [name for name, until in self.holds.items() if until <= self.now]:
            self.unhold(name)
        for point in self.points():
            if point.lot.expires <= self.now:
                point.where = "expired"
                point.expired_at = next(self.steps)
        while self.debt and self.spendable():
            self.spendable()[0].where = "repaid"
            self.debt -= 1

    def unhold(self, name: int) -> None:
        for point in self.points(("held", name)):
            point.where = "free"
        del self.holds[name]

    # --- postings -----------------------------------------------------------------------------

    def new_lot(self, points: int, available: int, expires: int) -> NaiveLot:
        lot = NaiveLot(len(self.lots), available, expires)
        lot.points = [Point(lot) for _ in range(points)]
        self.lots.append(lot)
        return lot

    def write(self, deed: Deed) -> int:
        name = next(self.names)
        deed.step = next(self.steps)
        self.deeds[name] = deed
        return name

    def earn(self, points: int, value: int, available: int, expires: int) -> int:
        lot = self.new_lot(points, available, expires)
        name = self.write(Deed("accrual", lot=lot, value=value, earned=points))
        self.pass_moment()
        return name

    def hold(self, points: int, hours: int) -> int | None:
        free = self.spendable()
        if len(free) < points:
            return None
        name = next(self.names)
        for point in free[:points]:
            point.where = ("held", name)
        self.holds[name] = self.now + hours
        return name

    def capture(self, hold: int) -> int | None:
        if hold not in self.holds:
            return None
        name = self.write(Deed("redemption"))
        for point in self.points(("held", hold)):
            point.where = ("taken", name)
        del self.holds[hold]
        self.pass_moment()
        return name

    def release(self, hold: int) -> bool:
        if hold not in self.holds:
            return False
        self.unhold(hold)
        self.pass_moment()
        return True

    def adjust(self, points: int) -> int | None:
        if points > 0:
            lot = self.new_lot(points, self.now, NEVER)
            name = self.write(Deed("credit", lots_made=[lot]))
        else:
            free = self.spendable()
            if len(free) < -points:
                return None
            name = self.write(Deed("redemption"))
            for point in free[:-points]:
                point.where = ("taken", name)
        self.pass_moment()
        return name

    # --- undoing ------------------------------------------------------------------------------

    def give_back(self, what: int, by: Deed, *, grace: bool) -> None:
        """Points that *what* took go back to where they were."""
        for point in reversed(self.points(("taken", what))):
            if grace and point.lot.expires <= self.now:
                lot = next((one for one in by.lots_made if one.grace_for is point.lot), None)
                if lot is None:
                    lot = self.new_lot(0, self.now, self.grace_until())
                    lot.grace_for = point.lot
                    by.lots_made.append(lot)
                lot.points.append(Point(lot))
                point.where = "gone to a grace lot"
            else:
                point.where = "free"
                by.gave.append(point)

    def grace_until(self) -> int:
        """Thirty days on, to the end of the day; the first moment was nine o'clock."""
        return ((self.now + 9) // 24 + 31) * 24 - 9

    def take(self, name: int, deed: Deed, due: int, lots: dict[int, tuple[NaiveLot, int]]) -> None:
        """*due* points go: from these lots, from what repaid debt, from others, as debt."""
        for lot, limit in sorted(lots.values(), key=lambda pair: pair[0].order):
            for where in ("free", "repaid"):
                for point in self.points(where, lot):
                    if due and limit:
                        self.debt += where == "repaid"
                        point.where = ("taken", name)
                        due, limit = due - 1, limit - 1
        others = [p for p in self.spendable() if p.lot.number not in lots]
        for point in others[:due]:
            point.where = ("taken", name)
        deed.debt += max(0, due - len(others))
        self.debt += max(0, due - len(others))

    def give_in_part(self, name: int, value: int | None) -> int | None:
        """A return of an accrual, whole where *value* is None."""
        sale = self.deeds[name]
        assert sale.lot is not None
        before = sum(part for part, _ in sale.back.values())
        due_before = sum(due for _, due in sale.back.values())
        left = sale.value - before
        if left == 0 or (value is None and sale.undone_by is not None) or (value or 0) > left:
            return None
        whole = value is None
        value = left if value is None else value
        after = before + value
        due = sale.earned if after == sale.value else sale.earned * after // sale.value
        due = max(0, due - due_before)
        deed = Deed("reversal", undoes=name)
        mine = self.write(deed)
        sale.back[mine] = (value, due)
        if whole:
            sale.undone_by = mine
        expired = len(self.points("expired", sale.lot))
        self.take(
            mine,
            deed,
            max(0, min(due, sale.earned - expired - due_before)),
            {sale.lot.number: (sale.lot, sale.earned)},
        )
        self.pass_moment()
        return mine

    def undo(self, name: int) -> int | None:
        """A whole reversal of anything but an accrual."""
        old = self.deeds[name]
        if old.undone_by is not None or not self.count_again(name):
            return None
        deed = Deed("reversal", undoes=name)
        mine = self.write(deed)
        old.undone_by = mine
        self.give_back(name, deed, grace=old.kind == "redemption")
        if old.debt > 0:
            deed.debt = -old.debt
            self.debt -= old.debt
            while self.debt < 0:
                self.points("repaid")[-1].where = "free"
                self.debt += 1
        given = {lot.number: (lot, len(lot.points)) for lot in old.lots_made}
        for point in old.gave:
            lot, limit = given.get(point.lot.number, (point.lot, 0))
            given[lot.number] = (lot, limit + 1)
        due = 0
        for lot, limit in given.values():
            since = [p for p in self.points("expired", lot) if p.expired_at > old.step]
            due += limit - min(limit, len(since))
        if given:
            self.take(mine, deed, due, given)
        if old.debt < 0:
            self.debt -= old.debt
            deed.debt -= old.debt
        self.pass_moment()
        return mine

    def count_again(self, name: int) -> bool:
        """Returns of returns: what comes back again must still fit into what was sold."""
        links = [name]
        while self.deeds[links[-1]].undoes is not None:
            links.append(self.deeds[links[-1]].undoes or 0)
        sale = self.deeds[links[-1]]
        if sale.kind != "accrual":
            return True
        first = links[-2]
        if len(links) % 2 == 0:
            sale.shelved[first] = sale.back.pop(first)
            return True
        part = sale.shelved[first]
        if sum(value for value, _ in sale.back.values()) + part[0] > sale.value:
            return False
        sale.back[first] = part
        return True
