import pytest

from passes.card import Colours, rgb


def test_a_colour_is_three_numbers() -> None:
    assert rgb("#3b2314") == (59, 35, 20)


@pytest.mark.parametrize(
    "colour", ["3b2314", "#3B2314", "#3b231", "#3b23145", "red", "#3b2314\n", "#3b231\u0664"]
)
def test_only_one_way_of_writing_a_colour_is_taken(colour: str) -> None:
    with pytest.raises(ValueError, match="colour"):
        Colours("#000000", colour, "#ffffff")
