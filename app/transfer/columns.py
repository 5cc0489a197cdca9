"""What the columns of a list of members are called, in the four languages that we speak. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.errors import Invalid

#: What each column is called; big and small letters, blanks and marks are the same.
ALIASES: Mapping[str, str] = {
    "number": "number, no, nr, id, customer number, customer no, customer id, member number, "
    "member id, external number, external id, card number, card no, "
    "Nummer, Kundennummer, Kundennr, Kunden-ID, Kartennummer, Kartennr, Mitgliedsnummer, "
    "numurs, klienta numurs, klienta nr, klienta kods, kartes numurs, kartes nr, "
    "номер, номер клиента, код клиента, номер карты, карта",
    "name": "name, full name, customer, member, customer name, Kunde, Kundenname, Mitglied, "
    "vārds uzvārds, vārds un uzvārds, klients, имя и фамилия, фио, клиент, полное имя",
    "first_name": "first name, given name, forename, Vorname, vārds, имя",
    "last_name": "last name, family name, surname, Nachname, Familienname, uzvārds, фамилия",
    "email": "email, e-mail, mail, e-mail address, email address, E-Mail-Adresse, Mailadresse, "
    "e-pasts, epasts, e-pasta adrese, почта, эл. почта, электронная почта, имейл, емейл",
    "phone": "phone, telephone, phone number, mobile, mobile number, cell, Telefon, "
    "Telefonnummer, Handy, Mobil, Mobilnummer, telefons, tālrunis, tālruņa numurs, mobilais, "
    "телефон, номер телефона, мобильный",
    "language": "language, lang, Sprache, valoda, язык",
    "birthday": "birthday, birth date, date of birth, born, Geburtstag, Geburtsdatum, "
    "dzimšanas diena, dzimšanas datums, дата рождения, день рождения",
    "joined": "joined, joined on, joined at, member since, since, created, registered, "
    "registration date, Mitglied seit, Beitritt, Beitrittsdatum, Eintritt, Eintrittsdatum, "
    "Kunde seit, pievienojās, pievienošanās datums, reģistrācijas datums, klients kopš, "
    "дата регистрации, дата вступления, клиент с, участник с",
    "points": "points, balance, points balance, bonus, bonus points, Punkte, Punktestand, "
    "Bonuspunkte, Guthaben, Saldo, punkti, punktu atlikums, atlikums, bilance, bonusi, "
    "баллы, баланс, бонусы, остаток, сумма баллов",
    "expires": "expires, expires on, expiry, expiry date, expiration date, valid until, "
    "gültig bis, Ablauf, Ablaufdatum, verfällt, verfällt am, derīgi līdz, derīgs līdz, "
    "beidzas, termiņš, срок, действует до, сгорают, дата сгорания, годен до",
    "lots": "lots, points with expiry, Punkte mit Ablauf, punkti ar termiņu, баллы со сроком",
    "tier": "tier, level, status, Stufe, Statusstufe, līmenis, statuss, уровень, статус",
    "tier_until": "tier until, tier valid until, Stufe bis, Status bis, līmenis līdz, "
    "уровень до, статус до",
    "debt": "debt, owed, points owed, negative balance, Schulden, offen, Minuspunkte, "
    "parāds, punktu parāds, долг, задолженность",
    "consent_messages": "consent messages, messages consent, newsletter, marketing consent, "
    "opt in, e-mail consent, Einwilligung, Werbeeinwilligung, Newsletter-Einwilligung, "
    "piekrišana, jaunumu piekrišana, согласие, согласие на рассылку, рассылка",
    "consent_partners": "consent partners, partners consent, third party consent, "
    "Einwilligung Partner, Partnereinwilligung, partneru piekrišana, piekrišana partneriem, "
    "согласие партнёрам, согласие на передачу партнёрам",
    "stamps": "stamps, Stempel, zīmogi, zīmodziņi, штампы, печати",
}
#: These come several times: "points 2" and "expires 2" belong together.
REPEATED = ("points", "expires")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,3})")


def plain(text: str) -> str:
    """A heading without what does not matter: case, blanks, marks."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in text if letter.isalnum())


_KNOWN = {
    plain(alias): name for name, aliases in ALIASES.items() for alias in [name, *aliases.split(",")]
}


@dataclass(frozen=True, slots=True)
class Columns:
    """At which place each column stands; *lots* are the places of points and of their ends."""

    places: Mapping[str, int]
    lots: tuple[tuple[int | None, int | None], ...]
    unused: tuple[str, ...]


def recognised(header: Sequence[str]) -> int:
    """How many columns of a header have names that we know."""
    return sum(_name(heading) is not None for heading in header)


def _name(heading: str) -> tuple[str, int] | None:
    """The column that a heading names, and the number behind it (1 where there is none)."""
    text = plain(heading)
    if text in _KNOWN:
        return _KNOWN[text], 1
    if (match := _NUMBERED.fullmatch(text)) and _KNOWN.get(match[1]) in REPEATED:
        return _KNOWN[match[1]], int(match[2])
    return None


def place(header: Sequence[str], named: Mapping[str, str]) -> Columns:
    """Find the columns of a header; *named* are headings that somebody chose, by column.

    Raises `Invalid` for a column that is not there, comes twice, or is missing.
    """
    found: dict[tuple[str, int], int] = {}
    taken: set[int] = set()
    for name, heading in named.items():
        key = _name(name)
        if key is None:
            known = ", ".join(ALIASES)
            raise Invalid(f"There is no column {name[:40]!r}. There are: {known}.")
        found[key] = _place_of(header, heading)
        taken.add(found[key])
    for position, heading in enumerate(header):
        key = _name(heading)
        if position in taken or key is None:
            continue
        if key in found:
            if key[0] in named or name_of(key) in named:
                continue
            both = f"{header[found[key]].strip()!r} and {heading.strip()!r}"
            raise Invalid(
                f"Both {both} may be the column {name_of(key)}. Say which: "
                f"--column {name_of(key)}={heading.strip()!r}"
            )
        found[key] = position
        taken.add(position)
    if ("number", 1) not in found:
        headings = ", ".join(repr(each.strip()[:30]) for each in header[:12])
        raise Invalid(
            "No column is the customer's number, by which a line is known again. Say which it is: "
            f"--column number=HEADING. The headings are: {headings}."
        )
    numbers = sorted({number for name, number in found if name in REPEATED})
    lots = tuple((found.get(("points", each)), found.get(("expires", each))) for each in numbers)
    return Columns(
        {name: position for (name, _), position in found.items() if name not in REPEATED},
        lots,
        tuple(each.strip() for number, each in enumerate(header) if number not in taken),
    )


def name_of(key: tuple[str, int]) -> str:
    """A column as it is named on the command line."""
    return key[0] if key[1] == 1 else f"{key[0]}{key[1]}"


def _place_of(header: Sequence[str], heading: str) -> int:
    places = [number for number, each in enumerate(header) if each.strip() == heading.strip()] or [
        number for number, each in enumerate(header) if plain(each) == plain(heading)
    ]
    if len(places) != 1:
        there = "is in no column's heading" if not places else "heads several columns"
        raise Invalid(f"{heading.strip()[:40]!r} {there}. Look at the file's first line.")
    return places[0]
