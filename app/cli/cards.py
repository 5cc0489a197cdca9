"""counterfoil card: issue, block, replace."""

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy.orm import Session

from app.cards import holders, pins, service
from app.cards.rules import Holder, Period, Role, read_holder
from app.cli.account_page import holder_line
from app.cli.common import enter_programme, json_option, open_context, print_json, programme_option
from app.cli.printing import print_
from app.cli.statement import find_account
from app.context import Context
from app.delivery.wallets import Wallets
from app.errors import NotFound, Unavailable
from app.members.service import (
    LANGUAGES,
    Contact,
    add_member,
    contact_of,
    members_by_email,
    read_contact,
)
from app.programmes.models import Programme
from app.referrals import service as referrals
from app.web.joining import Joined, join
from passes.card import CardStatus


def limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for how much a spender may redeem."""
    command = click.option(
        "--period", type=click.Choice([str(each) for each in Period]), help="What the limit is for."
    )(command)
    return click.option("--limit", type=int, help="A spender's points a period.")(command)


def role_options(default: str) -> Callable[..., Any]:
    """The same, and the role."""
    choice = click.option(
        "--role",
        type=click.Choice([str(each) for each in Role]),
        default=default,
        show_default=True,
    )
    return lambda command: choice(limit_options(command))


@click.group()
def card() -> None:
    """Customers' cards."""


