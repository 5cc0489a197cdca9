"""Everything goes out as it was at one moment; what went out comes in elsewhere the same."""

import csv
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.errors import Conflict, Invalid
from app.ledger.models import Account, Lot
from app.members.models import MemberRead
from app.members.reads import Reader
from app.transfer import cells, exporting, writing
from tests.app.transfer.conftest import TIERS, Desk

LIST = '''number,name,phone,points,expires,points2,expires2,tier,tier until
A,=cmd|' /C calc'!A0,+371 20000001,10,2026-12-31,5,never,gold,2026-10-31
B,"Two
lines, ""quoted""",,7,,,,,
C,,,0,,,,,
D,Āda,,100,2027-01-15T12:30:00+00:00,,,silver,
'''


@pytest.mark.parametrize("name", ["=1+1", "'=1+1", "''@x", "-5", "'plain", "+"])
def test_a_guarded_cell_is_read_as_it_was(name: str) -> None:
    told = writing.cell(name)
    assert not told.startswith(writing.FORMULA)
    assert cells.text(told) == name


READER = Reader("cli", "tester")


def export(desk: Desk, folder: Path, **options: Any) -> exporting.Summary:
    return exporting.export(
        desk.context.database,
        desk.context.keys,
        desk.programme,
        folder,
        reader=READER,
        now=desk.context.clock(),
        **options,
    )


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def everything(desk: Desk) -> dict[str, Any]:
    """Balance, tier and lots of every account by its member's number."""
    found = {}
    for number in "ABCD":
        account = desk.account(number)
        with desk.context.database.read(desk.programme.id) as session:
            row = session.get_one(Account, account)
            lots = session.execute(
                select(Lot.remaining, Lot.expires_at)
                .where(Lot.account_id == account, Lot.remaining > 0)
                .order_by(Lot.sequence)
            ).all()
            found[number] = (
                row.balance,
                row.tier,
                row.tier_override_until,
                [tuple(lot) for lot in lots],
            )
    return found


@pytest.mark.parametrize("days", [0, 250])
def test_what_went_out_comes_in_the_same_elsewhere(
    open_desk: Callable[..., Desk], tmp_path: Path, days: int
) -> None:
    there = open_desk("there", expires_after_months=12, tiers=TIERS)
    there.run(there.write(LIST))
    there.context.clock.advance(timedelta(days=days))  # type: ignore[attr-defined]
    export(there, tmp_path / "out", what=["customers"])
    # Other rules hold there: what was promised is kept all the same.
    here = open_desk("here", expires_after_months=3, tiers=TIERS)
    summary = here.run(tmp_path / "out" / "customers.csv", "moved")
    assert (summary.customers, summary.wrong) == (4, 0)
    before = everything(there)
    if days == 0:
        assert everything(here) == before
        assert before["A"][0] == 15 and before["D"][1] == "silver"
    else:
        # Lots that are over have not been swept there, and do not come here.
        assert everything(here)["A"][3] == [(5, None)]
        assert everything(here)["B"][3] == before["B"][3]
        assert everything(here)["D"][0] == 0


