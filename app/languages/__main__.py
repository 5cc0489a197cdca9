"""`python -m app.languages [AREA …]`: bring the catalogues up to date, and say what is missing."""

import sys

from app.languages.catalogues import FOLDER, found, untranslated, update
from passes.text import LANGUAGES


def main(areas: list[str]) -> None:
    """Update the catalogues of *areas* (all of them where none is named)."""
    for area, messages in sorted(found().items()):
        if areas and area not in areas:
            continue
        for language in LANGUAGES[1:]:
            update(FOLDER / area / f"{language}.po", language, messages)
    missing = [line for line in untranslated() if not areas or line.split("/")[0] in areas]
    print("\n".join(missing) or "Everything is translated.")


main(sys.argv[1:])
