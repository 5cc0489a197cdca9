"""The words of pages and messages in four languages (gettext; English is the message id).

    _("Note kept.")    ngettext("%(num)d card", "%(num)d cards", 3)    lazy("Members")

The language is that of whoever reads: a page sets it for its request, background work for each
message (`speaking`). What is put in is put in by name, and a literal per cent sign is written
twice, in Python as in templates. Catalogues are the `.po` files beside this module, one folder an
area; `python -m app.languages` finds new messages.
"""

from app.languages.speaking import Lazy, _, current_language, lazy, ngettext, speak, speaking
from passes.text import LANGUAGES

__all__ = [
    "LANGUAGES",
    "Lazy",
    "_",
    "current_language",
    "lazy",
    "ngettext",
    "speak",
    "speaking",
]
