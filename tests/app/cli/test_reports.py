"""counterfoil ledger statement, liability, settlement: for people, and exact for programs."""

import csv
import io
import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from app import create_app
from app.cli.output import cell
from app.clock import system_clock

ANNA = "274913"


class Counter:
    """A till at a location, with Anna signed in."""

    def __init__(self, cafe: Any, name: str) -> None:
        said = cafe.run("till", "code", name)
        code = re.search(r"--code (\S+)", said)
        assert code is not None
        self._cafe = cafe
        self._headers: dict[str, str] = {}
        token = self.post("/enrolments", {"code": code[1]})["token"]
        self._headers["Authorization"] = f"Bearer {token}"
        person = self.post("/cashier-sessions", {"cashier": "Anna", "pin": ANNA})
        self._headers["Counterfoil-Cashier"] = person["token"]
        self._cashier = person["cashier"]["id"]

    def post(self, path: str, body: dict[str, Any]) -> Any:
        with self._cafe.open() as context:
            client = create_app(context).test_client()
            answer = client.post(f"/api/till/v1{path}", json=body, headers=self._headers)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json

    def _posting(self, **facts: Any) -> dict[str, Any]:
        at = system_clock().isoformat()
        return {"id": str(uuid.uuid4()), "occurred_at": at, "cashier_id": self._cashier, **facts}

    def accrue(self, code: str, amount_minor: int, **facts: Any) -> str:
        sale = {"code": code, "amount_minor": amount_minor, "currency": "EUR", **facts}
        return str(self.post("/accruals", self._posting(**sale))["posting_id"])

    def redeem(self, code: str, points: int, **facts: Any) -> str:
        hold = self.post("/holds", self._posting(code=code, points=points, **facts))["posting_id"]
        return str(self.post(f"/holds/{hold}/capture", self._posting())["posting_id"])


@pytest.fixture
def card(cafe: Any) -> Any:
    issued: Any = cafe.json(
        "card", "issue", "--name", "Līga Kalniņa", "--email", "liga@example.org"
    )
    return issued


