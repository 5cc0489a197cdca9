"""The catalogues: read from the `.po` files, and brought up to date with what the code says.

English is what the code says; the other languages are translated.
"""

import gettext as stdlib
import io
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from passes.text import LANGUAGES

FOLDER = Path(__file__).parent / "translations"
_CODE = Path(__file__).parents[1]
_METHODS = [("**/vendor/**", "ignore"), ("**.py", "python"), ("**.html", "jinja2")]
_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "lazy": None,
    "gettext": None,
    "ngettext": (1, 2),
}


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> stdlib.NullTranslations:
    """What *language* has for the messages; those it has not are said in English."""
    if language == LANGUAGES[0]:
        return stdlib.NullTranslations()
    whole = Catalog(locale=language)
    for file in sorted(FOLDER.glob(f"*/{language}.po")):
        for message in read(file, language):
            if message.id and not message.fuzzy and said(message):
                whole.add(message.id, message.string)
    packed = io.BytesIO()
    write_mo(packed, whole)
    packed.seek(0)
    return stdlib.GNUTranslations(packed)


def read(file: Path, language: str) -> Catalog:
    """The catalogue in *file*."""
    with file.open("rb") as opened:
        return read_po(opened, locale=language)


def said(message: Message) -> bool:
    """Whether a message is translated, in each of its plural forms."""
    strings = message.string if isinstance(message.string, list | tuple) else [message.string]
    return all(strings)


def found() -> dict[str, Catalog]:
    """The messages in the code, by area."""
    areas: dict[str, Catalog] = {}
    options = {"**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    for name, line, message, comments, context in extract_from_dir(
        _CODE, _METHODS, options, keywords=_KEYWORDS, comment_tags=("Translators:",)
    ):
        catalog = areas.setdefault(area_of(Path(name)), Catalog())
        catalog.add(message, None, [(f"app/{name}", line)], auto_comments=comments, context=context)
    return areas


def area_of(path: Path) -> str:
    """The area of a file under app/: the part of the pages that it belongs to, or its package."""
    parts = path.with_suffix("").parts
    if parts[0] != "web":
        return parts[0]
    below = parts[2:] if parts[1] == "templates" else parts[1:]
    if below[0] != "staff":
        return "customer"
    named = below[1] if len(below) > 1 else "staff"
    # What all staff pages share stands beside the areas, not in one of them.
    shared = len(below) == 2 and (parts[1] == "templates" or named in {"door", "__init__"})
    return "staff" if shared else named


def update(file: Path, language: str, messages: Catalog) -> None:
    """Add what is new in the code to *file*, drop what is gone, and keep every translation."""
    catalog = read(file, language) if file.exists() else Catalog(locale=language)
    catalog.update(messages, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        write_po(opened, catalog, width=100, omit_header=True, include_lineno=False)


def untranslated() -> Iterator[str]:
    """A line for each message that a language lacks."""
    for area, messages in sorted(found().items()):
        for language in LANGUAGES[1:]:
            file = FOLDER / area / f"{language}.po"
            catalog = read(file, language) if file.exists() else Catalog(locale=language)
            for message in messages:
                if not message.id:
                    continue
                known = catalog.get(message.id if isinstance(message.id, str) else message.id[0])
                if known is None or not said(known):
                    yield f"{area}/{language}: {message.id!r}"
