"""The neutral card. Each wallet renders its pass from a CardFace and from nothing else.

A face has two halves. What all cards of a design share stands in its `Look` and `Layout`: two
objects that are made once and compared quickly. What is one card's own stands in `Issued` and in
`values`. `passes.kinds` makes faces, one small builder for each kind of card.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from passes import words
from passes.errors import FaceError
from passes.extras import NOTHING_MORE, Action, Beacon, Extras, Link, Place
from passes.text import LANGUAGES, Counted, Text, Words, said

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)

#: Wallets show a card near at most this many places, and beside as many beacons.
MAX_PLACES = 10
MAX_BEACONS = 10
MAX_ACTIONS = 2
MAX_STAMPS = 24
MAX_LINKS = 20


class CardKind(StrEnum):
    """What a card is good for. The list is closed."""

    POINTS = "points"
    DISCOUNT = "discount"
    STAMPS = "stamps"
    CLUB = "club"
    COUPON = "coupon"
    COMPANY = "company"


class CardStatus(StrEnum):
    """Whether a card works, and if not, why."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    REPLACED = "replaced"
    EXPIRED = "expired"
    USED = "used"
    #: Its holder is forgotten: wallets show that it is over, and nothing else of it.
    ERASED = "erased"


class Section(StrEnum):
    """Where on a card a field stands. The header is what sticks out of a stack of cards."""

    HEADER = "header"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    AUXILIARY = "auxiliary"
    BACK = "back"


class Form(StrEnum):
    """How a value is written; numbers, money and dates in the form of the reader's language."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    PERCENT = "percent"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Colours:
    """The brand's colours as lower-case "#rrggbb". Raises ValueError for anything else."""

    background: str
    foreground: str
    label: str

    def __post_init__(self) -> None:
        for colour in (self.background, self.foreground, self.label):
            rgb(colour)


def rgb(colour: str) -> tuple[int, int, int]:
    """Return "#rrggbb" as three numbers from 0 to 255. Raises ValueError for anything else."""
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f'a colour is written like "#1a2b3c", not {colour!r}')
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


#: A text, a whole number of points, an amount of money in major units, a share (0.05), or a day.
Value = str | Text | int | Decimal | date


