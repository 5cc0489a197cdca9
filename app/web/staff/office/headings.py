"""Under which headings of the menu the pages of the office stand."""

from app.languages import lazy

SHOP, INSTALLATION = lazy("Shop"), lazy("Installation")
