"""counterfoil ledger liability: what the points that are out may cost."""

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.cli.common import enter_programme, open_context, programme_option
from app.cli.output import Csv, format_options, write_json
from app.cli.periods import Day, Number, bounds, spoken
from app.cli.report_words import Words, show, value_option
from app.ledger import writing
from app.ledger.reports import rules
from app.ledger.reports.liability import Liability, Month, Recognised, Terms, Valuation
from app.ledger.reports.liability import liability as make_liability
from app.programmes.models import Programme
from app.programmes.valuation import valuations
from app.programmes.wording import currency_exponent


@click.command()
@click.option("--at", type=Day(), help="As it was at the end of this day; without it: now.")
@click.option("--by", type=click.Choice([each.value for each in rules.Every]), help="Revenue by.")
@click.option("--since", type=Day(), help="With --by: from the period with this day in it.")
@value_option
@click.option(
    "--expected-share",
    type=Number(1),
    help="The part of the points that will be redeemed; without it the programme's setting.",
)
@click.option(
    "--observed", is_flag=True, help="Expect what became of the points whose time is over."
)
@format_options
@programme_option
def liability(
    at: date | None,
    by: str | None,
    since: date | None,
    point_value: Decimal | None,
    expected_share: Decimal | None,
    observed: bool,
    form: str,
    slug: str | None,
) -> None:
    """Show what the points that are out may cost, and the revenue recognised as they are redeemed.

    As of any day: computed from the entries, so that it says what it said then.
    """
    if observed and expected_share is not None:
        raise click.UsageError("Choose --observed or --expected-share.")
    if since is not None and by is None:
        raise click.UsageError("--since goes with --by.")
    context = open_context(make=False)
    now = context.clock()
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        _, before = bounds(programme, None, at, now)
        said = valuations(session, programme.id)
        if point_value is not None:
            said = tuple(Valuation(each.since, point_value, each.expected_share) for each in said)
        if observed or expected_share is not None:
            said = tuple(Valuation(each.since, each.point_value, expected_share) for each in said)
        terms = Terms(currency_exponent(programme.currency), programme.time_zone, said)
        periods = []
        if by is not None:
            begin = since or programme.created_at.astimezone(ZoneInfo(programme.time_zone)).date()
            every = rules.Every(by)
            periods = rules.periods(begin, before, every=every, time_zone=programme.time_zone)
        report = make_liability(session, terms, before, periods)
        words = Words(session, programme)
    value = terms.before(before).point_value
    if form == "text":
        _liability_text(report, programme, words, value, spoken(programme, None, before, now))
    elif form == "json":
        _liability_json(report, programme, words, value)
    else:
        _liability_csv(report, words)


def _recognised(row: Recognised) -> dict[str, Any]:
    period = {}
    if row.period is not None:
        period = {
            "first_day": row.period.first,
            "start": row.period.start,
            "end": row.period.end,
            "whole": row.period.whole,
        }
    facts = {name: getattr(row, name) for name in row.__dataclass_fields__ if name != "period"}
    return period | facts


def _liability_json(
    report: Liability, programme: Programme, words: Words, value: Decimal | None
) -> None:
    write_json(
        {
            "programme": programme.slug,
            "currency": programme.currency,
            "before": report.before,
            "point_value": value,
            "outstanding": report.total.outstanding,
            "pending": report.total.pending,
            "held": report.total.held,
            "debt": report.debt,
            "value_minor": report.value_minor,
            "expected_breakage": report.expected_breakage,
            "deferred_minor": report.deferred_minor,
            "to_date": _recognised(report.latest),
        },
        partners=(
            {"partner_id": id_, "name": words.partner(id_), **asdict(amounts)}
            for id_, amounts in report.by_partner.items()
        ),
        months=(asdict(month) for month in report.by_month),
        periods=(_recognised(period) for period in report.periods),
    )


_LIABILITY_COLUMNS = (
    "row partner first_day rolling end whole outstanding pending held debt value_minor "
    "expected_breakage issued redeemed lapsed expected_share observed_share expected_redeemed "
    "allocated_minor to_date_minor recognised_minor deferred_minor"
).split()


def _liability_csv(report: Liability, words: Words) -> None:
    out = Csv(_LIABILITY_COLUMNS)
    out.row(
        row="total",
        end=report.before,
        **asdict(report.total),
        debt=report.debt,
        value_minor=report.value_minor,
        expected_breakage=report.expected_breakage,
        deferred_minor=report.deferred_minor,
        **_recognised(report.latest),
    )
    for id_, amounts in report.by_partner.items():
        out.row(row="partner", partner=words.partner(id_), **asdict(amounts))
    for month in report.by_month:
        out.row(
            row="month",
            first_day=month.first,
            rolling=month.rolling,
            outstanding=month.points,
            value_minor=month.value_minor,
        )
    for period in report.periods:
        facts = _recognised(period)
        out.row(row="period", **{key: facts[key] for key in facts if key in _LIABILITY_COLUMNS})


def _liability_text(
    report: Liability, programme: Programme, words: Words, value: Decimal | None, when: str
) -> None:
    latest = report.latest
    click.echo(f"{programme.name}: the points that are out, {when}")
    click.echo(words.value(value), nl=False)
    show(
        "",
        [
            ("outstanding", words.count(report.total.outstanding), words.money(report.value_minor)),
            ("  of it pending", words.count(report.total.pending), ""),
            ("  of it held", words.count(report.total.held), ""),
            ("  of it expected to lapse", words.count(report.expected_breakage), ""),
            ("debt of members", words.count(report.debt), ""),
        ],
    )
    seen = "" if latest.observed_share is None else f" (so far: {_percent(latest.observed_share)})"
    show(
        f"Since the beginning; {_percent(latest.expected_share)} is expected to be redeemed{seen}",
        [
            ("issued", words.count(latest.issued), words.money(latest.allocated_minor)),
            ("redeemed", words.count(latest.redeemed), ""),
            ("  expected in the end", words.count(latest.expected_redeemed), ""),
            ("lapsed", words.count(latest.lapsed), ""),
            ("revenue recognised", "", words.money(latest.to_date_minor)),
            ("revenue deferred", "", words.money(report.deferred_minor)),
        ],
    )
    show(
        "By who issued them",
        [
            (words.partner(id_), words.count(each.outstanding))
            for id_, each in report.by_partner.items()
        ],
    )
    show(
        "By when they lapse unless they are used",
        [
            (_month(month), words.count(month.points), words.money(month.value_minor))
            for month in report.by_month
        ],
    )
    show(
        "Revenue",
        [
            (
                f"from {writing.day(row.period.first, 'en')}" if row.period else "",
                "" if row.period is None or row.period.whole else "so far",
                words.money(row.recognised_minor),
            )
            for row in report.periods
        ],
    )


def _percent(share: Decimal) -> str:
    return f"{(share * 100).normalize():f} %"


def _month(month: Month) -> str:
    if month.rolling:
        return "when the member stays away"
    return "never" if month.first is None else f"{month.first:%Y-%m}"
