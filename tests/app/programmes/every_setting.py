"""Every setting that a programme can have."""

from typing import Any

#: Every setting, none as it is by default.
EVERYTHING: dict[str, Any] = {
    "points": "0.10",
    "per_amount": "3",
    "expires_after_months": 24,
    "expires_round_up": "quarter",
    "expiry_mode": "inactivity",
    "inactivity_months": 12,
    "pending_days": 14,
    "pending_until_confirmed": False,
    "carry_remainder": True,
    "earn_on": "net",
    "excluded_categories": ["tobacco", "lottery"],
    "bonuses": [
        {"name": "Big shop", "at_least": "99.50", "points": 50},
        {"name": "Welcome", "at_least": "1", "points": 5, "once": "welcome"},
    ],
    "tiers": {
        "levels": [
            {"code": "silver", "at_least": 1, "names": {}, "multiplier": "1"},
            {
                "code": "gold",
                "at_least": 1000,
                "names": {"en": "Gold", "lv": "Zelts"},
                "multiplier": "1.50",
            },
        ],
        "measure": "spend",
        "window": "rolling",
        "downgrade": "one_step",
        "grace_days": 30,
    },
    "rules": [
        {
            "name": "Books",
            "kind": "amount",
            "role": "promotion",
            "from": "2026-06-01T00:00",
            "until": "2026-07-01T12:30",
            "weekdays": ["mon", "sun"],
            "hours": ["08:00-11:00", "22:00-02:00"],
            "locations": ["old-town"],
            "tiers": ["gold"],
            "points": "0.50",
            "per_amount": "1",
            "on": "net",
            "only_categories": ["books"],
        },
        {
            "name": "Breakfast",
            "kind": "basket",
            "role": "always",
            "segments": ["new"],
            "first_purchase": True,
            "at_least": "5.00",
            "contains": [
                {"categories": ["coffee"], "quantity": "1"},
                {"items": ["bun"], "quantity": "2", "at_least": "3"},
            ],
            "a_day": 2,
            "once": "breakfast",
            "most": 3,
            "each": True,
            "worth": 9,
            "gives": {"points": 5, "stamps": {"coffee": 1}, "gift": {"mug": 2}},
        },
        {
            "name": "Buns",
            "kind": "item",
            "role": "base",
            "items": ["bun"],
            "per_quantity": "0.5",
            "gives": {"points": 2},
        },
        {"name": "Twice", "kind": "multiplier", "role": "promotion", "factor": "2.0"},
        {"name": "Visit", "kind": "visit", "role": "base", "gives": {"points": 3}},
    ],
    "stacking": "best",
    "segments": {
        "new": {"joined_within_days": 30},
        "busy": {
            "kinds": ["personal", "company"],
            "tiers": ["gold"],
            "within_days": 90,
            "visits_at_least": 3,
            "visits_at_most": 30,
            "spend_at_least": "0",
            "spend_at_most": "99.50",
        },
    },
    "point_value": "0.005",
    "redeem_minimum": 10,
    "redeem_step": 5,
    "redeem_maximum_share": 50,
    "static_redeem_limit": 0,
    "return_policy": "only_pending",
    "debt_floor": 7,
    "grace_days": 0,
    "expected_redemption": "0.85",
    "adjust_alone_below": 500,
    "stamps": [
        {
            "code": "coffee",
            "names": {"en": "Coffee card", "lv": "Kafijas karte"},
            "size": 10,
            "per": "item",
            "items": ["Latte"],
            "categories": ["coffee"],
            "at_least": "2.50",
            "at_most": 5,
            "lasts_months": 12,
        }
    ],
    "rewards": [
        {"code": "tenth", "names": {"en": "The tenth is free"}, "stamps": "coffee"},
        {
            "code": "off",
            "names": {"en": "Money off"},
            "kind": "amount_off",
            "points_from": 100,
            "points_step": 50,
            "points_to": 1000,
        },
        {
            "code": "fifth",
            "names": {"en": "A fifth off"},
            "kind": "percent_off",
            "points": 300,
            "percent": "20.00",
            "stock": 50,
            "valid_from": "2026-06-01",
            "valid_to": "2026-08-31",
            "tiers": ["gold"],
        },
    ],
    "coupons": [
        {
            "code": "welcome",
            "names": {"en": "5 EUR off"},
            "kind": "amount_off",
            "amount": "5.00",
            "at_least": "20",
            "valid_days": 30,
            "valid_to": "2026-12-31",
            "tiers": ["silver"],
        }
    ],
    "discounts": [
        {
            "code": "trade",
            "names": {"en": "Trade"},
            "kind": "marginal",
            "scale": [{"from": "0", "percent": "3.5"}, {"from": "500.00", "percent": "5"}],
            "months": 12,
            "tiers": ["gold"],
            "accounts": ["company"],
            "excluded_categories": ["tobacco"],
        }
    ],
    "prices": [
        {
            "item": "beans",
            "price": "17.90",
            "names": {"en": "Beans"},
            "tiers": ["gold"],
            "from": "2026-06-01",
            "until": "2026-06-30",
        }
    ],
    "multipasses": [
        {
            "code": "swim10",
            "names": {"en": "Ten swims"},
            "items": ["SWIM-10"],
            "entries": 10,
            "entry_names": {"en": "A swim"},
            "lasts_months": 12,
        }
    ],
    "clubs": [
        {
            "code": "friends",
            "names": {"en": "Friends"},
            "months": 12,
            "items": ["MEMBER-12"],
            "renew_days": 14,
        }
    ],
    "occasions": [
        {
            "code": "birthday",
            "names": {"en": "Happy birthday!"},
            "on": "birthday",
            "points": 50,
            "gives": {"coupon": {"welcome": 1}},
            "days_before": 3,
            "lasts_days": 30,
            "tiers": ["gold"],
        }
    ],
    "referral": {
        "names": {"en": "Thanks"},
        "at_least": "10.00",
        "within_days": 30,
        "referrer": {"points": 100},
        "referred": {"points": 50, "gives": {"coupon": {"welcome": 1}}},
        "taper": [100, 50],
        "most_a_year": 5,
    },
    "welcome_points": 25,
    "volumes": [
        {
            "code": "trade",
            "names": {"en": "Volume bonus"},
            "every": "quarter",
            "scale": [{"from": "5000", "percent": "1"}, {"from": "20000", "percent": "2"}],
            "kind": "slab",
            "accounts": ["company", "household"],
            "after_days": 7,
        }
    ],
}
