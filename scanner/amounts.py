"""Amounts as a cashier types them and as people read them. Integers of minor units inside."""

from __future__ import annotations

import re

from scanner.errors import ConfigError

LARGEST_MINOR = 100_000_000
_TYPED = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,4}))?")


def parse_amount(typed: str, exponent: int, currency: str) -> int:
    """Return the minor units of `typed` ("12.50" or "12,50" with exponent 2 is 1250).

    `exponent` is the number of decimals of the currency (EUR 2, JPY 0, KWD 3).
    Raises ConfigError, saying what was expected, for anything but a positive amount of at most
    100,000,000 minor units with no more decimals than the currency has.
    """
    match = _TYPED.fullmatch(typed.strip())
    if match is None:
        raise ConfigError(
            f"{typed!r} is not an amount. Type it like {example(exponent)}, "
            "without a sign, a currency or thousands separators."
        )
    whole, decimals = match[1], match[2] or ""
    if len(decimals) > exponent:
        allowed = f"at most {exponent} decimals" if exponent else "no decimals"
        raise ConfigError(f"{typed!r} is too fine: {currency} has {allowed}.")
    minor = int(whole + decimals.ljust(exponent, "0"))
    if minor == 0:
        raise ConfigError("The amount must be more than zero.")
    if minor > LARGEST_MINOR:
        raise ConfigError(
            f"{typed!r} is more than one posting may hold: "
            f"{show_amount(LARGEST_MINOR, exponent, currency)}."
        )
    return minor


def show_amount(minor: int, exponent: int, currency: str) -> str:
    """Return "12.50 EUR" for 1250 minor units of a currency with two decimals."""
    if not exponent:
        return f"{minor:,} {currency}"
    whole, rest = divmod(abs(minor), 10**exponent)
    return f"{'-' if minor < 0 else ''}{whole:,}.{rest:0{exponent}d} {currency}"


def example(exponent: int) -> str:
    """Return how an amount looks in a currency with `exponent` decimals."""
    return "12" + (".50000000"[: exponent + 1] if exponent else "")
