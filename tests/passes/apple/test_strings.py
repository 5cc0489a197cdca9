import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple import strings
from passes.card import CardKind
from passes.errors import BundleError, FaceError
from passes.text import LANGUAGES, text
from tests.passes.apple.forge import look
from tests.passes.faces import EVERYTHING, of_every_kind

scalars = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(scalars, scalars))
def test_what_is_written_is_read_back(table: dict[str, str]) -> None:
    assert strings.read(strings.write(table)) == table


def test_a_table_is_in_utf_16_with_its_mark() -> None:
    assert strings.write({"a": "ā"}) == b"\xfe\xff" + '"a" = "ā";\n'.encode("utf-16-be")


@pytest.mark.parametrize(
    "data",
    [
        b'/* one */ "a" = "b"; // two\n"c"="d";',
        '\ufeff"a" = "b";\n"c" = "d";'.encode("utf-16-le"),
        '"a" = "b"; "c" = "d";'.encode("utf-16-le"),
        '"a" = "b"; "c" = "d";'.encode("utf-16-be"),
        b'\xef\xbb\xbf"a" = "b";\r\na = b; "c" = "\\U0064";',
        b'<?xml version="1.0"?><plist version="1.0"><dict><key>a</key><string>b</string>'
        b"<key>c</key><string>d</string></dict></plist>",
    ],
)
def test_tables_of_others_are_read_as_they_come(data: bytes) -> None:
    assert strings.read(data) == {"a": "b", "c": "d"}


@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda said: said.encode(errors="replace"))
)
def test_anything_else_is_refused(data: bytes) -> None:
    try:
        found = strings.read(data)
    except BundleError as fault:
        assert fault.code == "strings_malformed"
    else:
        assert all(isinstance(said, str) for said in found.values())


def test_a_huge_table_is_refused() -> None:
    with pytest.raises(BundleError):
        strings.read(b" " * (strings.MAX_BYTES + 1))


@pytest.mark.parametrize("kind", CardKind)
def test_every_language_has_every_text(kind: CardKind) -> None:
    files = strings.files(of_every_kind(everything=True)[kind].look)
    assert set(files) == {f"{language}.lproj/pass.strings" for language in LANGUAGES}
    tables = [strings.read(data) for data in files.values()]
    assert all(table.keys() == tables[0].keys() for table in tables)
    assert all(said for table in tables for said in table.values())


def test_two_texts_of_one_key_are_refused() -> None:
    clash = (text({"en": "a"}, "title"), text({"en": "b"}, "title"))
    with pytest.raises(FaceError, match="title"):
        strings.table(look(vocabulary=clash))


def test_the_tables_of_a_design_are_made_once() -> None:
    assert strings.files(look(**EVERYTHING)) is strings.files(look(**EVERYTHING))