@dataclass(frozen=True, slots=True)
class Slot:
    """A field as all cards of a layout have it: its name, place, label and form.

    `fixed` is the value where it is the same on all of them; otherwise each card has its own.
    `currency` (ISO 4217) goes with money. Raises FaceError for a key that is none.
    """

    key: str
    section: Section
    label: Words | Counted
    form: Form = Form.TEXT
    fixed: Value | None = None
    currency: str | None = None
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise FaceError(f"a field's key is a short word in lower case, not {self.key!r}")
        if (self.form is Form.MONEY) != (self.currency is not None):
            raise FaceError(f"the field {self.key} has to name its currency if it is money")
        told = (self.key, self.section, self.label, self.form, self.fixed, self.currency)
        object.__setattr__(self, "_hash", hash(told))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a card, and the one among them whose change the lock screen tells.

    With two that told their changes, iOS shows a generic line and neither text.
    Raises FaceError where two fields have one key or the announced one is not there.
    """

    slots: tuple[Slot, ...]
    announced: str | None = None
    own: tuple[Slot, ...] = field(init=False, repr=False, compare=False, default=())
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        keys = [slot.key for slot in self.slots]
        if len(set(keys)) != len(keys):
            raise FaceError("every field of a card has a key of its own")
        if self.announced is not None and self.announced not in keys:
            raise FaceError(f"the card has no field {self.announced!r} to tell changes of")
        own = tuple(slot for slot in self.slots if slot.fixed is None)
        object.__setattr__(self, "own", own)
        object.__setattr__(self, "_hash", hash((self.slots, self.announced)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How an owner orders fields: (key, section) as they follow each other, None for one that is
    not shown; and what they are called instead. See `passes.arranging`."""

    places: tuple[tuple[str, Section | None], ...] = ()
    labels: tuple[tuple[str, Text], ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of one card, as it is shown."""

    key: str
    label: Words | Counted
    value: Value
    form: Form
    currency: str | None = None

    def label_in(self, language: str) -> str:
        """The label in a BCP 47 language; points in the plural that their number asks for."""
        if isinstance(self.label, Counted):
            return self.label.said(self.value if isinstance(self.value, int) else 0, language)
        return said(self.label, language)


@dataclass(frozen=True, slots=True)
class Look:
    """A design: what all its cards share. Made once; cheap to compare and to look up.

    `logo`, `hero` (the picture across the card), `poster` (the one that fills it) and `icon` are
    the owner's uploads as they came, checked by `passes.artwork`; a missing one is drawn.
    `stamps` is how many a stamp card takes. `vocabulary` are further texts that its cards use
    (tier names, rewards), so that they travel in all languages. `language` is spoken where a
    text is the card's own. `store_identifiers` are App Store numbers of the programme's app.
    Raises FaceError for more than wallets take.
    """

    kind: CardKind
    programme_name: Words
    organisation: Words
    description: Words
    colours: Colours
    counted: Counted | None = None
    logo: bytes | None = field(default=None, repr=False)
    hero: bytes | None = field(default=None, repr=False)
    poster: bytes | None = field(default=None, repr=False)
    icon: bytes | None = field(default=None, repr=False)
    is_poster: bool = False
    stamps: int = 0
    tier: Words | None = None
    terms: Words | None = None
    contact: Words | None = None
    vocabulary: tuple[Text, ...] = ()
    links: tuple[Link, ...] = ()
    places: tuple[Place, ...] = ()
    beacons: tuple[Beacon, ...] = ()
    actions: tuple[Action, ...] = ()
    sharing_prohibited: bool = False
    store_identifiers: tuple[int, ...] = ()
    app_launch_url: str | None = None
    arrangement: Arrangement | None = None
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        _check_look(self)
        shown = (self.kind, self.programme_name, self.colours, self.logo, self.hero, self.poster)
        rest = (self.organisation, self.description, self.counted, self.stamps, self.vocabulary)
        more = (self.links, self.places, self.icon, self.arrangement)
        object.__setattr__(self, "_hash", hash((shown, rest, more)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True)
class Issued:
    """What is one card's own, whatever its kind.

    `code` is the text of the barcode. `message` is news for its holder; while `is_news_fresh` the
    lock screen tells it instead of what counts. `message_id` tells one message from another.
    `article` is a title and a text for the back. `valid_from` and `valid_until` are aware.
    `language` (BCP 47) is the holder's, for texts that are not translated. `page` is the secret
    address of the card's own page. Raises FaceError where a time has no zone, the end is before
    the beginning, or the page has no address of the web.
    """

    serial_number: str
    code: str
    issued_on: date
    status: CardStatus = CardStatus.ACTIVE
    language: str = LANGUAGES[0]
    member_name: str | None = None
    message: str | None = None
    message_id: str | None = None
    is_news_fresh: bool = False
    article: tuple[str, str] | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    page: str | None = None
    extras: Extras = NOTHING_MORE

    def __post_init__(self) -> None:
        if self.page is not None and not self.page.startswith(("https://", "http://")):
            raise FaceError("the address of a card's page begins with https:// or http://")
        times = [moment for moment in (self.valid_from, self.valid_until) if moment is not None]
        if any(moment.tzinfo is None for moment in times):
            raise FaceError("the times of a card's validity name their zone")
        if len(times) == 2 and times[1] < times[0]:
            raise FaceError("a card is valid until a time after it begins to be")


@dataclass(frozen=True, slots=True)
class CardFace:
    """What a card shows. `values` belong to `layout.own`, in that order."""

    look: Look
    layout: Layout
    issued: Issued
    values: tuple[Value, ...]

    def __post_init__(self) -> None:
        if len(self.values) != len(self.layout.own):
            raise FaceError("a card has a value for each field of its own")

    def fields(self, section: Section) -> tuple[Field, ...]:
        """The fields of `section`, in their order."""
        return tuple(found for slot, found in self._filled() if slot.section is section)

    def field(self, key: str) -> Field | None:
        """The field named `key`, wherever it stands; None where the card has none."""
        return next((found for _, found in self._filled() if found.key == key), None)

    def _filled(self) -> list[tuple[Slot, Field]]:
        left = iter(self.values)
        return [
            (
                slot,
                Field(
                    slot.key,
                    slot.label,
                    next(left) if slot.fixed is None else slot.fixed,
                    slot.form,
                    slot.currency,
                ),
            )
            for slot in self.layout.slots
        ]

    @property
    def kind(self) -> CardKind:
        """What the card is good for."""
        return self.look.kind

    @property
    def colours(self) -> Colours:
        """The design's colours."""
        return self.look.colours

    @property
    def serial_number(self) -> str:
        """The number that names the card in both wallets."""
        return self.issued.serial_number

    @property
    def code(self) -> str:
        """The text of the barcode."""
        return self.issued.code

    @property
    def status(self) -> CardStatus:
        """Whether the card works."""
        return self.issued.status

    @property
    def language(self) -> str:
        """The holder's language (BCP 47)."""
        return self.issued.language

    @property
    def member_name(self) -> str | None:
        """The holder's name, where it is known."""
        return self.issued.member_name

    @property
    def is_active(self) -> bool:
        """Whether the card may be used at the counter."""
        return self.issued.status is CardStatus.ACTIVE

    @property
    def programme_name(self) -> str:
        """The programme's name in the holder's language."""
        return said(self.look.programme_name, self.language)

    @property
    def organisation(self) -> str:
        """Who issues the card, in the holder's language."""
        return said(self.look.organisation, self.language)

    @property
    def balance(self) -> int:
        """The points or stamps on the card; 0 on a card that counts none."""
        found = self.field("balance")
        return found.value if found is not None and isinstance(found.value, int) else 0

    @property
    def points_label(self) -> str:
        """What the balance counts, in the plural that it asks for; "" where it counts nothing."""
        found = self.field("balance")
        return "" if found is None else found.label_in(self.language)

    @property
    def links(self) -> tuple[Link, ...]:
        """The design's links, then the card's own, its page last."""
        page = self.issued.page
        own = () if page is None else (Link(words.PAGE, page),)
        return (*self.look.links, *self.issued.extras.links, *own)


def _check_look(look: Look) -> None:
    for what, found, most in (
        ("places", look.places, MAX_PLACES),
        ("beacons", look.beacons, MAX_BEACONS),
        ("featured actions", look.actions, MAX_ACTIONS),
        ("links", look.links, MAX_LINKS),
    ):
        if len(found) > most:
            raise FaceError(f"a card has at most {most} {what}, not {len(found)}: keep the best")
    if (look.kind is CardKind.STAMPS) != (look.stamps > 0) or look.stamps > MAX_STAMPS:
        raise FaceError(f"a stamp card, and no other, takes between 1 and {MAX_STAMPS} stamps")
    if look.app_launch_url is not None and not look.store_identifiers:
        raise FaceError("an address for the app goes with the app's number in the App Store")
