"""The view as JSON for the page: what it shows and nothing more. No secret, no contact data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from scanner.page.outcomes import LOOKS
from scanner.page.state import Approval, Card, Done, Notice, Sale, View

MOST_TEXT = 120
MOST_TILES = 24


def snapshot(version: int, view: View, facts: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return what the page needs to draw itself, whatever it drew before."""
    return {
        "version": version,
        "stage": view.stage,
        "cashier": view.cashier,
        "sale": _sale(view.sale),
        "card": _card(view.card),
        "done": _done(view.done, now),
        "notice": _notice(view.notice),
        "approval": _approval(view.approval),
        **facts,
    }


def _sale(sale: Sale) -> dict[str, Any]:
    return {
        "number": sale.number,
        "amount_minor": sale.amount_minor,
        "receipt": sale.receipt,
        "by_pos": sale.by_pos,
        "lines": len(sale.lines),
    }


def _card(card: Card | None) -> dict[str, Any] | None:
    if card is None:
        return None
    seen, last = card.seen or {}, card.last_known or {}
    member, standing = _object(seen.get("member")), _object(seen.get("standing"))
    redeem = _object(seen.get("redeem"))
    shown = _object(seen.get("presentation"))
    return {
        "number": card.number,
        "asking": card.asking,
        "known": card.seen is not None,
        "name": _text(member.get("nickname"))
        or _text(member.get("name"))
        or _text(last.get("name")),
        "tier": _text(seen.get("tier")) or _text(last.get("tier")),
        "vip": seen.get("vip") is True,
        "note": _text(member.get("note")),
        "kind": _text(_object(seen.get("card")).get("kind")),
        "rotating": shown.get("rotating") is True,
        "balance": _whole(standing.get("balance")),
        "pending": _whole(standing.get("pending")),
        "redeem": {name: _whole(redeem.get(name)) for name in ("minimum", "step", "maximum")},
        "stamps": [_stamps(each) for each in _list(seen.get("stamps"))],
        "tiles": tiles(seen),
        "quote": card.quote,
        "last_known": card.last_known,
    }


def tiles(seen: dict[str, Any]) -> list[dict[str, Any]]:
    """What can be handed out: rewards and coupons, in the member's words."""
    coupon = _object(seen.get("coupon"))
    coupons = [*([coupon] if coupon else []), *_list(seen.get("coupons"))]
    found: list[dict[str, Any]] = [
        {
            "kind": "reward",
            "id": _text(each.get("code")),
            "name": _text(each.get("name")),
            "points": _whole(each.get("points")) or _whole(each.get("points_from")),
            "from": _whole(each.get("points_from")) is not None,
            "stamps": _whole(_object(each.get("stamps")).get("count")),
            "ready": each.get("can_take") is True,
        }
        for each in _list(seen.get("rewards"))
    ]
    found += [
        {
            "kind": "coupon",
            "id": _text(each.get("id")),
            "name": _text(each.get("name")),
            "amount_minor": _whole(each.get("amount_minor")),
            "percent": _text(each.get("percent")),
            "at_least_minor": _whole(each.get("at_least_minor")),
            "until": _text(each.get("expires_at")),
            "ready": each.get("can_use") is True,
        }
        for each in coupons
    ]
    return [each for each in found if each["id"] and each["name"]]


def _stamps(each: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _text(each.get("name")),
        "have": _whole(each.get("count")) or 0,
        "needed": _whole(each.get("size")) or 1,
        "full": _whole(each.get("full")) or 0,
    }


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [each for each in value if isinstance(each, dict)][:MOST_TILES]


def _done(done: Done | None, now: datetime) -> dict[str, Any] | None:
    if done is None:
        return None
    return {
        **(_notice(done.notice) or {}),
        "posting_id": done.posting_id,
        "kind": done.kind,
        "undo": done.may_undo(now),
        "undone": done.undone,
        "age_seconds": max(0, round((now - done.notice.at).total_seconds())),
    }


def _notice(notice: Notice | None) -> dict[str, Any] | None:
    if notice is None:
        return None
    look = LOOKS[notice.told]
    return {
        "number": notice.number,
        "told": notice.told,
        "tone": look.tone,
        "sign": look.sign,
        "sound": look.sound,
        "facts": notice.facts,
        "detail": notice.detail,
    }


def _approval(approval: Approval | None) -> dict[str, Any] | None:
    if approval is None:
        return None
    return {"number": approval.number, "told": approval.told, "detail": approval.detail}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(letter for letter in value if letter.isprintable())[:MOST_TEXT].strip() or None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
