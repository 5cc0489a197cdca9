"""As much of ASN.1 as a CMS signature needs: DER out (X.690), DER and long-form BER in."""

from __future__ import annotations

from dataclasses import dataclass

from passes.errors import SignatureError

INTEGER, OCTET_STRING, NULL, OID = 0x02, 0x04, 0x05, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
CONTEXT_0, CONTEXT_1 = 0xA0, 0xA1

_MAX_DEPTH = 24


def header(tag: int, length: int) -> bytes:
    """Return the tag and length octets before `length` bytes of content."""
    if length < 0x80:
        return bytes((tag, length))
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big")


def value(tag: int, *contents: bytes) -> bytes:
    """Return one value: `contents`, joined, under `tag`."""
    content = b"".join(contents)
    return header(tag, len(content)) + content


def sorted_set(tag: int, members: list[bytes]) -> bytes:
    """Return a SET OF under `tag`, its encoded members in the ascending order DER demands."""
    return value(tag, *sorted(members))


def oid(dotted: str) -> bytes:
    """Return an object identifier such as "1.2.840.113549" as a DER value."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = bytearray()
    for number in (40 * first + second, *rest):
        groups = [number & 0x7F]
        while number := number >> 7:
            groups.append(0x80 | number & 0x7F)
        content += bytes(reversed(groups))
    return value(OID, bytes(content))


@dataclass(frozen=True, slots=True)
class Node:
    """One value read: its tag, its content octets, and the whole of it as it stood."""

    tag: int
    content: bytes
    encoded: bytes

    def children(self) -> list[Node]:
        """Return the values inside. Raises SignatureError where they do not fill the content."""
        return read_all(self.content)

    def text(self) -> bytes:
        """Return the octets of a string, joined where BER cut it into pieces."""
        if self.tag & 0x20:
            return b"".join(child.content for child in self.children())
        return self.content


def read_all(data: bytes) -> list[Node]:
    """Return the values that lie one after another in `data`. Raises SignatureError."""
    nodes: list[Node] = []
    at = 0
    while at < len(data):
        node, at = _read(data, at, 0)
        nodes.append(node)
    return nodes


def read_one(data: bytes) -> Node:
    """Return the one value that `data` is. Raises SignatureError for anything else."""
    nodes = read_all(data)
    if len(nodes) != 1:
        raise SignatureError("The signature is not one ASN.1 value.")
    return nodes[0]


def _read(data: bytes, start: int, depth: int) -> tuple[Node, int]:
    if depth > _MAX_DEPTH:
        raise SignatureError("The signature is nested absurdly deep.")
    if len(data) - start < 2:
        raise SignatureError("The signature breaks off.")
    tag, length, at = data[start], data[start + 1], start + 2
    if tag & 0x1F == 0x1F:
        raise SignatureError("The signature has a tag that no CMS has.")
    if length == 0x80:
        return _read_indefinite(data, start, at, tag, depth)
    if length > 0x80:
        size = length & 0x7F
        if size > 4 or len(data) - at < size:
            raise SignatureError("The signature has an impossible length.")
        length, at = int.from_bytes(data[at : at + size], "big"), at + size
    if len(data) - at < length:
        raise SignatureError("The signature breaks off.")
    return Node(tag, data[at : at + length], data[start : at + length]), at + length


def _read_indefinite(data: bytes, start: int, at: int, tag: int, depth: int) -> tuple[Node, int]:
    """Read on to the end-of-contents octets, as streaming signers write it."""
    if not tag & 0x20:
        raise SignatureError("The signature has a length that its kind cannot have.")
    begin = at
    while data[at : at + 2] != b"\0\0":
        _, at = _read(data, at, depth + 1)
    return Node(tag, data[begin:at], data[start : at + 2]), at + 2
