"""What goods cost a member: the mechanics of prices, with what the database knows of the buyer."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ledger import rules as ledger_rules
from app.ledger.models import Account, EarningDay
from app.ledger.rules import local_day
from app.programmes.earning import Sale
from app.programmes.mechanics.baskets import Basket, Buyer, price_basket
from app.programmes.mechanics.discounts import Discount
from app.programmes.memberships import clubs_of
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook
from app.programmes.wording import currency_exponent

_NOBODY = Buyer(frozenset(), "personal", {})


@dataclass(frozen=True, slots=True)
class DiscountNow:
    """The discount that an account has now: *percent* of the next purchase.

    *spent_minor* counts towards it; *missing_minor* more lead to *next_percent* (None: at the top).
    """

    discount: Discount
    percent: Decimal
    spent_minor: int
    missing_minor: int | None
    next_percent: Decimal | None


def basket_of(
    session: Session, book: Rulebook, account_id: str | None, sale: Sale, *, now: datetime
) -> Basket:
    """What a basket costs the member at *now*, or somebody who joins now.

    It is in the programme's currency.
    """
    settings = book.at(now).settings
    day = local_day(now, book.time_zone)
    buyer = _NOBODY
    if account_id is not None and (settings.prices or settings.discounts):
        buyer = _buyer(session, book, settings, account_id, now)
    return price_basket(
        sale.amount_minor,
        sale.lines,
        buyer,
        prices=settings.prices,
        discounts=settings.discounts,
        day=day,
        exponent=currency_exponent(book.currency),
    )


def discount_now(
    session: Session, book: Rulebook, account_id: str, *, now: datetime
) -> DiscountNow | None:
    """The best discount that the account has at *now*; None where it has none."""
    settings = book.at(now).settings
    if not settings.discounts:
        return None
    buyer = _buyer(session, book, settings, account_id, now)
    exponent = currency_exponent(book.currency)
    found = []
    for discount in settings.discounts:
        if discount.is_for(buyer.groups, buyer.account_kind):
            spent = buyer.spent_minor.get(discount.code, 0)
            missing, percent = discount.next_step(spent, exponent) or (None, None)
            now_at = discount.percent_at(spent, exponent)
            found.append(DiscountNow(discount, now_at, spent, missing, percent))
    return max(found, key=lambda each: each.percent, default=None)


def _buyer(
    session: Session, book: Rulebook, settings: Settings, account_id: str, now: datetime
) -> Buyer:
    day = local_day(now, book.time_zone)
    row = session.execute(select(Account.tier, Account.kind).where(Account.id == account_id)).one()
    groups = clubs_of(session, book, account_id, now=now)
    if row.tier is not None:
        groups |= {row.tier}
    spent = {
        each.code: _spent_since(session, account_id, _since(each, day))
        for each in settings.discounts
        if each.scale and each.is_for(groups, row.kind)
    }
    return Buyer(groups, row.kind, spent)


def _since(discount: Discount, day: date) -> date | None:
    return None if not discount.months else ledger_rules.add_months(day, -discount.months)


def _spent_since(session: Session, account_id: str, since: date | None) -> int:
    wanted = select(func.coalesce(func.sum(EarningDay.spend_minor), 0)).where(
        EarningDay.account_id == account_id
    )
    if since is not None:
        wanted = wanted.where(EarningDay.day >= since)
    return int(session.scalar(wanted) or 0)
