"""The seeded draw: who is held out, in which order people are told, ids that repeat. Pure.

Everything follows from the campaign's seed and the account: so a campaign that was interrupted
chooses as before, and anybody who has the seed can recompute who was held out.
"""

import hashlib
import uuid

_SPACE = uuid.UUID("0b1f4c0e-8f2a-4d39-a7f7-5b8c3a7c9d21")
_BITS = 62
#: Shares are counted in millionths.
_WHOLE = 1_000_000


def draw(seed: str, account_id: str) -> int:
    """A number from 0 to 2**62 - 1, spread evenly: SHA-256 of seed, a line feed and account."""
    digest = hashlib.sha256(f"{seed}\n{account_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - _BITS)


def is_held_out(number: int, share_percent: int) -> bool:
    """Whether who drew *number* is held out, where *share_percent* (0 to 100) of all are."""
    return number % _WHOLE < share_percent * (_WHOLE // 100)


def gift_id(campaign_id: str, account_id: str, occasion: str, what: str) -> str:
    """The id of the posting of a gift: the same whenever it is made again."""
    return str(uuid.uuid5(_SPACE, f"{campaign_id}/{account_id}/{occasion}/{what}"))
