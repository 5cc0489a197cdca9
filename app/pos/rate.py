"""So many requests a second and key, counted by all processes together.

The count is kept with the key. A process draws a few requests at once from it, fewer the nearer the
end is, so that most requests cost no write; what was drawn is used up before it draws again. So all
processes together let no more through than one would.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.db import Database
from app.errors import TooMany
from app.pos.models import ApiKey

#: Requests at once, and how many come free again each second.
BURST = 300
PER_SECOND = 20.0
#: As many are drawn at once at the most, and this part of what is left.
_MOST_DRAWN = 10
_PART_DRAWN = 8
_MOST_KEPT = 10_000
_MILLI = 1000
#: A count from later than this was left by a clock that went wrong.
_LATEST = timedelta(minutes=2)


@dataclass(slots=True)
class _Drawn:
    """What this process may still let through; or until when there is nothing to draw."""

    left: int = 0
    empty_until: datetime | None = None


class Rate:
    """Lets *burst* requests of a key through at once, then *per_second*. Safe between threads."""

    def __init__(self, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self._burst = burst
        self._per_second = per_second
        self._drawn: dict[str, _Drawn] = {}
        self._lock = threading.Lock()

    def take(self, database: Database, programme_id: str, key_id: str, *, now: datetime) -> None:
        """Count one request. Raises `TooMany` that says when the next one is let through."""
        with self._lock:
            if len(self._drawn) >= _MOST_KEPT and key_id not in self._drawn:
                self._drawn.clear()
            drawn = self._drawn.setdefault(key_id, _Drawn())
            if drawn.left > 0:
                drawn.left -= 1
                return
            empty_until = drawn.empty_until
        if empty_until is None or empty_until <= now:
            count, empty_until = self._draw(database, programme_id, key_id, now)
            with self._lock:
                drawn.left += max(0, count - 1)
                drawn.empty_until = empty_until
            if count:
                return
        wait = 1 if empty_until is None else int((empty_until - now).total_seconds()) + 1
        raise TooMany(
            f"This API key asks too often. Try again in {wait} seconds.", retry_after_seconds=wait
        )

    def _draw(
        self, database: Database, programme_id: str, key_id: str, now: datetime
    ) -> tuple[int, datetime | None]:
        """How many are drawn for this process; where none, when there is one again."""
        with database.write(programme_id) as session:
            key = session.scalars(
                select(ApiKey).where(ApiKey.id == key_id).with_for_update()
            ).one_or_none()
            if key is None:
                return 0, None
            most = self._burst * _MILLI
            left, at = key.allowance_milli, key.allowance_at
            if left is None or at is None or at > now + _LATEST:
                left, at = most, now
            passed = max(0.0, (now - at).total_seconds())
            left = min(most, left + int(passed * self._per_second * _MILLI))
            whole = left // _MILLI
            count = min(whole, max(1, min(_MOST_DRAWN, whole // _PART_DRAWN)))
            key.allowance_milli = left - count * _MILLI
            key.allowance_at = max(at, now)
        if count:
            return count, None
        return 0, now + timedelta(seconds=(_MILLI - left) / _MILLI / self._per_second)
