"""So many requests a minute and key, counted in this process."""

import threading
from dataclasses import dataclass
from datetime import datetime

from app.errors import TooMany

#: Requests at once, and how many come free again each second.
BURST = 300
PER_SECOND = 20.0
_MOST_KEPT = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: datetime


class Rate:
    """Lets *burst* requests of a key through at once, then *per_second*. Safe between threads."""

    def __init__(self, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self._burst = burst
        self._per_second = per_second
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key_id: str, *, now: datetime) -> None:
        """Count one request. Raises `TooMany` that says when the next one is let through."""
        with self._lock:
            if len(self._buckets) >= _MOST_KEPT and key_id not in self._buckets:
                self._buckets.clear()
            bucket = self._buckets.setdefault(key_id, _Bucket(self._burst, now))
            passed = max(0.0, (now - bucket.at).total_seconds())
            bucket.left = min(float(self._burst), bucket.left + passed * self._per_second)
            bucket.at = max(bucket.at, now)
            if bucket.left >= 1:
                bucket.left -= 1
                return
            wait = int((1 - bucket.left) / self._per_second) + 1
        raise TooMany(
            f"This API key asks too often. Try again in {wait} seconds.", retry_after_seconds=wait
        )
