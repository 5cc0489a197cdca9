"""Google's multipart batch as its server reads and writes it. No I/O.

The reading is Python's own e-mail parser, so that it is not the writing's mirror image.
"""

from __future__ import annotations

import email.parser
import email.policy
import re
import secrets
from dataclasses import dataclass

from app.demo.google_http import HttpRequest
from app.demo.google_rules import GoogleRefuses

MOST_PARTS = 1000
_REQUEST_LINE = re.compile(r"(GET|POST|PUT|PATCH) (/[!-~]{1,2000})(?: HTTP/1\.1)?")


@dataclass(frozen=True, slots=True)
class AskedPart:
    """One call of a batch, and the Content-ID that its answer is known by."""

    content_id: str
    request: HttpRequest


def read(request: HttpRequest) -> list[AskedPart]:
    """The calls of a batch. Raises GoogleRefuses for what is none, and for too many."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/mixed"):
        raise GoogleRefuses(400, "badRequest", "Failed to parse batch request: no multipart/mixed.")
    whole = f"Content-Type: {kind}\r\n\r\n".encode("latin-1") + request.body
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(whole)
    parts = message.get_payload()
    if not isinstance(parts, list) or message.defects or not parts:
        raise GoogleRefuses(400, "badRequest", "Failed to parse batch request: no parts.")
    if len(parts) > MOST_PARTS:
        raise GoogleRefuses(400, "badRequest", f"The batch has more than {MOST_PARTS} parts.")
    return [_part(part, number) for number, part in enumerate(parts)]


def _part(part: object, number: int) -> AskedPart:
    if not isinstance(part, email.message.Message):
        raise GoogleRefuses(400, "badRequest", f"Part {number} cannot be read.")
    raw = part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(raw, bytes):
        raise GoogleRefuses(400, "badRequest", f"Part {number} is not application/http.")
    first, _, rest = raw.replace(b"\r\n", b"\n").partition(b"\n")
    line = _REQUEST_LINE.fullmatch(first.decode("latin-1").strip())
    if line is None:
        raise GoogleRefuses(400, "badRequest", f"Part {number} has no request line.")
    inner = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(rest)
    content = inner.get_payload(decode=True)
    headers = {name.lower(): str(value) for name, value in inner.items()}
    body = content.rstrip(b"\n") if isinstance(content, bytes) else b""
    named = str(part.get("Content-ID", "")).strip().strip("<>")
    return AskedPart(named, HttpRequest(line[1], line[2], headers, body))


def write(answers: list[tuple[AskedPart, int, bytes, dict[str, str]]]) -> tuple[str, list[bytes]]:
    """The answer's content type, and its body in pieces: one a part, with the end in the last."""
    boundary = f"batch_{secrets.token_urlsafe(12)}"
    pieces = []
    for asked, status, body, headers in answers:
        lines = [
            f"--{boundary}",
            "Content-Type: application/http",
            f"Content-ID: <response-{asked.content_id}>" if asked.content_id else "X-None: 1",
            "",
            f"HTTP/1.1 {status} {'OK' if status < 300 else 'Error'}",
            "Content-Type: application/json; charset=UTF-8",
            *(f"{name}: {value}" for name, value in headers.items()),
            f"Content-Length: {len(body)}",
            "",
            "",
        ]
        pieces.append("\r\n".join(lines).encode("ascii") + body + b"\r\n")
    pieces.append(f"--{boundary}--\r\n".encode("ascii"))
    return f"multipart/mixed; boundary={boundary}", pieces
