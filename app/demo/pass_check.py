"""Whether an iPhone would take a pass, and if not, why: which the phone itself never says.

The signature is verified by `openssl cms`, a witness from outside; the rest follows Apple's
"Wallet Passes" documentation. This is on purpose written apart from `passes.apple`.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import NameOID
from PIL import Image, UnidentifiedImageError

STYLES = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
FIELD_GROUPS = (
    "headerFields",
    "primaryFields",
    "secondaryFields",
    "auxiliaryFields",
    "backFields",
)
_REQUIRED = (
    "passTypeIdentifier",
    "serialNumber",
    "teamIdentifier",
    "organizationName",
    "description",
)
_MOST_BYTES = 20 * 1024 * 1024
_MOST_ENTRIES = 200
_NAME = re.compile(r"([A-Za-z0-9-]+\.lproj/)?[A-Za-z0-9@._-]+", re.ASCII)
_COLOUR = re.compile(r"rgb\( *(\d{1,3}) *, *(\d{1,3}) *, *(\d{1,3}) *\)", re.ASCII)
# W3C's profile of ISO 8601 with seconds at most: fractions make iOS refuse the pass.
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?", re.ASCII)
_FORMATS = tuple(f"PKBarcodeFormat{name}" for name in ("QR", "PDF417", "Aztec", "Code128"))
_ID_DATA = bytes.fromhex("06092a864886f70d010701")
_SIGNING_TIME = bytes.fromhex("06092a864886f70d010905")
_CONTEXT_0 = 0xA0
_OPENSSL_SECONDS = 20


class PassRefused(Exception):
    """The phone does not take the pass; the text says why."""


@dataclass(frozen=True, slots=True)
class CheckedPass:
    """A pass that was taken: its file, what is in it, and its pass.json."""

    data: bytes
    files: Mapping[str, bytes]
    content: Mapping[str, Any]

    @property
    def style(self) -> Mapping[str, Any]:
        """The dictionary of the pass's one style."""
        [name] = [name for name in STYLES if name in self.content]
        found: Mapping[str, Any] = self.content[name]
        return found

    def said(self, text: str, language: str = "en") -> str:
        """A text of the pass as a phone of that language shows it: words for a key it knows."""
        table = self.files.get(f"{language}.lproj/pass.strings")
        return text if table is None else _strings(table).get(text, text)

    def fields(self) -> dict[str, Mapping[str, Any]]:
        """Every field by its key, front and back."""
        return {
            field["key"]: field for group in FIELD_GROUPS for field in self.style.get(group, ())
        }


def check_pass(data: bytes, root_pem: Path, now: datetime) -> CheckedPass:
    """Return the pass in `data` if a phone that trusts `root_pem` would take it at `now`.

    Raises PassRefused with the first thing that is wrong.
    """
    files = _unpack(data)
    _check_manifest(files)
    signer = _check_signature(files, root_pem, now)
    content = _parse(files["pass.json"])
    _check_identity(content, signer)
    _check_content(content)
    _check_service(content)
    _check_images(files)
    return CheckedPass(data, files, content)


