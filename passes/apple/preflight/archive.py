"""The preflight's entry: the archive, its manifest, and then each part in its own module."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography import x509

from passes.apple import bundle, pkpasses
from passes.apple.bundle import MANIFEST, PASS_JSON, SIGNATURE
from passes.apple.preflight.content import check_content, check_unchanged
from passes.apple.preflight.fields import POSTER
from passes.apple.preflight.finding import Finding, error, warning
from passes.apple.preflight.languages import check_languages, read_tables
from passes.apple.preflight.pictures import check_pictures, check_poster_artwork
from passes.apple.preflight.trust import check_signature
from passes.errors import BundleError

_SHA1_DIGITS, _SHA256_DIGITS = 40, 64
_ARCHIVE_CURES = {
    "not_a_zip": "Build the pass anew: a .pkpass is a ZIP archive of its files.",
    "too_large": "Make the images smaller; a pass has a few hundred kilobytes.",
    "too_many_files": "Leave out what the pass does not need.",
    "too_many_passes": "Make several files, of at most 10 passes each.",
    "not_a_pass": "Put nothing but .pkpass files into a .pkpasses.",
    "duplicate_entry": "Write every file once; phones and checkers may read different ones.",
    "path_outside": "Put the files at the top of the archive or in .lproj folders.",
    "bad_name": "Give the file a plain name.",
    "encrypted_entry": "Build the archive without a password.",
    "unknown_packing": "Pack with deflate or not at all.",
}


def inspect(
    data: bytes,
    *,
    now: datetime,
    roots: Sequence[x509.Certificate],
    previous: bytes | None = None,
    nfc_entitled: bool = False,
) -> list[Finding]:
    """Return every fault of the .pkpass or .pkpasses `data`, errors first; [] for a good one.

    `now` is aware; `roots` are the certificates that a phone trusts (Apple's root, or that of
    a development chain). `previous` is an earlier build of the same pass: what must never
    change is compared with it. `nfc_entitled` says that Apple granted the NFC entitlement.
    Nothing is raised for a bad pass, however hostile.
    """
    if pkpasses.holds_passes(data):
        return sorted(_inspect_passes(data, now, roots, nfc_entitled), key=_severity)
    try:
        files = bundle.read(data)
    except BundleError as fault:
        return [_unreadable(fault)]
    findings = [*_check_padding(data), *_check_files(files)]
    content, faults = _json_object(files, PASS_JSON)
    findings += faults
    findings += _check_manifest(files)
    findings += check_pictures(files)
    tables, faults = read_tables(files)
    findings += faults
    findings += check_languages(files, tables)
    if content is not None:
        findings += check_content(content, nfc_entitled=nfc_entitled, tables=tables)
        if POSTER in content:
            findings += check_poster_artwork(files)
        if "personalization.json" in files and not nfc_entitled:
            findings.append(
                error(
                    "nfc_entitlement",
                    "personalization.json",
                    "The pass asks for personalisation, which needs the NFC entitlement.",
                    "Remove personalization.json, or ask Apple for the entitlement.",
                )
            )
        if previous is not None:
            findings += _check_previous(content, previous)
    if SIGNATURE in files and MANIFEST in files:
        findings += check_signature(
            files[SIGNATURE], files[MANIFEST], content or {}, now=now, roots=roots
        )
    return sorted(findings, key=_severity)


def _severity(finding: Finding) -> str:
    return finding.severity


def _unreadable(fault: BundleError) -> Finding:
    return error(fault.code, fault.where or "the file", str(fault), _ARCHIVE_CURES[fault.code])


def _inspect_passes(
    data: bytes, now: datetime, roots: Sequence[x509.Certificate], nfc_entitled: bool
) -> Iterator[Finding]:
    """Each pass of a .pkpasses by itself, then what only several passes can have wrong."""
    try:
        passes = pkpasses.read(data)
    except BundleError as fault:
        yield _unreadable(fault)
        return
    yield from _check_padding(data)
    seen: dict[tuple[str, str], str] = {}
    for name, made in passes.items():
        for finding in inspect(made, now=now, roots=roots, nfc_entitled=nfc_entitled):
            yield replace(finding, where=f"{name}: {finding.where}")
        identity = _identity(made)
        if identity is not None and identity in seen:
            yield error(
                "pass_twice",
                name,
                f"{name} is the same pass as {seen[identity]}: a phone keeps one of them.",
                "Give every pass a serial number of its own.",
            )
        elif identity is not None:
            seen[identity] = name


def _identity(made: bytes) -> tuple[str, str] | None:
    try:
        content, _ = _json_object(bundle.read(made), PASS_JSON)
    except BundleError:
        return None
    if content is None:
        return None
    return str(content.get("passTypeIdentifier")), str(content.get("serialNumber"))


def _check_padding(data: bytes) -> Iterator[Finding]:
    before, after = bundle.padding(data)
    if before or after:
        yield warning(
            "archive_padding",
            "the file",
            f"{before} bytes stand before the archive and {after} after it: no part of the pass.",
            "Hand the archive out as it was written, with nothing put before or after it.",
        )


def _check_files(files: Mapping[str, bytes]) -> Iterator[Finding]:
    for name in (PASS_JSON, MANIFEST, SIGNATURE):
        if name not in files:
            yield error(
                "file_missing",
                name,
                f"{name} is missing.",
                f"Build the pass anew, with {name} at the top of the archive.",
            )


def _json_object(
    files: Mapping[str, bytes], name: str
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """The JSON object in the file `name`, or what is wrong with it; neither if it is missing."""
    if name not in files:
        return None, []
    try:
        found = json.loads(files[name].decode(), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as fault:
        found, reason = None, f"{name} is not JSON in UTF-8: {fault}."
    else:
        reason = f"{name} is not a JSON object."
    if isinstance(found, dict):
        return found, []
    return None, [error("json_malformed", name, reason, f"Write {name} as one JSON object.")]


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")


def _check_manifest(files: Mapping[str, bytes]) -> Iterator[Finding]:
    listed, faults = _json_object(files, MANIFEST)
    yield from faults
    if listed is None:
        return
    if any(isinstance(digest, str) and len(digest) == _SHA256_DIGITS for digest in listed.values()):
        yield error(
            "manifest_not_sha1",
            MANIFEST,
            "The manifest lists SHA-256 hashes; phones expect SHA-1.",
            "List the SHA-1 of every file. (The signature over the manifest stays SHA-256.)",
        )
        return
    for name, digest in listed.items():
        shown = name[:100]
        if name not in files:
            yield error(
                "file_missing",
                shown,
                f"{shown} is in the manifest and not in the archive.",
                f"Add {shown} to the archive or take it out of the manifest, and sign anew.",
            )
        elif digest != hashlib.sha1(files[name], usedforsecurity=False).hexdigest():
            yield error(
                "hash_wrong",
                shown,
                f"The manifest's hash of {shown} is not that of the file.",
                "Make the manifest after the last change of a file, then sign it.",
            )
    for name in files.keys() - listed.keys() - {MANIFEST, SIGNATURE}:
        yield error(
            "file_not_in_manifest",
            name,
            f"{name} is in the archive and not in the manifest.",
            f"Take {name} out of the archive, or list its SHA-1 in the manifest and sign anew.",
        )


def _check_previous(content: dict[str, Any], previous: bytes) -> Iterator[Finding]:
    try:
        before, _ = _json_object(bundle.read(previous), PASS_JSON)
    except BundleError:
        before = None
    if before is None:
        yield error(
            "previous_unreadable",
            "the earlier pass",
            "The earlier pass to compare with cannot be read.",
            "Give the .pkpass file as it was handed out.",
        )
        return
    yield from check_unchanged(content, before)
