from typing import Any

import pytest

from passes.artwork import apple, google
from passes.card import CardKind, Look
from tests.passes.apple.forge import COLOURS, look
from tests.passes.artwork.pictures import opened, photo, wordmark

HERO, LOGO, POSTER = photo(), wordmark(), photo(1200, 1500)
GROUND = (0x3B, 0x23, 0x14)


def design(kind: CardKind = CardKind.POINTS, **changes: Any) -> Look:
    return look(kind, **changes)


def test_one_logo_and_one_photo_give_every_size_that_apple_draws() -> None:
    files = apple.images(design(logo=LOGO, hero=HERO, poster=POSTER, is_poster=True))
    assert {name: opened(data).size for name, data in files.items()} == {
        "icon.png": (38, 38),
        "icon@2x.png": (76, 76),
        "icon@3x.png": (114, 114),
        "logo.png": (150, 50),
        "logo@2x.png": (300, 100),
        "logo@3x.png": (450, 150),
        "strip.png": (375, 144),
        "strip@2x.png": (750, 288),
        "strip@3x.png": (1125, 432),
        "primaryLogo.png": (90, 30),
        "primaryLogo@2x.png": (180, 60),
        "primaryLogo@3x.png": (270, 90),
        "artwork.png": (358, 448),
        "artwork@2x.png": (716, 896),
        "artwork@3x.png": (1074, 1344),
    }


def test_a_very_wide_logo_stays_inside_its_box() -> None:
    files = apple.images(design(logo=wordmark(1500, 300)))
    assert opened(files["logo@2x.png"]).size == (320, 64)


def test_without_uploads_the_pictures_are_drawn_in_brand_colours() -> None:
    files = apple.images(design())
    assert opened(files["strip@3x.png"]).convert("RGB").getpixel((0, 0)) == GROUND
    assert opened(files["logo.png"]).convert("RGBA").getpixel((0, 0))[3] == 0
    assert apple.images(design()) is files


def test_an_icon_has_no_transparency() -> None:
    icon = opened(apple.images(design(logo=LOGO))["icon.png"])
    assert not icon.has_transparency_data
    assert icon.convert("RGB").getpixel((0, 0)) == GROUND


def test_a_poster_without_its_own_picture_fades_into_the_brands_colour() -> None:
    artwork = opened(apple.images(design(hero=HERO, is_poster=True))["artwork.png"]).convert("RGB")
    assert artwork.getpixel((10, 440)) == GROUND
    assert artwork.getpixel((10, 10)) != GROUND


def test_pictures_are_small_enough_for_the_air() -> None:
    files = apple.images(design(hero=photo(1600, 640), logo=LOGO))
    assert max(map(len, files.values())) < 500_000


@pytest.mark.parametrize("logo", [None, LOGO, wordmark(600, 600)])
def test_googles_pictures_have_googles_sizes(logo: bytes | None) -> None:
    made = design(logo=logo, hero=HERO)
    assert opened(google.logo(made)).size == (660, 660)
    assert opened(google.hero(made)).size == (1032, 336)
    wide = google.wide_logo(made)
    assert (wide is None) == (logo != LOGO)
    if wide is not None:
        assert opened(wide).size == (1200, 400)


def test_a_circle_cut_out_of_googles_logo_takes_nothing_of_it() -> None:
    picture = opened(google.logo(design(logo=wordmark(600, 600)))).convert("RGB")
    for x in range(0, 660, 5):
        for y in range(0, 660, 5):
            if (x - 330) ** 2 + (y - 330) ** 2 > 330**2:
                assert picture.getpixel((x, y)) == GROUND


# -- stamps ------------------------------------------------------------------------------------


def stamps(needed: int = 10, **changes: Any) -> Look:
    return look(CardKind.STAMPS, stamps=needed, **changes)


def inked(data: bytes) -> int:
    """How many pixels have the colour that stamps are made in."""
    ink = tuple(int(COLOURS.foreground[at : at + 2], 16) for at in (1, 3, 5))
    picture = opened(data).convert("RGB")
    return sum(count for count, colour in picture.getcolors(1 << 24) or () if colour == ink)


def test_each_stamp_adds_its_ink() -> None:
    strips = [apple.stamp_strips(stamps(), number)["strip.png"] for number in (0, 1, 5, 10)]
    ink = [inked(strip) for strip in strips]
    assert ink[0] == 0
    assert ink == sorted(set(ink))
    assert {opened(strip).size for strip in strips} == {(375, 144)}


def test_a_number_of_stamps_is_drawn_once_and_again_alike() -> None:
    assert apple.stamp_strips(stamps(), 3) is apple.stamp_strips(stamps(), 3)
    before = apple.stamp_strips(stamps(), 3)
    apple.stamp_strips.cache_clear()
    assert apple.stamp_strips(stamps(), 3) == before


def test_a_stamp_cards_strip_is_not_among_the_files_of_its_design() -> None:
    assert not [name for name in apple.images(stamps()) if "strip" in name]


@pytest.mark.parametrize("needed", [1, 6, 7, 14, 15, 24])
def test_stamps_stay_inside_the_picture_however_many(needed: int) -> None:
    picture = opened(apple.stamp_strips(stamps(needed), needed)["strip@2x.png"]).convert("RGB")
    edge = [picture.getpixel((x, y)) for x in range(750) for y in (0, 1, 286, 287)]
    edge += [picture.getpixel((x, y)) for x in (0, 1, 748, 749) for y in range(288)]
    assert not [colour for colour in edge if max(colour) > 120]


def test_stamps_are_drawn_for_google_too() -> None:
    made = stamps(hero=HERO)
    assert opened(google.hero(made, 4)).size == (1032, 336)
    assert google.hero(made, 4) != google.hero(made, 5)
