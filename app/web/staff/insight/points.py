"""What points were given, spent and lost, and how many are out."""

from sqlalchemy.orm import Session

from app.insight import reading
from app.languages import _
from app.web import formats
from app.web.formats import day
from app.web.staff.insight import asking
from app.web.staff.insight.asking import Ask, piece_name, span
from app.web.staff.insight.shown import Cell, Shown, count, lines, share
from app.web.staff.insight.visits import both


def flows(ask: Ask, session: Session) -> Shown:
    """Points issued, spent and expired."""
    now, then = both(ask, session)
    pieces = asking.pieces(ask, session, ask.period)
    title = _("No points moved in this time")
    if now.issued > 0:
        title = _(
            "For every 100 points given, %(spent)s were spent",
            spent=formats.number(round(100 * now.spent / now.issued)),
        )
    elif now.spent or now.expired or now.issued:
        title = _("Points were spent or taken back, and none given")
    names = [piece_name(each.period, ask.period.grain) for each in pieces]
    kinds = (
        (_("Issued"), [each.brought.issued for each in pieces]),
        (_("Spent"), [each.brought.spent for each in pieces]),
        (_("Expired"), [each.brought.expired for each in pieces]),
    )
    return Shown(
        id="points",
        title=title,
        sentence=_(
            "From %(span)s: issued %(issued)s, spent %(spent)s, expired %(expired)s. In the time "
            "before: %(was_issued)s, %(was_spent)s, %(was_expired)s.",
            span=span(ask.period),
            issued=formats.number(now.issued),
            spent=formats.number(now.spent),
            expired=formats.number(now.expired),
            was_issued=formats.number(then.issued),
            was_spent=formats.number(then.spent),
            was_expired=formats.number(then.expired),
        ),
        option=lines(names, kinds),
        headers=[_("From"), "#" + _("Issued"), "#" + _("Spent"), "#" + _("Expired")],
        rows=[
            [
                Cell(day(each.period.first), each.period.first),
                count(each.brought.issued),
                count(each.brought.spent),
                count(each.brought.expired),
            ]
            for each in pieces
        ],
    )


def outstanding(ask: Ask, session: Session) -> Shown:
    """How many points are out: of the whole programme, for a balance is at no location."""
    pieces = asking.pieces(ask, session, ask.period, everywhere=True)
    end = pieces[-1].outstanding
    before = reading.outstanding(session, ask.programme_id, ask.period.first)
    title = _("As many points are out as before")
    if end > before:
        title = _("More points are out than before")
    elif end < before:
        title = _("Fewer points are out than before")
    rose = (end - before) / before if before > 0 else None
    return Shown(
        id="outstanding",
        title=title,
        sentence=_(
            "On %(day)s members have %(points)s points in all, pending ones included; that is "
            "%(change)s against the end of the time before (%(before)s).",
            day=day(ask.period.last),
            points=formats.number(end),
            change=("+" if end >= before else "−") + formats.number(abs(end - before)),
            before=formats.number(before),
        )
        + ("" if rose is None else " " + _("Change: %(share)s.", share=share(rose).text)),
        option=lines(
            [piece_name(each.period, ask.period.grain) for each in pieces],
            [(_("Points out"), [each.outstanding for each in pieces])],
        ),
        headers=[_("At the end of"), "#" + _("Points out")],
        rows=[
            [Cell(day(each.period.last), each.period.last), count(each.outstanding)]
            for each in pieces
        ],
    )
