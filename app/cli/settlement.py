"""counterfoil ledger settlement: what partners owe each other."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import click

from app.cli.common import enter_programme, open_context, programme_option
from app.cli.output import Csv, format_options, printable, write_json
from app.cli.periods import bounds, since_option, spoken, until_option
from app.cli.report_words import Words, show, value_option
from app.ledger import writing
from app.ledger.reports import settlement as settlements
from app.ledger.reports.liability import Terms
from app.ledger.reports.settlement import Owed, Pair, Settlement
from app.programmes.models import Programme
from app.programmes.valuation import valuations
from app.programmes.wording import currency_exponent


@click.command()
@since_option
@until_option
@value_option
@click.option("--detail", is_flag=True, help="Every entry that had a part in it too.")
@format_options
@programme_option
def settlement(
    since: date | None,
    until: date | None,
    point_value: Decimal | None,
    detail: bool,
    form: str,
    slug: str | None,
) -> None:
    """Show which partner owes which for points that one issued and the other honoured.

    By when it was recorded: a settlement of a time that is over never changes. It nets to zero.
    """
    context = open_context(make=False)
    now = context.clock()
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        begin, before = bounds(programme, since, until, now)
        terms = Terms(0, programme.time_zone, valuations(session, programme.id))
        value = point_value if point_value is not None else terms.before(before).point_value
        report = settlements.settlement(
            session,
            begin,
            before,
            point_value=value,
            currency_exponent=currency_exponent(programme.currency),
        )
        words = Words(session, programme)
        lines = settlements.lines(session, begin, before) if detail else iter(())
        if form == "text":
            when = spoken(programme, since, before, now)
            _settlement_text(report, lines, programme, words, value, when)
        elif form == "json":
            _settlement_json(report, lines, programme, words, value, detail)
        else:
            _settlement_csv(report, lines, words)


def _owed(owed: Owed) -> dict[str, int]:
    return {**asdict(owed), "points": owed.points}


def _pair(pair: Pair, words: Words) -> dict[str, Any]:
    return {
        "one": words.partner(pair.one),
        "one_id": pair.one,
        "other": words.partner(pair.other),
        "other_id": pair.other,
        "one_owes": _owed(pair.one_owes),
        "other_owes": _owed(pair.other_owes),
        "one_pays_points": pair.points,
        "one_pays_minor": pair.amount_minor,
    }


def _line(line: settlements.Line, words: Words) -> dict[str, Any]:
    return asdict(line) | {
        "debtor": words.partner(line.debtor),
        "creditor": words.partner(line.creditor),
        "location": words.location(line.location_id),
    }


def _settlement_json(
    report: Settlement,
    lines: Iterable[settlements.Line],
    programme: Programme,
    words: Words,
    value: Decimal | None,
    detail: bool,
) -> None:
    parts: dict[str, Iterable[Any]] = {
        "pairs": (_pair(pair, words) for pair in report.pairs),
        "nets": ({"name": words.partner(each.partner), **asdict(each)} for each in report.nets),
    }
    if detail:
        parts["lines"] = (_line(line, words) for line in lines)
    write_json(
        {
            "programme": programme.slug,
            "currency": programme.currency,
            "since": report.since,
            "before": report.before,
            "point_value": value,
        },
        **parts,
    )


_SETTLEMENT_COLUMNS = (
    "row debtor creditor redeemed given_back returned unmerged debt points amount_minor cause kind "
    "recorded_at occurred_at location receipt_number entry_id"
).split()


def _settlement_csv(report: Settlement, lines: Iterable[settlements.Line], words: Words) -> None:
    """Rows: owes (each way), pays (netted), net (a partner gets), line."""
    out = Csv(_SETTLEMENT_COLUMNS)
    for pair in report.pairs:
        one, other = words.partner(pair.one), words.partner(pair.other)
        out.row(row="owes", debtor=one, creditor=other, **_owed(pair.one_owes))
        out.row(row="owes", debtor=other, creditor=one, **_owed(pair.other_owes))
        out.row(
            row="pays",
            debtor=one,
            creditor=other,
            points=pair.points,
            amount_minor=pair.amount_minor,
        )
    for each in report.nets:
        out.row(
            row="net",
            creditor=words.partner(each.partner),
            points=each.points,
            amount_minor=each.amount_minor,
        )
    for line in lines:
        facts = _line(line, words)
        out.row(row="line", **{key: facts[key] for key in facts if key in _SETTLEMENT_COLUMNS})


def _settlement_text(
    report: Settlement,
    lines: Iterable[settlements.Line],
    programme: Programme,
    words: Words,
    value: Decimal | None,
    when: str,
) -> None:
    click.echo(f"{programme.name}: settlement between partners, {when}")
    click.echo(words.value(value), nl=False)
    if not report.pairs:
        click.echo("\nNobody owes anybody anything.")
    for pair in report.pairs:
        one, other = words.partner(pair.one), words.partner(pair.other)
        rows: list[tuple[str, ...]] = [
            ("", "redeemed", "given back", "returns", "unmerged", "debt", "points")
        ]
        for debtor, creditor, owed in (
            (one, other, pair.one_owes),
            (other, one, pair.other_owes),
        ):
            figures = (words.count(each) for each in _owed(owed).values())
            rows.append((f"{debtor} owes {creditor}", *figures))
        show(f"{one} and {other}", rows)
        if pair.points < 0:
            one, other = other, one
        sum_ = "" if pair.amount_minor is None else f": {words.money(abs(pair.amount_minor))}"
        click.echo(f"  {one} pays {other} {words.count(abs(pair.points))} points{sum_}")
    show(
        "In all (below zero: pays)",
        [
            (words.partner(each.partner), words.count(each.points), words.money(each.amount_minor))
            for each in report.nets
        ],
    )
    for place, line in enumerate(lines):
        if place == 0:
            click.echo("\nEntries")
        moment = writing.moment(line.recorded_at, programme.time_zone, "en")
        receipt = line.receipt_number and printable(f"receipt {line.receipt_number}")
        parts = (words.location(line.location_id), receipt, line.entry_id)
        click.echo(
            f"  {moment:<25}  {line.kind:<12}{line.cause.replace('_', ' '):<12}"
            f"{words.count(line.points):>10}  "
            f"{words.partner(line.debtor)} owes {words.partner(line.creditor)}, "
            + ", ".join(part for part in parts if part)
        )