@pytest.fixture
def counter(cafe: Any) -> Counter:
    return Counter(cafe, "Counter 1")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class TestStatement:
    def test_it_reads_as_it_happened(self, cafe: Any, counter: Counter, card: Any) -> None:
        counter.accrue(card["code"], 10_000, receipt="R-17")
        counter.redeem(card["code"], 30, receipt="R-18")
        lines = cafe.run("ledger", "statement", card["card_id"]).splitlines()
        assert lines[2].split() == ["Opening", "balance", "0"]
        [earned] = [line for line in lines if "accrual" in line]
        assert "+100         100  Old Town, Counter 1, by staff, receipt R-17, €100.00" in earned
        [spent] = [line for line in lines if "redemption" in line]
        assert "-30          70  Old Town, Counter 1, by staff, receipt R-18" in spent
        assert any(line.split() == ["Closing", "balance", "70"] for line in lines)
        assert lines[-1].strip() == "70  for ever, of 100"

    def test_it_says_why(self, cafe: Any, counter: Counter, card: Any) -> None:
        counter.accrue(card["code"], 10_000)
        [entry] = cafe.json("ledger", "statement", card["card_id"])["entries"]
        assert any("€100.00" in sentence for sentence in entry["explained"])

    def test_an_account_is_found_by_any_of_its_names(
        self, cafe: Any, counter: Counter, card: Any
    ) -> None:
        counter.accrue(card["code"], 500)
        found = cafe.json("ledger", "statement", "--card", card["card_id"])
        for name in (card["card_id"], card["serial_number"], found["account_id"]):
            again = cafe.json("ledger", "statement", name)
            assert (again["account_id"], again["entries"]) == (
                found["account_id"],
                found["entries"],
            )

    def test_it_holds_no_personal_data(self, cafe: Any, counter: Counter, card: Any) -> None:
        counter.accrue(card["code"], 500)
        for form in ("text", "json", "csv"):
            said = cafe.run("ledger", "statement", card["card_id"], "--format", form)
            assert not re.search("Līga|liga|Anna", said)

    def test_json_is_exact(self, cafe: Any, counter: Counter, card: Any) -> None:
        counter.accrue(card["code"], 1250)
        said = cafe.json("ledger", "statement", card["card_id"])
        assert said["opening_balance"] == 0
        assert said["closing"] == {
            "balance": 12,
            "pending": 0,
            "held": 0,
            "available": 12,
            "debt": 0,
        }
        [entry], [lot] = said["entries"], said["lots"]
        assert (entry["points"], entry["amount_minor"], entry["currency"]) == (12, 1250, "EUR")
        assert entry["recorded_at"].endswith("+00:00")
        assert (lot["left"], lot["expires_at"], said["holds"]) == (12, None, [])

    def test_csv_is_one_table(self, cafe: Any, counter: Counter, card: Any) -> None:
        counter.accrue(card["code"], 1250, receipt='=HYPERLINK("http://evil")')
        said = rows(cafe.run("ledger", "statement", card["card_id"], "--format", "csv"))
        assert [row["row"] for row in said] == ["opening", "entry", "closing", "lot"]
        assert said[1]["receipt_number"] == '\'=HYPERLINK("http://evil")'
        assert (said[1]["points"], said[2]["balance"]) == ("12", "12")

    def test_a_terminal_is_not_moved_by_what_a_till_sent(
        self, cafe: Any, counter: Counter, card: Any
    ) -> None:
        counter.accrue(card["code"], 1250, receipt="R\x9b2J")
        assert "\x9b" not in cafe.run("ledger", "statement", card["card_id"])

    def test_days_are_whole_local_days(self, cafe: Any, counter: Counter, card: Any) -> None:
        counter.accrue(card["code"], 500)
        tomorrow = (system_clock() + timedelta(days=1)).date().isoformat()
        said = cafe.json("ledger", "statement", card["card_id"], "--until", tomorrow)
        assert len(said["entries"]) == 1
        said = cafe.json("ledger", "statement", card["card_id"], "--until", "2026-01-01")
        assert (said["entries"], said["closing"]["balance"]) == ([], 0)
        assert said["before"] == "2026-01-01T22:00:00+00:00"

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("0" * 16,), "There is no such account or card."),
            ((str(uuid.uuid4()),), "There is no such account or card."),
            (("ā",), "That is no id of an account or a card."),
            (("--card", str(uuid.uuid4())), "There is no such account or card."),
            (("x", "--since", "2026-02-01", "--until", "2026-01-01"), "would end before"),
            (("x", "--since", "9000-01-01"), "has not begun yet"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, cafe: Any, words: tuple[str, ...], says: str
    ) -> None:
        assert says in cafe.refused("ledger", "statement", *words)

    @pytest.mark.parametrize("words", [(), ("x", "--card", "y"), ("x", "--since", "1.1.2026")])
    def test_a_usage_error_is_one(self, cafe: Any, words: tuple[str, ...]) -> None:
        assert cafe.type("ledger", "statement", *words).exit_code == 2