def _unpack(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            names = [entry.filename for entry in entries]
            if len(names) != len(set(names)):
                raise PassRefused("two entries have one name")
            if len(names) > _MOST_ENTRIES or sum(e.file_size for e in entries) > _MOST_BYTES:
                raise PassRefused("the archive is too large")
            for name in names:
                if not _NAME.fullmatch(name) or ".." in name:
                    raise PassRefused(f"{name!r} is no name of a file in a pass")
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise PassRefused(f"not a zip archive: {error}") from None
    for name in ("pass.json", "manifest.json", "signature", "icon.png"):
        if name not in files:
            raise PassRefused(f"{name} is missing")
    return files


def _check_manifest(files: Mapping[str, bytes]) -> None:
    listed = _parse(files["manifest.json"])
    carried = set(files) - {"manifest.json", "signature"}
    if extra := carried - set(listed):
        raise PassRefused(f"not in the manifest: {', '.join(sorted(extra))}")
    if missing := set(listed) - carried:
        raise PassRefused(f"in the manifest but missing: {', '.join(sorted(missing))}")
    for name in carried:
        if hashlib.sha1(files[name], usedforsecurity=False).hexdigest() != listed[name]:
            raise PassRefused(f"the SHA-1 of {name} is not that of the manifest")


def _check_signature(files: Mapping[str, bytes], root_pem: Path, now: datetime) -> x509.Certificate:
    """Have openssl verify the signature; return the certificate that signed."""
    signature = files["signature"]
    _check_cms(signature)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "signature").write_bytes(signature)
        (place / "manifest.json").write_bytes(files["manifest.json"])
        (place / "none").mkdir()
        command = [
            "openssl", "cms", "-verify", "-binary", "-inform", "DER",
            "-in", str(place / "signature"), "-content", str(place / "manifest.json"),
            "-CAfile", str(root_pem), "-purpose", "any", "-attime", str(int(now.timestamp())),
            "-signer", str(place / "signer.pem"), "-out", str(place / "out"),
        ]  # fmt: skip
        # The machine's own roots are not the phone's.
        environment = os.environ | {
            "SSL_CERT_DIR": str(place / "none"),
            "SSL_CERT_FILE": str(root_pem),
        }
        try:
            ran = subprocess.run(  # noqa: S603 - our own words and paths
                command, capture_output=True, env=environment, timeout=_OPENSSL_SECONDS, check=False
            )
        except FileNotFoundError:
            raise PassRefused("openssl is not installed: install it to check signatures") from None
        if ran.returncode != 0:
            said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            raise PassRefused(f"openssl: {said[-1] if said else 'verification failed'}")
        return x509.load_pem_x509_certificate((place / "signer.pem").read_bytes())


def _check_cms(signature: bytes) -> None:
    """What openssl forgives in a CMS (RFC 5652) and a phone does not."""
    try:
        [(_, _, content_info)] = _der(signature)
        [_, (_, _, explicit)] = _der(content_info)
        [(_, _, signed_data)] = _der(explicit)
        parts = _der(signed_data)
        encapsulated, signers = parts[2][2], _der(parts[-1][2])
        attributes = [
            [raw for _, raw, _ in _der(content)]
            for _, _, signer in signers
            for tag, _, content in _der(signer)
            if tag == _CONTEXT_0
        ]
    except (ValueError, IndexError):
        raise PassRefused("the signature is not a CMS in DER") from None
    if encapsulated != _ID_DATA:
        raise PassRefused("the signature is not detached")
    if len(signers) != 1 or len(attributes) != 1:
        raise PassRefused("the signature has not exactly one signer with signed attributes")
    if not any(_SIGNING_TIME in attribute for attribute in attributes[0]):
        raise PassRefused("the signature has no signingTime")
    if attributes[0] != sorted(attributes[0]):
        raise PassRefused("the signed attributes are out of DER order")


