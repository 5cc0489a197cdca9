"""Signatures as in Standard Webhooks (github.com/standard-webhooks/standard-webhooks, spec 1.0).

``webhook-signature: v1,base64(HMAC-SHA256(secret, id.timestamp.body))``; while a secret is being
rotated, one for each, with a space between.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

PREFIX = "whsec_"
_SECRET_BYTES = 32


def make_secret(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh secret, as it is shown: whsec_ and base64."""
    return PREFIX + base64.b64encode(random_bytes(_SECRET_BYTES)).decode()


def signed(
    secrets: Sequence[str], message_id: str, body: bytes, *, now: datetime
) -> dict[str, str]:
    """The three headers of a message that is sent at *now*."""
    timestamp = int(now.timestamp())
    content = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(_signature(secret, content) for secret in secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
