"""counterfoil mail: the letters that wait, and whether the mail server takes any."""

import click

from app.cli.common import json_option, open_context, print_json
from app.cli.output import printable
from app.cli.plain import Refused
from app.context import Context
from app.db import new_id
from app.errors import Misconfigured
from app.mail import service
from app.mail.letters import Envelope, NotAnAddress, mailbox, written
from app.mail.models import MailStatus
from app.mail.posting import Post, Result, Unreachable

NOT_SET_UP = (
    "No mail server is set up: letters are kept until there is one (COUNTERFOIL_SMTP_SERVER and "
    "COUNTERFOIL_SMTP_FROM)."
)


@click.group()
def mail() -> None:
    """Letters by e-mail to members who gave an address."""


@mail.command("status")
@json_option
def status(as_json: bool) -> None:
    """Say how many letters wait, and what is in the way."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        found = service.counts(session)
        troubles = service.last_troubles(session)
    server = context.config.smtp_server
    if as_json:
        print_json(
            {
                "server": server,
                "letters": found,
                "troubles": [
                    {"key": each.key, "status": each.status, "answer": each.answer}
                    for each in troubles
                ],
            }
        )
        return
    click.echo(NOT_SET_UP if server is None else f"mail server: {server}")
    for name in MailStatus:
        if found[name]:
            click.echo(f"{found[name]} {name}")
    if not any(found.values()):
        click.echo("no letters yet")
    for each in troubles:
        when = f", tried {each.tries} times, next {each.next_at:%Y-%m-%d %H:%M} UTC"
        line = f"{each.key}: {each.answer}{when if each.status == MailStatus.WAITING else ''}"
        click.echo(printable(line))


@mail.command("test")
@click.argument("address")
def test(address: str) -> None:
    """Send one letter to ADDRESS at once, and say what the mail server made of it."""
    context = open_context(make=False)
    if context.config.smtp_server is None:
        raise Misconfigured(NOT_SET_UP)
    try:
        to, letter = _letter(context, address)
        post = Post(context.config)
    except NotAnAddress as error:
        raise Refused(f"{address} is not an address that a letter can be sent to.") from error
    except Unreachable as error:
        raise Refused(f"The mail server {context.config.smtp_server}: {error}") from error
    try:
        answer = post.send(to, letter)
    finally:
        post.close()
    if answer.result is not Result.TAKEN:
        raise Refused(printable(f"The mail server did not take it: {answer.text}"))
    click.echo(printable(f"Taken: {answer.text}"))


def _letter(context: Context, address: str) -> tuple[str, bytes]:
    to = mailbox(address)
    envelope = Envelope(
        id=new_id(),
        from_name="Counterfoil",
        from_address=context.config.smtp_from or "",
        to=to,
        subject="Counterfoil can send letters",
        text=f"This letter came from {context.config.url}. Nothing is to be done about it.\n",
        html=None,
    )
    return to, written(envelope, now=context.clock())


COMMANDS = [mail]
