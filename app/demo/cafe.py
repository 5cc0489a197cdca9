"""A café with everything in it that a try-out needs. Made through the services the CLI uses."""

from dataclasses import dataclass

from app.cards.service import create_signing_key, issue_card
from app.certs import make_dev_chain
from app.certs.files import installed_pass
from app.context import Context
from app.errors import NotFound
from app.ledger import service as ledger
from app.programmes.service import add_location, create_programme, programme_by_slug
from app.staff import links
from app.staff.models import Role
from app.staff.service import add_staff, make_pin, person_by_name
from app.till import access

SLUG = "kaffa"
LOCATION = "old-town"
TILL = "Counter 1"
CASHIER, CASHIER_PIN = "Anna", "274913"
MANAGER, MANAGER_PIN = "Marta", "860257"
OWNER = "Olga"
PASS_TYPE = "pass.dev.counterfoil.kaffa"  # noqa: S105 - a pass type, not a password
TEAM = "DEVTEAM001"


@dataclass(frozen=True, slots=True)
class Cafe:
    """What was made: the join page's address, the poster's, and the till's enrolment code."""

    programme_id: str
    join_url: str
    poster_url: str
    enrolment_code: str


def make_cafe(context: Context) -> Cafe:
    """Make the programme, its signing key, a location, a till, a cashier and a manager."""
    now = context.clock()
    with context.database.write_all() as session:
        programme = create_programme(
            session,
            slug=SLUG,
            name="Kaffa Roasters",
            benefit="A bean for every euro. Fifty beans are a bag of coffee.",
            points_names={"en": {"one": "bean", "other": "beans"}},
            settings={"points": "1", "per_amount": "1", "expires_after_months": 24},
            now=now,
        )
        create_signing_key(session, context.keys, programme.id, now=now)
        add_location(session, programme.id, slug=LOCATION, name="Old Town", now=now)
        for name, role, pin in (
            (CASHIER, Role.CASHIER, CASHIER_PIN),
            (MANAGER, Role.MANAGER, MANAGER_PIN),
        ):
            add_staff(session, programme.id, name=name, role=role, pin=pin, now=now)
        _, code = access.add_till(session, programme.id, location=LOCATION, name=TILL, now=now)
    return _cafe(context, programme.id, code)


def issue_cards(context: Context, programme_id: str, count: int) -> list[str]:
    """Issue cards to *count* members nobody knows anything about; their codes."""
    now = context.clock()
    with context.database.write(programme_id) as session:
        return [
            issue_card(
                session,
                context.keys,
                programme_id,
                account_id=ledger.open_account(session, now=now).id,
                now=now,
            ).code
            for _ in range(count)
        ]


def make_certificates(context: Context, *, google_token_uri: str | None = None) -> None:
    """Make the development chain and the Google account, where none are installed."""
    if installed_pass(context.config) is not None:
        return
    extra = {"google_token_uri": google_token_uri} if google_token_uri else {}
    make_dev_chain(
        context.config,
        context.keys,
        pass_type_identifier=PASS_TYPE,
        team_identifier=TEAM,
        now=context.clock(),
        **extra,
    )


def open_cafe(context: Context) -> list[str]:
    """Make the café if it is not there yet, and say how to get in, a line each."""
    make_certificates(context)
    try:
        with context.database.write_all() as session:
            programme = programme_by_slug(session, SLUG)
            till = access.till_by_name(session, programme.id, TILL)
            code = access.new_code(session, till, now=context.clock())
        cafe = _cafe(context, programme.id, code)
    except NotFound:
        cafe = make_cafe(context)
    return [
        "A café to try things out, with certificates that no real phone trusts:",
        f"  join page      {cafe.join_url}",
        f"  poster         {cafe.poster_url}",
        f"  enrol a till   counterfoil-scan enrol --service {context.config.url} "
        f"--code {cafe.enrolment_code}   (within 15 minutes)",
        f"  cashier        {CASHIER}, PIN {CASHIER_PIN}",
        f"  manager        {MANAGER}, PIN {MANAGER_PIN}",
        f"  staff pages    {_invite(context, cafe.programme_id)}",
        f"                 {OWNER}, the owner, sets a password and a second factor there "
        "(once, within a day)",
    ]


def _invite(context: Context, programme_id: str) -> str:
    """A link by which the owner comes in, whatever they signed in with before."""
    now = context.clock()
    with context.database.write(programme_id) as session:
        try:
            owner = person_by_name(session, OWNER)
        except NotFound:
            owner = add_staff(
                session, programme_id, name=OWNER, role=Role.OWNER, pin=make_pin(), now=now
            )
        token = links.make_link(session, owner, now=now, forgets_second_factor=True)
    return links.address(context.config.url, SLUG, token)


def _cafe(context: Context, programme_id: str, code: str) -> Cafe:
    join = f"{context.config.url}/join/{SLUG}"
    return Cafe(programme_id, f"{join}?at={LOCATION}", f"{join}/poster.svg?at={LOCATION}", code)
