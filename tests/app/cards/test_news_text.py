"""News of a card: one language in each text, whatever the card's own is."""

import json

from app.cards.news_text import filled, shown

FACTS = {"points": 12345, "expiring": 35, "expires_on": "2026-06-11"}
SAYS = "{name}, {expiring} of {points} end on {expires_on}."


def test_a_number_and_a_day_are_written_as_the_card_s_language_has_them() -> None:
    content = json.dumps({"message": {"en": SAYS, "lv": "{points} līdz {expires_on}"}})
    told = shown(content, FACTS, language="lv", member_name="Līga")
    assert told.message == "12\xa0345 līdz 11.06.2026."


def test_a_text_that_is_not_there_in_the_card_s_language_is_whole_in_the_one_that_is() -> None:
    content = json.dumps(
        {"message": {"en": SAYS}, "article": {"de": ["Bis {expires_on}", "{points} Punkte"]}}
    )
    told = shown(content, FACTS, language="ru", member_name=None)
    assert told.message == "35 of 12,345 end on 11 June 2026."
    assert told.article == ("Bis 11. Juni 2026", "12.345 Punkte")


def test_what_is_not_known_stays_as_it_is_written_and_a_dash_stays_a_dash() -> None:
    assert filled("{what} {expires_on}", {"expires_on": "–"}, "en", None) == "{what} –"
