"""A list is read however a spreadsheet wrote it; what is wrong is told by line, with the cure."""

import pytest

from app.errors import Invalid
from app.transfer import columns as columns_of
from app.transfer import reading
from app.transfer.reading import look
from tests.app.transfer.conftest import Desk

NAMES = {
    "utf-8": "Zoë Ķīniņa",
    "utf-8-sig": "Zoë Ķīniņa",
    "utf-16": "Žanna Ķīniņa",
    "utf-16-le": "Žanna Ķīniņa",
    "cp1257": "Žanna Ķīniņa šķērsām",
    "cp1252": "Zoë Müller-Señor",
    "cp1251": "Анна Иванова",
}


@pytest.mark.parametrize("encoding", NAMES)
def test_the_encoding_is_found_out(desk: Desk, encoding: str) -> None:
    body = f"number,name,points\nA,{NAMES[encoding]},10\n"
    sheet = look(desk.write(body, encoding=encoding))
    assert [row.cells[1] for row in sheet.rows()] == [NAMES[encoding]]


def test_an_encoding_that_is_open_has_to_be_named(desk: Desk) -> None:
    path = desk.write("number,name\nA,Rosé Čā\n", encoding="cp1257")
    path.write_bytes(b"number,name\nA,\xe9\xe8\n")
    with pytest.raises(Invalid, match="--encoding"):
        look(path)
    assert [row.cells[1] for row in look(path, encoding="cp1257").rows()] == ["éč"]
    with pytest.raises(Invalid, match="Name one of"):
        look(path, encoding="rot13")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_separator_is_found_out_and_quoted_lines_stay_one(
    desk: Desk, separator: str, end: str
) -> None:
    rows = [
        ["number", "name", "points"],
        ["A", f'"Ada{end}of, many; lines"', "10"],
        ["B", "Bo", "2"],
    ]
    sheet = look(desk.write(end.join(separator.join(row) for row in rows)))
    assert sheet.separator == separator
    found = list(sheet.rows())
    assert [(row.line, row.cells[0]) for row in found] == [(2, "A"), (4, "B")]
    assert found[0].cells[1] == f"Ada{end}of, many; lines"


def test_what_excel_writes_is_read(desk: Desk) -> None:
    body = (
        "sep=;\r\nKundennummer;Vorname;Nachname;Punktestand;Gültig bis\r\n"
        '="00123";Jörg;Müller;1 250,00;31.12.2026\r\n\r\n'
        "'+49;Eva;Groß;7;2026-12-31 00:00:00\r\n"
    )
    summary, problems = desk.check(desk.write(body, encoding="cp1252"))
    assert (problems, summary.customers, summary.points) == ([], 2, 1257)
    desk.run(desk.write(body, encoding="cp1252"))
    assert desk.lots("00123") == [(1250, "2026-12-31T22:00:00+00:00")]
    assert desk.standing("+49").balance == 7


@pytest.mark.parametrize(
    "header",
    [
        "Customer number;First name;Surname;E-mail address;Mobile;Balance;Valid until",
        "Kundennr.;Vorname;Nachname;E-Mail-Adresse;Handy;Guthaben;Ablaufdatum",
        "Klienta numurs;Vārds;Uzvārds;E-pasts;Tālrunis;Punktu atlikums;Derīgi līdz",
        "Номер карты;Имя;Фамилия;Электронная почта;Телефон;Баллы;Действует до",
    ],
)
def test_headings_are_known_in_four_languages(header: str) -> None:
    found = columns_of.place(header.split(";"), {})
    assert found.places == {
        "number": 0, "first_name": 1, "last_name": 2, "email": 3, "phone": 4,
    }  # fmt: skip
    assert (found.lots, found.unused) == (((5, 6),), ())


