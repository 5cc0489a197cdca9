"""Makes faces: one small builder for each kind of card.

The first header field is the one that counts: it stays when the strip is too narrow for two.
What a card does not have is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import lru_cache

from passes import words
from passes.arranging import arranged
from passes.card import (
    CardFace,
    CardKind,
    Form,
    Issued,
    Layout,
    Look,
    Section,
    Slot,
    Value,
)
from passes.errors import FaceError
from passes.text import Counted, Words

_DEFAULT_COUNTED = Counted(
    (
        ("en", (("one", "point"), ("other", "points"))),
        ("de", (("one", "Punkt"), ("other", "Punkte"))),
        ("lv", (("zero", "punktu"), ("one", "punkts"), ("other", "punkti"))),
        ("ru", (("one", "балл"), ("few", "балла"), ("many", "баллов"), ("other", "балла"))),
    )
)


#: Further stamp cards up to this number stand on the front; a phone shows four fields in a row.
_MOST_BESIDE = 4


def points_card(
    look: Look,
    issued: Issued,
    *,
    balance: int,
    pending: int = 0,
    tier: Words | None = None,
    reward: Words | None = None,
    announce_message: bool = False,
) -> CardFace:
    """A card that collects points. `balance` may be negative (debt); `reward` is the next one.

    With `announce_message` the lock screen tells the news instead of the balance.
    """
    made = _Maker(look, issued, CardKind.POINTS)
    made.own("balance", Section.HEADER, look.counted or _DEFAULT_COUNTED, balance, Form.NUMBER)
    made.tier(tier)
    made.member()
    if pending:
        made.own("pending", Section.SECONDARY, words.PENDING, pending, Form.NUMBER)
    made.shared("reward", Section.AUXILIARY, words.REWARD, reward)
    return made.face("message" if announce_message and issued.message else "balance")


def discount_card(
    look: Look,
    issued: Issued,
    *,
    share: Decimal,
    currency: str,
    tier: Words | None = None,
    spent: Decimal | None = None,
    until_next: Decimal | None = None,
    next_share: Decimal | None = None,
) -> CardFace:
    """A card that takes `share` off (0.05 is five per cent), growing with what was spent.

    Money is in major units of `currency`. Raises FaceError for a share outside 0 to 1.
    """
    if not 0 <= share <= 1 or not 0 <= (next_share or 0) <= 1:
        raise FaceError("a discount is a share between 0 and 1")
    made = _Maker(look, issued, CardKind.DISCOUNT)
    made.own("discount", Section.HEADER, words.DISCOUNT, share, Form.PERCENT)
    made.tier(tier)
    made.member()
    made.money("spent", Section.SECONDARY, words.SPENT, spent, currency)
    made.money("until_next", Section.AUXILIARY, words.UNTIL_NEXT, until_next, currency)
    if next_share is not None:
        made.own("next_discount", Section.AUXILIARY, words.NEXT_DISCOUNT, next_share, Form.PERCENT)
    return made.face("discount")


def stamp_card(
    look: Look,
    issued: Issued,
    *,
    stamps: int,
    reward: Words | None = None,
    rewards_ready: int = 0,
    others: Sequence[tuple[Words, int, int]] = (),
) -> CardFace:
    """A card with `stamps` of the `look.stamps` that it takes; they are drawn into its picture.

    `reward` is what a full card is worth, `rewards_ready` how many are waiting to be taken.
    `others` are further stamp cards on it: name, stamps, and how many fill it.
    Raises FaceError for more stamps than the card takes.
    """
    if not 0 <= stamps <= look.stamps:
        raise FaceError(f"the card takes {look.stamps} stamps, not {stamps}")
    made = _Maker(look, issued, CardKind.STAMPS)
    made.own("stamps", Section.HEADER, words.STAMPS, f"{stamps}/{look.stamps}")
    made.member()
    made.shared("reward", Section.SECONDARY, words.REWARD, reward)
    if rewards_ready:
        made.own("ready", Section.AUXILIARY, words.READY, rewards_ready, Form.NUMBER)
    for number, (name, count, size) in enumerate(others, 2):
        section = Section.AUXILIARY if number <= _MOST_BESIDE else Section.BACK
        made.own(f"stamps_{number}", section, name, f"{count}/{size}")
    return made.face("stamps")


def club_card(
    look: Look,
    issued: Issued,
    *,
    valid_until: date,
    tier: Words | None = None,
    since: date | None = None,
    renew_by: date | None = None,
) -> CardFace:
    """A membership that lasts. `issued.valid_until` is the moment at which phones retire it."""
    made = _Maker(look, issued, CardKind.CLUB)
    made.own("valid_until", Section.HEADER, words.VALID_UNTIL, valid_until, Form.DAY)
    made.tier(tier)
    made.member()
    made.day("since", Section.SECONDARY, words.MEMBER_SINCE, since)
    made.day("renew_by", Section.AUXILIARY, words.RENEW_BY, renew_by)
    return made.face("valid_until")


def coupon(
    look: Look, issued: Issued, *, offer: Words, valid_until: date | None = None
) -> CardFace:
    """A coupon: `offer` in large, good once; its `issued.status` becomes USED then."""
    made = _Maker(look, issued, CardKind.COUPON)
    made.day("valid_until", Section.HEADER, words.VALID_UNTIL, valid_until)
    made.shared("offer", Section.PRIMARY, words.OFFER, offer)
    made.member()
    return made.face("offer")


def company_card(
    look: Look,
    issued: Issued,
    *,
    balance: int,
    company: str,
    role: Words | None = None,
    limit: int | None = None,
    tier: Words | None = None,
) -> CardFace:
    """One holder's card on a company's account: the pooled balance, and what they may redeem."""
    made = _Maker(look, issued, CardKind.COMPANY)
    made.own("balance", Section.HEADER, look.counted or _DEFAULT_COUNTED, balance, Form.NUMBER)
    made.tier(tier)
    made.own("company", Section.SECONDARY, words.COMPANY, company)
    made.member()
    made.shared("role", Section.AUXILIARY, words.ROLE, role)
    if limit is not None:
        made.own("limit", Section.AUXILIARY, words.LIMIT, limit, Form.NUMBER)
    return made.face("balance")


def counted_of(look: Look) -> Counted | None:
    """What the cards of `look` count; None where they count nothing."""
    if look.kind in (CardKind.POINTS, CardKind.COMPANY):
        return look.counted or _DEFAULT_COUNTED
    return None


class _Maker:
    """Gathers the fields of a face; the back, which all kinds share, comes last."""

    def __init__(self, look: Look, issued: Issued, kind: CardKind) -> None:
        if look.kind is not kind:
            raise FaceError(f"this design is for a {look.kind} card, not for a {kind} card")
        self._look, self._issued = look, issued
        self._slots: list[Slot] = []
        self._values: list[Value] = []

    def own(
        self,
        key: str,
        section: Section,
        label: Words | Counted,
        value: Value,
        form: Form = Form.TEXT,
        currency: str | None = None,
    ) -> None:
        """A field whose value is this card's own."""
        self._slots.append(_slot(key, section, label, form, None, currency))
        self._values.append(value)

    def shared(self, key: str, section: Section, label: Words, value: Words | None) -> None:
        """A field whose value is the same on many cards, if there is one."""
        if value is not None:
            self._slots.append(_slot(key, section, label, Form.TEXT, value, None))

    def tier(self, tier: Words | None) -> None:
        """The tier, beside what counts."""
        self.shared("tier", Section.HEADER, words.TIER, tier or self._look.tier)

    def member(self) -> None:
        """The holder's name, where it is known."""
        if self._issued.member_name is not None:
            self.own("member", Section.SECONDARY, words.MEMBER, self._issued.member_name)

    def day(self, key: str, section: Section, label: Words, value: date | None) -> None:
        """A date, if there is one."""
        if value is not None:
            self.own(key, section, label, value, Form.DAY)

    def money(
        self, key: str, section: Section, label: Words, value: Decimal | None, currency: str
    ) -> None:
        """An amount, if there is one."""
        if value is not None:
            self.own(key, section, label, value, Form.MONEY, currency)

    def face(self, announced: str) -> CardFace:
        """The face, its back added."""
        look, issued = self._look, self._issued
        if issued.message is not None:
            self.own("message", Section.BACK, words.MESSAGE, issued.message)
            announced = "message" if issued.is_news_fresh else announced
        if issued.article is not None:
            self.own("article", Section.BACK, *issued.article)
        self.shared("terms", Section.BACK, words.TERMS, look.terms)
        self.shared("contact", Section.BACK, words.CONTACT, look.contact)
        self.own("number", Section.BACK, words.CARD_NUMBER, issued.serial_number)
        self.own("issued", Section.BACK, words.ISSUED, issued.issued_on, Form.DAY)
        layout, values = _layout(tuple(self._slots), announced), tuple(self._values)
        if look.arrangement is not None:
            layout, order = arranged(layout, look.arrangement)
            values = tuple(values[place] for place in order)
        return CardFace(look, layout, issued, values)


# Kept, so that the cards of a design share one object for each: cheap to compare when rendered.
_slot = lru_cache(maxsize=1024)(Slot)
_layout = lru_cache(maxsize=512)(Layout)
