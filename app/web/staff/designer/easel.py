"""What the designer's page shows of a draft: its fields, its phones, and what is wrong."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup
from PIL import Image
from sqlalchemy.orm import Session

from app.designer import android, checking, contrast, drafts, iphone, poster, showing
from app.designer.brand import Pictures
from app.designer.checking import Problem
from app.designer.drafts import Draft
from app.designer.form import PICTURES, Drafted
from app.designer.iphone import BackRow
from app.designer.showing import Subject
from app.errors import NotFound
from app.languages import LANGUAGES, Lazy, lazy
from app.programmes import design_releases
from app.programmes.designs import ISSUED_KINDS
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from passes.arranging import fixed_keys
from passes.card import CardFace, CardKind, Section

KIND_WORDS: Mapping[str, Lazy] = {
    CardKind.POINTS: lazy("Points card"),
    CardKind.STAMPS: lazy("Stamp card"),
    CardKind.DISCOUNT: lazy("Discount card"),
    CardKind.CLUB: lazy("Club card"),
    CardKind.COUPON: lazy("Coupon"),
    CardKind.COMPANY: lazy("Company card"),
}
SECTION_WORDS: Mapping[str, Lazy] = {
    "": lazy("As it comes"),
    Section.HEADER: lazy("Top strip"),
    Section.PRIMARY: lazy("Large, on the picture"),
    Section.SECONDARY: lazy("Below the picture, left"),
    Section.AUXILIARY: lazy("Below the picture, right"),
    Section.BACK: lazy("On the back"),
    "hidden": lazy("Not shown"),
}
WHO = ("", "longest", "largest", "card")


@dataclass(frozen=True, slots=True)
class Looking:
    """How somebody wants to look: whose data, in which language, and which kind of card."""

    who: str
    card: str
    language: str
    kind: str

    @classmethod
    def of(cls, asked: Mapping[str, str], language: str, kind: str) -> Looking:
        """What was asked for; what makes no sense is the page's language and the draft's kind."""
        who, spoken = asked.get("show_who", ""), asked.get("show_language", "")
        wanted = asked.get("show_kind", "")
        return cls(
            who if who in WHO else "",
            asked.get("show_card", "").strip()[:200],
            spoken if spoken in LANGUAGES else language,
            wanted if wanted in set(CardKind) else kind,
        )

    @property
    def named(self) -> str:
        """What `showing.find` looks for."""
        return self.card if self.who == "card" else self.who

    def as_query(self) -> dict[str, str]:
        """As it stands in an address."""
        return {
            "show_who": self.who,
            "show_card": self.card,
            "show_language": self.language,
            "show_kind": self.kind,
        }


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of the card that can be moved and named."""

    key: str
    label: str
    place: str


@dataclass(frozen=True, slots=True)
class Easel:
    """All that the page shows."""

    draft: Draft
    drafted: Drafted
    looking: Looking
    face: CardFace
    pictures: Pictures
    problems: list[Problem]
    offers: dict[str, contrast.Judged]
    rows: list[FieldRow]
    #: Why nobody's card could be shown, where one was asked for.
    nobody: str = ""

    @property
    def front(self) -> Markup:
        """The iPhone with the card open."""
        return Markup(iphone.front(self.face, self.looking.language, self.pictures))  # noqa: S704

    @property
    def stacked(self) -> Markup:
        """The iPhone with the card in a stack."""
        return Markup(iphone.stacked(self.face, self.looking.language, self.pictures))  # noqa: S704

    @property
    def poster(self) -> Markup | None:
        """The iPhone of iOS 27, where the design has a photo that fills the card."""
        if "poster" not in self.pictures.addresses:
            return None
        return Markup(poster.front(self.face, self.looking.language, self.pictures))  # noqa: S704

    @property
    def android(self) -> Markup:
        """The Android phone."""
        return Markup(android.front(self.face, self.looking.language, self.pictures))  # noqa: S704

    @property
    def back(self) -> list[BackRow]:
        """The back of the card on the iPhone."""
        return iphone.back(self.face, self.looking.language)

    @property
    def details(self) -> list[BackRow]:
        """The details on the Android phone."""
        return android.details(self.face, self.looking.language)

    def wrong(self, name: str) -> list[str]:
        """What is to be said at a field."""
        said = list(self.drafted.problems.get(name, ()))
        return said + [
            f"{each.message} {each.cure}" for each in self.problems if each.field == name
        ]

    @property
    def told(self) -> dict[str, list[str]]:
        """The same for all fields, for the script that says it while somebody types."""
        names = {*self.drafted.problems, *(each.field for each in self.problems if each.field)}
        return {name: self.wrong(name) for name in sorted(names)}