def _der(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """The elements side by side in `data`: tag, whole encoding, content. Raises ValueError."""
    found = []
    at = 0
    while at < len(data):
        length, start = data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length = int.from_bytes(data[start : start + count], "big")
            start += count
        end = start + length
        if end > len(data):
            raise ValueError("cut short")
        found.append((data[at], data[at:end], data[start:end]))
        at = end
    return found


def _check_identity(content: Mapping[str, Any], signer: x509.Certificate) -> None:
    for field, oid, word in (
        ("passTypeIdentifier", NameOID.USER_ID, "UID"),
        ("teamIdentifier", NameOID.ORGANIZATIONAL_UNIT_NAME, "OU"),
    ):
        held = [str(item.value) for item in signer.subject.get_attributes_for_oid(oid)]
        if held != [content.get(field)]:
            raise PassRefused(
                f"{field} is {content.get(field)!r}, the certificate's {word} is {held}"
            )


def _check_content(content: Mapping[str, Any]) -> None:
    if content.get("formatVersion") != 1:
        raise PassRefused("formatVersion is not 1")
    for name in _REQUIRED:
        if not isinstance(content.get(name), str) or not content[name]:
            raise PassRefused(f"{name} is missing or not text")
    styles = [name for name in STYLES if name in content]
    if len(styles) != 1 or not isinstance(content[styles[0]], dict):
        raise PassRefused(f"a pass has exactly one style, not {styles}")
    for name in ("backgroundColor", "foregroundColor", "labelColor"):
        if name in content:
            found = _COLOUR.fullmatch(str(content[name]))
            if found is None or any(int(part) > 255 for part in found.groups()):
                raise PassRefused(f"{name} is not rgb(r, g, b)")
    for name in ("expirationDate", "relevantDate"):
        if name in content and not _DATE.fullmatch(str(content[name])):
            raise PassRefused(f"{name} is not an ISO 8601 date without fractions of a second")
    for name in ("locations", "beacons"):
        if len(content.get(name, ())) > 10:
            raise PassRefused(f"more than 10 {name}")
    if "nfc" in content:
        raise PassRefused("nfc without the entitlement")
    if not isinstance(content.get("voided", False), bool):
        raise PassRefused("voided is not true or false")
    _check_fields(content[styles[0]])
    _check_barcodes(content.get("barcodes", []))


def _check_fields(style: Mapping[str, Any]) -> None:
    keys: set[str] = set()
    for group in FIELD_GROUPS:
        fields = style.get(group, [])
        if not isinstance(fields, list):
            raise PassRefused(f"{group} is not a list")
        for field in fields:
            key = field.get("key") if isinstance(field, dict) else None
            if not isinstance(key, str) or key in keys:
                raise PassRefused(f"a field of {group} has no key or one that is taken: {key!r}")
            keys.add(key)
            value = field.get("value")
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                raise PassRefused(f"the field {key} has no value")
            for name in ("label", "changeMessage"):
                if name in field and not isinstance(field[name], str):
                    raise PassRefused(f"{name} of the field {key} is not text")
            is_date = "dateStyle" in field or "timeStyle" in field
            if is_date and not _DATE.fullmatch(str(value)):
                raise PassRefused(f"the field {key} is not a date without fractions of a second")


def _check_barcodes(barcodes: object) -> None:
    if not isinstance(barcodes, list):
        raise PassRefused("barcodes is not a list")
    for barcode in barcodes:
        if not isinstance(barcode, dict) or barcode.get("format") not in _FORMATS:
            raise PassRefused("a barcode's format is not one of Apple's")
        message, encoding = barcode.get("message"), barcode.get("messageEncoding")
        try:
            str(encoding).encode("ascii")
            written = isinstance(message, str) and message.encode(str(encoding))
        except (LookupError, UnicodeError):
            written = b""
        if not written:
            raise PassRefused("a barcode's message is missing or not in its messageEncoding")


def _check_service(content: Mapping[str, Any]) -> None:
    url, token = content.get("webServiceURL"), content.get("authenticationToken")
    if url is None and token is None:
        return
    if not isinstance(token, str) or len(token) < 16:
        raise PassRefused("authenticationToken has fewer than 16 characters")
    parts = urlsplit(str(url))
    # Plain http is what "Allow HTTP Services" in the phone's developer settings is for.
    is_near = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or is_near):
        raise PassRefused("webServiceURL is not https")


def _check_images(files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        if not name.endswith(".png"):
            continue
        try:
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                image.verify()
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
            raise PassRefused(f"{name} is not a PNG picture") from None


_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"\s*=\s*"((?:[^"\\]|\\.)*)"\s*;', re.DOTALL)


@functools.cache
def _strings(table: bytes) -> Mapping[str, str]:
    """The lines of a pass.strings: in UTF-16 where it has a byte order mark, else in UTF-8."""
    is_wide = table[:2] in (b"\xfe\xff", b"\xff\xfe")
    found = _STRING.findall(table.decode("utf-16" if is_wide else "utf-8"))
    return {_plain(key): _plain(words) for key, words in found}


def _plain(written: str) -> str:
    return re.sub(r"\\(.)", lambda mark: {"n": "\n", "t": "\t"}.get(mark[1], mark[1]), written)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        found: Any = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PassRefused(f"broken JSON: {error}") from None
    if not isinstance(found, dict):
        raise PassRefused("a JSON file of the pass is not an object")
    return found
