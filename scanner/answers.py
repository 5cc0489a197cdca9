"""What an answer means that is not a success: refused for good, to be tried again, or nobody's.

Whatever stands between a till and its service answers too: proxies, firewalls, a network's
sign-in page. Only problem details (RFC 9457) are believed to be the service's own word.
"""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx2

from scanner.errors import Refused, SignInAgain, TillRevoked, TryLater

# Only these are believed to be the service's own no; a network's sign-in page says no, too.
PROBLEM = "application/problem+json"
FINAL = frozenset({400, 403, 404, 409, 410, 413, 422})

Json = dict[str, Any]


def kind_of(headers: httpx2.Headers) -> str:
    """Return the media type of an answer."""
    kind: str = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind


def why_unreachable(error: Exception) -> str:
    """Say why nothing was reached; a certificate that is not trusted is no passing trouble."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                "What answers at the service's address has a certificate that this till does not "
                f"trust ({cause.verify_message}): a network with a sign-in page, or a wrong clock."
            )
        cause = cause.__cause__ or cause.__context__
    return (
        f"The service cannot be reached ({type(error).__name__}). Check this machine's network, "
        "the address, and that the service runs."
    )


def json_of(content: bytes, kind: str) -> Json | None:
    """Return the JSON object of an answer, None where it is something else."""
    if kind not in ("application/json", PROBLEM):
        return None
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def failure(
    status: int, answer: Json | None, kind: str, wait: str
) -> TryLater | Refused | SignInAgain | TillRevoked:
    """Say what an answer that is not a success means; `wait`: its Retry-After."""
    code = answer.get("code") if answer and kind == PROBLEM else None
    if answer is None or not isinstance(code, str):
        return foreign(f"it answered with status {status} and no reason")
    message = _sentence(answer)
    if status == 401:
        if code == "till_revoked":
            return TillRevoked(message)
        return SignInAgain(message) if code == "sign_in_again" else Refused(status, code, message)
    if status in FINAL:
        return Refused(status, code, message)
    return TryLater(
        message,
        reached=True,
        code=code,
        too_often=status == 429,
        retry_after_seconds=int(wait) if wait.isdecimal() and len(wait) < 6 else None,
    )


def _sentence(answer: Json) -> str:
    """Return what a problem says, for a person, bounded."""
    text = answer.get("detail") or answer.get("title") or answer["code"]
    fields = answer.get("errors")
    if isinstance(fields, dict) and fields:
        text = f"{text} ({', '.join(str(name) for name in fields)})"
    return " ".join(str(text).split())[:500]


def foreign(why: str) -> TryLater:
    """Something answered that is not our service, or not in its right mind."""
    return TryLater(
        f"What answered is not the service: {why}. A network with a sign-in page may be between.",
        reached=True,
    )
