"""counterfoil webhook: shop systems that are told what happens."""

from typing import Any

import click

from app.cli.common import (
    enter_programme,
    json_option,
    open_context,
    print_json,
    programme_option,
)
from app.cli.output import printable
from app.cli.plain import Refused
from app.webhooks import events, sending, service
from app.webhooks.models import Delivery, Endpoint, Try

_ENDPOINT = click.argument("endpoint", metavar="ENDPOINT")


@click.group()
def webhook() -> None:
    """Addresses of shop systems that are told what happens, signed as in Standard Webhooks.

    ENDPOINT is an address, or its id in the list.
    """


@webhook.command("add")
@click.argument("url")
@click.option(
    "--event",
    "wanted",
    multiple=True,
    metavar="TYPE",
    help="What to tell, such as points.accrued; may be given several times. All, if not given.",
)
@json_option
@programme_option
def add(url: str, wanted: tuple[str, ...], as_json: bool, slug: str | None) -> None:
    """Tell URL (https, on the public internet) of what happens from now on.

    Prints the secret that messages are signed with: it is shown this once.
    """
    context = open_context(make=False)
    service.check_address(url, context.config)
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        endpoint, secret = service.add_endpoint(
            session,
            context.keys,
            programme.id,
            url=url,
            wanted=wanted or (events.ALL,),
            now=context.clock(),
        )
    if as_json:
        print_json(_facts(endpoint, 0) | {"secret": secret})
        return
    click.echo(secret)
    click.echo("Keep it safe: it is not shown again. Try it: counterfoil webhook test", err=True)


@webhook.command("list")
@json_option
@programme_option
def list_endpoints(as_json: bool, slug: str | None) -> None:
    """List the addresses that are told, how much waits for each, and which are disabled."""
    context = open_context(make=False)
    with context.database.read_all() as session:
        enter_programme(session, slug)
        found = [_facts(endpoint, waiting) for endpoint, waiting in service.endpoints(session)]
    if as_json:
        print_json(found)
        return
    for facts in found:
        click.echo(f"{facts['id']}  {facts['url']}  {','.join(facts['events'])}")
        state = f"{facts['waiting']} waiting"
        if facts["disabled_at"]:
            state += f"; DISABLED {facts['disabled_at']:%Y-%m-%d}: {facts['disabled_reason']}"
        elif facts["failing_since"]:
            state += f"; failing since {facts['failing_since']:%Y-%m-%d %H:%M} UTC"
        click.echo(f"  {state}")
    if not found:
        click.echo("Nobody is told anything. Begin: counterfoil webhook add https://…")


@webhook.command("events")
@json_option
def list_events(as_json: bool) -> None:
    """List what there is to be told."""
    if as_json:
        print_json(events.TYPES)
        return
    for name, meaning in events.TYPES.items():
        click.echo(f"{name:20} {meaning}")


@webhook.command("test")
@_ENDPOINT
@programme_option
def test(endpoint: str, slug: str | None) -> None:
    """Send a message of no meaning now, and show what came back."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        found = service.endpoint_by(session, endpoint)
    answer = sending.send_test(context, sending.Sender(context), found.id, now=context.clock())
    said = f"status {answer.status}" if answer.status is not None else "no answer"
    words = f"{said} after {answer.took_ms} ms: {printable(answer.text)[:200]}".rstrip(": ")
    if not answer.is_good:
        raise Refused(f"It did not arrive: {words}")
    click.echo(f"It arrived: {words}")


@webhook.group("secret")
def secret() -> None:
    """The secrets that messages are signed with."""


@secret.command("rotate")
@_ENDPOINT
@json_option
@programme_option
def rotate(endpoint: str, as_json: bool, slug: str | None) -> None:
    """Give an endpoint another secret, shown this once; the old one signs too for 24 hours."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        found = service.endpoint_by(session, endpoint)
        fresh = service.rotate_secret(session, context.keys, found, now=context.clock())
    if as_json:
        print_json({"id": found.id, "secret": fresh, "old_until": found.old_until})
        return
    click.echo(fresh)
    click.echo(
        f"Until {found.old_until:%Y-%m-%d %H:%M} UTC the old secret signs beside it.", err=True
    )


@webhook.command("log")
@_ENDPOINT
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@json_option
@programme_option
def log(endpoint: str, limit: int, as_json: bool, slug: str | None) -> None:
    """Show what an endpoint was told, the newest first: each try, its status and the answer."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        found = service.endpoint_by(session, endpoint)
        told = service.log_of(session, found, limit=limit)
    if as_json:
        print_json([delivery_json(delivery, tries) for delivery, tries in told])
        return
    for delivery, tries in told:
        click.echo(
            f"{delivery.created_at:%Y-%m-%d %H:%M:%S}  {delivery.type}  {delivery.status}  "
            f"event {delivery.event_id}"
        )
        for each in tries:
            status = each.status if each.status is not None else "no answer"
            answer = printable(each.answer)[:120]
            click.echo(f"  {each.tried_at:%m-%d %H:%M:%S}  {status}  {each.took_ms} ms  {answer}")
    if not told:
        click.echo("It was told nothing yet.")


@webhook.command("resend")
@_ENDPOINT
@click.argument("event")
@programme_option
def resend(endpoint: str, event: str, slug: str | None) -> None:
    """Put EVENT (its id in the log) at the end of the endpoint's queue again."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        found = service.endpoint_by(session, endpoint)
        service.resend(session, found, event.removeprefix("evt_"), now=context.clock())
    click.echo("It is sent again after what waits already.")


@webhook.command("enable")
@_ENDPOINT
@programme_option
def enable(endpoint: str, slug: str | None) -> None:
    """Go on with an endpoint that was disabled, at once, with what waits for it."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        service.enable(session, service.endpoint_by(session, endpoint))
    click.echo("Enabled: what waits is sent now.")


@webhook.command("remove")
@_ENDPOINT
@programme_option
def remove(endpoint: str, slug: str | None) -> None:
    """Tell an endpoint nothing any more; what waits for it, and its log, go."""
    context = open_context(make=False)
    with context.database.write_all() as session:
        enter_programme(session, slug)
        service.remove(session, service.endpoint_by(session, endpoint))
    click.echo("Removed.")


def _facts(endpoint: Endpoint, waiting: int) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": endpoint.events,
        "waiting": waiting,
        "created_at": endpoint.created_at,
        "failing_since": endpoint.failing_since,
        "disabled_at": endpoint.disabled_at,
        "disabled_reason": endpoint.disabled_reason,
    }


def delivery_json(delivery: Delivery, tries: list[Try]) -> dict[str, Any]:
    """A delivery of the log, for programs."""
    return {
        "event_id": delivery.event_id,
        "type": delivery.type,
        "status": delivery.status,
        "created_at": delivery.created_at,
        "delivered_at": delivery.delivered_at,
        "tries": [
            {
                "tried_at": each.tried_at,
                "status": each.status,
                "took_ms": each.took_ms,
                "answer": each.answer,
            }
            for each in tries
        ],
    }


COMMANDS = [webhook]
