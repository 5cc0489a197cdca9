"""A day in the café: thirty customers, stamps, a slow morning, a rush, noon, a pilot."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.programmes import pilots
from app.programmes.file.examples import EXAMPLES


def coffees(count: int, *, cake: bool = False, price: int = 350) -> dict[str, Any]:
    """Lines of a receipt, and its amount."""
    flat_white = {"item": "Flat white", "category": "coffee", "quantity": count}
    lines = [flat_white | {"amount_minor": price * count}]
    if cake:
        lines.append({"item": "Honey cake", "category": "cake", "quantity": 1, "amount_minor": 450})
    return {"lines": lines, "amount_minor": sum(int(str(line["amount_minor"])) for line in lines)}


@dataclass
class Cafe:
    """The café's day, its customers, and what each bought last."""

    day: Any
    people: list[Any]
    sold: dict[int, Any] = field(default_factory=dict)

    def buy(
        self, number: int, place: str, count: int, factor: int, rate: int = 1, **more: Any
    ) -> None:
        """A customer has so many coffees, which give *rate* beans a euro, *factor* times."""
        receipt = coffees(count, **more)
        points = receipt["amount_minor"] * rate * factor // 100
        points += 3 if more.get("cake") else 0
        amount = receipt.pop("amount_minor")
        self.sold[number] = self.day.buy(place, self.people[number], amount, points, **receipt)

    def the_morning(self) -> None:
        """Ten come for coffee, five of them with cake."""
        day, people = self.day, self.people
        for number in range(10):
            self.buy(
                number, ("old-town", "station")[number % 2], 1 + number % 3, 2, cake=number < 5
            )
        assert day.things(people[2], "stamps", "coffee") == 3
        assert day.look("station", people[2])["stamps"][0]["count"] == 3

    def eleven(self) -> None:
        """The morning is over; what was cold comes back."""
        day, people, sold = self.day, self.people, self.sold
        day.at("11:00")
        for number in range(10, 16):
            self.buy(number, "old-town", 2, 1)
        first = sold[0]  # A coffee and a cake of the morning: 8 euros, twice, and 3.
        assert first["points"] == 19
        # The cake of 4.50 comes back: the 3 for both go, and 3.50 twice are 7.
        day.give_back("old-town", first, people[0], -(19 - 7), lines=[{"position": 2}])
        assert day.things(people[0], "stamps", "coffee") == 1
        day.give_back("old-town", sold[10], people[10], -7)
        assert day.things(people[10], "stamps", "coffee") == 0

    def a_rush(self) -> None:
        """A big breakfast gives a coupon each; then both tills want them at once."""
        day, people = self.day, self.people
        rushed = range(16, 22)
        for number in rushed:
            day.buy("old-town", people[number], 3100, 31)
        for number in rushed:
            [coupon] = day.look("station", people[number])["coupons"]
            assert day.rush(people[number], coupon["id"], 500) == 1
            assert day.look("station", people[number])["coupons"] == []

    def the_tenth_coffee(self) -> None:
        """It is free for a full card, once."""
        day, people = self.day, self.people
        for _ in range(2):
            self.buy(22, "station", 5, 1)
        assert day.things(people[22], "stamps", "coffee") == 10
        body = day.posting(day.tills["station"], code=people[22].code, reward="tenth")
        assert day.tills["station"].ask("/reward-redemptions", body).status_code == 201
        again = day.posting(day.tills["old-town"], code=people[22].code, reward="tenth")
        assert day.tills["old-town"].ask("/reward-redemptions", again).status_code == 409
        assert day.things(people[22], "stamps", "coffee") == 0

    def noon(self) -> None:
        """Two beans a euro; a receipt of before noon that comes late has its own rules."""
        day, people, sold = self.day, self.people, self.sold
        day.at("11:50")
        before = day.context.clock().isoformat()
        day.at("12:00")
        day.change(lambda text: text.replace("\npoints = 1\n", "\npoints = 2\n"))
        assert day.version() == 2
        self.buy(23, "old-town", 2, 1, 2)
        receipt = coffees(2)
        till = day.tills["old-town"]
        late = day.posting(till, code=people[24].code, currency="EUR", offline=True, **receipt)
        answer = till.ask("/accruals", late | {"occurred_at": before})
        assert answer.json["points"] == 7, answer.json
        day.counted[people[24].account_id] += 7
        # What was bought in the morning goes back by the morning's rules.
        day.give_back("station", sold[5], people[5], -sold[5]["points"])

    def a_pilot(self) -> None:
        """Three beans in the old town; then at the station too; then nowhere."""
        day, people, sold = self.day, self.people, self.sold
        day.at("13:00")
        now = day.context.clock()
        with day.context.database.write(day.programme.id) as session:
            pilot = pilots.start_pilot(
                session,
                day.programme.id,
                {"points": "3"},
                locations=["old-town"],
                valid_from=now,
                now=now,
            )
            number = pilot.number
        self.buy(25, "old-town", 2, 1, 3)
        self.buy(26, "station", 2, 1, 2)
        day.at("15:00")
        now = day.context.clock()
        with day.context.database.write(day.programme.id) as session:
            wider = pilots.widen_pilot(
                session, day.programme.id, number, locations=["station"], at=now, now=now
            )
            number = wider.number
        self.buy(27, "station", 2, 1, 3)
        day.at("17:00")
        with day.context.database.write(day.programme.id) as session:
            pilots.roll_back(session, day.programme.id, number, at=day.context.clock())
        self.buy(28, "old-town", 2, 1, 2)
        day.give_back("station", sold[27], people[27], -21)
        assert day.look("station", people[29])["standing"]["balance"] == 0
        day.counted[people[29].account_id] += 0
        assert len(day.counted) == 30
        day.close()


def test_a_day_in_the_cafe(open_day: Callable[..., Any]) -> None:
    assert "cafe" in EXAMPLES
    day = open_day("cafe", "old-town", "station")
    day.at("2026-06-02T08:00")  # A Tuesday: the slow morning counts twice.
    told = Cafe(day, [day.join()[0] for _ in range(30)])
    told.the_morning()
    told.eleven()
    told.a_rush()
    told.the_tenth_coffee()
    told.noon()
    told.a_pilot()
