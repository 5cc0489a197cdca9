"""The few words a card itself speaks, in the languages it speaks.

Labels stand over a value on a narrow card: one or two words.
"""

from __future__ import annotations

from passes.text import LANGUAGES, Text


def _label(key: str, *words: str) -> Text:
    return Text(tuple(zip(LANGUAGES, words, strict=True)), f"label.{key}")


MEMBER = _label("member", "Member", "Mitglied", "Dalībnieks", "Участник")
TIER = _label("tier", "Tier", "Stufe", "Līmenis", "Уровень")
PENDING = _label("pending", "Pending", "Vorgemerkt", "Gaida", "Ожидает")
MESSAGE = _label("message", "News", "Neues", "Jaunumi", "Новости")
#: Stands where news will be: phones tell of a field that changes, not of one that is new.
NO_NEWS = _label(
    "no_news", "Nothing new yet", "Noch nichts Neues", "Pagaidām nekā jauna", "Пока ничего нового"
)
CARD_NUMBER = _label("number", "Card number", "Kartennummer", "Kartes numurs", "Номер карты")
ISSUED = _label("issued", "Issued", "Ausgestellt", "Izsniegta", "Выдана")
TERMS = _label("terms", "Terms", "Bedingungen", "Noteikumi", "Условия")
CONTACT = _label("contact", "Contact", "Kontakt", "Saziņa", "Контакты")
PAGE = _label(
    "page",
    "My card: history, freeze, data",
    "Meine Karte: Verlauf, Sperren, Daten",
    "Mana karte: vēsture, iesaldēšana, dati",
    "Моя карта: история, заморозка, данные",
)
REWARD = _label("reward", "Reward", "Prämie", "Balva", "Награда")
DISCOUNT = _label("discount", "Discount", "Rabatt", "Atlaide", "Скидка")
SPENT = _label("spent", "Spent so far", "Bisher ausgegeben", "Iztērēts", "Потрачено")
UNTIL_NEXT = _label(
    "until_next", "To the next step", "Bis zur nächsten Stufe", "Līdz nākamajam", "До следующей"
)
NEXT_DISCOUNT = _label(
    "next_discount", "Next discount", "Nächster Rabatt", "Nākamā atlaide", "Следующая скидка"
)
STAMPS = _label("stamps", "Stamps", "Stempel", "Zīmogi", "Штампы")
READY = _label("ready", "To be taken", "Einlösbar", "Saņemams", "Можно получить")
VALID_UNTIL = _label("valid_until", "Valid until", "Gültig bis", "Derīga līdz", "Действует до")
MEMBER_SINCE = _label("since", "Member since", "Mitglied seit", "Dalībnieks kopš", "Участник с")
RENEW_BY = _label("renew_by", "Renew by", "Verlängern bis", "Atjaunot līdz", "Продлить до")
OFFER = _label("offer", "Coupon", "Gutschein", "Kupons", "Купон")
COMPANY = _label("company", "Company", "Firma", "Uzņēmums", "Компания")
ROLE = _label("role", "Role", "Rolle", "Loma", "Роль")
LIMIT = _label("limit", "Limit", "Limit", "Limits", "Лимит")

#: Every label; a design's string tables hold them all, so that all its cards share them.
LABELS = (
    MEMBER,
    TIER,
    PENDING,
    MESSAGE,
    NO_NEWS,
    CARD_NUMBER,
    ISSUED,
    TERMS,
    CONTACT,
    PAGE,
    REWARD,
    DISCOUNT,
    SPENT,
    UNTIL_NEXT,
    NEXT_DISCOUNT,
    STAMPS,
    READY,
    VALID_UNTIL,
    MEMBER_SINCE,
    RENEW_BY,
    OFFER,
    COMPANY,
    ROLE,
    LIMIT,
)

#: What the lock screen says of a new balance; `%@` is the number, `{points}` its name.
NOW_HAVE = Text(
    tuple(
        zip(
            LANGUAGES,
            (
                "You now have %@ {points}",
                "Neuer Stand: %@ {points}",
                "Jaunais atlikums: %@ {points}",
                "Теперь у вас %@ {points}",
            ),
            strict=True,
        )
    ),
    "now_have",
)
