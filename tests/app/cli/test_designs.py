"""counterfoil design and pass bundle: what is given is shown, what cannot be used is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from passes.apple import pkpasses
from tests.passes.artwork.pictures import opened, photo, wordmark


@pytest.fixture
def logo(tmp_path: Path) -> Path:
    file = tmp_path / "logo.png"
    file.write_bytes(wordmark())
    return file


def test_a_design_is_given_shown_and_taken_away(cafe: Any, tmp_path: Path, logo: Path) -> None:
    plain = cafe.json("design", "show")
    assert (plain["kind"], plain["logo"], plain["is_out"]) == ("points", False, True)
    terms = tmp_path / "terms.txt"
    terms.write_text("Be nice.\n", "utf-8-sig")
    cafe.run("design", "set", "--logo", str(logo), "--terms", str(terms))
    link, place = "Menu=https://kaffa.example/?a=b", "old-town=56.9496,24.1052"
    cafe.run("design", "set", "--link", link, "--place", place)
    given = cafe.json("design", "show")
    assert (given["logo"], given["hero"], given["terms"]) == (True, False, "Be nice.")
    assert given["links"] == [["Menu", "https://kaffa.example/?a=b"]]
    assert given["places"] == [{"location": "old-town", "latitude": 56.9496, "longitude": 24.1052}]
    assert given["is_out"] is False
    assert "Link: Menu: https://kaffa.example/?a=b" in cafe.run("design", "show")
    cafe.run("design", "set", "--without", "logo", "--without", "links", "--place", "old-town=")
    taken = cafe.json("design", "show")
    assert (taken["logo"], taken["links"], taken["places"]) == (False, [], [])


def test_the_background_work_brings_it_to_all_passes(cafe: Any, logo: Path) -> None:
    cafe.run("card", "issue")
    cafe.run("design", "set", "--logo", str(logo))
    cafe.run("delivery", "run", "--once")
    assert cafe.json("design", "show")["is_out"] is True


def test_it_is_seen_on_a_phone(cafe: Any, tmp_path: Path, logo: Path) -> None:
    card = cafe.json("card", "issue")["card_id"]
    before, after = tmp_path / "before.png", tmp_path / "after.png"
    cafe.run("design", "preview", card, "--out", str(before))
    cafe.run("design", "set", "--logo", str(logo))
    cafe.run("design", "preview", card, "--out", str(after))
    assert opened(after.read_bytes()).size == opened(before.read_bytes()).size
    assert after.read_bytes() != before.read_bytes()


def test_google_fetches_what_was_given(cafe: Any, tmp_path: Path, logo: Path) -> None:
    hero = tmp_path / "hero.jpg"
    hero.write_bytes(photo())
    drawn = cafe.get("/google/logo/kaffa.png").data
    assert cafe.get("/google/hero/kaffa.png").status_code == 404, "none was given"
    cafe.run("design", "set", "--logo", str(logo), "--hero", str(hero))
    assert cafe.get("/google/logo/kaffa.png").data != drawn
    answer = cafe.get("/google/hero/kaffa.png")
    assert (answer.mimetype, "public" in answer.headers["Cache-Control"]) == ("image/png", True)
    assert opened(answer.data).size == (1032, 336)
    # Of another programme nothing of it is shown.
    cafe.run("programme", "add", "other", "Other")
    assert cafe.get("/google/hero/other.png").status_code == 404


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--kind", "club"), "Choose: points."),
        (("--link", "Menu"), "Write --link LABEL=URL"),
        (("--place", "old-town"), "Write --place old-town=56.9496,24.1052"),
        (("--place", "moon=1,1"), "There is no location 'moon'"),
        (("--place", "old-town=91,1"), "a latitude lies between"),
        (("--logo", __file__), "Save the logo as PNG, JPEG or WebP"),
        (("--terms", "/dev/null"), "The terms have 1 to 4000 characters"),
    ],
)
def test_what_makes_no_sense_is_refused(cafe: Any, words: tuple[str, ...], says: str) -> None:
    result = cafe.type("design", "set", *words)
    assert result.exit_code in (1, 2)
    assert says in result.stderr
    assert cafe.json("design", "show")["changed_at"] is None


def test_a_familys_passes_are_put_into_one_file(cafe: Any, tmp_path: Path) -> None:
    cards = [cafe.json("card", "issue")["card_id"] for _ in range(2)]
    out = tmp_path / "family.pkpasses"
    cafe.run("pass", "bundle", *cards, "--out", str(out))
    assert len(pkpasses.read(out.read_bytes())) == 2
    assert out.stat().st_mode & 0o077 == 0
    said = cafe.refused("pass", "bundle", *map(str, range(11)), "--out", str(out))
    assert said == "One file holds at most 10 passes: make several files."
    assert "no such card" in cafe.refused("pass", "bundle", "ab" * 8, "--out", str(out))


def test_a_card_that_is_named_twice_is_bundled_once_and_that_is_said(
    cafe: Any, tmp_path: Path
) -> None:
    card = cafe.json("card", "issue")["card_id"]
    out = tmp_path / "one.pkpasses"
    result = cafe.type("pass", "bundle", card, card, "--out", str(out))
    assert result.stdout == f"1 pass is in {out}.\n"
    assert "more than once" in result.stderr
    assert len(pkpasses.read(out.read_bytes())) == 1


def test_a_backup_has_it(cafe: Any, elsewhere: Any, tmp_path: Path, logo: Path) -> None:
    hero, file, new = tmp_path / "hero.jpg", tmp_path / "backup", elsewhere()
    hero.write_bytes(photo(2200, 900))
    cafe.run("design", "set", "--logo", str(logo), "--hero", str(hero), "--place", "old-town=-1,1")
    cafe.run("backup", str(file))
    new.data.mkdir(parents=True, mode=0o700)
    shutil.copy(cafe.data / "master.key", new.data)
    new.run("restore", str(file))
    assert new.json("design", "show") == cafe.json("design", "show")
    assert new.get("/google/hero/kaffa.png").data == cafe.get("/google/hero/kaffa.png").data
