"""Mechanics about who somebody is: tiers, segments, clubs, occasions, referral."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.languages import _, lazy, ngettext
from app.web.staff.programme.forms.compound import Group, Names, Rows, Things
from app.web.staff.programme.forms.kernel import Around
from app.web.staff.programme.forms.scalars import (
    Choice,
    Number,
    Percents,
    Picks,
    Text,
    Whole,
    Words,
)
from app.web.staff.programme.forms.section import Fieldset, Many, One, Terms, parts_of
from app.web.staff.programme.sections.common import ACCOUNT_WORDS, NAMES, TIERS, named_list


def _tiers_into(terms: Terms, around: Around) -> Terms:
    """Money that a tier asks for is kept in minor units; people write it in major ones."""
    if terms.get("measure") != "spend":
        return terms
    levels = [
        each | {"at_least": f"{Decimal(each['at_least']).scaleb(-around.exponent):f}"}
        for each in terms.get("levels", [])
    ]
    return terms | {"levels": levels}


def _tiers_out_of(terms: Terms, around: Around) -> Terms:
    power = around.exponent if terms.get("measure") == "spend" else 0
    levels = []
    for each in terms.get("levels", []):
        level = dict(each)
        if "at_least" in level:
            least = Decimal(level["at_least"]).scaleb(power)
            level["at_least"] = int(least) if least == int(least) else str(least)
        levels.append(level)
    return terms | {"levels": levels}


TIERS_SECTION = One(
    "tiers",
    lazy("Tiers"),
    lazy("Silver, gold: what they ask for and what they earn."),
    (
        Fieldset(
            lazy("What counts"),
            (
                Choice(
                    "measure",
                    lazy("Towards a tier count"),
                    usual="points",
                    options=(("points", lazy("points earned")), ("spend", lazy("money spent"))),
                ),
                Choice(
                    "window",
                    lazy("Within"),
                    usual="calendar",
                    options=(
                        ("calendar", lazy("the calendar year")),
                        ("anniversary", lazy("the year since joining")),
                        ("rolling", lazy("the last twelve months")),
                    ),
                ),
                Choice(
                    "downgrade",
                    lazy("Whoever earned less"),
                    usual="recomputed",
                    options=(
                        ("recomputed", lazy("gets the tier of what was earned")),
                        ("one_step", lazy("falls by one tier at most")),
                    ),
                ),
                Whole(
                    "grace_days",
                    lazy("Grace before somebody falls"),
                    high=180,
                    unit=lazy("days"),
                    usual=0,
                ),
            ),
        ),
        Fieldset(
            lazy("The tiers, the lowest first"),
            (
                Rows(
                    "levels",
                    lazy("Tiers"),
                    lazy("A code never changes; members keep what they have until their review."),
                    parts=(
                        Text("code", lazy("Code"), longest=40),
                        Number("at_least", lazy("From so much on"), high=1_000_000_000_000),
                        Number("multiplier", lazy("Earns so many times as much"), high=100),
                        Names("names", lazy("What members read")),
                    ),
                ),
            ),
        ),
    ),
    into=_tiers_into,
    out_of=_tiers_out_of,
)


def _segment(segment: Mapping[str, Any], around: Around) -> str:
    return "; ".join(
        f"{part.label}: {part.words(segment[part.name], around)}"
        for part in parts_of(SEGMENTS.form(""))
        if part.name != "name" and part.name in segment
    )


SEGMENTS = Many(
    "segments",
    lazy("Segments"),
    lazy("Kinds of members that rules and trials are for."),
    key="name",
    one=lazy("Segment"),
    forms={
        "": (
            Fieldset(None, (Text("name", lazy("Name")),)),
            Fieldset(
                lazy("Who is in it: all of these hold"),
                (
                    Whole(
                        "joined_within_days",
                        lazy("Joined within the last"),
                        low=1,
                        high=3660,
                        unit=lazy("days"),
                    ),
                    Picks("kinds", lazy("Accounts of"), options=ACCOUNT_WORDS),
                    Picks("tiers", lazy("Members of these tiers"), source="tiers"),
                ),
            ),
            Fieldset(
                lazy("What they did lately"),
                (
                    Whole(
                        "within_days",
                        lazy("Within the last"),
                        low=1,
                        high=3660,
                        unit=lazy("days"),
                    ),
                    Whole("visits_at_least", lazy("Visits, at least"), high=1_000_000),
                    Whole("visits_at_most", lazy("Visits, at most"), high=1_000_000),
                    Number("spend_at_least", lazy("Spent, at least"), unit="money", zero=True),
                    Number("spend_at_most", lazy("Spent, at most"), unit="money", zero=True),
                ),
            ),
        )
    },
    summary=_segment,
)


def _club(club: Mapping[str, Any], around: Around) -> str:
    return ngettext("%(num)d month", "%(num)d months", int(club["months"]))


CLUBS = named_list(
    "clubs",
    lazy("Clubs"),
    lazy("Memberships that are bought for some months; discounts and prices may be for them."),
    Whole("months", lazy("Lasts"), low=1, high=120, unit=lazy("months")),
    Words(
        "items",
        lazy("Bought with these items"),
        lazy("One a line, as the till names them."),
    ),
    Whole(
        "renew_days",
        lazy("Time to renew before the end"),
        low=1,
        high=365,
        unit=lazy("days"),
        usual=30,
    ),
    one=lazy("Club"),
    summary=_club,
)


def _occasion(occasion: Mapping[str, Any], around: Around) -> str:
    told = [str(dict(_ON).get(occasion["on"], occasion["on"]))]
    if occasion.get("points"):
        told.append(_("points: %(count)s", count=occasion["points"]))
    if occasion.get("gives"):
        told.append(_PRESENT.words(occasion["gives"], around))
    return "; ".join(told)


_ON = (("birthday", lazy("Birthday")), ("joining", lazy("Anniversary of joining")))
_PRESENT = Things(
    "gives", lazy("and things"), points=False, kinds=("stamps", "coupon", "gift", "tickets")
)
OCCASIONS = named_list(
    "occasions",
    lazy("Birthdays and anniversaries"),
    lazy("Presents for a day of the member's own; never in the month of joining."),
    Choice("on", lazy("On"), options=_ON),
    Whole("points", lazy("Points"), high=1_000_000),
    _PRESENT,
    one=lazy("Occasion"),
    summary=_occasion,
    more=(
        Fieldset(
            lazy("When and for whom"),
            (
                Whole("days_before", lazy("Given before the day"), high=60, unit=lazy("days")),
                Whole(
                    "lasts_days",
                    lazy("Points last"),
                    lazy("0: for ever."),
                    high=3650,
                    unit=lazy("days"),
                ),
                TIERS,
            ),
        ),
    ),
)

_SIDE = (
    Whole("points", lazy("Points"), high=1_000_000),
    Things(
        "gives", lazy("and things"), points=False, kinds=("stamps", "coupon", "gift", "tickets")
    ),
)
REFERRAL = One(
    "referral",
    lazy("Referral"),
    lazy("What members get for bringing members, and what those get."),
    (
        Fieldset(None, (NAMES,)),
        Fieldset(
            lazy("When it counts"),
            (
                Number(
                    "at_least", lazy("Once the newcomer has spent"), unit="money", high=1_000_000
                ),
                Whole(
                    "within_days",
                    lazy("Within so many days of joining"),
                    low=1,
                    high=3650,
                    unit=lazy("days"),
                    usual=90,
                ),
            ),
        ),
        Fieldset(
            lazy("Who gets what"),
            (
                Group("referrer", lazy("Whoever brings somebody"), parts=_SIDE),
                Group("referred", lazy("Whoever is brought"), parts=_SIDE),
            ),
        ),
        Fieldset(
            lazy("Limits"),
            (
                Percents(
                    "taper",
                    lazy("Percent of the points for the first, the second, …"),
                    lazy("The last number is for all further ones of a year."),
                ),
                Whole("most_a_year", lazy("At most so many a year"), low=1, high=10_000, usual=10),
            ),
        ),
    ),
)
