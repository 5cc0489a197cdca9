"""How each kind of cell is read, as people and spreadsheets write it. Pure."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta

from app.ledger.rules import start_of_day
from app.members.service import LANGUAGES, plain_birthday

MOST_POINTS = 1_000_000_000
LONGEST_NUMBER = 64
#: Nothing of a shop is older; and no points last longer.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2200, 12, 31)

_PLAIN = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:[ \u00a0\u202f'’][0-9]{3})+", re.ASCII)
_NO_FRACTION = re.compile(r"[.,]0{1,2}", re.ASCII)
_ISO = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})\.?", re.ASCII)
_LOCAL = re.compile(r"([0-9]{1,2})\.[ ]?([0-9]{1,2})\.[ ]?([0-9]{4})\.?", re.ASCII)
_SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", re.ASCII)
_TIME = re.compile(r"[T ]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?", re.ASCII)
_FORMULA = re.compile(r'="(.*)"')
#: A spreadsheet keeps text that begins so behind an apostrophe.
_GUARDED = ("=", "+", "-", "@", "\t", "\r")
_NEVER = {"never", "nie", "nekad", "никогда", "unlimited", "unbegrenzt", "beztermiņa", "бессрочно"}
_YES = {"yes", "y", "true", "1", "x", "ja", "j", "jā", "да", "д"}
_NO = {"no", "n", "false", "0", "-", "nein", "nē", "нет", "н"}
_LANGUAGE_NAMES = {
    "english": "en", "englisch": "en", "angļu": "en", "английский": "en", "eng": "en",
    "german": "de", "deutsch": "de", "vācu": "de", "немецкий": "de", "ger": "de", "deu": "de",
    "latvian": "lv", "lettisch": "lv", "latviešu": "lv", "латышский": "lv", "lav": "lv",
    "russian": "ru", "russisch": "ru", "krievu": "ru", "русский": "ru", "rus": "ru",
}  # fmt: skip


class Unreadable(ValueError):
    """A cell that makes no sense; says *what* is wrong and the *cure*."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.what, self.cure = what, cure


def text(cell: str) -> str:
    """A cell without what a spreadsheet put around it."""
    cell = cell.strip().strip("\u00a0\ufeff")
    if match := _FORMULA.fullmatch(cell):
        return match[1].strip()
    if cell.startswith("'") and cell.lstrip("'").startswith(_GUARDED):
        return cell[1:]
    return cell


def number(cell: str) -> str:
    """A customer's number: letters and digits as they are. Raises `Unreadable`."""
    found = unicodedata.normalize("NFC", text(cell))
    if not found:
        raise Unreadable("The customer's number is missing.", "Give each customer one.")
    if len(found) > LONGEST_NUMBER or not found.isprintable():
        raise Unreadable(
            f"The customer's number is longer than {LONGEST_NUMBER} letters, or has some that "
            "cannot be shown.",
            "Look whether the columns are where they should be.",
        )
    if re.fullmatch(r"[0-9][.,][0-9]+[eE]\+[0-9]+", found):
        raise Unreadable(
            f"{found} is a number that a spreadsheet has rounded.",
            "Format the column as text in the spreadsheet, and export it again.",
        )
    return found


def points(cell: str) -> int:
    """A whole number from zero on. Raises `Unreadable`."""
    read = balance(cell)
    if read < 0:
        raise Unreadable(f"{read} points are below zero.", "Write what is owed into a column debt.")
    return read


def balance(cell: str) -> int:
    """A whole number; below zero it is owed. Raises `Unreadable`."""
    found = text(cell)
    if not found:
        return 0
    match = _NO_FRACTION.search(found)
    if match and match.end() == len(found):
        found = found[: match.start()]
    if not _PLAIN.fullmatch(found) and not _GROUPED.fullmatch(found):
        raise Unreadable(
            f"{_short(cell)} is not a whole number of points.",
            "Write it in digits without separators, such as 1250.",
        )
    read = int(re.sub(r"[^0-9-]", "", found))
    if abs(read) > MOST_POINTS:
        raise Unreadable(
            f"{abs(read):,} points are more than {MOST_POINTS:,}.",
            "Look whether it is the right column.",
        )
    return read


def day(cell: str, order: str | None = None) -> date | None:
    """A day; None for an empty cell. *order* is dmy or mdy, for 03/04/2026.

    Raises `Unreadable`.
    """
    found = text(cell)
    if not found:
        return None
    found = _TIME.sub("", found)
    for pattern, places in ((_ISO, (1, 2, 3)), (_LOCAL, (3, 2, 1))):
        if match := pattern.fullmatch(found):
            return _day(cell, *(int(match[place]) for place in places))
    if match := _SLASHED.fullmatch(found):
        first, second, year = (int(each) for each in match.groups())
        if order is None and first != second and first <= 12 and second <= 12:
            raise Unreadable(
                f"{_short(cell)} may be two different days.",
                "Say which: --dates dmy or --dates mdy.",
            )
        is_day_first = order == "dmy" or (order is None and first > 12)
        return _day(cell, year, *((second, first) if is_day_first else (first, second)))
    raise Unreadable(f"{_short(cell)} is no day.", "Write it as 2026-12-31 or 31.12.2026.")


def _day(cell: str, year: int, month: int, day_: int) -> date:
    try:
        found = date(year, month, day_)
    except ValueError:
        raise Unreadable(
            f"There is no day {_short(cell)}.", "Write it as 2026-12-31 or 31.12.2026."
        ) from None
    if not FIRST_DAY <= found <= LAST_DAY:
        raise Unreadable(
            f"{found} is not between {FIRST_DAY:%Y} and {LAST_DAY:%Y}.", "Correct the year."
        )
    return found


def birthday(cell: str, order: str | None = None) -> str | None:
    """A birthday as month and day; of a year that is told nothing is kept. Raises `Unreadable`."""
    found = text(cell)
    if not found:
        return None
    kept = plain_birthday(found)
    if kept is not None:
        return kept
    # The year is no matter, so that it need not be one of ours.
    year = re.sub(r"(?<![0-9])(?:18|19|20)[0-9]{2}(?![0-9])", "2000", _TIME.sub("", found))
    day_ = day(year, order)
    return None if day_ is None else f"{day_:%m-%d}"


def answer(cell: str) -> bool | None:
    """Whether it says yes or no; None for anything else. Nothing at all is no."""
    found = text(cell).casefold()
    if found in _NO or not found:
        return False
    return True if found in _YES else None


def is_never(cell: str) -> bool:
    """Whether it says that the points have no end."""
    return text(cell).casefold() in _NEVER


def end(cell: str, time_zone: str, order: str | None = None) -> datetime | None:
    """The first moment without: after the last usable day; or the very moment, where its zone is
    told. None for an empty cell. Raises `Unreadable`."""
    found = text(cell)
    if "T" in found and len(found) > 16:
        try:
            moment = datetime.fromisoformat(found)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    last = day(found, order)
    return None if last is None else start_of_day(last + timedelta(days=1), time_zone)


def language(cell: str) -> str | None:
    """One of our languages; None for an empty cell. Raises `Unreadable`."""
    found = text(cell).casefold()
    if not found:
        return None
    read = _LANGUAGE_NAMES.get(found, found.replace("_", "-").split("-")[0])
    if read not in LANGUAGES:
        raise Unreadable(
            f"{_short(cell)} is no language of ours.", f"Write {', '.join(LANGUAGES)}, or nothing."
        )
    return read


def _short(cell: str) -> str:
    return repr(cell.strip()[:40])
