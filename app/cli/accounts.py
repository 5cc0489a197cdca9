"""counterfoil account: what stands on an account, merging, adjusting, tiers by hand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import click
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.cli import account_page
from app.cli.agreeing import Consenting, ask, id_option, manager_option, request_of
from app.cli.common import (
    choose_programme,
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.cli.periods import Day
from app.cli.statement import find_account
from app.context import Context
from app.ledger import by_hand, writing
from app.ledger import service as ledger
from app.ledger.explain import tell
from app.ledger.models import AccountKind
from app.ledger.postings import Adjust, Circumstances, Merge, Terms, Unmerge
from app.ledger.rules import RoundUp, expiry, start_of_day
from app.programmes.models import Programme
from app.programmes.service import version_at
from app.programmes.settings import Settings
from app.programmes.terms import rulebook_of
from app.programmes.voices import voice_of


@click.group()
def account() -> None:
    """What owns points: a person's account, a household's, a company's."""


@account.command("open")
@click.option("--kind", type=click.Choice([str(each) for each in AccountKind]), default="household")
@click.option("--name", help="What a company is called on its cards.")
@json_option
@programme_option
def open_(kind: str, name: str | None, as_json: bool, slug: str | None) -> None:
    """Open an account that several cards share: see card issue --account."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        opened = ledger.open_account(session, now=context.clock(), kind=kind, company_name=name)
    if as_json:
        print_json({"account_id": opened.id, "kind": opened.kind})
        return
    click.echo(f"Account {opened.id}\nIts first card: counterfoil card issue --account {opened.id}")


@account.command("show")
@click.argument("which", metavar="ACCOUNT|CARD")
@json_option
@programme_option
def show(which: str, as_json: bool, slug: str | None) -> None:
    """Show what stands on an account: points, tier, lots, cards. No personal data."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        account_id = find_account(session, which)
        page = account_page.read(session, programme, account_id, now=context.clock())
    if as_json:
        print_json(page.as_json())
        return
    for line in page.lines():
        click.echo(line)


# --- postings ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Desk:
    """The session in which something is posted by hand, and the rules that hold."""

    session: Session
    programme: Programme
    settings: Settings
    terms: Terms
    where: Circumstances
    now: datetime

    @classmethod
    def sit(
        cls, context: Context, session: Session, slug: str | None, consenting: Consenting
    ) -> "Desk":
        """Open it, once it is clear who is behind it."""
        now = context.clock()
        programme = enter_programme(session, slug)
        where = consenting.circumstances(session, now)
        book = rulebook_of(session, programme.id, now)
        return cls(session, programme, book.at(now).settings, book.terms(now), where, now)

    def show(self, answer: Mapping[str, Any], head: str, *, as_json: bool) -> None:
        """Print what became of it."""
        voice = voice_of(self.programme, self.settings, "en")
        explain = tell(answer["explain"], voice)
        if as_json:
            print_json({**answer, "explain": explain})
            return
        click.echo(head)
        for sentence in explain:
            click.echo(f"  {sentence}")
        standing = answer["standing"]
        told = [f"{name} {writing.number(standing[name], 'en')}" for name in ("balance", "debt")]
        click.echo(f"Now: {', '.join(told)}, tier {voice.tier(answer['tier'])}.")


