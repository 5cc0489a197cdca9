"""Where a webhook may go: nowhere that only this machine or this network can reach."""

from ipaddress import ip_address
from typing import Any

import pytest

from app.errors import Invalid
from app.webhooks.addresses import AddressRefused, Target, read_url, resolve

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - a place where no webhook goes
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254",
    "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.0.1", "172.16.0.1",
    "172.31.255.255", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
    "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:1",
    "::127.0.0.1", "::7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:10::1", "2001:20::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1",
    "fd12:3456:789a::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.255.255",
    "172.32.0.1", "192.0.1.1", "198.17.255.255", "223.255.255.255", "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e",
]  # fmt: skip
#: Ways to write this machine that a C library takes for an address.
WRITTEN = ["127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "[::1]", "[::ffff:7f00:1]"]


def at(*addresses: str) -> Any:
    return lambda _host, port, **_: [(2, 1, 6, "", (each, port)) for each in addresses]


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("local", [False, True])
def test_what_is_not_public_is_refused(address: str, local: bool) -> None:
    if local and address in {
        "127.0.0.1",
        "127.255.255.254",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::127.0.0.1",
    }:
        return
    with pytest.raises(AddressRefused):
        resolve(Target("https", "shop.example", 443, "/"), local=local, resolver=at(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_taken(address: str) -> None:
    target = Target("https", "shop.example", 443, "/")
    [found] = resolve(target, resolver=at(address))
    assert ip_address(found) == ip_address(address)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    target = Target("https", "shop.example", 443, "/")
    for addresses in (("8.8.8.8", "10.0.0.1"), ("::1", "8.8.8.8")):
        with pytest.raises(AddressRefused, match="public addresses only"):
            resolve(target, resolver=at(*addresses))


@pytest.mark.parametrize("host", WRITTEN)
def test_however_this_machine_is_written_it_is_refused(host: str) -> None:
    with pytest.raises((AddressRefused, Invalid)):
        resolve(read_url(f"https://{host}/hook"))


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://shop.example/",
        "//shop.example/",
        "shop.example",
        "https://",
        "https:///hook",
        "https://name:word@shop.example/",
        "https://shop.example:0/",
        "https://shop.example:99999/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shop.example/\r\nX: y",
        "https://shöp.example/",
        "https://[::1/",
        "https://shop.example/" + "x" * 500,
        "",
    ],
)
def test_an_address_is_https_and_nothing_odd(url: str) -> None:
    with pytest.raises(Invalid):
        read_url(url)


def test_for_development_this_machine_is_good_without_https_and_nothing_else_is() -> None:
    target = read_url("http://127.0.0.1:8000/hook?a=b", local=True)
    assert target == Target("http", "127.0.0.1", 8000, "/hook?a=b")
    assert resolve(target, local=True) == ["127.0.0.1"]
    with pytest.raises(AddressRefused):
        resolve(target, local=False)
    with pytest.raises(AddressRefused, match="Without https"):
        resolve(Target("http", "shop.example", 80, "/"), local=True, resolver=at("8.8.8.8"))


def test_a_name_that_is_nowhere_is_said_so() -> None:
    def nowhere(*_: Any, **__: Any) -> Any:
        raise OSError("no such host")

    with pytest.raises(AddressRefused, match="not to be found"):
        resolve(Target("https", "shop.example", 443, "/"), resolver=nowhere)
