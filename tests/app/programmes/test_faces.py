from app.programmes.faces import look_of
from app.programmes.models import Programme
from app.programmes.service import DEFAULT_COLOURS
from passes.card import CardKind
from passes.text import LANGUAGES, said


def programme() -> Programme:
    return Programme(
        name="Kaffa",
        colours=DEFAULT_COLOURS,
        points_names={"en": {"one": "bean", "other": "beans"}, "lv": {"other": "pupiņas"}},
    )


def test_a_programmes_design_speaks_every_language() -> None:
    look = look_of(programme())
    assert look.kind is CardKind.POINTS
    assert [said(look.description, language) for language in LANGUAGES] == [
        "Kaffa loyalty card",
        "Kundenkarte von Kaffa",
        "Kaffa lojalitātes karte",
        "Карта лояльности Kaffa",
    ]
    assert look.counted is not None
    assert look.counted.said(1, "en") == "bean"
    assert look.counted.said(1, "lv") == "pupiņas"


def test_a_design_is_the_same_as_long_as_the_programme_looks_the_same() -> None:
    assert look_of(programme()) == look_of(programme())
    assert hash(look_of(programme())) == hash(look_of(programme()))
