"""Examples of the OpenAPI document: what is sent and what comes back, for each route."""

from typing import Any

CODE = "CF1:" + "6BF" * 38 + "6B"
CARD_ID = "9f2c4be1a07d3358"
ACCOUNT_ID = "0c6f4e0e-61a3-4f0c-8ff4-2f5a5a1b7d11"
POSTING_ID = "7d0f4a4c-0d5f-4a4e-9b1e-0f6f3f8f4f10"
HOLD_ID = "b2d9a5a0-5d1e-4f5e-8d3c-6a1f0c2e9b77"
LOCATION_ID = "5b1d6b1e-6a55-4f36-9a84-7a4ad6a1c0de"
NOW = "2026-06-01T09:00:00+00:00"

STANDING: dict[str, Any] = {
    "balance": 112,
    "pending": 0,
    "held": 0,
    "available": 112,
    "debt": 0,
    "points_label": "points",
}
LINES = [
    {"item": "4770000000017", "category": "coffee", "quantity": 2, "amount_minor": 800},
    {"item": "4770000000024", "category": "cakes", "quantity": 1, "amount_minor": 450},
]
COUPON_ID = "3a7f1d7e-3f5b-4b6c-8a56-9a3a4d0c5b21"
STAMPS: list[dict[str, Any]] = [
    {"code": "coffee", "name": "Coffee card", "count": 4, "size": 10, "full": 0, "owed": 0}
]
REWARDS: list[dict[str, Any]] = [
    {
        "code": "latte",
        "name": "A latte",
        "kind": "goods",
        "points": 100,
        "points_from": None,
        "points_step": None,
        "points_to": None,
        "stamps": None,
        "left": None,
        "can_take": True,
        "why_not": None,
    }
]
OWN_COUPON: dict[str, Any] = {
    "id": COUPON_ID,
    "code": "welcome",
    "name": "€2 off",
    "kind": "amount_off",
    "status": "open",
    "amount_minor": 200,
    "percent": None,
    "at_least_minor": 1000,
    "valid_from": NOW,
    "expires_at": "2026-06-30T21:00:00+00:00",
    "can_use": True,
}
PLACED: dict[str, Any] = {"occurred_at": NOW}
ACCRUAL: dict[str, Any] = {
    "card": CODE,
    "amount_minor": 1250,
    "currency": "EUR",
    "receipt": "2026-000417",
    "lines": LINES,
}


def _posted(kind: str, points: int, explain: str, **more: Any) -> dict[str, Any]:
    return {
        "posting_id": POSTING_ID,
        "kind": kind,
        "status": "posted",
        "points": points,
        "explain": [explain],
        "tier": "Silver",
        "language": "en",
        "standing": STANDING,
        "late": False,
        "recorded_at": NOW,
        "entry_id": "1f0a4d1c-8f0e-4a52-b0d5-0a4b6f0c8d52",
        **more,
    }


ACCRUED = _posted("accrual", 12, "€12.50 at 1 point for each €1.00 makes 12 points.")
HOLD: dict[str, Any] = {
    "card": CARD_ID,
    "points": 100,
    "amount_minor": 1250,
    "receipt": "2026-000417",
    "member_pin": "4816",
}
HELD = _posted(
    "hold",
    100,
    "100 points reserved.",
    posting_id=HOLD_ID,
    status="held",
    expires_at="2026-06-01T09:15:00+00:00",
    entry_id=None,
)
CAPTURED = _posted("redemption", -100, "100 points spent.")
RELEASED = _posted("release", 0, "100 points are free again.", status="released", entry_id=None)
RETURN: dict[str, Any] = {
    "receipt": "2026-000417",
    "day": "2026-06-01",
    "lines": [{"position": 1, "quantity": 1}],
    "reason": "did not taste",
}
RETURNED = _posted("reversal", -4, "4 points are due for what came back.")
MEMBER: dict[str, Any] = {
    "card": {
        "card_id": CARD_ID,
        "kind": "member",
        "status": "active",
        "role": "owner",
        "account_id": ACCOUNT_ID,
        "language": "en",
    },
    "account": {"id": ACCOUNT_ID, "kind": "personal"},
    "member": {"name": "Ilze Bērziņa", "nickname": "Ilze", "note": None},
    "tier": "Silver",
    "standing": STANDING,
    "redeem": {"minimum": 1, "step": 1, "maximum": 112},
    "stamps": STAMPS,
    "rewards": REWARDS,
    "coupons": [OWN_COUPON],
    "coupon": None,
}
SEARCH: dict[str, Any] = {"email": "ilze@example.com"}
FOUND: dict[str, Any] = {"items": [MEMBER]}
ENTRIES: dict[str, Any] = {
    "items": [
        {
            "id": "1f0a4d1c-8f0e-4a52-b0d5-0a4b6f0c8d52",
            "posting_id": POSTING_ID,
            "kind": "accrual",
            "points": 12,
            "occurred_at": NOW,
            "recorded_at": NOW,
            "location_id": LOCATION_ID,
            "card_id": CARD_ID,
            "amount_minor": 1250,
            "currency": "EUR",
            "reverses_id": None,
            "late": False,
        }
    ],
    "next_cursor": "MTo0MTc",
}

