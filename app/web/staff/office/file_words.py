"""What is wrong with a file to import, for whoever holds it in a browser.

The reading functions serve the command line as well and name its options; on the page there are
none, so it says what to do with the file itself, in the reader's language.
"""

import re
from collections.abc import Callable

from app.languages import _, lazy

#: A heading for the customer's number, in each of our languages.
_NUMBER_HEADINGS = "number, Kundennummer, klienta numurs, номер клиента"
_SAVE = lazy("Save it in your spreadsheet as “CSV UTF-8” and upload it again.")

_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (
            r"No column is the customer's number.*The headings are: (.*)",
            lambda m: _(
                "No column is the customer's number, by which a line is known again. Rename its "
                "heading in the file to one of: %(names)s. The headings are now: %(headings)s",
                names=_NUMBER_HEADINGS,
                headings=m[1],
            ),
        ),
        (
            r"Both (.+) and (.+) may be the column (\w+)\. .*",
            lambda m: _(
                "Both %(one)s and %(other)s may be the column “%(column)s”. Rename the heading of "
                "the one that is not, and upload the file again.",
                one=m[1],
                other=m[2],
                column=m[3],
            ),
        ),
        (
            r"The file is not UTF-8, .*",
            lambda m: _("It cannot be told how the file's letters are written.") + f" {_SAVE}",
        ),
        (
            r"Here or a little later there is a letter that (\S+) does not have\. .*",
            lambda m: (
                _(
                    "Here or a little later there is a letter that %(encoding)s does not have.",
                    encoding=m[1],
                )
                + f" {_SAVE}"
            ),
        ),
        (
            r"Name the column of points: --column (\w+)=HEADING",
            lambda m: _("Rename the heading of the points to “%(column)s”.", column=m[1]),
        ),
        (r"This line cannot be read .*", lambda m: _("This line cannot be read.") + f" {_SAVE}"),
        (r"(.+) is empty\.", lambda m: _("%(name)s is empty.", name=m[1])),
        (
            r"(.+) is no file of comma separated values\.",
            lambda m: _("%(name)s is no file of comma separated values.", name=m[1]) + f" {_SAVE}",
        ),
    )
)


def for_the_page(text: str | None) -> str:
    """A sentence about a file without options of the command line; others stay as they are."""
    for pattern, said in _SENTENCES:
        if match := pattern.fullmatch(text or ""):
            return said(match)
    return text or ""
