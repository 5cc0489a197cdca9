"""What a basket would earn, and what may be redeemed with it: said before anything is posted."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.cards import service as cards
from app.cards.models import Card
from app.errors import Invalid
from app.ledger import service as ledger
from app.ledger.explain import tell
from app.ledger.postings import AccountFacts, Line
from app.pos.keys import Holder
from app.pos.places import place_of
from app.pos.postings import code_of, occurred_at
from app.programmes import quoting
from app.programmes.earning import Sale
from app.programmes.mechanics.baskets import Basket
from app.programmes.pricelist import basket_of
from app.programmes.pricing import price
from app.programmes.redeeming import most_redeemable
from app.programmes.service import programme_by_id
from app.programmes.terms import Rulebook, rulebook_of
from app.programmes.voices import voice_of
from app.till import benefits, limits, service
from app.till.benefits import Shown


def quote(
    session: Session, holder: Holder, body: Mapping[str, Any], *, now: datetime
) -> dict[str, Any]:
    """The answer to a basket. Nothing is locked and nothing written.

    Without a card it says what somebody would earn who joins now. Raises what the accrual would.
    """
    place = place_of(session, holder, body.get("location"))
    book = rulebook_of(session, holder.programme_id, now)
    sale = Sale(
        amount_minor=body["amount_minor"],
        currency=body["currency"],
        occurred_at=occurred_at(body, now),
        tax_minor=body["tax_minor"],
        coupons_minor=body["coupons_minor"],
        paid_with_points=body.get("paid_with_points") or 0,
        lines=tuple(Line(**line) for line in body.get("lines") or ()),
    )
    _check_lines(sale)
    settings = book.at(now).settings
    programme = programme_by_id(session, holder.programme_id)
    language = "en"
    redeem: dict[str, Any] | None = None
    account_id: str | None = None
    if body.get("card"):
        code = code_of(session, body["card"])
        card, _ = cards.card_by_code(session, code, now=now)
        language, account_id = card.language, card.account_id
        quoted = quoting.quote(
            session, book, sale, card.account_id, now=now, location_id=place.location_id
        )
        redeem = _redeem(session, book, card, sale, now)
    else:
        quoted = _to_nobody(session, book, sale, now, place.location_id)
    earn = dict(quoted.as_json())
    reasons = earn.pop("reasons")
    earn["explain"] = tell(reasons, voice_of(programme, settings, language))
    cost = None
    if sale.currency == book.currency:
        basket = basket_of(session, book, account_id, sale, now=now)
        cost = _cost(basket, language)
    return {"earn": earn, "cost": cost, "redeem": redeem, "language": language}


def _cost(basket: Basket, language: str) -> dict[str, Any]:
    discount = None
    if basket.discount is not None:
        discount = {
            "code": basket.discount.code,
            "name": basket.discount.name(language),
            "amount_minor": basket.discount_minor,
            "parts": [
                {"amount_minor": part.minor, "percent": f"{part.percent.normalize():f}"}
                for part in basket.parts
            ],
        }
    return {
        "label_minor": basket.label_minor,
        "to_pay_minor": basket.to_pay_minor,
        "saved_minor": basket.saved_minor,
        "discount": discount,
        "lines": [
            {
                "position": line.position,
                "label_minor": line.label_minor,
                "price_minor": line.price_minor,
                "member_price": line.member_price and line.member_price.name(language),
            }
            for line in basket.lines
        ],
    }


def _check_lines(sale: Sale) -> None:
    """Raise `Invalid` for lines that the ledger would not take."""
    total = sum(line.amount_minor for line in sale.lines)
    if sale.lines and total != sale.amount_minor:
        text = f"They add up to {total}, not to the basket's {sale.amount_minor}."
        raise Invalid(f"The basket's lines do not make sense. {text}", {"lines": [text]})


def _to_nobody(
    session: Session, book: Rulebook, sale: Sale, now: datetime, location_id: str | None
) -> quoting.Quote:
    priced = price(session, book, sale, now=now, location_id=location_id)
    value = priced.value(AccountFacts())
    return quoting.Quote(value, value.rule_version or priced.rule_version)


def _redeem(
    session: Session, book: Rulebook, card: Card, sale: Sale, now: datetime
) -> dict[str, Any]:
    # Shares are of money of the programme's own; of a foreign receipt the redemption says it.
    amount = sale.amount_minor if sale.currency == book.currency else None
    if benefits.is_coupon(card):
        coupon = benefits.shown_by_itself(session, card, now=now)["coupon"]
        nothing: dict[str, Any] = {"available": 0, "points": None, "tier": None}
        own = [_on_basket(coupon, amount, book)]
        return nothing | {"stamps": [], "rewards": [], "coupons": own}
    settings = book.at(now).settings
    page = ledger.look(session, card.account_id, now=now, terms=book.terms(now))
    available = page.standing().available
    left = limits.most(session, card, available, now=now, time_zone=book.time_zone)
    shown = Shown(book, settings, card.language, left, page.account.tier.tier, now)
    part = benefits.page_part(session, card, shown)
    return {
        "available": available,
        "points": {
            "minimum": settings.redeem_minimum,
            "step": settings.redeem_step,
            "maximum": most_redeemable(settings, left, amount, book.currency),
            "point_value": f"{settings.point_value:f}",
            "static_limit": settings.static_redeem_limit,
        },
        "tier": service.tier_name(settings, page.account.tier.tier, card.language),
        "stamps": part["stamps"],
        "rewards": part["rewards"],
        "coupons": [_on_basket(coupon, amount, book) for coupon in part["coupons"]],
    }


def _on_basket(coupon: dict[str, Any], amount_minor: int | None, book: Rulebook) -> dict[str, Any]:
    """A coupon with what it takes off this basket, if it is enough for it."""
    least = coupon["at_least_minor"]
    enough = least is None or (amount_minor is not None and amount_minor >= least)
    off: int | None = coupon["amount_minor"]
    if coupon["percent"] is not None and amount_minor is not None:
        off = int(amount_minor * Decimal(coupon["percent"]) // 100)
    if off is not None and amount_minor is not None:
        off = min(off, amount_minor)
    return coupon | {"can_use": coupon["can_use"] and enough, "off_minor": off if enough else None}
