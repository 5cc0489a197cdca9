"""counterfoil delivery."""

from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from app.certs import ROOT, make_dev_chain
from app.clock import system_clock
from app.delivery.models import GooglePass
from tests.passes import certificates


class TestRun:
    def test_one_round_ends_when_nothing_is_due(self, cafe: Any) -> None:
        assert cafe.run("delivery", "run", "--once") == "0 passes brought up to date.\n"

    def test_without_once_it_says_what_is_missing(self, cafe: Any) -> None:
        assert cafe.type("delivery", "run").exit_code == 2


class TestStatus:
    def test_the_state_of_the_wallets_is_counted(self, cafe: Any) -> None:
        cafe.type("card", "issue", "--google")  # promised: Google does not know it yet
        said = cafe.json("delivery", "status")
        assert said.keys() == {"apple", "google", "designs", "certificates"}
        assert said["apple"]["passes"] == 0
        google = said["google"]
        counts = {"passes": 1, "delivered": 0, "behind": 1, "failed": 0, "waiting": 1}
        assert counts.items() <= google.items()
        assert 0 <= google["oldest_behind_seconds"] < 60
        assert google["estimate_seconds"] > 0
        line, estimate = cafe.run("delivery", "status").splitlines()[1:3]
        assert line.startswith("google: 1 passes, 0 delivered, 1 behind, 0 failed, the oldest for ")
        assert estimate == "  1 updates take 1 s at Google's 20 requests a second"

    def test_one_card_is_told_wallet_by_wallet(self, cafe: Any) -> None:
        cafe.type("card", "issue", "--google")
        card = cafe.json("card", "issue")
        said = cafe.run("delivery", "status", "--card", card["card_id"])
        assert said.startswith("No wallet holds this card")
        with cafe.open() as context, context.database.read_all() as session:
            row = session.query(GooglePass).one()
        [wallet] = cafe.json("delivery", "status", "--card", row.card_id)
        assert (wallet["wallet"], wallet["place"]) == ("google", row.object_id)
        assert wallet["is_behind"] is True
        said = cafe.run("delivery", "status", "--card", row.card_id)
        assert said.startswith(f"google {row.object_id}: behind since ")
        assert "not told yet" in said

    def test_tries_are_told_as_people_count(self, cafe: Any) -> None:
        cafe.type("card", "issue", "--google")
        for attempts, says in (
            (0, "not sent yet: No."),
            (1, "tried once: No."),
            (3, "3 times: No."),
        ):
            with cafe.open() as context, context.database.write_all() as session:
                row = session.query(GooglePass).one()
                row.attempts, row.last_error, card_id = attempts, "No.", row.card_id
            assert says in cafe.run("delivery", "status", "--card", card_id)

    def test_an_unknown_card_is_a_plain_line(self, cafe: Any) -> None:
        assert cafe.refused("delivery", "status", "--card", "nonsense") == "There is no such card."

    def test_a_design_that_is_given_to_nobody_is_told_with_the_cure(self, cafe: Any) -> None:
        url = cafe.json("card", "issue")["pass_url"]
        root = certificates.root().certificate.public_bytes(Encoding.PEM)
        (cafe.data / "certs" / ROOT).write_bytes(root)
        assert cafe.get(url).status_code == 503
        [design] = cafe.json("delivery", "status")["designs"]
        assert design["programme"] == "kaffa"
        [finding] = [each for each in design["findings"] if each["severity"] == "error"]
        said = cafe.run("delivery", "status")
        assert "kaffa: nobody gets a pass of this design" in said
        assert f"  error: {finding['where']}: {finding['message']} {finding['cure']}" in said

    def test_a_certificate_that_ends_soon_is_told(self, fresh: Any) -> None:
        with fresh.open() as context:
            made = system_clock() - timedelta(days=395 - 9, hours=-1)
            make_dev_chain(context.config, context.keys, now=made)
        assert "in 9 days." in fresh.run("delivery", "status")
        [line] = fresh.json("delivery", "status")["certificates"]
        assert "expires on" in line
