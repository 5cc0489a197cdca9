import hashlib
import io
import json
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import bundle, pass_json
from passes.apple.bundle import PassTemplate
from passes.errors import BundleError
from tests.passes import certificates
from tests.passes.apple import forge
from tests.passes.apple.test_signature import openssl_verifies
from tests.passes.certificates import NOW

CONTENT = pass_json.to_bytes(forge.content())


def build(kind: str = "rsa", images: dict[str, bytes] | None = None) -> bytes:
    template = PassTemplate(forge.images() if images is None else images)
    return template.build(CONTENT, certificates.signer(kind), NOW)


def refusal(data: bytes) -> str:
    with pytest.raises(BundleError) as caught:
        bundle.read(data)
    assert str(caught.value)
    return caught.value.code


def zipped(*entries: tuple[str, bytes]) -> bytes:
    return forge.pkpass(archive=lambda _: entries)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_verifies_a_built_pass(kind: str, tmp_path: Path) -> None:
    files = bundle.read(build(kind))
    assert openssl_verifies(tmp_path, files["signature"], files["manifest.json"])


def test_the_manifest_lists_the_sha_1_of_every_other_file() -> None:
    files = bundle.read(build())
    listed = json.loads(files["manifest.json"])
    assert listed == {
        name: hashlib.sha1(data, usedforsecurity=False).hexdigest()
        for name, data in files.items()
        if name not in ("manifest.json", "signature")
    }
    assert listed.keys() == {*forge.images(), "pass.json"}


def test_another_reader_finds_the_archive_as_it_was_written() -> None:
    images = {"icon.png": b"a" * 5000, "de.lproj/pass.strings": b'"a" = "\xc3\xa4";', "ä.png": b""}
    data = build(images=images)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*images, "pass.json", "manifest.json", "signature"]
        assert {name: archive.read(name) for name in images} == images
        assert archive.read("pass.json") == CONTENT
    assert bundle.read(data) | images == bundle.read(data)


def test_one_template_builds_many_passes() -> None:
    template = PassTemplate(forge.images())
    signer = certificates.signer()
    for number in range(3):
        content = pass_json.to_bytes(forge.content(forge.face(balance=number)))
        files = bundle.read(template.build(content, signer, NOW))
        assert files["pass.json"] == content
        assert json.loads(files["manifest.json"])["pass.json"] == forge.sha1(content)


def test_equal_passes_are_equal_bytes() -> None:
    assert build() == build()


def test_a_file_that_deflates_is_deflated_and_another_is_not() -> None:
    noise = hashlib.shake_256(b"noise").digest(5000)
    with zipfile.ZipFile(io.BytesIO(build(images={"a.png": b"a" * 5000, "b.png": noise}))) as made:
        assert made.getinfo("a.png").compress_size < 100
        assert made.getinfo("b.png").compress_size == 5000


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(@2x)?\.png", fullmatch=True), st.binary()))
def test_what_is_built_is_read_back(images: dict[str, bytes]) -> None:
    files = bundle.read(build("ec", images))
    assert {name: files[name] for name in images} == images
    assert files.keys() == {*images, "pass.json", "manifest.json", "signature"}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pass.json", "reserved_name"),
        ("manifest.json", "reserved_name"),
        ("signature", "reserved_name"),
        ("../icon.png", "path_outside"),
        ("/icon.png", "path_outside"),
        ("a//b.png", "path_outside"),
        ("./icon.png", "path_outside"),
        ("C:/icon.png", "path_outside"),
        ("..\\icon.png", "path_outside"),
        ("", "bad_name"),
        ("a\n.png", "bad_name"),
        ("a" * 256, "bad_name"),
    ],
)
def test_a_name_that_a_design_may_not_use_is_refused(name: str, code: str) -> None:
    with pytest.raises(BundleError) as caught:
        PassTemplate({name: b""})
    assert caught.value.code == code


def test_a_design_of_too_many_or_too_large_files_is_refused() -> None:
    with pytest.raises(BundleError) as caught:
        PassTemplate({f"{number}.png": b"" for number in range(198)})
    assert caught.value.code == "too_many_files"
    with pytest.raises(BundleError) as caught:
        PassTemplate({"a.png": bytes(bundle.MAX_BYTES + 1)})
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "a\\b", "C:x"])
def test_an_archive_that_leads_outside_is_refused(name: str) -> None:
    assert refusal(zipped((name, b""))) == "path_outside"


def test_two_files_of_one_name_are_refused() -> None:
    assert refusal(zipped(("a", b"1"), ("a", b"2"))) == "duplicate_entry"


def test_too_many_files_are_refused() -> None:
    assert refusal(zipped(*((f"f{number}", b"") for number in range(201)))) == "too_many_files"


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    assert refusal(zipped(("a", bytes(bundle.MAX_BYTES + 1)))) == "too_large"
    halves = (("a", bytes(bundle.MAX_BYTES // 2 + 1)), ("b", bytes(bundle.MAX_BYTES // 2 + 1)))
    assert refusal(zipped(*halves)) == "too_large"
    assert refusal(bytes(bundle.MAX_BYTES + 1)) == "too_large"


def test_a_bomb_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(zipped(("a", bytes(1_000_000))))
    true_size = struct.pack("<I", 1_000_000)
    lying = bytes(data).replace(true_size, struct.pack("<I", 10))
    assert refusal(lying) == "not_a_zip"


def test_an_encrypted_or_oddly_packed_file_is_refused() -> None:
    data = bytearray(zipped(("a", b"text")))
    central = data.rindex(b"PK\x01\x02")
    data[central + 8] |= 1
    assert refusal(bytes(data)) == "encrypted_entry"
    data[central + 8] &= 0xFE
    data[central + 10] = 12
    assert refusal(bytes(data)) == "unknown_packing"


def test_folders_are_left_out() -> None:
    assert bundle.read(zipped(("de.lproj/", b""), ("de.lproj/a", b"x"))) == {"de.lproj/a": b"x"}


@pytest.mark.parametrize("data", [b"", b"PK", b"%PDF-1.7", b"PK\x05\x06" + bytes(17)])
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    assert refusal(data) == "not_a_zip"


SMALL = build("ec", {"icon.png": b"a" * 300})


@given(
    st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, len(SMALL)),
)
def test_a_damaged_archive_is_refused_or_read_within_bounds(
    changes: list[tuple[int, int]], end: int | None
) -> None:
    damaged = bytearray(SMALL)
    for at, value in changes:
        damaged[at] = value
    try:
        files = bundle.read(bytes(damaged[:end]))
    except BundleError:
        return
    assert sum(map(len, files.values())) <= bundle.MAX_BYTES
