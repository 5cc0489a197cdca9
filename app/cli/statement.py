"""counterfoil ledger statement: what happened on one account."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from typing import Any
from uuid import UUID

import click
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.cli.common import enter_programme, open_context, programme_option
from app.cli.output import Csv, format_options, grid, printable, write_json
from app.cli.periods import bounds, since_option, spoken, until_option
from app.cli.report_words import Names
from app.errors import Invalid, NotFound
from app.ledger import writing
from app.ledger.explain import Voice, tell
from app.ledger.models import Account
from app.ledger.reports.statement import Statement, StatementEntry, StatementLot
from app.ledger.reports.statement import statement as make_statement
from app.programmes.models import Programme
from app.programmes.service import version_at
from app.programmes.voices import voice_of

#: One row a line of CSV, told apart by `row`: opening, entry, lapsed, closing, lot, hold.
COLUMNS = (
    "row recorded_at occurred_at kind points balance available pending held debt location till "
    "actor_kind actor_id card_id receipt_number amount_minor currency reason explain late "
    "entry_id posting_id reverses_id lot_id left available_from expires_at"
).split()


@click.command()
@click.argument("account", required=False)
@click.option("--card", help="The account of this card: its id or its serial number.")
@since_option
@until_option
@format_options
@programme_option
def statement(
    account: str | None,
    card: str | None,
    since: date | None,
    until: date | None,
    form: str,
    slug: str | None,
) -> None:
    """Show what happened on ACCOUNT and what stands there: an id, or a card's id or serial number.

    Points only, no personal data. Entries stand in the order in which they were recorded.
    """
    if (account is None) == (card is None):
        raise click.UsageError("Name one account, or one card with --card.")
    context = open_context(make=False)
    now = context.clock()
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        begin, before = bounds(programme, since, until, now)
        account_id = find_account(session, account or card or "", cards_only=account is None)
        report = make_statement(session, account_id, since=begin, before=before)
        settings = version_at(session, programme.id, now).settings
        voice = voice_of(programme, settings, "en")
        writer = {"text": _text, "json": _json, "csv": _csv}[form]
        writer(session, report, programme, voice, spoken(programme, since, before, now))


def find_account(session: Session, text: str, *, cards_only: bool = False) -> str:
    """The account of that id, or of the card of that id or serial number. Raises `NotFound`."""
    if not cards_only:
        with suppress(ValueError):
            found = session.scalar(select(Account.id).where(Account.id == str(UUID(text))))
            if found is not None:
                return found
    if not text.isascii() or len(text) > 64:
        raise Invalid("That is no id of an account or a card.")
    found = session.scalar(
        select(Card.account_id)
        .where(or_(Card.id == text.lower(), Card.serial_number == text.lower()))
        .limit(1)
    )
    if found is None:
        raise NotFound("There is no such account or card. Find a card: counterfoil card find")
    return found


# --- for programs -----------------------------------------------------------------------------


def _told(entry: StatementEntry, voice: Voice) -> list[str]:
    return [each if isinstance(each, str) else tell([each], voice)[0] for each in entry.explain]


def _named(entry: StatementEntry, names: Names, voice: Voice) -> dict[str, Any]:
    facts = asdict(entry)
    return facts | {
        "location": names.location(entry.location_id),
        "till": names.till(entry.till_id),
        "explained": _told(entry, voice),
    }


def _json(session: Session, of: Statement, programme: Programme, voice: Voice, _when: str) -> None:
    names = Names(session)
    write_json(
        {
            "programme": programme.slug,
            "account_id": of.account_id,
            "merged_into_id": of.merged_into_id,
            "since": of.since,
            "before": of.before,
            "opening_balance": of.opening,
            "closing": asdict(of.closing),
            "lapsed_unwritten": of.lapsed,
        },
        entries=(_named(entry, names, voice) for entry in of.entries()),
        lots=(asdict(lot) for lot in of.lots()),
        holds=(asdict(hold) for hold in of.holds()),
    )


def _csv(session: Session, of: Statement, _programme: Programme, voice: Voice, _when: str) -> None:
    names = Names(session)
    out = Csv(COLUMNS)
    out.row(row="opening", recorded_at=of.since, balance=of.opening)
    for entry in of.entries():
        facts = _named(entry, names, voice)
        facts["explain"] = " ".join(facts["explained"])
        out.row(row="entry", **{name: facts[name] for name in COLUMNS if name in facts})
    if of.lapsed:
        out.row(row="lapsed", kind="expiry", points=-of.lapsed, balance=of.closing.balance)
    out.row(row="closing", recorded_at=of.before, **asdict(of.closing))
    for lot in of.lots():
        out.row(
            row="lot",
            lot_id=lot.lot_id,
            points=lot.points,
            left=lot.left,
            held=lot.held,
            available_from=lot.available_from,
            expires_at=lot.expires_at,
        )
    for hold in of.holds():
        out.row(
            row="hold",
            points=hold.points,
            occurred_at=hold.created_at,
            expires_at=hold.expires_at,
            receipt_number=hold.receipt_number,
            posting_id=hold.posting_id,
        )


# --- for people -------------------------------------------------------------------------------


def _text(session: Session, of: Statement, programme: Programme, voice: Voice, when: str) -> None:
    zone = programme.time_zone
    names = Names(session)
    click.echo(f"{programme.name}: account {of.account_id}, {when}")
    if of.merged_into_id is not None:
        click.echo(f"Merged into account {of.merged_into_id}.")
    click.echo(f"\n{'Opening balance':<51}{writing.number(of.opening, 'en'):>12}")
    for entry in of.entries():
        moment = writing.moment(entry.recorded_at, zone, "en")
        click.echo(
            f"{moment:<25}  {entry.kind:<12}{_signed(entry.points):>12}"
            f"{writing.number(entry.balance, 'en'):>12}  {_where(entry, names, zone)}".rstrip()
        )
        for sentence in _told(entry, voice):
            click.echo(f"    {sentence}")
    if of.lapsed:
        click.echo(
            f"{'fallen due by now':<25}  {'expiry':<12}{_signed(-of.lapsed):>12}"
            f"{writing.number(of.closing.balance, 'en'):>12}"
        )
    click.echo(f"{'Closing balance':<51}{writing.number(of.closing.balance, 'en'):>12}\n")
    rows = [
        (name, writing.number(getattr(of.closing, name), "en"))
        for name in ("available", "pending", "held", "debt")
    ]
    for line in grid(rows):
        click.echo(f"  {line}")
    _list("Lots", (lot_line(lot, zone) for lot in of.lots()))
    _list(
        "Holds",
        (
            f"{writing.number(hold.points, 'en'):>12}  "
            f"until {writing.moment(hold.expires_at, zone, 'en')}"
            + (f", receipt {printable(hold.receipt_number)}" if hold.receipt_number else "")
            for hold in of.holds()
        ),
    )


def _list(title: str, lines: Iterable[str]) -> None:
    for place, line in enumerate(lines):
        click.echo(f"\n{title}\n{line}" if place == 0 else line)


def _signed(points: int) -> str:
    return ("+" if points > 0 else "") + writing.number(points, "en")


def _where(entry: StatementEntry, names: Names, zone: str) -> str:
    def parts() -> Iterator[str | None]:
        yield names.location(entry.location_id)
        yield names.till(entry.till_id)
        yield f"by {entry.actor_kind}" if entry.actor_kind in {"staff", "api"} else None
        yield f"receipt {entry.receipt_number}" if entry.receipt_number else None
        if entry.amount_minor is not None and entry.currency is not None:
            yield writing.money(entry.amount_minor, entry.currency, "en")
        if entry.late:
            yield f"late, of {writing.moment(entry.occurred_at, zone, 'en')}"
        yield entry.reason

    return printable(", ".join(part for part in parts() if part))


def lot_line(lot: StatementLot, zone: str) -> str:
    """A lot as people read it."""
    text = f"{writing.number(lot.left, 'en'):>12}  "
    if lot.expires_at is None:
        text += "for ever"
    else:
        text += f"to the end of {writing.last_day(lot.expires_at, zone, 'en')}"
    if lot.rolling:
        text += " unless the member comes"
    if lot.left != lot.points:
        text += f", of {writing.number(lot.points, 'en')}"
    if lot.pending and lot.available_from is not None:
        text += f", pending until {writing.moment(lot.available_from, zone, 'en')}"
    elif lot.pending:
        text += ", pending until confirmed"
    if lot.held:
        text += f", {writing.number(lot.held, 'en')} held"
    return text
