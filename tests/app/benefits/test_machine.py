"""Whatever is given, returned, redeemed and taken back in which order: the sums stay right.

The model is so plain that it can be believed: what an account has is what its receipts that are
kept gave, less what its redemptions that count took.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.benefits.service import Order, Price
from app.errors import CounterfoilError
from app.ledger.postings import Accrue, Given, Reverse, Value

STEPS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 30)), min_size=3, max_size=25)


@dataclass
class Source:
    """A receipt of 10.00: what it gave, and what of it came back by which returns."""

    posting_id: str
    stamps: int
    coupons: int
    returns: dict[str, int] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        return sum(self.returns.values()) < 1000


@dataclass
class Redemption:
    """A reward or a coupon, and whether its posting is reversed."""

    posting_id: str
    stamps: int
    coupons: int
    last: str = ""
    is_undone: bool = False


@dataclass
class World:
    """The bench, one account, and the model of it."""

    bench: Any
    account_id: str
    sources: list[Source] = field(default_factory=list)
    redemptions: list[Redemption] = field(default_factory=list)

    def stamps(self) -> int:
        kept = sum(each.stamps for each in self.sources if each.is_kept)
        return kept - sum(each.stamps for each in self.redemptions if not each.is_undone)

    def coupons(self) -> int:
        kept = sum(each.coupons for each in self.sources if each.is_kept)
        return kept - sum(each.coupons for each in self.redemptions if not each.is_undone)

    def step(self, what: int, which: int) -> None:
        match what:
            case 0 | 1:
                self.buy(which % 7, which % 3)
            case 2 if self.sources:
                self.give_back(self.sources[which % len(self.sources)], 1 + which * 40)
            case 3 if self.sources:
                self.undo_return(self.sources[which % len(self.sources)])
            case 4:
                self.take_reward()
            case 5:
                self.use_coupon()
            case 6 if self.redemptions:
                self.toggle(self.redemptions[which % len(self.redemptions)])

    def post(self, operation: Any) -> str | None:
        try:
            return str(self.bench.post(operation).answer["posting_id"])
        except CounterfoilError:
            return None

    def buy(self, stamps: int, coupons: int) -> None:
        things = (Given("stamps", "coffee", stamps, "s"), Given("coupon", "cake", coupons, "c"))
        value = Value(10, self.bench.clock.now, given=tuple(each for each in things if each.count))
        posting_id = self.post(Accrue(self.account_id, 1000, "EUR", value))
        assert posting_id is not None
        self.sources.append(Source(posting_id, stamps, coupons))

    def give_back(self, source: Source, amount_minor: int) -> None:
        left = 1000 - sum(source.returns.values())
        amount = min(left, amount_minor)
        posting_id = self.post(Reverse(source.posting_id, amount_minor=amount or None))
        assert (posting_id is None) == (left == 0)
        if posting_id is not None:
            source.returns[posting_id] = amount

    def undo_return(self, source: Source) -> None:
        if source.returns:
            posting_id, _ = source.returns.popitem()
            assert self.post(Reverse(posting_id)) is not None

    def take_reward(self) -> None:
        price = Price("stamps", "coffee", 4)
        order = Order("reward", "free", "Free", {"gives": "goods"}, price=price)
        self.redeem(order, Redemption("", 4, 0), self.stamps() >= 4)

    def use_coupon(self) -> None:
        found = self.bench.open_coupons(self.account_id, "cake")
        assert len(found) >= max(0, self.coupons())
        if found:
            order = Order("coupon", "cake", "Cake", {"gives": "goods"}, coupon_id=found[0])
            self.redeem(order, Redemption("", 0, 1), True)

    def redeem(self, order: Order, redemption: Redemption, may: bool) -> None:
        try:
            answer = self.bench.redeem(self.account_id, order).answer
        except CounterfoilError:
            assert not may
            return
        assert may
        redemption.posting_id = redemption.last = answer["posting_id"]
        self.redemptions.append(redemption)

    def toggle(self, redemption: Redemption) -> None:
        """Reverse it, or its last reversal; that may be refused where its coupon is gone."""
        posting_id = self.post(Reverse(redemption.last))
        if posting_id is None:
            assert redemption.is_undone
            assert redemption.coupons
            return
        redemption.last, redemption.is_undone = posting_id, not redemption.is_undone


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STEPS)
def test_an_account_has_what_is_kept_less_what_was_redeemed(
    benefits_bench: Any, steps: list[tuple[int, int]]
) -> None:
    world = World(benefits_bench, benefits_bench.account())
    for what, which in steps:
        world.step(what, which)
        assert benefits_bench.tally(world.account_id, "stamps", "coffee") == world.stamps()
        assert benefits_bench.tally(world.account_id, "coupon", "cake") == world.coupons()
    benefits_bench.prove()
