"""The few words a card itself speaks, in the languages it speaks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """Labels of a card; `now_have` holds `{points}` for the name of the points."""

    member: str
    tier: str
    pending: str
    message: str
    card_number: str
    issued: str
    links: str
    now_have: str


_ENGLISH = Words(
    member="Member",
    tier="Tier",
    pending="Pending",
    message="News",
    card_number="Card number",
    issued="Issued",
    links="Links",
    now_have="You now have %@ {points}",
)
_WORDS = {
    "en": _ENGLISH,
    "de": Words(
        member="Mitglied",
        tier="Stufe",
        pending="Vorgemerkt",
        message="Neues",
        card_number="Kartennummer",
        issued="Ausgestellt",
        links="Links",
        now_have="Neuer Stand: %@ {points}",
    ),
    "lv": Words(
        member="Dalībnieks",
        tier="Līmenis",
        pending="Gaida",
        message="Jaunumi",
        card_number="Kartes numurs",
        issued="Izsniegta",
        links="Saites",
        now_have="Jaunais atlikums: %@ {points}",
    ),
    "ru": Words(
        member="Участник",
        tier="Уровень",
        pending="Ожидает",
        message="Новости",
        card_number="Номер карты",
        issued="Выдана",
        links="Ссылки",
        now_have="Теперь у вас %@ {points}",
    ),
}


def words(language: str) -> Words:
    """Return the words of a BCP 47 `language`; English where it is none of ours."""
    return _WORDS.get(language.split("-")[0].lower(), _ENGLISH)
