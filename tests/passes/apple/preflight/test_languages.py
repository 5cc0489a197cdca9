"""Each test has a pass with just one fault, and it is the only thing found."""

import pytest

from passes.apple import strings
from passes.apple.preflight import Severity
from tests.passes.apple import forge
from tests.passes.apple.preflight.faults import changed, inspect, only

GERMAN = "de.lproj/pass.strings"


def with_table(name: str, data: bytes) -> bytes:
    return forge.pkpass(files={**forge.images(), name: data})


def german(**changes: str | None) -> bytes:
    """The German table, with texts changed or taken out."""
    table = strings.read(forge.images()[GERMAN]) | changes
    return strings.write({key: said for key, said in table.items() if said is not None})


def test_a_text_is_missing_in_one_language() -> None:
    made = with_table(GERMAN, german(**{"label.tier": None}))
    assert only(inspect(made), Severity.WARNING) == "string_missing"
    [found] = inspect(made)
    assert "'label.tier'" in found.message
    assert found.where == GERMAN


@pytest.mark.parametrize(
    "data",
    [b'"a" = "b"', b'"a" "b";', b"= ;", b"\xff\xff\xff", b'"a" = "b', b"bplist00x", b"<?xml", b"{"],
)
def test_a_table_of_strings_cannot_be_read(data: bytes) -> None:
    assert only(inspect(with_table("fr.lproj/pass.strings", data))) == "strings_malformed"


def test_a_table_of_strings_in_utf_8_is_forgiven_where_it_has_more_than_ascii() -> None:
    table = strings.read(forge.images()[GERMAN])
    lines = "".join(f'"{key}" = "{said}";\n' for key, said in table.items())
    assert only(inspect(with_table(GERMAN, lines.encode())), Severity.WARNING) == "strings_utf8"


def test_a_folder_is_named_by_no_language() -> None:
    made = with_table("deutsch.lproj/thumbnail.png", forge.png(90, 90))
    assert only(inspect(made), Severity.WARNING) == "language_unknown"


@pytest.mark.parametrize("name", ["zh-Hans", "pt-BR", "en_GB", "Base", "German"])
def test_a_folder_may_name_a_script_a_region_or_an_old_name(name: str) -> None:
    assert inspect(with_table(f"{name}.lproj/thumbnail.png", forge.png(90, 90))) == []


def test_a_picture_at_the_top_hides_that_of_a_language() -> None:
    made = with_table("de.lproj/logo.png", forge.png(50, 50))
    assert only(inspect(made), Severity.WARNING) == "image_hides_localised"


def test_a_change_message_has_its_value_in_every_language() -> None:
    good = {"key": "a", "value": 1, "changeMessage": "label.tier.now"}
    content = changed(storeCard={"headerFields": [good]})
    assert inspect(forge.pkpass(content)) == []
    files = {**forge.images(), GERMAN: german(**{"label.tier.now": "Neue Stufe"})}
    made = forge.pkpass(content, files=files)
    assert only(inspect(made), Severity.WARNING) == "change_message_without_value"
