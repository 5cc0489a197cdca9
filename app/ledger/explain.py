"""Why a number is what it is, kept as codes and facts and told in the reader's language.

A `Reason` is what is stored with a posting's answer: a code of the closed list below and its facts
(whole numbers, ISO dates, names). `tell` makes a sentence of it. Pure.
"""

from datetime import datetime
from typing import Any, TypeAlias

Reason: TypeAlias = dict[str, Any]


def because(code: str, **facts: Any) -> Reason:
    """A reason, ready to be stored as JSON."""
    reason: Reason = {"code": code}
    for name, value in facts.items():
        reason[name] = value.isoformat() if isinstance(value, datetime) else value
    return reason
