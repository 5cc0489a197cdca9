"""counterfoil card and counterfoil pass."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import func, select

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.cards.models import Card
from app.certs import ROOT
from app.certs.files import read_certificates
from app.programmes.service import programme_by_slug
from passes import code as card_code
from passes.apple import pkpasses
from passes.code import Kind


def outcome(cafe: Any, code: str) -> str:
    with cafe.open() as context, context.database.read_all() as session:
        programme_id = programme_by_slug(session, "kaffa").id
        with context.database.read(programme_id) as inside:
            try:
                cards.card_by_code(inside, code, now=context.clock())
            except CardRefused as refused:
                return str(refused.outcome)
    return "accepted"


def issued(cafe: Any) -> int:
    with cafe.open() as context, context.database.read_all() as session:
        return session.scalar(select(func.count()).select_from(Card)) or 0


def downloaded(cafe: Any, folder: Path) -> Path:
    """A pass, as a phone gets it."""
    cafe.settings["COUNTERFOIL_URL"] = "https://cards.example.com"
    answer = cafe.get(cafe.json("card", "issue")["pass_url"])
    assert answer.mimetype == "application/vnd.apple.pkpass"
    file = folder / "card.pkpass"
    file.write_bytes(answer.data)
    return file


class TestIssue:
    def test_a_card_for_programs_has_its_code_and_its_links(self, cafe: Any) -> None:
        card = cafe.json("card", "issue", "--name", "Līga Ozola", "--language", "lv")
        assert list(card) == ["card_id", "serial_number", "code", "card_url", "pass_url"]
        with cafe.open() as context, context.database.read_all() as session:
            keys = {
                key.key_id: Ed25519PublicKey.from_public_bytes(key.public_key)
                for key in cards.public_keys(session)
            }
        assert card_code.verify(card["code"], keys).card.card_id_hex == card["card_id"]
        assert card["pass_url"] == card["card_url"] + "/pass.pkpass"
        page = cafe.get(card["card_url"])
        assert (page.status_code, "Līga Ozola" in page.text) == (200, True)
        served = cafe.get(card["pass_url"])
        assert (served.status_code, served.mimetype) == (200, "application/vnd.apple.pkpass")

    def test_a_card_for_people_says_the_same_in_lines(self, cafe: Any) -> None:
        lines = cafe.run("card", "issue").splitlines()
        assert [line[:16].strip() for line in lines] == [
            "card id", "serial number", "code", "card url", "pass url",
        ]  # fmt: skip

    def test_links_are_built_from_the_public_address(self, cafe: Any) -> None:
        cafe.settings["COUNTERFOIL_URL"] = "https://cards.example.com/"
        url = cafe.json("card", "issue")["card_url"]
        assert url.startswith("https://cards.example.com/card/")

    def test_with_google_the_link_is_there_even_when_google_is_not(self, cafe: Any) -> None:
        result = cafe.type("card", "issue", "--google", "--json")
        assert result.exit_code == 0
        assert '"google_save_url": "https://pay.google.com/gp/v/save/' in result.stdout
        assert "The link works once Google has the pass." in result.stderr

    def test_without_a_google_account_no_card_is_lost_on_the_way(self, fresh: Any) -> None:
        fresh.run("programme", "add", "kaffa", "Kaffa")
        assert "no Google service account" in fresh.refused("card", "issue", "--google", "--json")
        assert issued(fresh) == 0

    @pytest.mark.parametrize(
        ("words", "field"), [(("--email", "liga@"), "email"), (("--name", "L" * 61), "name")]
    )
    def test_a_contact_that_makes_no_sense_is_named(
        self, cafe: Any, words: tuple[str, str], field: str
    ) -> None:
        result = cafe.type("card", "issue", *words)
        assert (result.exit_code, f"  {field}: " in result.stderr) == (1, True)
        assert issued(cafe) == 0


class TestStates:
    def test_a_card_is_blocked_and_unblocked(self, cafe: Any) -> None:
        card = cafe.json("card", "issue")
        assert "Blocked." in cafe.run("card", "block", card["card_id"], "--reason", "lost")
        assert outcome(cafe, card["code"]) == "blocked"
        assert cafe.run("card", "unblock", card["card_id"]) == "Unblocked.\n"
        assert outcome(cafe, card["code"]) == "accepted"

    def test_a_replaced_card_gives_way_to_a_new_one_with_a_link(self, cafe: Any) -> None:
        card = cafe.json("card", "issue")
        said = cafe.run("card", "replace", card["card_id"]).strip()
        assert outcome(cafe, card["code"]) == "replaced"
        assert cafe.get(said.partition(": ")[2]).status_code == 200
        assert cafe.get(card["card_url"]).status_code == 404
        assert "was replaced" in cafe.refused("card", "unblock", card["card_id"])

    @pytest.mark.parametrize("action", ["block", "unblock", "replace"])
    @pytest.mark.parametrize("card_id", ["", "nonsense", "0" * 5000, "00112233445566ff"])
    def test_a_card_that_is_none_is_not_found(self, cafe: Any, action: str, card_id: str) -> None:
        assert cafe.refused("card", action, card_id) == "There is no such card in this programme."

    def test_a_card_of_another_programme_is_not_found(self, cafe: Any) -> None:
        card = cafe.json("card", "issue")
        cafe.run("programme", "add", "tea", "Tea")
        said = cafe.refused("card", "block", card["card_id"], "--programme", "tea")
        assert said == "There is no such card in this programme."

    def test_a_reason_too_long_is_refused(self, cafe: Any) -> None:
        card = cafe.json("card", "issue")
        said = cafe.refused("card", "block", card["card_id"], "--reason", "x" * 201)
        assert said == "Give a reason of at most 200 letters."


class TestInspect:
    def test_a_pass_of_ours_is_good(self, cafe: Any, tmp_path: Path) -> None:
        file = downloaded(cafe, tmp_path)
        assert cafe.run("pass", "inspect", str(file)) == f"{file}: a phone takes this pass.\n"
        assert cafe.json("pass", "inspect", str(file)) == {"file": str(file), "findings": []}

    def test_a_pass_that_was_changed_is_refused_with_the_cure(
        self, cafe: Any, tmp_path: Path
    ) -> None:
        file, changed = downloaded(cafe, tmp_path), tmp_path / "changed.pkpass"
        with zipfile.ZipFile(file) as good, zipfile.ZipFile(changed, "w") as bad:
            for name in good.namelist():
                bad.writestr(name, good.read(name) + (b" " if name == "pass.json" else b""))
        result = cafe.type("pass", "inspect", str(changed), "--json")
        assert result.exit_code == 1
        said = json.loads(result.stdout)
        assert said["file"] == str(changed)
        assert [list(finding) for finding in said["findings"]] == [
            ["code", "severity", "where", "message", "cure"]
        ] * len(said["findings"])
        [error] = [each for each in said["findings"] if each["severity"] == "error"]
        assert "pass.json" in error["where"] + error["message"]
        human = cafe.type("pass", "inspect", str(changed))
        assert human.exit_code == 1
        assert f"error: {error['where']}: {error['message']} {error['cure']}" in human.stdout

    @pytest.mark.parametrize("odd", ["\\ud800", "\\u001b]0;owned\\u0007", "\\nerror: forged"])
    def test_what_a_stranger_wrote_moves_no_cursor_and_forges_no_line(
        self, cafe: Any, tmp_path: Path, odd: str
    ) -> None:
        file = tmp_path / "odd.pkpass"
        with zipfile.ZipFile(file, "w") as made:
            made.writestr("pass.json", f'{{"{odd}": 1}}')
        result = cafe.type("pass", "inspect", str(file))
        assert result.exit_code == 1
        assert "is no key that Apple knows" in result.stdout
        assert all(line.isprintable() for line in result.stdout.split("\n"))
        assert "\nerror: forged" not in result.stdout
        assert cafe.type("pass", "inspect", str(file), "--json").exit_code == 1

    @pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04", bytes(1000)])
    def test_a_file_that_is_no_pass_is_called_so(
        self, cafe: Any, tmp_path: Path, content: bytes
    ) -> None:
        file = tmp_path / "x.pkpass"
        file.write_bytes(content)
        result = cafe.type("pass", "inspect", str(file), "--json")
        assert result.exit_code == 1
        assert '"severity": "error"' in result.stdout

    def test_a_root_of_one_s_own_is_believed_and_no_other(
        self, cafe: Any, elsewhere: Any, tmp_path: Path
    ) -> None:
        file = str(downloaded(cafe, tmp_path))
        root = str(cafe.data / "certs" / ROOT)
        stranger = elsewhere()
        assert stranger.json("pass", "inspect", file, "--root", root)["findings"] == []
        stranger.run("certs", "dev")
        result = stranger.type("pass", "inspect", file)
        assert (result.exit_code, "error: signature" in result.stdout) == (1, True)

    def test_a_root_is_taken_in_der_as_apple_gives_it_out(
        self, cafe: Any, elsewhere: Any, tmp_path: Path
    ) -> None:
        [root] = read_certificates(cafe.data / "certs" / ROOT)
        der = tmp_path / "AppleRootCA.cer"
        der.write_bytes(root.public_bytes(Encoding.DER))
        said = elsewhere().json(
            "pass", "inspect", str(downloaded(cafe, tmp_path)), "--root", str(der)
        )
        assert said["findings"] == []

    @pytest.mark.parametrize("content", [b"hello", b"", b"-----BEGIN", b"\x30\x03\x02\x01\x01"])
    def test_a_root_that_is_no_certificate_is_named(
        self, cafe: Any, tmp_path: Path, content: bytes
    ) -> None:
        wrong = tmp_path / "root.pem"
        wrong.write_bytes(content)
        said = cafe.refused("pass", "inspect", str(wrong), "--root", str(wrong))
        assert str(wrong) in said

    def test_a_file_that_is_not_there_is_a_usage_error(self, cafe: Any) -> None:
        result = cafe.type("pass", "inspect", "nothing.pkpass")
        assert (result.exit_code, "nothing.pkpass" in result.stderr) == (2, True)


def test_a_card_is_found_by_the_whole_e_mail_address(cafe: Any) -> None:
    issued = cafe.json("card", "issue", "--name", "Ilze", "--email", "ilze@example.com")
    [found] = cafe.json("card", "find", "ILZE@example.com")
    assert (found["card_id"], found["name"]) == (issued["card_id"], "Ilze")
    assert "Nobody" in cafe.run("card", "find", "ilze@example")


def test_paper_cards_are_cards_of_their_own(cafe: Any, tmp_path: Path) -> None:
    card = cafe.json("card", "issue", "--name", "Ļūcija")["card_id"]
    out = tmp_path / "cards.pdf"
    assert "1 card" in cafe.run("card", "print", card, "--out", str(out))
    assert out.read_bytes().startswith(b"%PDF-")
    assert "12 cards" in cafe.run("card", "print", "--blank", "12", "--out", str(out))
    with cafe.open() as context, context.database.read_all() as session:
        found = list(session.scalars(select(Card)))
    assert [each.kind for each in found].count(Kind.PRINTED) == 13
    assert len({each.account_id for each in found}) == 13, "the first shares its owner's account"
    [printed] = [each for each in found if each.kind == Kind.PRINTED and each.member_id]
    svg = tmp_path / "card.svg"
    cafe.run("card", "print", printed.id, "--single", "--out", str(svg))
    assert "Ļūcija" in svg.read_text()
    with cafe.open() as context, context.database.read_all() as session:
        assert len(list(session.scalars(select(Card)))) == 14, "printed again, not issued again"
    for wrong in (["--out", str(svg)], [card, "--blank", "2", "--out", str(svg)]):
        assert cafe.type("card", "print", *wrong).exit_code == 2
    assert "There is no card" in cafe.refused("card", "print", "0" * 16, "--out", str(out))


def test_two_passes_that_are_to_be_one_are_told_apart(cafe: Any, tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        card = cafe.json("card", "issue")["card_id"]
        bundle = tmp_path / f"{name}.pkpasses"
        cafe.run("pass", "bundle", card, "--out", str(bundle))
        [made] = pkpasses.read(bundle.read_bytes()).values()
        files.append(tmp_path / f"{name}.pkpass")
        files[-1].write_bytes(made)
    same = cafe.type("pass", "inspect", str(files[0]), "--previous", str(files[0]))
    assert same.exit_code == 0, same.output
    other = cafe.type("pass", "inspect", str(files[0]), "--previous", str(files[1]), "--json")
    assert other.exit_code == 1
    codes = {each["code"] for each in json.loads(other.stdout)["findings"]}
    assert {"serial_changed", "token_changed"} <= codes
