"""Each test has a pass with just one fault, and it is the only thing found."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import bundle, pass_json, pkpasses
from passes.apple.bundle import PassTemplate
from passes.apple.design import Designs
from passes.apple.preflight import Finding, Severity
from passes.card import CardKind, CardStatus
from passes.extras import Link
from tests.passes import certificates
from tests.passes.apple import forge
from tests.passes.apple.preflight.faults import changed, inspect, only
from tests.passes.certificates import NOW
from tests.passes.faces import of_every_kind


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize(
    "face",
    [
        {},
        {"status": CardStatus.BLOCKED, "balance": -5, "language": "ru"},
        {
            "member_name": "Ādams",
            "tier": "Gold",
            "pending": 7,
            "message": "New roast",
            "links": (Link("Shop", "https://example.com"), Link("Help", "https://example.org")),
        },
    ],
)
def test_a_pass_of_ours_has_no_fault(kind: str, face: dict[str, Any]) -> None:
    content = pass_json.to_bytes(forge.content(forge.face(**face)))
    made = PassTemplate(forge.images()).build(content, certificates.signer(kind), NOW)
    assert inspect(made) == []


@pytest.mark.parametrize("everything", [True, False])
@pytest.mark.parametrize("kind", CardKind)
def test_a_pass_of_every_kind_has_no_fault(kind: CardKind, everything: bool) -> None:
    card = of_every_kind(everything=everything)[kind]
    content = pass_json.to_bytes(forge.content(card))
    assert inspect(Designs().of(card).build(content, certificates.signer(), NOW)) == []


def test_a_pass_made_the_slow_way_has_no_fault_either() -> None:
    assert inspect(forge.pkpass()) == []
    assert inspect(forge.pkpass(signature=lambda made: forge.cms(forge.attributes(made)))) == []


def test_what_a_pass_may_have_besides_is_no_fault() -> None:
    content = changed(
        userInfo={"anything": [1, {"goes": None}]},
        relevantDates=[{"startDate": "2026-11-23T09:00Z", "endDate": "2026-11-23T17:30:00+02:00"}],
        locations=[{"latitude": 56.9, "longitude": 24, "relevantText": "Beans nearby"}] * 10,
        sharingProhibited=True,
        expirationDate="2027-11-23T00:00:00Z",
    )
    assert inspect(forge.pkpass(content)) == []


@pytest.mark.parametrize(
    ("archive", "code"),
    [
        (lambda held: [*held.items(), ("icon.png", b"")], "duplicate_entry"),
        (lambda held: [*held.items(), ("../icon.png", b"")], "path_outside"),
        (lambda held: [*held.items(), ("big", bytes(bundle.MAX_BYTES))], "too_large"),
        (lambda held: [*held.items(), *((f"{n}", b"") for n in range(200))], "too_many_files"),
    ],
)
def test_an_archive_that_a_phone_does_not_unpack(
    archive: Callable[[dict[str, bytes]], Any], code: str
) -> None:
    assert only(inspect(forge.pkpass(archive=archive))) == code


@pytest.mark.parametrize(
    ("before", "after"), [(b"<?php", b""), (b"", b"\n"), (b"GIF89a", b"PK"), (b"", bytes(40))]
)
def test_what_stands_around_the_archive_is_told(before: bytes, after: bytes) -> None:
    for made in (forge.pkpass(), pkpasses.write([forge.pkpass()])):
        found = inspect(before + made + after)
        assert only(found, Severity.WARNING) == "archive_padding"
        assert f"{len(before)} bytes stand before the archive and {len(after)} after" in (
            found[0].message
        )


def test_a_comment_is_part_of_the_archive() -> None:
    made = forge.pkpass()
    assert inspect(made[:-2] + b"\x05\0hello") == []


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04" + bytes(100)])
def test_what_is_not_a_zip(data: bytes) -> None:
    assert only(inspect(data)) == "not_a_zip"


@pytest.mark.parametrize("name", ["pass.json", "manifest.json", "signature", "logo.png"])
def test_a_file_is_missing(name: str) -> None:
    made = forge.pkpass(archive=lambda held: [item for item in held.items() if item[0] != name])
    assert {finding.code for finding in inspect(made)} == {"file_missing"}
    assert {finding.where for finding in inspect(made)} == {name}


def test_a_file_is_not_in_the_manifest() -> None:
    made = forge.pkpass(archive=lambda held: [*held.items(), (".DS_Store", b"x")])
    assert only(inspect(made)) == "file_not_in_manifest"


def test_a_hash_is_wrong() -> None:
    made = forge.pkpass(manifest=lambda listed: listed | {"logo.png": "0" * 40})
    assert only(inspect(made)) == "hash_wrong"


def test_the_manifest_is_of_sha_256() -> None:
    made = forge.pkpass(hashed=lambda data: hashlib.sha256(data).hexdigest())
    assert only(inspect(made)) == "manifest_not_sha1"


@pytest.mark.parametrize("manifest", [lambda _: [], lambda _: None, lambda _: "x"])
def test_the_manifest_is_no_object(manifest: Callable[[dict[str, str]], object]) -> None:
    assert only(inspect(forge.pkpass(manifest=manifest))) == "json_malformed"


@pytest.mark.parametrize(
    "described",
    [b"", b"{", b"[]", b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b"[" * 100_000, b'{"a":NaN}', b"\xff"],
)
def test_pass_json_is_not_json(described: bytes) -> None:
    assert only(inspect(forge.pkpass(described))) == "json_malformed"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*forge.content(), "coupon", "nfc", "locations", "barcode"]),
                       json_values))  # fmt: skip
def test_no_content_breaks_the_inspection(changes: dict[str, Any]) -> None:
    try:
        described = pass_json.to_bytes(forge.content() | changes)
    except (UnicodeEncodeError, ValueError):
        return
    assert all(isinstance(finding, Finding) for finding in inspect(forge.pkpass(described)))


def test_errors_come_before_warnings() -> None:
    made = forge.pkpass(changed(backgroundColor="#3b2314", labelColor="red"))
    assert [finding.severity for finding in inspect(made)] == ["error", "warning"]


@pytest.mark.parametrize(
    "odd", ["\\ud800k", "\\u001b]0;owned\\u0007", "k\\nerror: forged", "\\u202e"]
)
def test_what_a_stranger_wrote_is_told_in_printable_text(odd: str) -> None:
    described = pass_json.to_bytes(forge.content())[:-1] + b',"%b":1}' % odd.encode()
    manifest = b'{"%b":"0"}' % odd.encode()
    with_both = forge.pkpass(
        described, archive=lambda held: (held | {"manifest.json": manifest}).items()
    )
    findings = inspect(with_both)
    assert {"key_unknown", "file_missing"} <= {finding.code for finding in findings}
    for finding in findings:
        assert (finding.where + finding.message + finding.cure).isprintable(), finding
        (finding.where + finding.message + finding.cure).encode()
