"""Who came, how often, and what they spent."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.insight.lift import Rate, Verdict, of_rates, wilson
from app.insight.reading import Figures, Piece
from app.languages import _
from app.web import formats
from app.web.formats import day
from app.web.staff.insight import asking
from app.web.staff.insight.asking import Ask, piece_name, span
from app.web.staff.insight.shown import (
    PERCENT,
    Cell,
    Figure,
    Shown,
    amount,
    bars,
    compared,
    count,
    direction,
    lines,
    money_format,
    share,
    words,
)


def figures(ask: Ask, session: Session) -> list[Figure]:
    """The figures at the head of the page, each with what it was before."""
    now, then = both(ask, session)
    number, percent = formats.number, formats.percent

    def counted(label: str, value: int, before: int) -> Figure:
        rose = direction(value, before)
        better = None if rose == 0 else rose > 0
        return Figure(label, number(value), compared(number(before), value, before), better)

    def rate(label: str, value: float | None, before: float | None) -> Figure:
        said = "–" if value is None else percent(value, 1)
        was = _("before: %(before)s", before="–" if before is None else percent(before, 1))
        rose = direction(value, before)
        return Figure(label, said, was, None if rose == 0 else rose > 0)

    found = [
        counted(_("Members"), now.members, then.members),
        counted(_("Members who came"), now.came, then.came),
        rate(_("Repeat rate"), now.repeat_rate, then.repeat_rate),
    ]
    if ask.location is None:
        found.append(rate(_("Repeat rate, unasked"), now.unasked_rate, then.unasked_rate))
    found.append(counted(_("Visits"), now.visits, then.visits))
    average, was = (
        "–" if each.average_minor is None else formats.money(each.average_minor, ask.currency)
        for each in (now, then)
    )
    rose = direction(now.average_minor, then.average_minor)
    found.append(
        Figure(
            _("Average receipt"),
            average,
            compared(was, now.average_minor, then.average_minor),
            None if rose == 0 else rose > 0,
        )
    )
    return found


def both(ask: Ask, session: Session) -> tuple[Figures, Figures]:
    """The figures of the period and of the one before."""
    return (
        asking.figures(ask, session, ask.period),
        asking.figures(ask, session, ask.period.before),
    )


def _pieces(ask: Ask, session: Session) -> tuple[list[Piece], list[Piece]]:
    now = asking.pieces(ask, session, ask.period)
    then = asking.pieces(ask, session, ask.period.before)
    # As many as there are now: months before may have had a piece more or less.
    return now, then[: len(now)]


def _names(ask: Ask, pieces: Sequence[Piece]) -> list[str]:
    return [piece_name(each.period, ask.period.grain) for each in pieces]


def _beside(now: Sequence[Piece], then: Sequence[Piece]) -> list[tuple[Piece, Piece | None]]:
    return [(each, then[at] if at < len(then) else None) for at, each in enumerate(now)]


def visits(ask: Ask, session: Session) -> Shown:
    """How many visits there were."""
    now, then = _pieces(ask, session)
    all_now, all_then = (sum(each.brought.visits for each in some) for some in (now, then))
    title = {
        1: _("There were more visits than before"),
        -1: _("There were fewer visits than before"),
        0: _("There were as many visits as before"),
    }[direction(all_now, all_then)]
    if not all_now:
        title = _("Nobody came in this time")
    elif not all_then:
        title = _("There were visits; there is nothing to compare them with")
    return Shown(
        id="visits",
        title=title,
        sentence=_(
            "Visits from %(span)s: %(now)s; in the time before, %(before_span)s: %(then)s.",
            span=span(ask.period),
            now=formats.number(all_now),
            before_span=span(ask.period.before),
            then=formats.number(all_then),
        ),
        option=bars(
            _names(ask, now),
            [each.brought.visits for each in now],
            _("Visits"),
            before=[each.brought.visits for each in then] if all_then else [],
            before_name=_("before"),
        ),
        headers=[_("From"), "#" + _("Visits"), "#" + _("Visits before")],
        rows=[
            [
                Cell(day(each.period.first), each.period.first),
                count(each.brought.visits),
                count(other.brought.visits if other else None),
            ]
            for each, other in _beside(now, then)
        ],
    )


def spend(ask: Ask, session: Session) -> Shown:
    """What they spent, in all and on average."""
    now, then = _pieces(ask, session)
    all_now, all_then = (sum(each.brought.spend_minor for each in some) for some in (now, then))
    title = {
        1: _("Members spent more than before"),
        -1: _("Members spent less than before"),
        0: _("Members spent as much as before"),
    }[direction(all_now, all_then)]
    if not all_now:
        title = _("Members spent nothing in this time")
    elif not all_then:
        title = _("Members spent; there is nothing to compare it with")
    receipts = sum(each.brought.receipts for each in now)
    average = (2 * all_now + receipts) // (2 * receipts) if receipts else None
    return Shown(
        id="spend",
        title=title,
        sentence=_(
            "Money on receipts of members, less what came back: %(now)s; in the time before: "
            "%(then)s. A receipt is %(average)s on average.",
            now=formats.money(all_now, ask.currency),
            then=formats.money(all_then, ask.currency),
            average=amount(average, ask.currency).text,
        ),
        option=bars(
            _names(ask, now),
            [each.brought.spend_minor for each in now],
            _("Money"),
            before=[each.brought.spend_minor for each in then] if all_then else [],
            before_name=_("before"),
            format=money_format(ask.currency),
        ),
        headers=[
            _("From"),
            "#" + _("Money"),
            "#" + _("Receipts"),
            "#" + _("Average receipt"),
            "#" + _("Money before"),
        ],
        rows=[
            [
                Cell(day(each.period.first), each.period.first),
                amount(each.brought.spend_minor, ask.currency),
                count(each.brought.receipts),
                amount(_average(each), ask.currency),
                amount(other.brought.spend_minor if other else None, ask.currency),
            ]
            for each, other in _beside(now, then)
        ],
    )


def _average(piece: Piece) -> int | None:
    many = piece.brought.receipts
    return (2 * piece.brought.spend_minor + many) // (2 * many) if many else None


def active(ask: Ask, session: Session) -> Shown:
    """How many members there are, how many of them came, how many joined."""
    now, then = both(ask, session)
    pieces = asking.pieces(ask, session, ask.period)
    rate = now.active_rate
    title = _("Nobody is a member yet")
    if now.members:
        title = _("Of the members, %(share)s came", share=formats.percent(rate or 0.0, 1))
    return Shown(
        id="active",
        title=title,
        sentence=_(
            "Members at the end: %(members)s. Came at least once: %(came)s (before: %(before)s). "
            "Joined: %(joined)s, left: %(left)s.",
            members=formats.number(now.members),
            came=formats.number(now.came),
            before=formats.number(then.came),
            joined=formats.number(now.joined),
            left=formats.number(now.departed),
        ),
        option=lines(
            _names(ask, pieces),
            [
                (_("Came"), [each.came for each in pieces]),
                (_("Joined"), [each.joined for each in pieces]),
            ],
        ),
        headers=[
            _("From"),
            "#" + _("Members who came"),
            "#" + _("Joined"),
            "#" + _("Members at the end"),
        ],
        rows=[
            [
                Cell(day(each.period.first), each.period.first),
                count(each.came),
                count(each.joined),
                count(each.members),
            ]
            for each in pieces
        ],
    )


def repeat(ask: Ask, session: Session) -> Shown:
    """How many of those who came did so again, and how many without being asked to."""
    now, then = both(ask, session)
    kinds = [(_("Came again"), now.came_again, then.came_again)]
    if now.came_unasked is not None and then.came_unasked is not None:
        kinds.append((_("Came again unasked"), now.came_unasked, then.came_unasked))
    rates = [
        (name, when, Rate(figures.came, did))
        for name, did_now, did_then in kinds
        for when, figures, did in ((_("now"), now, did_now), (_("before"), then, did_then))
    ]
    again = of_rates(Rate(now.came, now.came_again), Rate(then.came, then.came_again))
    title = {
        Verdict.WORKED: _("More members came again than before"),
        Verdict.HARMED: _("Fewer members came again than before"),
        Verdict.NOT_SHOWN: _("Not shown that more members came again than before"),
    }.get(again.verdict, _("Too few came to tell whether more of them come again"))
    sentence = _(
        "Of the members who came, %(again)s came on two days or more (before: %(before)s).",
        again=share(now.repeat_rate).text,
        before=share(then.repeat_rate).text,
    )
    if now.came_unasked is not None:
        sentence += " " + _(
            "Without a message or coupon in the 14 days before, it was %(unasked)s.",
            unasked=share(now.unasked_rate).text,
        )
    labels = [f"{name}, {when}" for name, when, rate in rates]
    return Shown(
        id="repeat",
        title=title,
        sentence=sentence + " " + _("The lines show what chance alone may do (95 %%)."),
        option=_rates_drawn(labels, [rate for _name, _when, rate in rates]),
        headers=[
            _("What"),
            "#" + _("Of members"),
            "#" + _("Did so"),
            "#" + _("Share"),
            "#" + _("At least"),
            "#" + _("At most"),
        ],
        rows=[
            [
                words(label),
                count(rate.people),
                count(rate.did),
                share(rate.share if rate.people else None),
                *(share(bound if rate.people else None) for bound in wilson(rate)),
            ]
            for label, (_name, _when, rate) in zip(labels, rates, strict=True)
        ],
    )


def _rates_drawn(labels: list[str], rates: Sequence[Rate]) -> dict[str, Any]:
    """Bars with their intervals."""
    return {
        "format": PERCENT,
        "xAxis": {
            "type": "category",
            "data": labels,
            "axisLabel": {"interval": 0, "width": 76, "overflow": "break", "lineHeight": 16},
        },
        "yAxis": {"type": "value", "min": 0},
        "series": [
            {
                "type": "bar",
                "name": _("Share"),
                "data": [rate.share if rate.people else None for rate in rates],
                "barMaxWidth": 64,
                "label": {"show": True, "position": "insideBottom"},
            },
            {
                "type": "interval",
                "name": "95 %",
                "data": [[at, *wilson(rate)] for at, rate in enumerate(rates) if rate.people],
            },
        ],
    }
