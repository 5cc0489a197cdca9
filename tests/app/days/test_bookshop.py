"""A day in the bookshop: thirty readers, a welcome, tiers, returns, a rush, noon, a pilot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.programmes import pilots

ALWAYS_SEVEN = """
[[rules]]
name = "Seven at noon"
kind = "basket"
role = "always"
at_least = 20
gives = { points = 7 }
"""


@dataclass
class Bookshop:
    """The shop's day, its readers, and what each bought last."""

    day: Any
    people: list[Any]
    sold: dict[int, Any] = field(default_factory=dict)

    def buy(self, number: int, place: str, euros: int, points: int, **more: Any) -> None:
        """A reader buys for so many euros, and gets so many points."""
        bought = self.day.buy(place, self.people[number], euros * 100, points, **more)
        self.sold[number] = bought

    def the_first_purchase_is_welcomed(self) -> None:
        """The first purchase of at least ten euros is welcomed; a smaller one is not."""
        day, people = self.day, self.people
        for number in range(20):
            place = ("marktplatz", "bahnhof")[number % 2]
            self.buy(number, place, 5 + number, 2 * (5 + number) + (100 if number >= 5 else 0))
        # Pending for as long as a book may be brought back: shown, and not to be spent.
        standing = day.look("marktplatz", people[10])["standing"]
        assert (standing["balance"], standing["pending"], standing["available"]) == (130, 130, 0)
        held = {"code": people[10].code, "points": 100, "amount_minor": 9000}
        refused = day.posting(day.tills["marktplatz"], **held)
        assert day.tills["marktplatz"].ask("/holds", refused).status_code == 409

    def some_goods_earn_otherwise(self) -> None:
        """Vouchers and tax earn nothing; children's books earn three more a euro."""
        voucher = {"item": "Voucher", "category": "vouchers", "quantity": 1, "amount_minor": 5000}
        book = {"item": "A novel", "category": "novels", "quantity": 1, "amount_minor": 1000}
        self.buy(0, "marktplatz", 60, 20, lines=[voucher, book])
        self.buy(1, "bahnhof", 107, 200, tax_minor=700)
        self.buy(
            2,
            "marktplatz",
            12,
            24 + 36,
            lines=[book | {"category": "children", "amount_minor": 1200}],
        )
        # Of two promotions the best one counts: the welcome.
        child = [book | {"category": "children", "amount_minor": 1500}]
        self.buy(20, "bahnhof", 15, 30 + 100, lines=child)

    def a_tier_is_reached_and_lost(self) -> None:
        """A tier is reached at once, and earns more from the next receipt on."""
        day, people, sold = self.day, self.people, self.sold
        self.buy(21, "marktplatz", 150, 300 + 100)
        assert day.look("marktplatz", people[21])["tier"] == "Silver"
        self.buy(21, "marktplatz", 40, 100)  # 40 × 2 × 1.25
        self.buy(22, "bahnhof", 400, 800 + 100)
        assert day.look("bahnhof", people[22])["tier"] == "Gold"
        self.buy(22, "bahnhof", 10, 30)
        # What made silver of it comes back: so does the tier, and the welcome.
        self.buy(23, "marktplatz", 160, 320 + 100)
        assert day.look("marktplatz", people[23])["tier"] == "Silver"
        day.give_back("marktplatz", sold[23], people[23], -420)
        assert day.look("marktplatz", people[23])["tier"] is None
        # Half of a receipt, then the rest: in all exactly what it had given.
        day.give_back("bahnhof", sold[19], people[19], -24, amount_minor=1200)
        assert day.look("bahnhof", people[19])["standing"]["balance"] == 124
        day.give_back("bahnhof", sold[19], people[19], -124, amount_minor=1200)

    def coupons_are_wanted_at_both_tills(self) -> None:
        """Who spends eighty again gets a coupon; both tills want each at once."""
        day, people = self.day, self.people
        for number in range(5, 10):
            day.buy("marktplatz", people[number], 8000, 160)
            [coupon] = day.look("bahnhof", people[number])["coupons"]
            assert (coupon["name"], day.rush(people[number], coupon["id"], 3000)) == ("5 € off", 1)
        # A coupon goes with its receipt.
        thanked = day.buy("marktplatz", people[11], 8000, 160)
        assert len(day.look("marktplatz", people[11])["coupons"]) == 1
        day.give_back("marktplatz", thanked, people[11], -160)
        assert day.look("marktplatz", people[11])["coupons"] == []

    def noon(self) -> None:
        """From noon on seven points more for twenty euros, whatever else there is."""
        day, people, sold = self.day, self.people, self.sold
        day.at("11:59")
        before = day.context.clock().isoformat()
        day.at("12:00")
        day.change(lambda text: text + ALWAYS_SEVEN)
        self.buy(24, "marktplatz", 20, 40 + 100 + 7)
        self.buy(25, "bahnhof", 18, 36 + 100)
        till = day.tills["bahnhof"]
        late = day.posting(
            till, code=people[26].code, currency="EUR", offline=True, amount_minor=2000
        )
        answer = till.ask("/accruals", late | {"occurred_at": before})
        assert answer.json["points"] == 140, answer.json["explain"]
        day.counted[people[26].account_id] += 140
        # Fifteen of the twenty come back: too little for the seven, and for the welcome.
        day.give_back("marktplatz", sold[24], people[24], -(30 + 7 + 100), amount_minor=1500)

    def a_pilot(self) -> None:
        """Four points a euro on the market place; then at the station too."""
        day = self.day
        day.at("13:00")
        now = day.context.clock()
        with day.context.database.write(day.programme.id) as session:
            number = pilots.start_pilot(
                session,
                day.programme.id,
                {"points": "4"},
                locations=["marktplatz"],
                valid_from=now,
                now=now,
            ).number
        self.buy(27, "marktplatz", 10, 40 + 100)
        self.buy(28, "bahnhof", 10, 20 + 100)
        day.at("14:00")
        now = day.context.clock()
        with day.context.database.write(day.programme.id) as session:
            number = pilots.widen_pilot(
                session, day.programme.id, number, locations=["bahnhof"], at=now, now=now
            ).number
        self.buy(28, "bahnhof", 10, 40)
        day.at("15:00")
        with day.context.database.write(day.programme.id) as session:
            adopted = pilots.adopt_pilot(session, day.programme.id, number, at=day.context.clock())
            assert adopted.settings.points == 4
        self.buy(29, "bahnhof", 10, 40 + 100)
        assert len(day.counted) == 30
        day.close()

    def two_weeks_later(self) -> None:
        """Two weeks later all of it can be spent."""
        day, people = self.day, self.people
        day.at("2026-06-20T16:00")
        standing = day.look("marktplatz", people[10])["standing"]
        assert (standing["pending"], standing["available"]) == (0, 130)


def test_a_day_in_the_bookshop(open_day: Callable[..., Any]) -> None:
    day = open_day("bookshop", "marktplatz", "bahnhof")
    day.at("2026-06-06T09:00")  # A Saturday: children's books earn more.
    told = Bookshop(day, [day.join()[0] for _ in range(30)])
    told.the_first_purchase_is_welcomed()
    told.some_goods_earn_otherwise()
    told.a_tier_is_reached_and_lost()
    told.coupons_are_wanted_at_both_tills()
    told.noon()
    told.a_pilot()
    told.two_weeks_later()
