"""Each test has a pass with just one fault, and it is the only thing found."""

import pytest

from passes.apple.preflight import Severity
from tests.passes.apple import forge
from tests.passes.apple.forge import png
from tests.passes.apple.preflight.faults import inspect, only


def pictures(**changes: bytes | None) -> dict[str, bytes]:
    """The images, some replaced or taken out; `icon_2x` stands for icon@2x.png."""
    named = {name.replace("_", "@") + ".png": data for name, data in changes.items()}
    return {name: data for name, data in ({**forge.images()} | named).items() if data is not None}


def test_there_is_no_icon() -> None:
    assert only(inspect(forge.pkpass(files=pictures(icon=None)))) == "icon_missing"


def test_the_icon_is_coarse() -> None:
    made = forge.pkpass(files=pictures(icon_2x=None))
    assert only(inspect(made), Severity.WARNING) == "icon_coarse"


@pytest.mark.parametrize(
    "wrong",
    [
        {"icon": png(38, 37)},
        {"icon": png(64, 64)},
        {"icon_2x": png(38, 38)},
        {"logo": png(161, 50)},
        {"logo_2x": png(320, 101)},
        {"strip": png(375, 145)},
        {"strip": png(5000, 5000)},
        {"thumbnail": png(91, 90)},
        {"primaryLogo": png(127, 30)},
        {"artwork": png(358, 449)},
    ],
)
def test_an_image_has_a_wrong_size(wrong: dict[str, bytes]) -> None:
    assert only(inspect(forge.pkpass(files=pictures(**wrong)))) == "image_size"


def test_an_image_in_a_language_folder_is_looked_at_too() -> None:
    files = {**forge.images(), "de.lproj/thumbnail.png": png(200, 50)}
    assert only(inspect(forge.pkpass(files=files))) == "image_size"


def test_a_strip_is_smaller_than_drawn() -> None:
    made = forge.pkpass(files=pictures(strip=png(320, 123)))
    assert only(inspect(made), Severity.WARNING) == "image_small"


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8\xff\xe0JFIF", png(50, 50)[:60], png(50, 50)[:40] + b"x" * 40]
)
def test_an_image_is_no_png(data: bytes) -> None:
    assert only(inspect(forge.pkpass(files=pictures(logo=data)))) == "image_not_png"
