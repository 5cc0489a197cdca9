"""counterfoil design and pass bundle: what is given is shown, what cannot be used is refused."""

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

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


def test_the_phone_speaks_the_holders_language_or_any_other(cafe: Any, tmp_path: Path) -> None:
    card = cafe.json("card", "issue", "--language", "ru")["card_id"]
    pictures = {}
    for name in ("", "en", "de", "lv", "ru"):
        out = tmp_path / f"{name}.png"
        words = ("--language", name) if name else ()
        cafe.run("design", "preview", card, "--out", str(out), *words)
        pictures[name] = out.read_bytes()
    assert pictures[""] == pictures["ru"]
    assert len(set(pictures.values())) == 4


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
        (("--kind", "coupon"), "Coupons are issued one by one"),
        (("--link", "Menu"), "Write --link LABEL=URL"),
        (("--place", "old-town"), "Write --place old-town=56.9496,24.1052"),
        (("--place", "moon=1,1"), "There is no location 'moon'"),
        (("--place", "old-town=91,1"), "a latitude lies between"),
        (("--logo", __file__), "Save the logo as PNG, JPEG or WebP"),
        (("--terms", "/dev/null"), "The terms: 1 to 4000 characters"),
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


BEACON = "f7826da6-4fa2-4e98-8024-bc5b71e0893e"
FORBIDDEN = {
    "a third button": "--button call=tel:1 --button order=https://a.x --button shop=https://a.x".split(),
    "a button that is none": ["--button", "dance=https://a.example"],
    "a button without https": ["--button", "order=http://a.example"],
    "a beacon without a UUID": ["--beacon", "here"],
    "a beacon beyond 65535": ["--beacon", f"{BEACON},70000,1"],
    "a time without a zone": ["--time", "2026-12-24T09:00"],
    "a time that ends before it begins": [
        "--time",
        "2026-12-24T09:00+02:00/2026-12-23T09:00+02:00",
    ],
    "an app's address without the app": ["--app-url", "kaffa://card"],
    "a day that is none": ["--valid-until", "2027-02-30"],
}


def pass_of(cafe: Any, tmp_path: Path) -> dict[str, Any]:
    """What stands in the pass that the only card has now; phones would take it."""
    card = cafe.json("card", "issue")["card_id"]
    cafe.run("pass", "bundle", card, "--out", str(tmp_path / "one.pkpasses"))
    [made] = pkpasses.read((tmp_path / "one.pkpasses").read_bytes()).values()
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        content: dict[str, Any] = json.loads(archive.read("pass.json"))
    return content


def test_what_phones_do_with_a_card_is_set_shown_and_in_the_pass(cafe: Any, tmp_path: Path) -> None:
    cafe.run(
        *("design", "set", "--button", "call=tel:+37120000000"),
        *("--button", "order=https://kaffa.example/order", "--no-sharing"),
        *("--beacon", f"{BEACON},1,2=Your coffee is near", "--valid-until", "2099-12-31"),
        *("--time", "2026-12-24T09:00+02:00/2026-12-24T18:00+02:00"),
        *("--app", "123456789", "--app-url", "kaffa://card", "--also-code", "aztec"),
    )
    shown = cafe.json("design", "show")["wallet"]
    assert shown["actions"][0] == ["call", "tel:+37120000000"]
    content = pass_of(cafe, tmp_path)
    assert [each["type"] for each in content["featuredActions"]] == ["call", "order"]
    assert content["sharingProhibited"] is True
    assert content["beacons"][0]["relevantText"] == "Your coffee is near"
    assert content["expirationDate"] == "2099-12-31T22:00:00Z", "the end of the day in Riga"
    assert content["relevantDates"][0]["startDate"] == "2026-12-24T07:00:00Z"
    assert content["associatedStoreIdentifiers"] == [123456789]
    assert [each["format"] for each in content["barcodes"]] == [
        "PKBarcodeFormatAztec",
        "PKBarcodeFormatQR",
    ]
    cafe.run("design", "set", "--without", "buttons", "--without", "app-url", "--sharing")
    content = pass_of(cafe, tmp_path)
    assert not content.keys() & {"featuredActions", "appLaunchURL", "sharingProhibited"}


@pytest.mark.parametrize("options", FORBIDDEN.values(), ids=FORBIDDEN)
def test_what_phones_would_refuse_is_refused_with_what_to_do(cafe: Any, options: list[str]) -> None:
    before = cafe.json("design", "show")["wallet"]
    result = cafe.type("design", "set", *options)
    assert result.exit_code != 0
    assert len(result.stderr) > 20
    assert cafe.json("design", "show")["wallet"] == before


def test_nfc_waits_for_apple(cafe: Any, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    file = tmp_path / "reader.pem"
    file.write_bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    said = cafe.refused("design", "set", "--nfc-key", str(file))
    assert "COUNTERFOIL_APPLE_NFC=yes" in said
    cafe.settings["COUNTERFOIL_APPLE_NFC"] = "yes"
    cafe.run("design", "set", "--nfc-key", str(file), "--nfc-authentication")
    nfc = pass_of(cafe, tmp_path)["nfc"]
    assert nfc["requiresAuthentication"] is True
    assert "-----" not in nfc["encryptionPublicKey"]
    del cafe.settings["COUNTERFOIL_APPLE_NFC"]
    assert "nfc" not in pass_of(cafe, tmp_path), "a phone would refuse the whole pass"


def test_cards_of_every_kind_are_passes_that_phones_take(cafe: Any, tmp_path: Path) -> None:
    discount = [{"code": "card", "names": {"en": "Card"}, "percent": "5"}]
    cafe.run("programme", "settings", "--set", f"discounts={json.dumps(discount)}")
    cafe.run("design", "set", "--kind", "discount")
    [header] = pass_of(cafe, tmp_path)["storeCard"]["headerFields"]
    assert (header["value"], header["numberStyle"]) == (0.05, "PKNumberStylePercent")
    cafe.run("design", "set", "--kind", "points")
    company = cafe.json("account", "open", "--kind", "company", "--name", "Būve SIA")
    card = cafe.json("card", "issue", "--account", company["account_id"])["card_id"]
    cafe.run("pass", "bundle", card, "--out", str(tmp_path / "company.pkpasses"))
    [made] = pkpasses.read((tmp_path / "company.pkpasses").read_bytes()).values()
    assert "Būve SIA" in zipfile.ZipFile(io.BytesIO(made)).read("pass.json").decode()