def test_a_column_may_be_named(desk: Desk) -> None:
    path = desk.write("id,card no,sum\nx,A,10\n")
    with pytest.raises(Invalid, match="--column number"):
        desk.check(path)
    summary, _ = desk.check(path, named={"number": "card no", "points": "sum"})
    assert summary.points == 10
    with pytest.raises(Invalid, match="no column's heading"):
        desk.check(path, named={"number": "karte"})
    with pytest.raises(Invalid, match="There are: number"):
        desk.check(path, named={"shoe_size": "sum"})
    with pytest.raises(Invalid, match="--column number=HEADING"):
        desk.check(desk.write("who,sum\nA,10\n"))


def test_lines_of_one_customer_are_its_lots(desk: Desk) -> None:
    body = (
        "number,name,points,expires\nA,Ada,10,2026-07-01\nA,,20,2026-08-01\nA,Ada,5,never\nB,,1,\n"
    )
    desk.run(desk.write(body))
    assert [points for points, _ in desk.lots("A")] == [10, 20, 5]
    again = desk.write("number,lots,points\nC,10:2026-07-01 20:never,30\n")
    desk.run(again, "lots")
    assert [points for points, _ in desk.lots("C")] == [10, 20]


WRONG: list[tuple[str, str, str]] = [
    ("A,,x,", "points", "digits"),
    ("A,,1.5,", "points", "digits"),
    ("A,,1.250,", "points", "digits"),
    ("A,,5000000000,", "points", "right column"),
    ("A,,5,31.02.2027", "expires", "2026-12-31"),
    ("A,,5,03/04/2027", "expires", "--dates"),
    ("A,,5,2026-05-31", "expires", "Leave them out"),
    ("A,,5,2999-05-31", "expires", "year"),
    ("A,not an address,5,", "email", "Check it"),
    (",,5,", "number", "Give each"),
    ("1.23E+11,,5,", "number", "text"),
    ("A,,5,,,", "", ""),
    ("A,,5,,more,", "", "quotation"),
]


@pytest.mark.parametrize(("line", "column", "cure"), WRONG)
def test_a_wrong_line_is_told_with_its_cure(desk: Desk, line: str, column: str, cure: str) -> None:
    path = desk.write(f"number,email,points,expires\nZ,,1,\n{line}\n")
    summary, problems = desk.check(path)
    if not cure:
        assert (summary.customers, problems) == (2, [])
        return
    assert (summary.customers, summary.wrong) == (1, 1)
    assert [(each.line, each.column) for each in problems] == [(3, column)]
    assert cure in problems[0].cure


def test_a_number_comes_once(desk: Desk) -> None:
    summary, [problem] = desk.check(desk.write("number,points\nA,1\nB,1\nA,2\n"))
    assert (summary.customers, problem.line) == (2, 4)
    assert "Line 2" in problem.what


def test_a_tier_that_is_not_there_is_told_with_those_that_are(desk: Desk) -> None:
    _, [problem] = desk.check(desk.write("number,tier\nA,Sudarbs\n"))
    assert problem.cure == "Did you mean silver? There are: silver, gold."


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('number,name\nA,ok\nB,"' + "x\n" * 70_000, "quotation mark"),
        ("number,name\nA,ok\nB," + "x" * 140_000 + "\n", "longer than"),
    ],
)
def test_a_field_is_bounded(desk: Desk, body: str, told: str) -> None:
    summary, [problem] = desk.check(desk.write(body))
    assert (summary.customers, summary.wrong, problem.line) == (1, 1, 3)
    assert told in problem.what


def test_a_line_without_an_end_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 1000)
    _, [problem] = desk.check(desk.write("number,name\nA,ok\nB," + "x," * 1000))
    assert "is it a CSV file" in problem.what


def test_an_empty_file_and_a_picture_are_refused(desk: Desk) -> None:
    with pytest.raises(Invalid, match="is empty"):
        look(desk.write("\n\n"))
    picture = desk.folder / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    with pytest.raises(Invalid):
        desk.check(picture)
