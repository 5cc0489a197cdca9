"""counterfoil coupon: give coupons by hand, one or a set of passes; see and withdraw them."""

import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.models import Coupon
from app.cards import service as cards
from app.cards.models import Card
from app.cli.agreeing import id_option, request_of
from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.cli.passes import built_passes
from app.cli.statement import find_account
from app.context import Context
from app.errors import Invalid
from app.ledger import writing
from app.ledger.postings import Circumstances, Reverse
from app.ledger.rules import start_of_day
from app.programmes import giving, handing
from app.programmes.mechanics.coupons import read_one
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of
from passes.apple import pkpasses

#: Coupons given in one command to one account.
MOST_AT_ONCE = 20


@click.group()
def coupon() -> None:
    """Coupons: good once, each with a pass of its own."""


@coupon.command("issue")
@click.argument("code")
@click.argument("which", metavar="ACCOUNT|CARD...", nargs=-1, required=True)
@click.option("--count", type=click.IntRange(1, MOST_AT_ONCE), default=1, show_default=True)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Its last day, if not its own.")
@click.option("--reason", default="given by hand", show_default=True)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write their passes as one .pkpasses file (at most 10); it is for its holders alone.",
)
@id_option
@json_option
@programme_option
def issue(
    code: str,
    which: tuple[str, ...],
    count: int,
    until: datetime | None,
    reason: str,
    out: Path | None,
    posting_id: UUID | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Give coupons of the kind CODE, and print the secret links to their passes.

    A kind is one of the setting coupons. It is taken back with counterfoil coupon withdraw.
    """
    wanted = list(dict.fromkeys(which))
    if out is not None and len(wanted) * count > pkpasses.MAX_PASSES:
        raise Invalid(f"One file holds at most {pkpasses.MAX_PASSES} passes: make several files.")
    if posting_id is not None and len(wanted) > 1:
        raise Invalid("An id is for one posting: name one account or card with --id.")
    context = open_context(make=False)
    issued: list[dict[str, Any]] = []
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        now = context.clock()
        book = rulebook_of(session, programme.id, now)
        handing.kind_of(book.at(now).settings, code)
        accounts = sorted({find_account(session, each) for each in wanted})
        body = {"code": code, "count": count, "until": str(until), "reason": reason}
        for account_id in accounts:
            request = request_of(programme, "present", body | {"account": account_id}, posting_id)
            posted = handing.give(
                session,
                book,
                request,
                code,
                account_id,
                count=count,
                reason=reason,
                until=_end_of(until, programme),
                where=Circumstances(now),
                now=now,
            )
            issued += _passes(session, context, posted.answer["posting_id"], now)
    if out is not None:
        _write(context, out, [each["card_id"] for each in issued], slug)
    if as_json:
        print_json(issued)
        return
    for each in issued:
        click.echo(f"coupon  {each['coupon_id']}  {each['card_url']}")
    click.echo(f"{len(issued)} given. Take back: counterfoil coupon withdraw POSTING")
    for posting in dict.fromkeys(each["posting_id"] for each in issued):
        click.echo(f"posting {posting}")


def _end_of(until: datetime | None, programme: Programme) -> datetime | None:
    if until is None:
        return None
    last: date = until.date()
    return start_of_day(last + timedelta(days=1), programme.time_zone)


def _passes(
    session: Session, context: Context, posting_id: str, now: datetime
) -> list[dict[str, Any]]:
    """A pass and a fresh link for each coupon of a posting; a repeat makes further links."""
    found = session.scalars(
        select(Coupon).where(Coupon.source_id == posting_id).order_by(Coupon.id)
    ).all()
    made = []
    for each in found:
        holder = session.scalars(
            select(Card).where(Card.account_id == each.account_id).order_by(Card.issued_at).limit(1)
        ).first()
        card = benefits.issue_card(
            session,
            context.keys,
            each.id,
            now=now,
            language=holder.language if holder else "en",
            member_id=holder.member_id if holder else None,
        )
        page = f"{context.config.url}/card/{cards.create_link(session, card, now=now)}"
        made.append(
            {
                "coupon_id": each.id,
                "code": each.what,
                "posting_id": posting_id,
                "account_id": each.account_id,
                "card_id": card.id,
                "serial_number": card.serial_number,
                "expires_at": each.expires_at,
                "card_url": page,
                "pass_url": f"{page}/pass.pkpass",
            }
        )
    return made


def _write(context: Context, out: Path, card_ids: Sequence[str], slug: str | None) -> None:
    made = pkpasses.write(built_passes(context, card_ids, slug))
    with open(out, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(made)


@coupon.command("list")
@click.argument("which", metavar="ACCOUNT|CARD")
@click.option("--all", "also_over", is_flag=True, help="Those that are over too.")
@json_option
@programme_option
def list_coupons(which: str, also_over: bool, as_json: bool, slug: str | None) -> None:
    """List the coupons of an account: open ones, or all of them."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        account_id = find_account(session, which)
        found = benefits.coupons(session, account_id, now=context.clock(), open_only=not also_over)
        rows = [_row(each) for each in found]
    if as_json:
        print_json(rows)
        return
    table = Table("coupon", "kind", "name", "state", "until")
    for row in rows:
        until = "for ever"
        if row["expires_at"] is not None:
            until = writing.last_day(row["expires_at"], programme.time_zone, "en")
        table.add_row(row["coupon_id"], row["code"], row["name"], row["status"], until)
    Console(width=None if rows else 80).print(table if rows else "There are no coupons.")


def _row(each: Coupon) -> dict[str, Any]:
    return {
        "coupon_id": each.id,
        "code": each.what,
        "name": read_one(each.offer).name("en"),
        "status": each.status,
        "card_id": each.card_id,
        "posting_id": each.source_id,
        "issued_at": each.issued_at,
        "expires_at": each.expires_at,
    }


@coupon.command("withdraw")
@click.argument("posting", metavar="POSTING", type=click.UUID)
@click.option("--reason", help="Kept with the entry.")
@id_option
@json_option
@programme_option
def withdraw(
    posting: UUID, reason: str | None, posting_id: UUID | None, as_json: bool, slug: str | None
) -> None:
    """Take back the coupons that POSTING gave; what was used is treated as in a return."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        now = context.clock()
        book = rulebook_of(session, programme.id, now)
        settings = book.at(now).settings
        operation = Reverse(str(posting), return_policy=settings.return_policy, reason=reason)
        body = {"posting": str(posting), "reason": reason}
        request = request_of(programme, "reversal", body, posting_id)
        posted = giving.post(session, book, request, operation, Circumstances(now), now=now)
    if as_json:
        print_json(posted.answer)
        return
    click.echo("Taken back.")


COMMANDS = [coupon]
