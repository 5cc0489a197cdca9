"""Colours that can be read, and the nearest that can where they cannot."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.designer.contrast import SHAPE, TEXT, judged, mixed, nearest, ratio

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        # Published pairs: WCAG's own limits, and the greys that guides name.
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.00),
        ("#0000ff", "#ffffff", 8.59),
    ],
)
def test_the_ratio_is_wcags(one: str, other: str, wanted: float) -> None:
    assert ratio(one, other) == pytest.approx(wanted, abs=0.005)
    assert ratio(other, one) == ratio(one, other)


@given(colours, colours, st.sampled_from([TEXT, SHAPE]))
def test_what_is_offered_can_be_read_and_nothing_readable_is_changed(
    text: str, ground: str, least: float
) -> None:
    found = judged(text, ground, least)
    assert found.passes == (ratio(text, ground) >= least)
    if found.passes:
        assert nearest(text, ground, least) == text
        return
    assert found.text is not None and found.ground is not None
    assert ratio(found.text, ground) >= least
    assert ratio(text, found.ground) >= least


@given(colours, colours)
def test_what_is_offered_is_not_needlessly_far(text: str, ground: str) -> None:
    """Going the way from the colour to black or white, none that passes lies much before it."""
    offered = nearest(text, ground)
    if offered == text:
        return
    ends = ("#000000", "#ffffff")
    straight = [mixed(text, end, step / 200) for end in ends for step in range(201)]
    passing = [each for each in straight if ratio(each, ground) >= TEXT]
    assert passing, "black or white can be read on anything"
    # No farther in brightness than the last resort on that way.
    assert abs(ratio(offered, ground) - TEXT) <= max(ratio(end, ground) for end in ends) - TEXT + 1


def test_the_hue_of_a_brand_is_kept() -> None:
    offered = nearest("#3399ff", "#ffffff")
    red, green, blue = (int(offered[at : at + 2], 16) for at in (1, 3, 5))
    assert blue > green > red and offered not in ("#000000", "#3399ff")
    assert ratio(offered, "#ffffff") < 4.8, "it is only just dark enough"
