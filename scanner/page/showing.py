"""One view, shared by the threads of the till and followed by the pages that are open.

A page wants the newest view and no other: a slow browser misses what lies between. The shop's
POS wants every event: they are numbered, and the last of them are kept for who reconnects.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from scanner.page.state import View

KEPT_EVENTS = 500
BEAT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at the counter, for the shop's POS."""

    number: int
    name: str
    data: dict[str, Any]


class Showing:
    """The view as it stands, and what has happened; safe to use from every thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._view = View()
        self._facts: dict[str, Any] = {}
        self._version = 1
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._last_event = 0
        self._closed = False

    @property
    def view(self) -> View:
        """The view at this moment."""
        with self._changed:
            return self._view

    def change(self, step: Callable[[View], View]) -> View:
        """Apply one step of `View`; everyone who follows is told if it changed anything."""
        with self._changed:
            new = step(self._view)
            if new != self._view:
                self._view = new
                self._announce()
            return new

    def state(self, **facts: Any) -> None:
        """Note facts beside the view: what waits, the camera, the network."""
        with self._changed:
            if any(self._facts.get(name) != value for name, value in facts.items()):
                self._facts |= facts
                self._announce()

    def fact(self, name: str) -> Any:
        """Return one of the facts, None where it was never noted."""
        with self._changed:
            return self._facts.get(name)

    def tell(self, name: str, data: dict[str, Any]) -> None:
        """Add an event for the shop's POS."""
        with self._changed:
            self._last_event += 1
            self._events.append(Event(self._last_event, name, data))
            self._changed.notify_all()

    def now(self) -> tuple[int, View, dict[str, Any]]:
        """Return version, view and facts, which belong together."""
        with self._changed:
            return self._version, self._view, dict(self._facts)

    def following(self) -> Iterator[tuple[int, View, dict[str, Any]] | None]:
        """Yield the newest view each time it has changed, None where nothing did for a while."""
        seen = 0
        while True:
            with self._changed:
                if self._version == seen and not self._closed:
                    self._changed.wait(BEAT_SECONDS)
                if self._closed:
                    return
                news = None
                if self._version != seen:
                    seen = self._version
                    news = (seen, self._view, dict(self._facts))
            yield news

    def events(self, after: int | None) -> Iterator[Event | None]:
        """Yield the events after number `after` (None: only new ones), None as a sign of life."""
        with self._changed:
            seen = self._last_event if after is None else after
            if seen > self._last_event:
                seen = 0  # a number of an earlier start: all that this one has
        # From this moment on, not from when the first is asked for.
        return self._events_after(seen)

    def _events_after(self, seen: int) -> Iterator[Event | None]:
        while True:
            with self._changed:
                if self._last_event == seen and not self._closed:
                    self._changed.wait(BEAT_SECONDS)
                if self._closed:
                    return
                fresh = [event for event in self._events if event.number > seen]
            if not fresh:
                yield None
            for event in fresh:
                seen = event.number
                yield event

    def close(self) -> None:
        """End every stream."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _announce(self) -> None:
        self._version += 1
        self._changed.notify_all()
