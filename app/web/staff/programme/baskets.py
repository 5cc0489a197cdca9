"""Baskets that show what rules mean: made up in a form, reckoned by the rules themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.errors import CounterfoilError
from app.languages import _, lazy
from app.ledger.explain import tell
from app.ledger.postings import Line
from app.programmes import wording
from app.programmes.drafts.consequences import (
    Member,
    Outcome,
    Sample,
    point_costs,
    reckon,
    sample_baskets,
)
from app.programmes.drafts.service import MOST_BASKETS, Draft
from app.programmes.settings import Settings
from app.programmes.voices import voice_of
from app.web.formats import money, number
from app.web.staff.door import Visit
from app.web.staff.programme.forms.compound import Rows
from app.web.staff.programme.forms.kernel import Around, Fields, Input, Sent, write_parts
from app.web.staff.programme.forms.scalars import (
    Choice,
    Moment,
    Number,
    Pick,
    Picks,
    Text,
    Tick,
    Whole,
)
from app.web.staff.programme.sections.common import ACCOUNT_WORDS

#: What a receipt may come to at most, in major units.
_HIGHEST = 1_000_000
BASKETS = Rows(
    "baskets",
    lazy("Baskets"),
    parts=(
        Number("amount", lazy("A basket of"), unit="money", high=_HIGHEST, zero=True),
        Rows(
            "lines",
            lazy("What is in it"),
            lazy("With goods in it, the basket is what they come to."),
            parts=(
                Text("item", lazy("Item"), longest=120),
                Text("category", lazy("Category")),
                Number("quantity", lazy("Pieces"), high=10_000),
                Number("price", lazy("Together"), unit="money", high=_HIGHEST, zero=True),
            ),
            most=12,
        ),
        Moment("at", lazy("Bought on")),
        Pick("location", lazy("In"), source="locations"),
        Pick("tier", lazy("By a member of"), source="tiers"),
        Picks("clubs", lazy("and of these clubs"), source="groups"),
        Choice("kind", lazy("The account is of"), options=ACCOUNT_WORDS, usual="personal"),
        Whole("visits", lazy("Visits before"), lazy("0: it is the first."), high=10_000),
        Number("spent", lazy("Spent before"), unit="money", high=100_000_000, zero=True),
        Whole("joined", lazy("Joined days ago"), high=10_000),
        Tick("in_a_row", lazy("The visit completes every streak")),
    ),
    most=MOST_BASKETS,
)


@dataclass(frozen=True)
class Reckoned:
    """A basket as the page tells it: the sentence, what it is now, why."""

    headline: str
    now: str
    is_changed: bool
    pays: str
    things: Sequence[str]
    reasons: Sequence[str]
    costs: str


def to_begin_with(visit: Visit, settings: Settings, around: Around) -> list[dict[str, Any]]:
    """Baskets for somebody who has not made any, as terms of the form."""
    local = visit.now.astimezone(ZoneInfo(around.time_zone)).replace(tzinfo=None)
    samples = sample_baskets(settings, around.currency, local, around.locations)
    return [_terms_of(each, around) for each in samples]


def _major(minor: int, around: Around) -> str:
    return f"{Decimal(minor).scaleb(-around.exponent):f}"


def _terms_of(sample: Sample, around: Around) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "amount": _major(sample.amount_minor, around),
        "at": sample.at.isoformat(timespec="minutes"),
        "kind": sample.member.kind,
        "visits": sample.member.visits,
    }
    if sample.location is not None:
        terms["location"] = sample.location
    if sample.lines:
        terms["lines"] = [
            {
                "item": each.item,
                "quantity": str(each.quantity),
                "price": _major(each.amount_minor, around),
            }
            | ({"category": each.category} if each.category else {})
            for each in sample.lines
        ]
    return terms


def read_baskets(sent: Sent, around: Around) -> list[dict[str, Any]]:
    """The baskets of a form, as terms; one without amount and goods is none."""
    found = BASKETS.read(sent, BASKETS.name, around)
    listed = found if isinstance(found, list) else []
    return [each for each in listed if "amount" in each or "lines" in each]


def wrong_baskets(sent: Sent, around: Around) -> list[str]:
    """What cannot be read of the baskets of a form, each with what was typed there."""
    looked = Sent(sent.fields)
    BASKETS.read(looked, BASKETS.name, around)
    rows = looked.rows(BASKETS.name)
    told = []
    for at, texts in looked.wrong.items():
        row = at.split(".")[1] if "." in at else ""
        place = rows.index(int(row)) + 1 if row.isdigit() and int(row) in rows else 1
        typed = looked.text(at)[:40]
        told += [
            _("Basket %(place)s, “%(typed)s”: %(what)s", place=place, typed=typed, what=text)
            for text in texts
        ]
    return told


def basket_fields(terms: Sequence[Mapping[str, Any]]) -> Fields:
    """The fields of baskets."""
    return write_parts([BASKETS], {"baskets": terms})


def show_baskets(fields: Fields, wrong: Mapping[str, list[str]], around: Around) -> Input:
    """The baskets as a template shows them."""
    return BASKETS.show(fields, BASKETS.name, wrong, around)


def sample_of(terms: Mapping[str, Any], around: Around, now: datetime) -> Sample:
    """A basket that can be reckoned."""

    def minor(text: Any) -> int:
        return int(Decimal(str(text)).scaleb(around.exponent))

    lines = tuple(
        Line(
            str(each.get("item") or each.get("category") or "-"),
            minor(each.get("price", "0")),
            Decimal(str(each.get("quantity", "1"))),
            each.get("category"),
        )
        for each in terms.get("lines", ())
    )
    total = sum(line.amount_minor for line in lines) if lines else minor(terms.get("amount", "0"))
    try:
        at = datetime.fromisoformat(str(terms.get("at", "")))
        at = at.replace(tzinfo=None)
        if not 2000 <= at.year <= 2200:
            raise ValueError(at)
    except ValueError:
        at = now.astimezone(ZoneInfo(around.time_zone)).replace(tzinfo=None)
    return Sample(
        total,
        at,
        lines,
        terms.get("location"),
        Member(
            tier=terms.get("tier"),
            clubs=frozenset(terms.get("clubs", ())),
            kind=terms.get("kind", "personal"),
            visits=terms.get("visits", 3),
            spent_minor=minor(terms.get("spent", "0")),
            joined_days_ago=terms.get("joined", 365),
            in_a_row=bool(terms.get("in_a_row")),
        ),
    )


def reckoned(
    visit: Visit,
    draft: Draft,
    settings: Settings,
    baskets: Sequence[Mapping[str, Any]],
    around: Around,
) -> list[Reckoned]:
    """What *settings* make of the baskets, beside what is in force."""
    found = []
    for terms in baskets[:MOST_BASKETS]:
        sample = sample_of(terms, around, visit.now)
        try:
            wanted = reckon(settings, around.currency, around.time_zone, sample)
            there = reckon(draft.version.settings, around.currency, around.time_zone, sample)
            found.append(_told(visit, settings, sample, wanted, there, around))
        except CounterfoilError as error:
            found.append(Reckoned(error.message, "", False, "", (), (), ""))
        except (ArithmeticError, OverflowError):
            words = _("These numbers are too large to reckon with.")
            found.append(Reckoned(words, "", False, "", (), (), ""))
    return found


def _told(
    visit: Visit,
    settings: Settings,
    sample: Sample,
    wanted: Outcome,
    there: Outcome,
    around: Around,
) -> Reckoned:
    amount = money(sample.amount_minor, around.currency)
    headline = _(
        "A %(amount)s basket earns %(points)s",
        amount=amount,
        points=points_words(visit, wanted.points),
    )
    is_changed = _differs(wanted, there)
    now = ""
    if is_changed:
        now = _("In force now: %(points)s", points=points_words(visit, there.points))
    pays = ""
    if wanted.priced.saved_minor or there.priced.saved_minor:
        pays = _(
            "The member pays %(paid)s and saves %(saved)s.",
            paid=money(wanted.priced.to_pay_minor, around.currency),
            saved=money(wanted.priced.saved_minor, around.currency),
        )
    cost = point_costs(settings, around.currency, wanted.points) + wanted.priced.saved_minor
    costs = ""
    if cost and sample.amount_minor:
        costs = _(
            "That gives %(money)s back: %(percent)s %% of it.",
            money=money(int(cost), around.currency),
            percent=number((cost * 100 / sample.amount_minor).quantize(Decimal("0.1"))),
        )
    things = [
        f"{each.count} × {_thing(each.kind, each.what, around)}" for each in wanted.value.given
    ]
    return Reckoned(
        headline,
        now,
        is_changed,
        pays,
        things,
        tell(wanted.reasons, voice_of(visit.programme, settings, around.language)),
        costs,
    )


def _thing(kind: str, what: str, around: Around) -> str:
    sources = {"stamps": around.stamps, "coupon": around.coupons, "tickets": around.draws}
    return sources.get(kind, {}).get(what, what)


def _differs(one: Outcome, other: Outcome) -> bool:
    def given(outcome: Outcome) -> list[tuple[str, str, int]]:
        return [(each.kind, each.what, each.count) for each in outcome.value.given]

    return (
        one.points != other.points
        or one.priced.to_pay_minor != other.priced.to_pay_minor
        or given(one) != given(other)
    )


def points_words(visit: Visit, points: int) -> str:
    """So many points, as the programme calls them."""
    label = wording.points_label(visit.programme.points_names, points, visit.language)
    return f"{number(points)} {label}"