QUOTE: dict[str, Any] = {"card": CARD_ID, "amount_minor": 1250, "currency": "EUR", "lines": LINES}
QUOTED: dict[str, Any] = {
    "earn": {
        "points": 32,
        "base_points": 12,
        "bonuses": [{"name": "Monday", "points": 20}],
        "given": [{"kind": "stamps", "what": "coffee", "count": 2, "rule": "Coffee"}],
        "earning_minor": 1250,
        "available_from": NOW,
        "expires_at": None,
        "rule_version": 3,
        "explain": ["€12.50 at 1 point for each €1.00 makes 12 points."],
    },
    "cost": {
        "label_minor": 1250,
        "to_pay_minor": 1188,
        "saved_minor": 62,
        "discount": {
            "code": "members",
            "name": "Members' discount",
            "amount_minor": 62,
            "parts": [{"amount_minor": 1250, "percent": "5"}],
        },
        "lines": [],
    },
    "redeem": {
        "available": 112,
        "points": {
            "minimum": 1,
            "step": 1,
            "maximum": 112,
            "point_value": "0.01",
            "static_limit": 50,
        },
        "tier": "Silver",
        "stamps": STAMPS,
        "rewards": REWARDS,
        "coupons": [OWN_COUPON | {"off_minor": 200}],
    },
    "language": "en",
}
COUPON: dict[str, Any] = OWN_COUPON | {"account_id": ACCOUNT_ID, "card_id": None}
COUPON_SEARCH: dict[str, Any] = {"code": CODE}
COUPONS: dict[str, Any] = {"items": [COUPON], "next_cursor": None}
COUPON_REDEMPTION: dict[str, Any] = {
    "card": CARD_ID,
    "coupon_id": COUPON_ID,
    "amount_minor": 1250,
    "receipt": "2026-000417",
}
COUPON_REDEEMED = _posted(
    "redemption",
    0,
    "“€2 off” was used.",
    benefit={
        "kind": "coupon",
        "what": "welcome",
        "name": "€2 off",
        "gives": "amount_off",
        "amount_minor": 200,
        "currency": "EUR",
        "percent": None,
    },
)
REWARD_REDEMPTION: dict[str, Any] = {"card": CARD_ID, "reward": "latte", "member_pin": "4816"}
REWARD_REDEEMED = _posted(
    "redemption",
    -100,
    "100 points spent.",
    benefit={
        "kind": "reward",
        "what": "latte",
        "name": "A latte",
        "gives": "goods",
        "amount_minor": None,
        "currency": None,
        "percent": None,
    },
)

ENDPOINT_ID = "e0c5a0b4-6d0d-4b8e-9d1b-1f3c6f1b2a90"
ENDPOINT: dict[str, Any] = {
    "id": ENDPOINT_ID,
    "url": "https://shop.example.com/counterfoil",
    "events": ["points.accrued", "points.returned"],
    "waiting": 0,
    "created_at": NOW,
    "failing_since": None,
    "disabled_at": None,
    "disabled_reason": None,
}
ENDPOINTS: dict[str, Any] = {"items": [ENDPOINT]}
ENDPOINT_IN: dict[str, Any] = {"url": ENDPOINT["url"], "events": ENDPOINT["events"]}
NEW_ENDPOINT: dict[str, Any] = ENDPOINT | {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="
}
RESEND: dict[str, Any] = {"event_id": POSTING_ID}
DELIVERIES: dict[str, Any] = {
    "items": [
        {
            "event_id": POSTING_ID,
            "type": "points.accrued",
            "status": "delivered",
            "created_at": NOW,
            "delivered_at": NOW,
            "tries": [{"tried_at": NOW, "status": 204, "took_ms": 38, "answer": ""}],
        }
    ],
    "next_cursor": None,
}
