"""What a till has to know to go on without a network."""

import base64
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.cards import service as cards
from app.staff import service as staff

#: Tills keep a PIN's hash for seven days; a day more for clocks that differ.
PINS_KEPT_FOR = timedelta(days=8)


def keys_and_people(session: Session, *, now: datetime) -> dict[str, Any]:
    """The public keys of the session's programme, who left or got another PIN, and the time."""
    return {
        "now": now.isoformat(),
        "keys": [
            {
                "key_id": key.key_id,
                "public_key": base64.b64encode(key.public_key).decode(),
                "valid_until": key.valid_until.isoformat() if key.valid_until else None,
            }
            for key in cards.public_keys(session)
        ],
        "staff_changed": [
            {"id": staff_id, "at": at.isoformat()}
            for staff_id, at in staff.changed_since(session, now - PINS_KEPT_FOR)
        ],
    }
