"""What APNs asks of a push, and the reasons with which it refuses one. Pure.

Source: developer.apple.com/documentation/usernotifications, "Sending notification requests to
APNs" and "Handling notification responses from APNs". For passes Apple says besides: topic is the
pass type identifier, the payload an empty dictionary. It names no push type for them: senders in
the field use none, `background` or `alert`, and all three arrive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_TOKEN = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", re.ASCII)
_PATH = "/3/device/"
LARGEST_PAYLOAD = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """A status with Apple's reason; `timestamp_ms` goes with 410."""

    status: int
    reason: str
    timestamp_ms: int | None = None
    retry_after: int | str | None = None

    @property
    def body(self) -> bytes:
        """The JSON of an error; nothing for a success."""
        if self.status == 200:
            return b""
        said: dict[str, str | int] = {"reason": self.reason}
        if self.timestamp_ms is not None:
            said["timestamp"] = self.timestamp_ms
        return json.dumps(said).encode("ascii")


class Request(Protocol):
    """What is looked at: the request's pseudo-headers, its headers and its body."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def has_duplicates(self) -> bool: ...
    @property
    def body(self) -> bytes: ...


def check(request: Request, topic: str | None) -> Answer | None:
    """The answer to a push that is at fault, or None. `topic` is the client certificate's."""
    if request.method != "POST":
        return Answer(405, "MethodNotAllowed")
    if not request.path.startswith(_PATH):
        return Answer(404, "BadPath")
    token = request.path[len(_PATH) :]
    if not token:
        return Answer(400, "MissingDeviceToken")
    if "/" in token or "?" in token:
        return Answer(404, "BadPath")
    if topic is None:
        return Answer(403, "BadCertificate")
    if request.has_duplicates:
        return Answer(400, "DuplicateHeaders")
    if not _TOKEN.fullmatch(token):
        return Answer(400, "BadDeviceToken")
    return _check_headers(request.headers, topic) or _check_body(request.body)


def _check_headers(headers: Mapping[str, str], topic: str) -> Answer | None:
    asked = headers.get("apns-topic")
    push_type = headers.get("apns-push-type")
    priority = headers.get("apns-priority")
    if asked is None:
        return Answer(400, "MissingTopic")
    if not _TOPIC.fullmatch(asked):
        return Answer(400, "BadTopic")
    if asked != topic:
        return Answer(400, "TopicDisallowed")
    if push_type not in (None, "background", "alert"):
        return Answer(400, "InvalidPushType")
    if priority not in (None, "1", "5", "10"):
        return Answer(400, "BadPriority")
    if push_type == "background" and priority == "10":
        # "If the push type is background, priority 10 is an error."
        return Answer(400, "BadPriority")
    if not headers.get("apns-expiration", "0").isdecimal():
        return Answer(400, "BadExpirationDate")
    if not _UUID.fullmatch(headers.get("apns-id", "00000000-0000-0000-0000-000000000000")):
        return Answer(400, "BadMessageId")
    if len(headers.get("apns-collapse-id", "").encode()) > 64:
        return Answer(400, "BadCollapseId")
    return None


def _check_body(body: bytes) -> Answer | None:
    if len(body) > LARGEST_PAYLOAD:
        return Answer(413, "PayloadTooLarge")
    if body == b"{}":
        return None
    if not body:
        return Answer(400, "PayloadEmpty")
    try:
        payload = json.loads(body)
    except ValueError:
        payload = None
    # A pass push carries an empty dictionary. Apple has no word for other payloads; this is ours.
    return None if payload == {} else Answer(400, "PayloadNotEmptyDictionary")