def easel(
    visit: Visit, session: Session, asked: Mapping[str, str], draft: Draft | None = None
) -> Easel:
    """What is shown of the draft now. Reads are recorded, so the *session* is one that writes
    where somebody's card is asked for."""
    draft = draft or drafts.current(session, visit.programme)
    drafted = drafts.read(session, visit.programme, draft)
    looking = Looking.of(asked, visit.language, drafted.kind)
    shaped, design = drafts.designed(session, visit.programme, drafted, {})
    subject, nobody = _subject(visit, session, looking)
    keys, now, kind = visit.context.keys, visit.now, CardKind(looking.kind)
    face = showing.of_subject(
        session, keys, shaped, design, kind, subject, language=looking.language, now=now
    )
    # Every card leads to its own page; that of somebody real is nobody else's to know.
    own_page = f"{visit.context.config.url}/card/…"
    face = replace(face, issued=replace(face.issued, page=own_page))
    pictures = pictures_of(visit, session, draft)
    plain = showing.made_up(
        session,
        shaped,
        replace(design, arrangement=None, terms=design.terms or "-", contact=design.contact or "-"),
        drafted.kind,
        language=visit.language,
        now=now,
    )
    return Easel(
        draft,
        drafted,
        looking,
        face,
        pictures,
        checking.seen(face, is_poster="poster" in pictures.addresses),
        checking.judged(face.colours),
        _rows(plain, visit.language),
        nobody,
    )


def pictures_of(visit: Visit, session: Session, draft: Draft) -> Pictures:
    """Where the draft's uploads are found, and their shapes."""
    addresses, shapes = {}, {}
    for name, digest in draft.pictures.items():
        if name not in PICTURES:
            continue
        addresses[name] = visit.address("designer.picture", digest=digest)
        shapes[name] = _shape(design_releases.picture(session, visit.programme.id, digest), digest)
    return Pictures(addresses, shapes)


_shapes: dict[str, float] = {}
_MOST_SHAPES = 1024


def _shape(data: bytes, digest: str) -> float:
    """Width ÷ height of a picture of ours."""
    if digest not in _shapes:
        if len(_shapes) >= _MOST_SHAPES:
            _shapes.clear()
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            _shapes[digest] = image.width / image.height
    return _shapes[digest]


def _subject(visit: Visit, session: Session, looking: Looking) -> tuple[Subject, str]:
    """Whose data are shown: nobody's for who may not see contacts."""
    if not looking.named or not visit.may(Permission.SEE_CONTACTS):
        return showing.NOBODY, ""
    try:
        subject = showing.find(session, visit.context.keys, visit.programme, looking.named)
    except NotFound as error:
        return showing.NOBODY, error.message
    showing.note(session, subject, visit.person.name, now=visit.now)
    return subject, ""


def _rows(face: CardFace, language: str) -> list[FieldRow]:
    stay = fixed_keys(face.layout)
    rows = []
    for slot in face.layout.slots:
        field = face.field(slot.key)
        if slot.key not in stay and field is not None:
            rows.append(FieldRow(slot.key, field.label_in(language), slot.section))
    return rows


def kinds() -> list[tuple[str, Lazy]]:
    """What the cards of a programme can be."""
    return [(str(kind), KIND_WORDS[kind]) for kind in ISSUED_KINDS]


def choices() -> dict[str, Any]:
    """The lists that the page chooses from."""
    return {
        "kinds": kinds(),
        "all_kinds": [(str(kind), KIND_WORDS[kind]) for kind in CardKind],
        "sections": [(str(each), words) for each, words in SECTION_WORDS.items()],
    }
