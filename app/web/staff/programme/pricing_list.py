"""The price list as a CSV file: two thousand prices are typed by nobody into forms."""

import csv
import io
import re
from typing import Any

from flask import request

from app.errors import Invalid
from app.languages import LANGUAGES, _
from app.programmes.drafts import service as drafts
from app.programmes.mechanics.prices import MOST_PRICES
from app.staff.permissions import Permission
from app.web.staff.door import Answer, Visit
from app.web.staff.programme.pages import pages
from app.web.staff.programme.said import in_language

#: One name a language; tiers and clubs with blanks between them.
COLUMNS = ("item", "price", "tiers", "from", "until", *(f"name_{each}" for each in LANGUAGES))
_LARGEST = 900_000
_MOST_TOLD = 20
_PLACED = re.compile(r"Price ([0-9]+): (?:\w+: )?")
_COMMA = re.compile(r"([0-9]+),([0-9]{1,6})", re.ASCII)


@pages.get("/prices.csv", Permission.SEE_PROGRAMME)
def prices_csv(visit: Visit) -> Answer:
    """The price list of the draft, as `take_prices` takes it."""
    with visit.read() as session:
        kept = drafts.look(session, visit.now).settings.as_json()["prices"]
    rows = [
        [
            each["item"],
            each["price"],
            " ".join(each.get("tiers", ())),
            each.get("from", ""),
            each.get("until", ""),
            *(each.get("names", {}).get(language, "") for language in LANGUAGES),
        ]
        for each in kept
    ]
    return visit.csv(f"{visit.programme.slug}-prices", COLUMNS, rows)


@pages.post("/prices", Permission.CHANGE_PROGRAMME)
def take_prices(visit: Visit) -> Answer:
    """Read a CSV file into the price list of the draft; what is wrong is told by its line."""
    sent = request.files.get("file")
    if visit.form is None or sent is None or not sent.filename:
        raise Invalid(_("Choose a file, or paste its text."))
    try:
        text = sent.read(_LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(_("The file is not UTF-8: save it as UTF-8.")) from None
    prices = read_prices(text)
    with visit.write() as session:
        try:
            drafts.change(session, {"prices": prices}, by=visit.person.id, now=visit.now)
        except Invalid as error:
            told = [_line(words) for texts in error.fields.values() for words in texts]
            raise Invalid(" ".join(told[:_MOST_TOLD]) or error.message) from error
        visit.note(session, "programme.draft", "prices", {"count": len(prices)})
    said = _("%(count)s prices are in the draft. Nobody is touched yet.", count=len(prices))
    return visit.go("programme.section", said=said, code="prices")


def _line(words: str) -> str:
    """What is said of a price, by its line in the file: the first line names the columns."""
    match = _PLACED.match(words)
    if match is None:
        return in_language(words)
    told = in_language(words[match.end() :])
    return _("Line %(line)s: %(words)s", line=int(match[1]) + 1, words=told)


def read_prices(text: str) -> list[dict[str, Any]]:
    """The prices of a CSV file, as terms. Raises `Invalid`, which names the line."""
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        rows = csv.reader(io.StringIO(text.replace("\x00", "")), delimiter=delimiter, strict=True)
        header = [each.strip().lower() for each in next(rows, [])]
        if not {"item", "price"} <= set(header) or set(header) - set(COLUMNS):
            columns = ", ".join(COLUMNS)
            words = _("The first line has to name the columns: %(columns)s.", columns=columns)
            raise Invalid(words)
        found = []
        for row in rows:
            if any(each.strip() for each in row):
                found.append(_price(dict(zip(header, row, strict=False))))
            if len(found) > MOST_PRICES:
                break
    except csv.Error as error:
        raise Invalid(str(error)) from error
    return found


def _price(row: dict[str, str]) -> dict[str, Any]:
    cells = {name: value.strip() for name, value in row.items() if value.strip()}
    price = cells.get("price", "")
    terms: dict[str, Any] = {
        # A formula guard of an export that came back is taken off again.
        "item": cells.get("item", "").removeprefix("'"),
        "price": _COMMA.sub(r"\1.\2", price) if _COMMA.fullmatch(price) else price,
    }
    if "tiers" in cells:
        terms["tiers"] = cells["tiers"].split()
    terms |= {name: cells[name] for name in ("from", "until") if name in cells}
    names = {each: cells[f"name_{each}"] for each in LANGUAGES if f"name_{each}" in cells}
    return terms | ({"names": names} if names else {})
