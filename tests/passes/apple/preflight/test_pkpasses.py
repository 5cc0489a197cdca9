"""Several passes in one file: each is inspected, and what only several can have wrong."""

import io
import zipfile

import pytest

from passes.apple import pkpasses
from tests.passes.apple import forge
from tests.passes.apple.preflight.faults import inspect, only


def card(number: int) -> bytes:
    return forge.pkpass(forge.content(forge.face(serial_number=f"card {number}")))


def zipped(*entries: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return out.getvalue()


def test_a_familys_passes_have_no_fault() -> None:
    assert inspect(pkpasses.write([card(1), card(2)])) == []


def test_a_fault_of_one_pass_says_whose_it_is() -> None:
    bad = forge.pkpass(forge.content() | {"formatVersion": 2})
    found = inspect(pkpasses.write([card(1), bad]))
    assert only(found) == "format_version"
    assert found[0].where == "pass02.pkpass: formatVersion"


def test_the_same_pass_twice() -> None:
    assert only(inspect(pkpasses.write([card(1), card(1)]))) == "pass_twice"


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ([(f"{number}.pkpass", b"") for number in range(11)], "too_many_passes"),
        ([("a.pkpass", b""), ("readme.txt", b"")], "not_a_pass"),
        ([("../a.pkpass", b"")], "path_outside"),
    ],
)
def test_the_file_holds_what_no_phone_takes(entries: list[tuple[str, bytes]], code: str) -> None:
    assert only(inspect(zipped(*entries))) == code


def test_what_is_called_a_pass_and_is_none() -> None:
    found = inspect(zipped(("a.pkpass", b"nothing")))
    assert only(found) == "not_a_zip"
    assert found[0].where == "a.pkpass: the file"
