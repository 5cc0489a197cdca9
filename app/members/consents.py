"""What members may consent to, in which words, and what they did consent to.

Texts are kept by version and never change: a consent names the version and the language that were
read. Another text is another version; whoever consented to the earlier one did so to that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.db import new_id
from app.errors import Conflict, Invalid, NotFound
from app.languages import _
from app.members.models import Consent, ConsentText
from passes.text import LANGUAGES

#: The version of the texts that come along.
BUILT_IN = "2026-1"
LONGEST_TEXT = 500
#: What may be consented to, in the words that come along; [[programme]] is the programme's name.
TEXTS: Mapping[str, Mapping[str, str]] = {
    "messages": {
        "en": "[[programme]] may send me news and offers by e-mail. I can stop this at any time "
        "on my card's page.",
        "de": "[[programme]] darf mir Neuigkeiten und Angebote per E-Mail senden. Ich kann das "
        "jederzeit auf der Seite meiner Karte beenden.",
        "lv": "[[programme]] drīkst man sūtīt jaunumus un piedāvājumus e-pastā. To varu jebkurā "
        "brīdī pārtraukt savas kartes lapā.",
        "ru": "[[programme]] может присылать мне новости и предложения по электронной почте. Я "
        "могу прекратить это в любой момент на странице своей карты.",
    },
    "partners": {
        "en": "[[programme]] may share my name and e-mail with its partner brands, so that they "
        "can make me offers. I can stop this at any time on my card's page.",
        "de": "[[programme]] darf meinen Namen und meine E-Mail-Adresse an seine Partnermarken "
        "weitergeben, damit sie mir Angebote machen können. Ich kann das jederzeit auf der Seite "
        "meiner Karte beenden.",
        "lv": "[[programme]] drīkst nodot manu vārdu un e-pastu saviem partneriem, lai tie varētu "
        "man izteikt piedāvājumus. To varu jebkurā brīdī pārtraukt savas kartes lapā.",
        "ru": "[[programme]] может передать моё имя и электронную почту своим партнёрам, чтобы "
        "они могли делать мне предложения. Я могу прекратить это в любой момент на странице "
        "своей карты.",
    },
}


#: The version of what somebody agreed to where they were kept before: in words that are not here.
BROUGHT = "brought"
_BROUGHT_TEXTS: Mapping[str, str] = {
    "en": "I agreed to this with [[programme]] before, in other words. I can stop it at any time "
    "on my card's page.",
    "de": "Dem habe ich bei [[programme]] schon früher in anderen Worten zugestimmt. Ich kann das "
    "jederzeit auf der Seite meiner Karte beenden.",
    "lv": "Tam esmu piekritis “[[programme]]” jau agrāk, citiem vārdiem. To varu jebkurā brīdī "
    "pārtraukt savas kartes lapā.",
    "ru": "На это я согласился в [[programme]] раньше, в других словах. Я могу прекратить это в "
    "любой момент на странице своей карты.",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """A text that is to be consented to."""

    purpose: str
    version: str
    texts: Mapping[str, str]

    def text(self, language: str, programme: str) -> str:
        """In a language; in English, or else any, where there is none in that."""
        found = self.texts.get(language) or self.texts.get("en")
        return (found or next(iter(self.texts.values()))).replace("[[programme]]", programme)

    def language(self, wanted: str) -> str:
        """The language that `text` is in."""
        if wanted in self.texts:
            return wanted
        return "en" if "en" in self.texts else next(iter(self.texts))


def current(session: Session, programme_id: str, purpose: str) -> Wording:
    """The text that is shown now. Raises `NotFound` for a purpose that there is not."""
    _check(purpose)
    row = session.scalars(
        select(ConsentText)
        .where(ConsentText.programme_id == programme_id, ConsentText.purpose == purpose)
        .order_by(ConsentText.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return Wording(purpose, BUILT_IN, TEXTS[purpose])
    return Wording(purpose, str(row.number), row.texts)


def wording(session: Session, programme_id: str, purpose: str, version: str) -> Wording:
    """A text of any version. Raises `NotFound`."""
    _check(purpose)
    if version == BUILT_IN:
        return Wording(purpose, BUILT_IN, TEXTS[purpose])
    if version == BROUGHT:
        return Wording(purpose, BROUGHT, _BROUGHT_TEXTS)
    if version.isascii() and version.isdigit() and len(version) < 10:
        row = session.scalar(
            select(ConsentText).where(
                ConsentText.programme_id == programme_id,
                ConsentText.purpose == purpose,
                ConsentText.number == int(version),
            )
        )
        if row is not None:
            return Wording(purpose, version, row.texts)
    raise NotFound(_("There is no such version of this text."))


def change_text(
    session: Session,
    programme_id: str,
    purpose: str,
    texts: Mapping[str, str],
    *,
    now: datetime,
) -> Wording:
    """Show another text from now on; the number of its version counts up. Raises `Invalid`."""
    _check(purpose)
    wrong = {}
    for language, text in texts.items():
        if language not in LANGUAGES:
            wrong[language] = [_("There is no such language here.")]
        elif not text.strip() or len(text) > LONGEST_TEXT or not text.isprintable():
            wrong[language] = [
                _("One sentence or two, at most %(most)s letters.", most=LONGEST_TEXT)
            ]
    if wrong or not texts:
        raise Invalid(_("The text cannot be shown so."), wrong)
    latest = session.scalar(
        select(func.max(ConsentText.number)).where(
            ConsentText.programme_id == programme_id, ConsentText.purpose == purpose
        )
    )
    number = (latest or 0) + 1
    session.add(
        ConsentText(
            programme_id=programme_id,
            purpose=purpose,
            number=number,
            texts={language: text.strip() for language, text in texts.items()},
            created_at=now,
        )
    )
    session.flush()
    return Wording(purpose, str(number), dict(texts))


def give(
    session: Session,
    programme_id: str,
    member_id: str,
    read: Wording,
    language: str | None,
    now: datetime,
) -> bool:
    """Note that a member consents to the text that was *read*; False where that stands already."""
    if any(each.purpose == read.purpose for each in standing(session, member_id)):
        return False
    session.add(
        Consent(
            programme_id=programme_id,
            member_id=member_id,
            purpose=read.purpose,
            text_version=read.version,
            language=None if language is None else read.language(language),
            given_at=now,
        )
    )
    session.flush()
    return True


def bring(session: Session, programme_id: str, given: Sequence[tuple[str, str, datetime]]) -> None:
    """Note what new members agreed to elsewhere: member, purpose and when, for each."""
    rows = [
        {
            "id": new_id(),
            "programme_id": programme_id,
            "member_id": member_id,
            "purpose": purpose,
            "text_version": BROUGHT,
            "language": None,
            "given_at": given_at,
            "withdrawn_at": None,
        }
        for member_id, purpose, given_at in given
    ]
    if rows:
        session.execute(insert(Consent), rows)


def standing(session: Session, member_id: str | None) -> list[Consent]:
    """The consents of a member that were not withdrawn."""
    if member_id is None:
        return []
    return list(
        session.scalars(
            select(Consent)
            .where(Consent.member_id == member_id, Consent.withdrawn_at.is_(None))
            .order_by(Consent.given_at, Consent.id)
        )
    )


def check_version(session: Session, programme_id: str, purpose: str, version: str) -> Wording:
    """The text that somebody read a moment ago. Raises `Conflict` for one that never was."""
    try:
        return wording(session, programme_id, purpose, version)
    except NotFound as error:
        raise Conflict(_("The text has changed. Please read it again.")) from error


def _check(purpose: str) -> None:
    if purpose not in TEXTS:
        raise NotFound(_("There is nothing of that kind to consent to."))