def test_everything_is_there_with_its_counts_and_digests(desk: Desk, tmp_path: Path) -> None:
    desk.run(desk.write(LIST))
    out = tmp_path / "out"
    summary = export(desk, out)
    manifest = json.loads((out / "manifest.json").read_text())
    assert [each.what for each in summary.files] == exporting.names()
    for name, told in manifest["files"].items():
        data = (out / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (told["bytes"], told["sha256"])
        found = rows(out / name)
        assert len(found) == told["rows"]
        assert not found or list(found[0]) == told["columns"]
        assert (out / name).stat().st_mode & 0o777 == 0o600
    assert manifest["files"]["members.csv"]["rows"] == 4
    assert manifest["files"]["lots.csv"]["rows"] == 4
    told = (out / "columns.md").read_text()
    for each in summary.files:
        assert all(f"`{column}`" in told for column in each.columns)


def test_a_cell_is_no_formula_and_no_secret(desk: Desk, tmp_path: Path) -> None:
    desk.run(desk.write(LIST))
    out = tmp_path / "out"
    export(desk, out)
    for path in out.glob("*.csv"):
        for row in rows(path):
            assert not any(value.startswith(("=", "+", "@", "\t", "\r")) for value in row.values())
            assert not {"token_hash", "pin_hash", "secret", "email_index"} & row.keys()
    [first] = [row for row in rows(out / "members.csv") if row["number"] == "A"]
    assert (first["name"], first["phone"]) == ("'=cmd|' /C calc'!A0", "'+37120000001")


def test_json_lines_are_exact(desk: Desk, tmp_path: Path) -> None:
    desk.run(desk.write(LIST))
    export(desk, tmp_path / "out", form="jsonl", what=["members", "lots", "programmes"])
    assert sorted(path.name for path in (tmp_path / "out").glob("*.jsonl")) == [
        "lots.jsonl",
        "members.jsonl",
        "programmes.jsonl",
    ]
    lines = (tmp_path / "out" / "members.jsonl").read_text().splitlines()
    found = {each["number"]: each for each in map(json.loads, lines)}
    assert found["A"]["name"] == "=cmd|' /C calc'!A0"
    assert found["B"]["name"] == 'Two lines, "quoted"'
    assert found["C"]["email"] is None


def test_whoever_takes_members_along_is_on_record(desk: Desk, tmp_path: Path) -> None:
    desk.run(desk.write(LIST))

    def reads() -> int:
        with desk.context.database.read(desk.programme.id) as session:
            wanted = (MemberRead.purpose == "export", MemberRead.reader == "tester")
            return session.scalar(select(func.count()).where(*wanted)) or 0

    export(desk, tmp_path / "ledger", what=["entries", "lots", "accounts"])
    assert reads() == 0
    export(desk, tmp_path / "members", what=["members"])
    assert reads() == 4


def test_another_programme_is_not_in_it(open_desk: Callable[..., Desk], tmp_path: Path) -> None:
    one, two = open_desk("one"), open_desk("two")
    one.run(one.write("number,points\nA,1\n"))
    two.run(two.write("number,points\nB,2\n"))
    export(one, tmp_path / "out")
    assert [row["number"] for row in rows(tmp_path / "out" / "members.csv")] == ["A"]
    assert [row["slug"] for row in rows(tmp_path / "out" / "programmes.csv")] == ["one"]
    assert [row["points"] for row in rows(tmp_path / "out" / "lots.csv")] == ["1"]


def test_what_is_written_meanwhile_is_not_in_it(desk: Desk, tmp_path: Path) -> None:
    desk.run(desk.write("number,points\nA,1\n"))
    done: list[str] = []

    def progress(name: str, _rows: int, _total: int) -> None:
        if not done:
            done.append(name)
            desk.run(desk.write("number,points\nB,2\n", "more.csv"), "more")

    export(desk, tmp_path / "out", progress=progress)
    assert done
    for name in ("customers", "members", "accounts", "entries", "lots"):
        assert len(rows(tmp_path / "out" / f"{name}.csv")) == 1, name


def test_a_folder_with_something_in_it_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="not empty"):
        export(desk, tmp_path)
    with pytest.raises(Invalid, match="There are: customers"):
        export(desk, tmp_path / "out", what=["shoes"])


def test_stamps_go_along_where_there_is_one_card(
    open_desk: Callable[..., Desk], tmp_path: Path
) -> None:
    card = {"code": "coffee", "names": {"en": "Coffee"}, "size": 10}
    there = open_desk("there", stamps=[card])
    there.run(there.write("number,stamps,points\nA,7,1\nB,,2\n"))
    export(there, tmp_path / "out", what=["customers"])
    found = {row["number"]: row["stamps"] for row in rows(tmp_path / "out" / "customers.csv")}
    assert found == {"A": "7", "B": ""}
    here = open_desk("here", stamps=[card | {"code": "other"}])
    assert here.run(tmp_path / "out" / "customers.csv", "moved").wrong == 0
    export(here, tmp_path / "again", what=["customers"])
    again = {row["number"]: row["stamps"] for row in rows(tmp_path / "again" / "customers.csv")}
    assert again == found
