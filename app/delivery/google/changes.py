"""Pure rules of what Google is told of a card: only what changed, and how often aloud."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

#: Google shows so many notices of one pass in `NOTICE_WINDOW`, and refuses the next with 403.
NOTICES = 3
NOTICE_WINDOW = timedelta(hours=24)
#: Fields whose change is worth a notice on the phone.
_NOTABLE = ("loyaltyPoints",)
#: News: Google tells of them on the phone only where they are added by a request of their own.
NEWS = "messages"
#: Google was told of this field and did not answer: nobody knows what it has.
UNCERTAIN = ""
_DIGEST_CHARACTERS = 16
_SHAPE_CHARACTERS = 4
#: Fields that have now these parts, now those. A PATCH merges objects: a part that is no longer
#: there has to be cleared, or a card that shows a share beside "int" would show points as well.
_POINTS: Json = {
    "localizedLabel": None,
    "balance": {"int": None, "double": None, "string": None, "money": None},
}
_PARTS: Mapping[str, Json] = {
    "loyaltyPoints": _POINTS,
    "secondaryLoyaltyPoints": _POINTS,
    "validTimeInterval": {"start": None, "end": None},
}
#: They name the resource and never change.
_NAMES = ("id", "classId")


@dataclass(frozen=True, slots=True)
class Change:
    """One request that brings an object up to date, and what is known of Google afterwards.

    *digests* holds once Google did it, *meanwhile* from the moment it is sent: an answer may never
    come. An empty *body* asks for nothing: Google has it all.
    """

    method: str
    body: Json
    digests: dict[str, str]
    meanwhile: dict[str, str] | None


def change(body: Mapping[str, Any], told: Mapping[str, str] | None, key: bytes) -> Change:
    """What to ask so that an object becomes *body* (as it would be inserted).

    *told* are the digests of what Google has; without them all of it is replaced (PUT), with them
    a PATCH has what differs, and null for what is no longer there. *key* (32 bytes) keys digests.
    """
    digests = {
        name: _digest(name, value, key) for name, value in body.items() if name not in _NAMES
    }
    if told is None:
        return Change("PUT", dict(body), digests, None)
    changed: Json = {
        name: _patched(name, body[name], told.get(name), digest)
        for name, digest in digests.items()
        if told.get(name) != digest
    }
    changed |= {name: None for name in told if name not in digests}
    return Change("PATCH", changed, digests, dict(told) | dict.fromkeys(changed, UNCERTAIN))


def is_notable(request: Change) -> bool:
    """Whether the change deserves a notice on the phone."""
    return request.method == "PATCH" and any(name in request.body for name in _NOTABLE)


def news_aloud(request: Change, told: Mapping[str, str] | None) -> tuple[Change, Json] | None:
    """The change without its news, and the message that is to be added aloud after it.

    None where there are no news to tell, or where nobody knows whether Google told them already:
    then they are only shown, so that nobody is told twice.
    """
    news = request.body.get(NEWS)
    if request.method != "PATCH" or not news or (told or {}).get(NEWS) == UNCERTAIN:
        return None
    body = dict(request.body)
    if NEWS in (told or {}):
        # What is added stands beside what is there, and Google keeps ten.
        body[NEWS] = None
    else:
        del body[NEWS]
    return replace(request, body=body), {"message": {**news[-1], "messageType": "TEXT_AND_NOTIFY"}}


def aloud(body: Mapping[str, Any]) -> Json:
    """The same request with a notice."""
    return {**body, "notifyPreference": "NOTIFY_ON_UPDATE"}


def lately(notices: Sequence[int] | None, now: datetime) -> list[int]:
    """The notices (Unix seconds) that still count at *now*; one dated in the future counts."""
    since = int((now - NOTICE_WINDOW).timestamp())
    return [at for at in notices or () if at > since][-NOTICES:]


def may_notify(notices: Sequence[int] | None, now: datetime) -> bool:
    """Whether Google would show another notice of the pass."""
    return len(lately(notices, now)) < NOTICES


def with_notice(notices: Sequence[int] | None, now: datetime) -> list[int]:
    """The notices with one more."""
    return [*lately(notices, now), int(now.timestamp())][-NOTICES:]


def used_up(now: datetime) -> list[int]:
    """The notices of a pass for which Google counted more than we did: none for a day."""
    return [int(now.timestamp())] * NOTICES


def class_change(body: Mapping[str, Any], told: Mapping[str, Any]) -> Json:
    """The PATCH that turns the class *told* into *body*; empty where nothing differs.

    It always asks for a review anew: Google refuses one that does not, or that echoes "approved".
    """
    changed = {
        name: value
        for name, value in body.items()
        if name not in ("id", "reviewStatus") and told.get(name) != value
    }
    changed |= {name: None for name in told if name not in body and told[name] is not None}
    return {**changed, "reviewStatus": "UNDER_REVIEW"} if changed else {}


def _patched(name: str, value: Any, told: str | None, digest: str) -> Any:
    """A field as a PATCH has it: with null for its parts that Google may have and that are over."""
    shape = digest[-_SHAPE_CHARACTERS:]
    if name not in _PARTS or told is None or told[-_SHAPE_CHARACTERS:] == shape:
        return value
    return _over(_PARTS[name], value)


def _over(parts: Mapping[str, Any], value: Mapping[str, Any]) -> Json:
    laid: Json = dict(parts)
    for name, item in value.items():
        below = parts.get(name)
        laid[name] = _over(below, item) if isinstance(below, dict) else item
    return laid


def _digest(name: str, value: Any, key: bytes) -> str:
    """What tells one value from another; of a field with parts its end tells which these are."""
    digest = _keyed([name, value], key)
    if name not in _PARTS:
        return digest
    parts = {each: sorted(item) if isinstance(item, dict) else 0 for each, item in value.items()}
    return digest[:-_SHAPE_CHARACTERS] + _keyed([name, parts], key)[:_SHAPE_CHARACTERS]


def _keyed(content: Any, key: bytes) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:_DIGEST_CHARACTERS]
