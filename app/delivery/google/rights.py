"""Asks Google whether the service account may do its work, and says in words why it may not."""

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime

from app.clock import Clock
from app.delivery.google.account import Service
from app.delivery.google.api import Answer, GoogleSilent, GoogleUnreachable
from passes.apple.preflight.finding import Finding, error, warning

_SKEW_WARNING_SECONDS = 30
#: Google believes no token that is dated further off.
_SKEW_ERROR_SECONDS = 300
_CLOCK = "Set this machine's clock: let it follow a time server (timedatectl set-ntp true)."


def inspect_rights(service: Service, class_id: str, clock: Clock) -> Iterator[Finding]:
    """What keeps the service account from the issuer's classes. Asks Google once, for a class."""
    where = service.email
    try:
        answer = service.api.request("GET", f"loyaltyClass/{class_id}")
    except (GoogleUnreachable, GoogleSilent) as problem:
        yield error(
            "google_unreachable",
            where,
            str(problem),
            "See that this machine reaches https://walletobjects.googleapis.com and "
            "https://oauth2.googleapis.com (firewall, proxy, name service).",
        )
        return
    skew = list(_skew(answer, clock()))
    yield from skew
    if answer.status == 401:
        if not any(finding.code == "clock_skew" for finding in skew):
            yield _unauthorised(answer, where)
    elif answer.status == 403:
        yield _forbidden(answer, where)
    elif answer.is_for_later:
        yield warning("google_busy", where, f"{answer}.", "Try again in a minute.")
    elif answer.is_good:
        yield from _review(answer, class_id)
    elif answer.status != 404:
        yield error("refused", class_id, f"{answer}.", "Look the reason up at Google.")


def _unauthorised(answer: Answer, where: str) -> Finding:
    said = answer.message.lower()
    if "short-lived" in said or "timeframe" in said or "iat and exp" in said:
        return error("clock_skew", where, "Google finds our token to be of another time.", _CLOCK)
    if "signature" in said:
        return error(
            "key_revoked",
            where,
            "Google does not know the service account's key any more.",
            "Make a new key at https://console.cloud.google.com (IAM, Service accounts, Keys) and "
            "install it: counterfoil certs install FILE",
        )
    if "not found" in said or "account" in said:
        return error(
            "account_unknown",
            where,
            "Google knows no such service account: it was deleted, or disabled.",
            "Make another one (docs/go-live-google.md) and install its file.",
        )
    return error(
        "token_refused",
        where,
        f"{answer}.",
        "Install the service account's file anew: counterfoil certs install FILE",
    )


def _forbidden(answer: Answer, where: str) -> Finding:
    said = f"{answer.reason} {answer.message}".lower()
    if "accessnotconfigured" in said or "service_disabled" in said or "not been used" in said:
        return error(
            "api_disabled",
            where,
            "The Google Wallet API is not switched on in the service account's project.",
            "Switch it on: https://console.cloud.google.com/apis/library/walletobjects.googleapis.com",
        )
    if answer.is_limited or answer.is_quota:
        return warning("google_busy", where, f"{answer}.", "Try again in a minute.")
    return error(
        "account_not_invited",
        where,
        "Google answers 403 to this service account: the issuer has not let it in.",
        f"In the Google Wallet console (https://pay.google.com/business/console), Users, invite "
        f"{where} as Developer, of the very issuer in COUNTERFOIL_GOOGLE_ISSUER_ID. It takes "
        "effect within minutes.",
    )


def _review(answer: Answer, class_id: str) -> Iterator[Finding]:
    found = answer.found or {}
    status = str(found.get("reviewStatus", "")).replace("_", "").lower()
    if status == "rejected":
        comments = found.get("review")
        said = comments.get("comments") if isinstance(comments, dict) else None
        yield error(
            "class_rejected",
            class_id,
            f"Google rejected the class: {str(said or 'no reason given')[:300]}",
            "Put right what Google says; the next update asks for another review.",
        )
    elif status == "draft":
        yield warning(
            "draft", class_id, "The class is a draft: cards cannot be saved.", "Send UNDER_REVIEW."
        )


def _skew(answer: Answer, now: datetime) -> Iterator[Finding]:
    if answer.date is None:
        return
    try:
        theirs = parsedate_to_datetime(answer.date)
        seconds = round((now - theirs).total_seconds())
    except (ValueError, TypeError):
        return
    if abs(seconds) < _SKEW_WARNING_SECONDS:
        return
    tell = error if abs(seconds) >= _SKEW_ERROR_SECONDS else warning
    ahead = "ahead of" if seconds > 0 else "behind"
    yield tell("clock_skew", "clock", f"Our clock is {abs(seconds)} s {ahead} Google's.", _CLOCK)