@card.command("issue")
@click.option("--name", default="", help="The member's name; may be left out.")
@click.option("--email", default="", help="The member's e-mail address; may be left out.")
@click.option("--birthday", default="", metavar="MM-DD", help="Day and month; may be left out.")
@click.option("--nickname", default="", help="What they like to be called at the till.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
@click.option("--google", is_flag=True, help="Make the pass at Google too and print its link.")
@click.option("--from", "referral_code", metavar="CODE", help="The code of who brought them.")
@click.option("--account", metavar="ACCOUNT", help="A further card of this account, not a new one.")
@role_options(default="owner")
@json_option
@programme_option
def issue(
    name: str,
    email: str,
    birthday: str,
    nickname: str,
    language: str,
    google: bool,
    referral_code: str | None,
    account: str | None,
    role: str,
    limit: int | None,
    period: str | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Issue a card and print the secret links to it, which are shown this once.

    With --account it shares that account's points: an owner may do everything, a spender redeems
    up to --limit points a --period, a collector only earns.
    """
    context = open_context(make=False)
    if google:
        # Said before there is a card: its links are shown once, and would be lost.
        Wallets(context).google.service()
    now = context.clock()
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        contact = read_contact(name, email, birthday=birthday, nickname=nickname)
        if account is None:
            if Holder() != read_holder(role, limit, period):
                raise click.UsageError("A card of its own is an owner's: name an --account.")
            joined = join(
                session,
                context.keys,
                programme,
                contact,
                language=language,
                source="cli",
                now=now,
                referral_code=referral_code,
            )
        else:
            joined = _share(
                session,
                context,
                programme,
                find_account(session, account),
                read_holder(role, limit, period),
                contact,
                language,
            )
    page = f"{context.config.url}/card/{joined.link_token}"
    issued = {
        "card_id": joined.card.id,
        "serial_number": joined.card.serial_number,
        "code": joined.card.code,
        "card_url": page,
        "pass_url": f"{page}/pass.pkpass",
    }
    if google:
        issued["google_save_url"] = _google_link(context, joined.card.id)
    if as_json:
        print_json(issued)
        return
    for what, value in issued.items():
        click.echo(f"{what.replace('_', ' '):16} {value}")


def _google_link(context: Context, card_id: str) -> str:
    google = Wallets(context).google
    try:
        return google.save_link(card_id, now=context.clock())
    except Unavailable as error:
        # The link is good as soon as the object is there, and delivery keeps trying.
        click.echo(f"{error.message} The link works once Google has the pass.", err=True)
        return google.promise_link(card_id, now=context.clock())


def _share(
    session: Session,
    context: Context,
    programme: Programme,
    account_id: str,
    holder: Holder,
    contact: Contact,
    language: str,
) -> Joined:
    """A further card of an account, for somebody of whom we may know something."""
    now, keys = context.clock(), context.keys
    member_id = None
    if contact != Contact():
        member = add_member(session, keys, programme.id, contact, language=language, now=now)
        member_id = member.id
    new = holders.issue(
        session,
        keys,
        programme.id,
        account_id=account_id,
        holder=holder,
        member_id=member_id,
        language=language,
        now=now,
    )
    return Joined(new, service.create_link(session, new, now=now))


@card.command("role")
@click.argument("card_id")
@click.argument("role", type=click.Choice([str(each) for each in Role]))
@limit_options
@json_option
@programme_option
def role(
    card_id: str,
    role: str,
    limit: int | None,
    period: str | None,
    as_json: bool,
    slug: str | None,
) -> None:
    """Say what a card may do with the account that it shares."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        holder = read_holder(role, limit, period)
        changed = holders.set_role(session, card_id, holder, now=context.clock())
    facts = {
        "card_id": changed.id,
        "role": changed.role,
        "redeem_limit": changed.redeem_limit,
        "redeem_period": changed.redeem_period,
    }
    if as_json:
        print_json(facts)
        return
    click.echo(f"Card {changed.id}: {holder_line(changed)}.")


@card.command("find")
@click.argument("email")
@json_option
@programme_option
def find(email: str, as_json: bool, slug: str | None) -> None:
    """Find the cards of whoever gave this e-mail address (the whole of it)."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        programme = enter_programme(session, slug)
        ids = members_by_email(session, context.keys, programme.id, email)
        found = [
            {
                "card_id": each.id,
                "status": each.status,
                "issued_on": each.issued_on,
                "name": contact_of(session, context.keys, each.member_id).name,
            }
            for each in service.cards_of_members(session, ids)
        ]
    if as_json:
        print_json(found)
        return
    for row in found:
        click.echo("  ".join(str(value) for value in row.values() if value is not None))
    if not found:
        click.echo("Nobody gave this address.")


@card.command("block")
@click.argument("card_id")
@click.option("--reason", help="Shown to the cashier.")
@programme_option
def block(card_id: str, reason: str | None, slug: str | None) -> None:
    """Refuse a card at every till; its points stay. Undo with card unblock."""
    _set_status(card_id, slug, CardStatus.BLOCKED, reason)
    click.echo("Blocked. Tills without a network learn of it when they next reach the service.")


@card.command("unblock")
@click.argument("card_id")
@programme_option
def unblock(card_id: str, slug: str | None) -> None:
    """Accept a blocked card again."""
    _set_status(card_id, slug, CardStatus.ACTIVE, None)
    click.echo("Unblocked.")


@card.command("replace")
@click.argument("card_id")
@click.option("--reason", help="Kept with the old card.")
@programme_option
def replace(card_id: str, reason: str | None, slug: str | None) -> None:
    """Issue a new card of the same account; the old one is refused from now on."""
    context = open_context(make=False)
    now = context.clock()
    with context.database.write_all() as session:
        enter_programme(session, slug)
        new = service.replace_card(session, context.keys, card_id, now=now, reason=reason)
        token = service.create_link(session, new, now=now)
    click.echo(f"New card {new.id}: {context.config.url}/card/{token}")


@card.command("pin")
@click.argument("card_id")
@click.option("--pin", metavar="DIGITS", help="Four to six digits; asked for, if not given.")
@click.option("--remove", is_flag=True, help="Take the card's PIN away.")
@programme_option
def pin(card_id: str, pin: str | None, remove: bool, slug: str | None) -> None:
    """Give a card's holder a PIN, or another one; a lock after wrong PINs ends.

    With it a printed or photographed code redeems as much as the card on the phone.
    """
    if remove and pin is not None:
        raise click.UsageError("Give --pin or --remove, not both.")
    if not remove and pin is None:
        pin = click.prompt("PIN", hide_input=True, confirmation_prompt=True)
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        found = service.card_by_id(session, card_id)
        if pin is not None:
            pins.set_pin(session, found, pin, now=context.clock())
        elif not pins.remove_pin(session, found.id):
            raise NotFound("This card has no PIN.")
    click.echo("The PIN is gone." if remove else "The PIN holds from now on.")


def _set_status(card_id: str, slug: str | None, status: CardStatus, reason: str | None) -> None:
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        service.set_status(session, card_id, status, now=context.clock(), reason=reason)


card.add_command(print_)


@card.command("refer")
@click.argument("which", metavar="ACCOUNT|CARD")
@json_option
@programme_option
def refer(which: str, as_json: bool, slug: str | None) -> None:
    """Print the link by which a member brings others."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        account_id = find_account(session, which)
        code = referrals.code_of(session, account_id, now=context.clock())
    url = f"{context.config.url}/join/{programme.slug}?from={code}"
    if as_json:
        print_json({"code": code, "url": url})
        return
    click.echo(f"{code}\n{url}")


COMMANDS = [card]
