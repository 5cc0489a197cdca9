"""The loyalty classes and objects that Google keeps, with Google's rules about them. No I/O."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping

from app.demo.google_rules import GoogleRefuses, Json, check_body, issuer_of, merged

CLASS = "LoyaltyClass"
OBJECT = "LoyaltyObject"
OFFER_CLASS = "OfferClass"
OFFER = "OfferObject"
_CLASSES = (CLASS, OFFER_CLASS)
NOTICES = 3
DAY_SECONDS = 86_400
_UNDER_REVIEW = ("UNDER_REVIEW", "underReview")
_DRAFT = ("DRAFT", "draft")
#: Set with each request, never kept.
_EPHEMERAL = ("notifyPreference",)


class Store:
    """What one issuer has inserted. Every method raises GoogleRefuses as Google would."""

    def __init__(self, issuer_id: str) -> None:
        self._issuer_id = issuer_id
        self.classes: dict[str, Json] = {}
        self.objects: dict[str, Json] = {}
        self._notices: defaultdict[str, list[float]] = defaultdict(list)

    def insert(self, kind: str, body: Json) -> Json:
        """Store a new class or object; 409 where the id is taken."""
        check_body(kind, body)
        resource_id = self._own(body["id"])
        if kind in _CLASSES:
            self._check_review(body, allowed=_UNDER_REVIEW + _DRAFT)
        else:
            self._check_class(body)
        if resource_id in self._kept(kind):
            raise GoogleRefuses(
                409, "existingResource", f"{_called(kind)} {resource_id} already exists."
            )
        return self._keep(kind, resource_id, body)

    def get(self, kind: str, resource_id: str | None) -> Json:
        """The stored class or object; 404 where there is none."""
        found = self._kept(kind).get(self._own(resource_id))
        if found is None:
            reason = "classNotFound" if kind in _CLASSES else "resourceNotFound"
            raise GoogleRefuses(404, reason, f"{_called(kind)} {resource_id} not found.")
        return found

    def update(self, kind: str, resource_id: str | None, body: Json, now: float) -> Json:
        """Replace all of it (PUT)."""
        stored = self.get(kind, resource_id)
        check_body(kind, body)
        return self._change(kind, stored, body, body, now)

    def patch(self, kind: str, resource_id: str | None, body: Json, now: float) -> Json:
        """Change what `body` holds (PATCH): null clears, arrays replace."""
        stored = self.get(kind, resource_id)
        check_body(kind, body, is_patch=True)
        return self._change(kind, stored, body, merged(stored, body), now)

    def add_message(self, kind: str, resource_id: str | None, body: Json, now: float) -> Json:
        """Add a message; one with TEXT_AND_NOTIFY counts against the notices of the day."""
        stored = self.get(kind, resource_id)
        check_body("AddMessageRequest", body)
        message = body.get("message")
        if not isinstance(message, dict):
            raise GoogleRefuses(400, "badRequest", "Request contains an invalid argument.")
        if message.get("messageType") == "TEXT_AND_NOTIFY":
            self._notify(stored["id"], now)
        changed = copy.deepcopy(stored)
        changed.setdefault("messages", []).append(copy.deepcopy(message))
        self._kept(kind)[stored["id"]] = changed
        return changed

    def save(self, named: Mapping[str, object], kind: str = OBJECT) -> Json:
        """Put the object of a save link into a customer's wallet.

        A link may only name it, or carry all of it; then it is inserted unless it is there.
        """
        resource_id, class_id = self._own(named.get("id")), self._own(named.get("classId"))
        if resource_id not in self.objects and set(named) - {"id", "classId"}:
            self.insert(kind, dict(named))
        stored = self.get(kind, resource_id)
        self.get(CLASS if kind == OBJECT else OFFER_CLASS, class_id)
        if stored["classId"] != class_id:
            raise GoogleRefuses(400, "badRequest", "The object is of another class.")
        stored["hasUsers"] = True
        return stored

    def _kept(self, kind: str) -> dict[str, Json]:
        return self.classes if kind in _CLASSES else self.objects

    def _keep(self, kind: str, resource_id: str, body: Mapping[str, object]) -> Json:
        kept = {
            name: copy.deepcopy(value)
            for name, value in body.items()
            if name not in _EPHEMERAL and value is not None
        }
        if kind in _CLASSES and kept["reviewStatus"] in _UNDER_REVIEW:
            # What is put under review is approved at once.
            kept["reviewStatus"] = "APPROVED"
        self._kept(kind)[resource_id] = kept
        return kept

    def _change(self, kind: str, stored: Json, asked: Json, result: Json, now: float) -> Json:
        if asked.get("id", stored["id"]) != stored["id"]:
            raise GoogleRefuses(400, "invalidResource", "The id in the body is another one.")
        if kind in _CLASSES:
            self._check_review(result, allowed=_UNDER_REVIEW)
        else:
            self._check_class(result)
        if asked.get("notifyPreference") == "NOTIFY_ON_UPDATE":
            self._notify(stored["id"], now)
        if kind not in _CLASSES and "hasUsers" in stored:
            result = result | {"hasUsers": stored["hasUsers"]}
        return self._keep(kind, stored["id"], result)

    def _own(self, resource_id: object) -> str:
        if issuer_of(resource_id) != self._issuer_id:
            raise GoogleRefuses(403, "permissionDenied", "Permission Denied")
        return str(resource_id)

    def _check_review(self, body: Json, *, allowed: tuple[str, ...]) -> None:
        status = body.get("reviewStatus")
        if status not in allowed:
            raise GoogleRefuses(
                400, "invalidReviewStatus", f"Invalid review status Optional[{status}]."
            )

    def _check_class(self, body: Json) -> None:
        card_class = self.classes.get(self._own(body["classId"]))
        if card_class is None:
            raise GoogleRefuses(
                404, "classNotFound", f"Wallet Object Class {body['classId']} not found."
            )
        if card_class["reviewStatus"] in _DRAFT:
            raise GoogleRefuses(
                400, "invalidClass", f"Wallet Object Class {body['classId']} is a draft."
            )

    def _notify(self, resource_id: str, now: float) -> None:
        """Count a notice on a customer's phone: three a pass in 24 hours."""
        lately = [at for at in self._notices[resource_id] if now - at < DAY_SECONDS]
        if len(lately) >= NOTICES:
            raise GoogleRefuses(
                403, "quotaExceeded", "Quota exceeded: notifications for this pass."
            )
        self._notices[resource_id] = [*lately, now]


def _called(kind: str) -> str:
    return "Wallet Object Class" if kind in _CLASSES else "Wallet Object"
