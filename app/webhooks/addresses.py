"""Where a webhook may go: to public addresses alone, whatever a name resolves to.

Every address that a name has is looked at, and the connection is then made to one of those, not to
the name: whoever owns the name cannot answer differently the second time (DNS rebinding).
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import urlsplit

from app.errors import Invalid
from app.languages import _

LONGEST_URL = 500
#: Everything of IPv4 that is not somebody's public address (IANA, special-purpose registry).
_NOT_PUBLIC_4 = [
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
]
#: Of IPv6 only this is given out, and of it not the following.
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = [
    IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]
#: An IPv4 address behind a translator (RFC 6052): as public as that one.
_NAT64 = IPv6Network("64:ff9b::/96")

#: As `socket.getaddrinfo`.
Resolver = Callable[..., Sequence[Any]]
Address = IPv4Address | IPv6Address


class AddressRefused(Exception):
    """The webhook may not go there; the text says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address as it was written, taken apart."""

    scheme: str
    host: str
    port: int
    path: str


def read_url(url: str, *, local: bool = False) -> Target:
    """Take an endpoint's address apart. Raises `Invalid` that says what to write instead.

    With *local* (for development) plain http may go to this machine itself.
    """
    try:
        if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise ValueError(_("has characters that no address has, or too many"))
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            raise ValueError(_("must begin with https://"))
        if not host or parts.username or parts.password or parts.fragment or port == 0:
            raise ValueError(_("must be a host and a path, with no name and no # in it"))
    except ValueError as error:
        text = _("The address %(wrong)s: such as https://shop.example.com/counterfoil", wrong=error)
        raise Invalid(text, {"url": [text]}) from error
    path = parts.path or "/"
    if parts.query:
        path += f"?{parts.query}"
    return Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)


def resolve(
    target: Target, *, local: bool = False, resolver: Resolver = socket.getaddrinfo
) -> list[str]:
    """The addresses to connect to. Raises `AddressRefused` if any of them is not public.

    With *local* this machine's own addresses are good too, and nothing else besides.
    """
    try:
        found = resolver(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(
            _("The name %(host)s is not to be found.", host=target.host)
        ) from error
    addresses: list[str] = []
    for _family, _type, _protocol, _name, where in found:
        address = ipaddress.ip_address(str(where[0]))
        is_own = local and unwrapped(address).is_loopback
        if not is_own and not is_public(address):
            raise AddressRefused(
                _(
                    "%(host)s is %(address)s: webhooks go to public addresses only.",
                    host=target.host,
                    address=address,
                )
            )
        if target.scheme == "http" and not is_own:
            raise AddressRefused(_("Without https a webhook goes to this machine only."))
        addresses.append(str(address))
    if not addresses:
        raise AddressRefused(_("The name %(host)s has no address.", host=target.host))
    return list(dict.fromkeys(addresses))


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where the connection would go to that."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is somebody's on the public internet."""
    address = unwrapped(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    if address.scope_id is not None or address not in _GLOBAL_6:
        return False
    return not any(address in network for network in _NOT_PUBLIC_6)
