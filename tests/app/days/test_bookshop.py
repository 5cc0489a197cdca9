"""A day in the bookshop: thirty readers, a welcome, tiers, returns, a rush, noon, a pilot."""

from collections.abc import Callable
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


def test_a_day_in_the_bookshop(open_day: Callable[..., Any]) -> None:
    day = open_day("bookshop", "marktplatz", "bahnhof")
    day.at("2026-06-06T09:00")  # A Saturday: children's books earn more.
    people = [day.join()[0] for _ in range(30)]
    sold: dict[int, Any] = {}

    def buy(number: int, place: str, euros: int, points: int, **more: Any) -> None:
        sold[number] = day.buy(place, people[number], euros * 100, points, **more)

    # --- the first purchase of at least ten euros is welcomed; a smaller one is not
    for number in range(20):
        place = ("marktplatz", "bahnhof")[number % 2]
        buy(number, place, 5 + number, 2 * (5 + number) + (100 if number >= 5 else 0))
    # Pending for as long as a book may be brought back: shown, and not to be spent.
    standing = day.look("marktplatz", people[10])["standing"]
    assert (standing["balance"], standing["pending"], standing["available"]) == (130, 130, 0)
    held = {"code": people[10].code, "points": 100, "amount_minor": 9000}
    refused = day.posting(day.tills["marktplatz"], **held)
    assert day.tills["marktplatz"].ask("/holds", refused).status_code == 409

    # --- vouchers earn nothing; tax earns nothing; children's books earn three more a euro
    voucher = {"item": "Voucher", "category": "vouchers", "quantity": 1, "amount_minor": 5000}
    book = {"item": "A novel", "category": "novels", "quantity": 1, "amount_minor": 1000}
    buy(0, "marktplatz", 60, 20, lines=[voucher, book])
    buy(1, "bahnhof", 107, 200, tax_minor=700)
    buy(2, "marktplatz", 12, 24 + 36, lines=[book | {"category": "children", "amount_minor": 1200}])
    # Of two promotions the best one counts: the welcome.
    child = [book | {"category": "children", "amount_minor": 1500}]
    buy(20, "bahnhof", 15, 30 + 100, lines=child)

    # --- a tier is reached at once, and earns more from the next receipt on
    buy(21, "marktplatz", 150, 300 + 100)
    assert day.look("marktplatz", people[21])["tier"] == "Silver"
    buy(21, "marktplatz", 40, 100)  # 40 × 2 × 1.25
    buy(22, "bahnhof", 400, 800 + 100)
    assert day.look("bahnhof", people[22])["tier"] == "Gold"
    buy(22, "bahnhof", 10, 30)
    # What made silver of it comes back: so does the tier, and the welcome.
    buy(23, "marktplatz", 160, 320 + 100)
    assert day.look("marktplatz", people[23])["tier"] == "Silver"
    day.give_back("marktplatz", sold[23], people[23], -420)
    assert day.look("marktplatz", people[23])["tier"] is None
    # Half of a receipt, then the rest: in all exactly what it had given.
    day.give_back("bahnhof", sold[19], people[19], -24, amount_minor=1200)
    assert day.look("bahnhof", people[19])["standing"]["balance"] == 124
    day.give_back("bahnhof", sold[19], people[19], -124, amount_minor=1200)

    # --- who spends eighty again gets a coupon; both tills want each at once
    for number in range(5, 10):
        day.buy("marktplatz", people[number], 8000, 160)
        [coupon] = day.look("bahnhof", people[number])["coupons"]
        assert (coupon["name"], day.rush(people[number], coupon["id"], 3000)) == ("5 € off", 1)
    # A coupon goes with its receipt.
    thanked = day.buy("marktplatz", people[11], 8000, 160)
    assert len(day.look("marktplatz", people[11])["coupons"]) == 1
    day.give_back("marktplatz", thanked, people[11], -160)
    assert day.look("marktplatz", people[11])["coupons"] == []

    # --- noon: seven points more for twenty euros, whatever else there is
    day.at("11:59")
    before = day.context.clock().isoformat()
    day.at("12:00")
    day.change(lambda text: text + ALWAYS_SEVEN)
    buy(24, "marktplatz", 20, 40 + 100 + 7)
    buy(25, "bahnhof", 18, 36 + 100)
    till = day.tills["bahnhof"]
    late = day.posting(till, code=people[26].code, currency="EUR", offline=True, amount_minor=2000)
    answer = till.ask("/accruals", late | {"occurred_at": before})
    assert answer.json["points"] == 140, answer.json["explain"]
    day.counted[people[26].account_id] += 140
    # Fifteen of the twenty come back: too little for the seven, and for the welcome.
    day.give_back("marktplatz", sold[24], people[24], -(30 + 7 + 100), amount_minor=1500)

    # --- a pilot: four points a euro on the market place; then at the station too
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
    buy(27, "marktplatz", 10, 40 + 100)
    buy(28, "bahnhof", 10, 20 + 100)
    day.at("14:00")
    now = day.context.clock()
    with day.context.database.write(day.programme.id) as session:
        number = pilots.widen_pilot(
            session, day.programme.id, number, locations=["bahnhof"], at=now, now=now
        ).number
    buy(28, "bahnhof", 10, 40)
    day.at("15:00")
    with day.context.database.write(day.programme.id) as session:
        adopted = pilots.adopt_pilot(session, day.programme.id, number, at=day.context.clock())
        assert adopted.settings.points == 4
    buy(29, "bahnhof", 10, 40 + 100)
    assert len(day.counted) == 30
    day.close()

    # --- two weeks later all of it can be spent
    day.at("2026-06-20T16:00")
    standing = day.look("marktplatz", people[10])["standing"]
    assert (standing["pending"], standing["available"]) == (0, 130)
