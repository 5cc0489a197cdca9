"""The sentences of `app.ledger.explain`, one module a language. Pure text.

They are built so that no number changes the words around it, and no word has to be declined: what
points and tiers are called is the programme's choice and comes in one case.
"""

from collections.abc import Mapping

from app.ledger.sentences import de, en, lv, ru

_LANGUAGES = {"en": en, "de": de, "lv": lv, "ru": ru}

#: By language and code; "code.never" is for points that do not expire.
SENTENCES: Mapping[str, Mapping[str, str]] = {
    language: module.SENTENCES for language, module in _LANGUAGES.items()
}
#: Why a tier changed, by language and `TierReason`.
TIER_REASONS: Mapping[str, Mapping[str, str]] = {
    language: module.TIER_REASONS for language, module in _LANGUAGES.items()
}
#: What it is called to be below the first tier.
NOTHING: Mapping[str, str] = {language: module.NO_TIER for language, module in _LANGUAGES.items()}
