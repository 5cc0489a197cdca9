"""The door of `/api/till/v1`: which till asks, and who is signed in at it."""

from datetime import datetime

from apiflask import APIBlueprint
from flask import request
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest

from app.api.accrual_lane import LONGEST_BODY
from app.db import enter
from app.till import access
from app.till.counter import Counter
from app.till.errors import TillRevoked
from app.till.models import Till

blueprint = APIBlueprint("till", __name__, url_prefix="/api/till/v1", tag="Till")

CASHIER = "Counterfoil-Cashier"
MANAGER = "Counterfoil-Manager"


def bearer() -> str:
    """The token of the till that asks. Raises `TillRevoked` where there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise TillRevoked("This request carries no till token. Enrol this till first.")
    return token


@blueprint.before_request
def _read_body() -> None:
    """Parse the body once, bounded, so that nothing hostile in it gets any further."""
    request.max_content_length = LONGEST_BODY
    if request.method == "POST":
        try:
            request.get_json()
        except (ValueError, RecursionError) as error:
            raise BadRequest("This is not JSON that can be read.") from error


def as_till(session: Session) -> Till:
    """The till that asks; from here on the session sees its programme only."""
    till = access.authenticate(session, bearer())
    enter(session, till.programme_id)
    return till


def at_counter(session: Session, now: datetime) -> Counter:
    """The till that asks, with the cashier who is signed in at it."""
    till = as_till(session)
    person = access.cashier(session, till, request.headers.get(CASHIER), now=now)
    return Counter(till, person, person.id, offline=False)
