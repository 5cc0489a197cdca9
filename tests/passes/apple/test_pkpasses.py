import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import pkpasses
from passes.errors import BundleError
from tests.passes.apple import forge


def refusal(data: bytes) -> str:
    with pytest.raises(BundleError) as caught:
        pkpasses.read(data)
    assert str(caught.value)
    return caught.value.code


def zipped(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def test_another_reader_finds_the_passes_as_they_were() -> None:
    passes = [forge.pkpass(), forge.pkpass(forge.content(forge.face(serial_number="two")))]
    data = pkpasses.write(passes)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["pass01.pkpass", "pass02.pkpass"]
        assert [archive.read(name) for name in archive.namelist()] == passes
    assert list(pkpasses.read(data).values()) == passes
    assert pkpasses.write(passes) == data


@pytest.mark.parametrize("count", [0, 11])
def test_none_or_more_than_ten_are_refused(count: int) -> None:
    with pytest.raises(BundleError) as caught:
        pkpasses.write([b"x"] * count)
    assert caught.value.code == "too_many_passes"


def test_more_than_phones_take_is_refused() -> None:
    half = bytes(pkpasses.MAX_BYTES // 2)
    with pytest.raises(BundleError) as caught:
        pkpasses.write([half, half])
    assert caught.value.code == "too_large"
    assert refusal(bytes(pkpasses.MAX_BYTES + 1)) == "too_large"


def test_a_bomb_is_refused() -> None:
    assert refusal(zipped(("a.pkpass", bytes(pkpasses.MAX_BYTES + 1)))) == "too_large"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([(f"{number}.pkpass", b"") for number in range(11)], "too_many_passes"),
        ([("a.pkpass", b""), ("b.txt", b"")], "not_a_pass"),
        ([("a/../../b.pkpass", b"")], "path_outside"),
    ],
)
def test_what_is_no_set_of_passes_is_refused(entries: list[tuple[str, bytes]], code: str) -> None:
    assert refusal(zipped(*entries)) == code


def test_a_directory_of_a_million_entries_costs_nothing() -> None:
    assert refusal(b"PK\x01\x02" * 100_000) == "too_many_files"
    assert not pkpasses.holds_passes(b"PK\x01\x02" * 100_000)


def test_one_pass_is_no_set_of_passes() -> None:
    assert not pkpasses.holds_passes(forge.pkpass())
    assert pkpasses.holds_passes(pkpasses.write([forge.pkpass()]))


@given(st.binary(max_size=200))
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    assert refusal(data) == "not_a_zip"
    assert not pkpasses.holds_passes(data)
