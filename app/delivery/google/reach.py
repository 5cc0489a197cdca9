"""Whether Google's servers, which are outside, can reach an address. Asks nobody but itself."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from passes.apple.preflight.finding import Finding, error, warning

_LOCAL_NAMES = ("localhost",)
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test", ".invalid")
_CURE = (
    "Set COUNTERFOIL_URL to the public https address of the service (or the picture's own to one "
    "that anybody can open) and try it from a phone without Wi-Fi."
)


def from_outside(where: str, address: str, *, is_google: bool = True) -> Iterator[Finding]:
    """What keeps Google's servers from an address, as it is written.

    *is_google* is False where a server on this machine stands in for Google: then it is a warning.
    """
    tell = error if is_google else warning
    try:
        parts = urlsplit(address)
        host, scheme = parts.hostname or "", parts.scheme
    except ValueError:
        host = scheme = ""
    if not host or scheme not in ("http", "https"):
        yield error("bad_address", where, f"{address[:80]!r} is no address of the web.", _CURE)
        return
    if scheme != "https":
        yield tell("not_https", where, f"{address[:120]} is not https: Google refuses it.", _CURE)
    if is_local(host):
        yield tell(
            "unreachable_from_outside",
            where,
            f"{host} is this machine or this network's own: Google cannot reach it from outside.",
            _CURE,
        )


def is_local(host: str) -> bool:
    """Whether a host's name or number means nothing outside this machine or network."""
    bare = host.rstrip(".").lower()
    try:
        return not ipaddress.ip_address(bare.partition("%")[0]).is_global
    except ValueError:
        return bare in _LOCAL_NAMES or bare.endswith(_LOCAL_ENDINGS) or "." not in bare