class TestLiability:
    def test_it_says_what_is_out_and_what_is_earned_by_it(
        self, cafe: Any, counter: Counter, card: Any
    ) -> None:
        counter.accrue(card["code"], 10_000)
        counter.redeem(card["code"], 40)
        words = ("ledger", "liability", "--point-value", "0.02", "--expected-share", "0.8")
        said = cafe.json(*words, "--by", "month")
        assert (said["outstanding"], said["value_minor"], said["expected_breakage"]) == (
            60,
            120,
            20,
        )
        assert said["to_date"]["to_date_minor"] == 100  # 2.00 allocated, 40 of 80 redeemed
        assert said["deferred_minor"] == 100
        [period] = said["periods"]
        assert (period["recognised_minor"], period["whole"]) == (100, False)
        [month] = said["months"]
        assert (month["first"], month["points"], month["value_minor"]) == (None, 60, 120)
        table = rows(cafe.run(*words, "--format", "csv"))
        assert [row["row"] for row in table] == ["total", "partner", "month"]
        assert (table[0]["outstanding"], table[0]["value_minor"]) == ("60", "120")
        text = cafe.run(*words)
        assert "A point is €0.02." in text
        assert re.search(r"outstanding +60  €1\.20\n", text)
        assert re.search(r"revenue deferred +€1\.00\n", text)

    def test_the_programme_s_settings_are_the_default(self, cafe: Any) -> None:
        said = cafe.json("ledger", "liability")
        assert (said["point_value"], said["to_date"]["expected_share"]) == ("0.01", "0.9")
        assert cafe.json("ledger", "liability", "--observed")["to_date"]["expected_share"] == "1"

    def test_a_day_that_is_over_is_empty_before_anything_happened(
        self, cafe: Any, counter: Counter, card: Any
    ) -> None:
        counter.accrue(card["code"], 10_000)
        assert cafe.json("ledger", "liability", "--at", "2026-01-31")["outstanding"] == 0

    @pytest.mark.parametrize(
        "words",
        [
            ("--point-value", "-1"),
            ("--point-value", "NaN"),
            ("--point-value", "0.0000001"),
            ("--expected-share", "1.5"),
            ("--expected-share", "0.5", "--observed"),
            ("--since", "2026-01-01"),
            ("--by", "day"),
        ],
    )
    def test_a_usage_error_is_one(self, cafe: Any, words: tuple[str, ...]) -> None:
        assert cafe.type("ledger", "liability", *words).exit_code == 2


class TestSettlement:
    @pytest.fixture
    def port(self, cafe: Any, counter: Counter) -> Counter:
        """A counter of the bakery, beside the programme's own."""
        cafe.run("location", "add", "port", "Port")
        cafe.run("partner", "add", "=Bakery", "--location", "port")
        cafe.run("till", "add", "Counter 2", "--location", "port")
        return Counter(cafe, "Counter 2")

    def test_without_partners_nobody_owes_anybody(self, cafe: Any) -> None:
        assert "Nobody owes anybody anything." in cafe.run("ledger", "settlement")
        said = cafe.json("ledger", "settlement")
        assert (said["pairs"], said["nets"]) == ([], [])

    def test_points_of_one_that_another_honours_are_paid_for(
        self, cafe: Any, counter: Counter, port: Counter, card: Any
    ) -> None:
        port.accrue(card["code"], 6_000)
        counter.accrue(card["code"], 1_000)
        counter.redeem(card["code"], 50, receipt="R-7")
        words = ("ledger", "settlement", "--point-value", "0.015")
        said = cafe.json(*words, "--detail")
        nets = {each["name"]: (each["points"], each["amount_minor"]) for each in said["nets"]}
        assert nets == {"=Bakery": (-50, -75), "the programme itself": (50, 75)}
        [line] = said["lines"]
        assert (line["debtor"], line["creditor"], line["points"]) == (
            "=Bakery",
            "the programme itself",
            50,
        )
        assert (line["location"], line["receipt_number"]) == ("Old Town", "R-7")
        text = cafe.run(*words, "--detail")
        assert "=Bakery pays the programme itself 50 points: €0.75\n" in text
        assert text.count("redemption") == 1
        table = rows(cafe.run(*words, "--detail", "--format", "csv"))
        assert [row["row"] for row in table] == ["owes", "owes", "pays", "net", "net", "line"]
        assert table[-1]["debtor"] == "'=Bakery"
        assert sum(int(row["amount_minor"]) for row in table if row["row"] == "net") == 0


class TestCsv:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    def test_no_text_is_a_formula(self, text: str) -> None:
        assert cell(text) == "'" + text

    def test_numbers_stay_numbers(self) -> None:
        assert [cell(-5), cell("a-b"), cell(None), cell(True)] == [-5, "a-b", None, "true"]


def test_the_check_can_be_read_by_programs(cafe: Any, counter: Counter, card: Any) -> None:
    counter.accrue(card["code"], 500)
    assert rows(cafe.run("ledger", "check", "--format", "csv")) == []
    assert json.loads(cafe.run("ledger", "check", "--format", "json")) == {"differences": []}