@account.command("merge")
@click.argument("goes", metavar="FROM")
@click.argument("stays", metavar="INTO")
@click.option("--reason", help="Kept with the entries.")
@manager_option
@id_option
@json_option
@programme_option
def merge(
    goes: str,
    stays: str,
    reason: str | None,
    manager: str | None,
    posting_id: UUID | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Move all that FROM has into INTO: points, cards, debt, what counts towards the tier.

    Both are an account's id, or a card's id or serial number. It can be undone.
    """
    context = open_context(make=False)
    consenting = ask(context, slug, manager, is_needed=True)
    with context.database.write_all() as session:
        desk = Desk.sit(context, session, slug, consenting)
        operation = Merge(
            find_account(session, goes),
            find_account(session, stays),
            reason,
            desk.settings.return_policy,
            desk.settings.debt_floor,
        )
        body = {
            "from": operation.from_account_id,
            "into": operation.into_account_id,
            "reason": reason,
        }
        request = request_of(desk.programme, "merge", body, posting_id)
        posted = benefits.merge(
            session, request, operation, desk.where, now=desk.now, terms=desk.terms
        )
    head = f"Merged. To undo it: counterfoil account unmerge {request.id}"
    desk.show(posted.answer, head, as_json=as_json)


@account.command("unmerge")
@click.argument("merge_id", metavar="POSTING", type=click.UUID)
@click.option("--reason", help="Kept with the entries.")
@manager_option
@id_option
@json_option
@programme_option
def unmerge(
    merge_id: UUID,
    reason: str | None,
    manager: str | None,
    posting_id: UUID | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Undo the merge that POSTING made: the account that went gets back what it gave.

    What was spent of it meanwhile, the account that stayed pays.
    """
    context = open_context(make=False)
    consenting = ask(context, slug, manager, is_needed=True)
    with context.database.write_all() as session:
        desk = Desk.sit(context, session, slug, consenting)
        operation = Unmerge(str(merge_id), reason)
        request = request_of(desk.programme, "unmerge", asdict(operation), posting_id)
        posted = benefits.unmerge(
            session, request, operation, desk.where, now=desk.now, terms=desk.terms
        )
    desk.show(posted.answer, "Two accounts again. The one that had stayed:", as_json=as_json)


@account.command("adjust", context_settings={"ignore_unknown_options": True})
@click.argument("which", metavar="ACCOUNT|CARD")
@click.argument("points", type=int)
@click.option("--reason", required=True, help="Kept with the entry.")
@manager_option
@id_option
@json_option
@programme_option
def adjust(
    which: str,
    points: int,
    reason: str,
    manager: str | None,
    posting_id: UUID | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Give POINTS by hand, or take them (below zero). A manager has to agree to many at once.

    Points that are given last as long as those of a receipt of today.
    """
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme_id = choose_programme(session, slug).id
        settings = version_at(session, programme_id, context.clock()).settings
    large = abs(points) >= settings.adjust_alone_below
    consenting = ask(context, slug, manager, is_needed=large)
    with context.database.write_all() as session:
        desk = Desk.sit(context, session, slug, consenting)
        account_id = find_account(session, which)
        body = {"account_id": account_id, "points": points, "reason": reason}
        request = request_of(desk.programme, "adjustment", body, posting_id)
        operation = Adjust(account_id, points, reason, expires_at=_expiry(desk, points))
        posted = ledger.post(
            session, request, operation, desk.where, now=desk.now, terms=desk.terms
        )
    count = writing.number(abs(points), "en")
    desk.show(posted.answer, f"{'Gave' if points > 0 else 'Took'} {count}.", as_json=as_json)


def _expiry(desk: Desk, points: int) -> datetime | None:
    """Points by hand last as those of a receipt do, where these expire by a date."""
    settings = desk.settings
    if points < 0 or settings.expiry_mode != "fixed" or not settings.expires_after_months:
        return None
    period = settings.expires_round_up
    return expiry(
        desk.now,
        time_zone=desk.programme.time_zone,
        months=settings.expires_after_months,
        round_up=None if period == "none" else RoundUp(period),
    )


@account.command("tier")
@click.argument("which", metavar="ACCOUNT|CARD")
@click.option("--set", "tier", metavar="CODE", help="Lift the account to this tier.")
@click.option("--until", type=Day(), help="To the end of this day.")
@click.option("--end", is_flag=True, help="End what was set by hand, before its time.")
@click.option("--reason", help="Kept with the change.")
@manager_option
@json_option
@programme_option
def tier(
    which: str,
    tier: str | None,
    until: date | None,
    end: bool,
    reason: str | None,
    manager: str | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Set an account's tier by hand until a day, or end that. It lifts a tier and lowers none."""
    if end == (tier is not None):
        raise click.UsageError("Say either --set CODE --until DATE --reason TEXT, or --end.")
    if tier is not None and (until is None or not reason):
        raise click.UsageError("With --set say --until DATE and --reason TEXT too.")
    context = open_context(make=False)
    consenting = ask(context, slug, manager, is_needed=False)
    with context.database.write_all() as session:
        desk = Desk.sit(context, session, slug, consenting)
        account_id = find_account(session, which)
        facts: Any = {"circumstances": desk.where, "now": desk.now, "terms": desk.terms}
        if tier is not None and until is not None:
            moment = start_of_day(until + timedelta(days=1), desk.programme.time_zone)
            by_hand.lift_tier(session, account_id, tier, moment, note=reason or "", **facts)
        else:
            by_hand.end_lift(session, account_id, note=reason or "ended by hand", **facts)
        page = account_page.read(session, desk.programme, account_id, now=desk.now)
    if as_json:
        print_json(page.as_json()["tier"])
        return
    for line in page.tier_lines():
        click.echo(line)


COMMANDS = [account]
