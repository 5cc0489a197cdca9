"""Members by tier, and who went from which to which."""

from sqlalchemy.orm import Session

from app.insight import reading
from app.insight.tiers import NO_TIER, Tiers, tiers
from app.languages import _
from app.programmes.terms import rulebook_of
from app.till.service import tier_name
from app.web import formats
from app.web.staff.insight.asking import Ask, span
from app.web.staff.insight.shown import Shown, count, words


def _tiers(ask: Ask, session: Session) -> tuple[Tiers, dict[str, str]]:
    """What became of them, and their names from the lowest to the highest."""
    if "tiers" in ask.read:
        known: tuple[Tiers, dict[str, str]] = ask.read["tiers"]
        return known
    programme = ask.visit.programme
    found = tiers(session, programme.id, ask.period, programme.time_zone)
    settings = rulebook_of(session, programme.id, ask.visit.now).at(ask.visit.now).settings
    scheme = settings.tiers.scheme if settings.tiers else None
    codes = [level.code for level in scheme.levels] if scheme else []
    moved = {code for pair in found.moves for code in pair}
    others = sorted({*found.before, *found.after, *moved} - {*codes, NO_TIER})
    language = ask.visit.language
    names = {code: tier_name(settings, code, language) or code for code in (*codes, *others)}
    ask.read["tiers"] = found, names
    return found, names


def standing(ask: Ask, session: Session) -> Shown:
    """How many members each tier has."""
    found, names = _tiers(ask, session)
    before, after = (
        reading.members(session, ask.programme_id, until)
        for until in (ask.period.first, ask.period.until)
    )
    rows = [
        (_("no tier"), before - found.before.total(), after - found.after.total()),
        *((name, found.before[code], found.after[code]) for code, name in names.items()),
    ]
    held = found.after.total()
    title = _("No member has a tier")
    if after and held:
        title = _("Of the members, %(share)s have a tier", share=formats.percent(held / after, 1))
    return Shown(
        id="tiers",
        title=title,
        sentence=_(
            "With a tier at the end: %(held)s of %(members)s members; before the time began: "
            "%(before)s.",
            held=formats.number(held),
            members=formats.number(after),
            before=formats.number(found.before.total()),
        ),
        option={
            "xAxis": {"type": "category", "data": [name for name, _was, _is in rows]},
            "yAxis": {"type": "value", "min": 0},
            "series": [
                {
                    "type": "bar",
                    "name": _("At the end"),
                    "data": [row[2] for row in rows],
                    "barMaxWidth": 48,
                    "label": {"show": True, "position": "top"},
                },
                {
                    "type": "mark",
                    "name": _("Before"),
                    "data": [row[1] for row in rows],
                },
            ],
        },
        headers=[_("Tier"), "#" + _("Before"), "#" + _("At the end"), "#" + _("Difference")],
        rows=[[words(name), count(was), count(now), count(now - was)] for name, was, now in rows],
    )


def moves(ask: Ask, session: Session) -> Shown:
    """Who went from which tier to which."""
    found, names = _tiers(ask, session)
    order = [NO_TIER, *names]
    said = {NO_TIER: _("no tier")} | names
    up = sum(
        members for (of, to), members in found.moves.items() if order.index(to) > order.index(of)
    )
    down = found.moves.total() - up
    title = _("Nobody changed tier in this time")
    if up or down:
        title = _(
            "%(up)s rose to a higher tier, %(down)s fell to a lower one",
            up=formats.number(up),
            down=formats.number(down),
        )
    pairs = sorted(found.moves.items(), key=lambda each: (-each[1], each[0]))
    axis = {"type": "category", "data": [said[code] for code in order]}
    most = max(found.moves.values(), default=1)
    return Shown(
        id="moves",
        title=title,
        sentence=_(
            "Changes of tier from %(span)s: %(up)s up and %(down)s down; whoever moved twice "
            "counts twice.",
            span=span(ask.period),
            up=formats.number(up),
            down=formats.number(down),
        ),
        option={
            "tooltip": {"trigger": "item"},
            "xAxis": axis | {"name": _("to the tier"), "nameLocation": "middle", "nameGap": 32},
            "yAxis": axis | {"name": _("from")},
            "visualMap": {"min": 0, "max": most, "show": False},
            "series": [
                {
                    "type": "heatmap",
                    "name": _("Members"),
                    "label": {"show": True},
                    "data": [
                        [order.index(to), order.index(of), members] for (of, to), members in pairs
                    ],
                }
            ],
        }
        if pairs
        else None,
        headers=[_("From"), _("To the tier"), "#" + _("Members")],
        rows=[[words(said[of]), words(said[to]), count(members)] for (of, to), members in pairs],
    )
