"""Which rules a receipt meets, whoever bought. Pure.

What depends on the account (tier, segments, what it had before) is left to `stacking`; so a receipt
asks of its account only what some rule that it meets has to know.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from msgspec import Struct

from app.ledger.grounds import Grounds, How, Need
from app.ledger.postings import Line
from app.programmes.rules.compiled import Compiled, RuleSet, Wanted, key_of
from app.programmes.rules.model import Kind, Rule

MOST_TIMES = 1000


class Found(Struct, frozen=True):
    """Lines of a receipt: their positions, pieces and money."""

    lines: tuple[int, ...]
    thousandths: int
    amount_minor: int


_NONE = Found((), 0, 0)


@dataclass(slots=True, kw_only=True)
class Bill:
    """A receipt as rules look at it.

    *local* is its moment by the programme's clocks, *location* the slug of its place. *counted* is
    what earns, as a fraction of micro, by the programme's own choice of *gross* or *net*;
    *earning_minor* the same in the receipt's minor units, of which one is ``micro[0] ÷ micro[1]``.
    *lines* are those that earn, with their positions.
    """

    occurred_at: datetime
    local: datetime
    location: str | None
    counted: tuple[int, int]
    gross: tuple[int, int]
    net: tuple[int, int]
    earning_minor: int
    micro: tuple[int, int]
    lines: Sequence[tuple[int, Line]]
    _index: tuple[dict[str, list[int]], dict[str, list[int]]] | None = field(
        default=None, repr=False
    )
    _by_position: dict[int, Line] = field(default_factory=dict, repr=False)

    def of(self, goods: Wanted) -> Found:
        """The lines of these goods; they are indexed once a receipt."""
        if self._index is None:
            self._index = self._indexed()
        items, categories = self._index
        lists = [items[item] for item in goods.items if item in items]
        lists += [categories[kind] for kind in goods.categories if kind in categories]
        if not lists:
            return _NONE
        if len(lists) == 1:
            return self._found(lists[0])
        return self._found(sorted({at for each in lists for at in each}))

    def without(self, categories: frozenset[str]) -> Found:
        """The lines of no such category."""
        return self._found(
            [at for at, line in self.lines if key_of(line.category or "") not in categories]
        )

    def everything(self) -> Found:
        """All lines that earn."""
        return self._found([at for at, _ in self.lines])

    def _found(self, positions: Sequence[int]) -> Found:
        if not positions:
            return _NONE
        if not self._by_position:
            self._by_position = dict(self.lines)
        thousandths = money = 0
        for at in positions:
            line = self._by_position[at]
            pieces = line.quantity
            thousandths += pieces * 1000 if type(pieces) is int else int(Decimal(pieces) * 1000)
            money += line.amount_minor
        return Found(tuple(positions), thousandths, money)

    def _indexed(self) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
        items: dict[str, list[int]] = defaultdict(list)
        categories: dict[str, list[int]] = defaultdict(list)
        for at, line in self.lines:
            items[key_of(line.item)].append(at)
            if line.category is not None:
                categories[key_of(line.category)].append(at)
        return items, categories

    def in_minor(self, micro: int) -> int:
        """The least amount of the receipt's currency that is worth so much."""
        up, down = self.micro
        return -(-micro * down // up)


class Candidate(Struct, frozen=True):
    """A rule that a receipt meets, as far as the receipt goes.

    *points* are exact, for all *times*. *money* is set for a rate over all that earns, whose points
    go with the receipt itself: as a fraction of micro.
    """

    compiled: Compiled
    points: tuple[int, int]
    times: int
    grounds: Grounds
    money: tuple[int, int] | None = None

    @property
    def rule(self) -> Rule:
        """The rule itself."""
        return self.compiled.rule


def candidates(rules: RuleSet, bill: Bill) -> tuple[Candidate, ...]:
    """Those of the rules that a receipt meets, in their order."""
    found = []
    for each in rules.rules:
        if each.is_bound and not _holds(each, bill):
            continue
        if (candidate := _candidate(each, bill)) is not None:
            found.append(candidate)
    return tuple(found)


def _holds(each: Compiled, bill: Bill) -> bool:
    return _is_time(each, bill) and (not each.locations or bill.location in each.locations)


def _candidate(each: Compiled, bill: Bill) -> Candidate | None:
    needs: list[Need] = []
    if each.at_least_micro:
        if bill.counted[0] < each.at_least_micro * bill.counted[1]:
            return None
        least = min(bill.earning_minor, bill.in_minor(each.at_least_micro))
        needs.append(Need(How.ALL, least))
    times = _sets(each, bill, needs) if each.sets or each.rule.each else 1
    if times == 0:
        return None
    match each.rule.kind:
        case Kind.AMOUNT:
            return _amount(each, bill, needs)
        case Kind.ITEM:
            return _item(each, bill, needs)
        case Kind.BASKET:
            return _basket(each, bill, needs, times)
    return Candidate(each, (each.rule.gives.points, 1), 1, Grounds(1, tuple(needs)))


def _is_time(each: Compiled, bill: Bill) -> bool:
    if each.begins is not None and bill.occurred_at < each.begins:
        return False
    if each.ends is not None and bill.occurred_at >= each.ends:
        return False
    hours = each.rule.conditions.hours
    if not hours:
        return not each.weekdays or bill.local.weekday() in each.weekdays
    minute = bill.local.hour * 60 + bill.local.minute
    today = bill.local.weekday()
    for start, end in hours:
        if start < end:
            day, is_within = today, start <= minute < end
        else:  # Past midnight: the small hours belong to the day on which it began.
            day = today if minute >= start else (today - 1) % 7
            is_within = minute >= start or minute < end
        if is_within and (not each.weekdays or day in each.weekdays):
            return True
    return False


def _sets(each: Compiled, bill: Bill, needs: list[Need]) -> int:
    """How many times the receipt holds all sets of goods (1 where none is asked for)."""
    times = MOST_TIMES if each.rule.each else 1
    how = How.EACH if each.rule.each else How.ALL
    for goods in each.sets:
        found = bill.of(goods)
        least = 0
        if goods.thousandths:
            times = min(times, found.thousandths // goods.thousandths)
        if goods.micro:
            up, down = bill.micro
            times = min(times, found.amount_minor * up // (goods.micro * down))
            least = max(1, found.amount_minor // times if times else 0)
            least = min(least, max(1, bill.in_minor(goods.micro)))
        if times == 0:
            return 0
        needs.append(Need(how, least, goods.thousandths, found.lines))
    return times


def _capped(each: Compiled, times: int) -> int:
    return min(times, each.rule.most or MOST_TIMES)


def _fixed(each: Compiled, times: int, needs: Iterable[Need]) -> Candidate | None:
    times = _capped(each, times)
    if times == 0:
        return None
    points = each.rule.gives.points * times
    return Candidate(each, (points, 1), times, Grounds(times, tuple(needs)))


def _item(each: Compiled, bill: Bill, needs: list[Need]) -> Candidate | None:
    found = bill.of(each.goods)
    times = found.thousandths // each.per_thousandths
    needs.append(Need(How.EACH, 0, each.per_thousandths, found.lines))
    return _fixed(each, times, needs)


def _basket(each: Compiled, bill: Bill, needs: list[Need], times: int) -> Candidate | None:
    if each.per_micro:
        numerator, denominator = bill.counted
        times = min(MOST_TIMES, numerator // (each.per_micro * denominator))
        if times == 0:
            return None
        # Each costs no more than the receipt can keep: converted amounts are rounded up.
        price = min(bill.in_minor(each.per_micro), bill.earning_minor // times)
        needs.append(Need(How.EACH, max(1, price)))
    return _fixed(each, times, needs)


def _amount(each: Compiled, bill: Bill, needs: list[Need]) -> Candidate | None:
    on = each.rule.on
    numerator, denominator = bill.counted if on is None else bill.net if on == "net" else bill.gross
    is_plain = not needs
    if each.only or each.excluded:
        everything = bill.everything()
        found = (
            bill.of(Wanted(frozenset(), each.only, 0, 0))
            if each.only
            else bill.without(each.excluded)
        )
        if each.only or everything.lines:
            if found.amount_minor == 0:
                return None
            if found.amount_minor < everything.amount_minor:
                is_plain = False
                needs.append(Need(How.SHARE, found.amount_minor, 0, found.lines))
                # Coupons and points paid for some of it: each line bears its share.
                numerator *= found.amount_minor
                denominator *= everything.amount_minor
    if not needs or needs[-1].how is not How.SHARE:
        needs.append(Need(How.SHARE, bill.earning_minor))
    up, down = each.rate
    if numerator == 0:
        return None
    return Candidate(
        each,
        (numerator * up, denominator * down),
        1,
        Grounds(1, tuple(needs)),
        (numerator, denominator) if is_plain else None,
    )
