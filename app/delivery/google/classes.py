"""The classes of programmes at Google: inserted before their first object, kept as they look."""

import logging
import threading
import time
from typing import Any

from sqlalchemy import select

from app.context import Context
from app.delivery.google.api import Answer, GoogleApi
from app.delivery.google.changes import class_change
from app.delivery.models import GoogleClass

_log = logging.getLogger(__name__)

#: A class that Google has and does not let us change is left alone for so long.
_PUT_OFF_SECONDS = 600.0


def kind_of(class_body: dict[str, Any]) -> str:
    """Which of Google's kinds of passes a class is of: "loyalty", or "offer" for coupons."""
    return "offer" if "redemptionChannel" in class_body else "loyalty"


class GoogleClasses:
    """Keeps classes as the programmes look. Safe to share between threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        #: What Google has, as far as this process knows.
        self._known: dict[str, dict[str, Any]] = {}
        self._put_off: dict[str, float] = {}
        self._at_it = threading.Lock()

    def is_known(self, body: dict[str, Any]) -> bool:
        """Whether Google has the class just so, as far as this process knows."""
        return self._known.get(body["id"]) == body

    def ensure(
        self,
        api: GoogleApi,
        programme_id: str,
        body: dict[str, Any],
        *,
        patience_seconds: float | None = None,
    ) -> Answer | None:
        """Make the class what *body* says; None where it is there, else why it is not.

        One that is there but cannot be changed now is good enough for its cards: that is logged,
        and tried again later. Raises `GoogleUnreachable` and `GoogleSilent`.
        """
        class_id: str = body["id"]
        if self.is_known(body) or self._is_put_off(class_id):
            return None
        with self._at_it:
            if self.is_known(body):
                return None
            told = self._told(programme_id, class_id)
            wanted = class_change(body, told) if told is not None else {}
            if told is not None and not wanted:
                self._known[class_id] = body
                return None
            answer = self._ask(api, body, wanted, patience_seconds)
            if answer.is_good:
                self._note(programme_id, body)
            elif told is not None and answer.status != 404:
                _log.error("the class %s at Google was not changed: %s", class_id, answer)
                self._put_off[class_id] = time.monotonic() + _PUT_OFF_SECONDS
                return None
        return None if answer.is_good else answer

    def forget(self, programme_id: str, class_id: str) -> None:
        """Google says that the class is not there: it is inserted anew."""
        with self._at_it, self._context.database.write(programme_id) as session:
            self._known.pop(class_id, None)
            self._put_off.pop(class_id, None)
            row = session.scalar(select(GoogleClass).where(GoogleClass.class_id == class_id))
            if row is not None:
                session.delete(row)

    def _ask(
        self,
        api: GoogleApi,
        body: dict[str, Any],
        wanted: dict[str, Any],
        patience_seconds: float | None,
    ) -> Answer:
        kind = f"{kind_of(body)}Class"
        path = f"{kind}/{body['id']}"
        if wanted:
            answer = api.request("PATCH", path, wanted, patience_seconds=patience_seconds)
            if answer.status != 404:
                return answer
        answer = api.request("POST", kind, body, patience_seconds=patience_seconds)
        if answer.status == 409:
            # It was there before, nobody knows how: everything is said anew.
            whole = class_change(body, {})
            return api.request("PATCH", path, whole, patience_seconds=patience_seconds)
        return answer

    def _is_put_off(self, class_id: str) -> bool:
        return time.monotonic() < self._put_off.get(class_id, 0.0)

    def _told(self, programme_id: str, class_id: str) -> dict[str, Any] | None:
        with self._context.database.read(programme_id) as session:
            row = session.scalar(select(GoogleClass).where(GoogleClass.class_id == class_id))
            return dict(row.told) if row else None

    def _note(self, programme_id: str, body: dict[str, Any]) -> None:
        with self._context.database.write(programme_id) as session:
            row = session.scalar(select(GoogleClass).where(GoogleClass.class_id == body["id"]))
            if row is None:
                row = GoogleClass(class_id=body["id"])
                session.add(row)
            row.told, row.told_at = body, self._context.clock()
        self._known[body["id"]] = body
