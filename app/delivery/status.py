"""How far the wallets are: for the owner, the console and the logs."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.cards.models import Card
from app.delivery.models import AppleRegistration, GooglePass
from app.delivery.wanted import VERSION, table_of
from app.ledger.models import Account

_NAMES: dict[str, type[AppleRegistration] | type[GooglePass]] = {
    "apple": AppleRegistration,
    "google": GooglePass,
}


def status(session: Session) -> dict[str, dict[str, int]]:
    """For each wallet how many passes are there, `delivered` (up to date), `behind`, and how many
    of these are `failed`: tried in vain at least once."""
    return {name: _totals(session, wallet) for name, wallet in _NAMES.items()}


def _totals(session: Session, wallet: type[AppleRegistration] | type[GooglePass]) -> dict[str, int]:
    table = table_of(wallet)
    passes = session.scalar(select(func.count()).select_from(wallet)) or 0
    joined = (
        select(wallet.id)
        .join(Card, Card.id == wallet.card_id)
        .join(Account, Account.id == Card.account_id)
    )
    # Each of the three conditions has a partial index that holds nothing else.
    behind = (
        joined.where(wallet.wanted_version > wallet.delivered_version)
        .union(
            joined.where(
                Card.version > Card.delivered_version, table.c.delivered_version < VERSION
            ),
            joined.where(
                Account.version > Account.delivered_version, table.c.delivered_version < VERSION
            ),
        )
        .subquery()
    )
    late = session.scalar(select(func.count()).select_from(behind)) or 0
    failed = session.scalar(
        select(func.count())
        .select_from(wallet)
        .where(
            wallet.wanted_version > wallet.delivered_version,
            or_(wallet.attempts > 0, wallet.last_error.is_not(None)),
        )
    )
    return {"passes": passes, "delivered": passes - late, "behind": late, "failed": failed or 0}
