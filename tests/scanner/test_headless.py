"""The till as the cashier runs it: a recorded camera, a real service, and what it says and keeps.

That it does so as a process of its own is seen where it sells and where it ends in an error; the
other tests call the same program here, which takes half the time.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner.__main__ import main
from scanner.commands import enrol_till, kept_postings


@dataclass
class Till:
    """Types `counterfoil-scan` in a folder of its own."""

    folder: Path
    #: Whether each command is a process of its own, as at a counter.
    apart: bool = False

    def run(self, *arguments: str, pin: str = "271828") -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL")}
        environment["COUNTERFOIL_SCAN_PIN"] = pin
        if self.apart:
            return subprocess.run(
                [sys.executable, "-m", "scanner", *arguments],
                cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60,
            )  # fmt: skip
        environment["COUNTERFOIL_SCAN_DATA"] = str(self.folder / "till-data")
        out, err, status = io.StringIO(), io.StringIO(), 0
        with (
            patch.dict(os.environ, environment, clear=True),
            patch.object(sys, "argv", ["counterfoil-scan", *arguments]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        said = (out.getvalue(), err.getvalue())
        return subprocess.CompletedProcess(arguments, status, *said)

    def scan(
        self, clip: Path, *more: str, pin: str = "271828"
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        done = self.run(
            "--camera", str(clip), "--headless", "--cashier", "Anna", "--json", *more, pin=pin
        )
        return done, json.loads(done.stdout.splitlines()[-1]) if done.stdout else {}

    def kept(self) -> list[str]:
        """The states of what is kept, oldest first."""
        postings = kept_postings(self.folder / "till-data", everything=True)
        return [str(posting.state) for posting in postings]


@pytest.fixture
def till(tmp_path: Path, running: Any) -> Till:
    till = Till(tmp_path)
    enrol_till(tmp_path / "till-data", running.url, "GOOD-CODE")
    return till


@pytest.fixture
def clip(tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]) -> Path:
    return film(tmp_path / "clip.mjpeg", (None, 5), (make_card(), 60))


def test_a_purchase_gives_points_and_shows_the_cashier_whose(
    till: Till, service: Any, clip: Path
) -> None:
    till.apart = True
    done, said = till.scan(clip, "--amount", "12,50", "--receipt", "R-1")
    assert done.returncode == 0, done.stderr
    assert "Ada Kalnina" in done.stdout and "Gold" in done.stdout
    assert "+12 beans, new balance 12 beans" in done.stdout
    assert said["outcome"] == "accepted" and said["card_id"] == "0000000000000001"
    assert (said["points"], said["standing"]["balance"], said["queued"]) == (12, 12, False)
    (body,) = [body for _, body, _ in service.postings.values()]
    assert (body["id"], body["amount_minor"], body["offline"], body["receipt"]) == (
        said["posting_id"], 1250, False, "R-1",
    )  # fmt: skip
    assert not service.sessions  # signed out


def test_without_a_network_points_are_kept_and_sent_once(
    till: Till, service: Any, running: Any, clip: Path
) -> None:
    till.scan(clip, "--amount", "1.00")  # Anna signs in online once
    running.stop()
    done, said = till.scan(clip, "--amount", "12.50")
    assert done.returncode == 0, done.stderr
    assert "Offline: kept here and sent later · 1 waiting" in done.stdout
    assert (said["queued"], said["points"]) == (True, 0)
    assert till.run("send").returncode == 1  # still no network, in words
    running.start()
    assert till.run("send").returncode == 0
    assert till.run("send").returncode == 0
    again = till.run("resend", "--since", "1 hour", "--json")
    assert json.loads(again.stdout.splitlines()[-1])["sent"] == 2
    assert len(service.postings) == 2 and service.balance == 13
    assert service.postings[said["posting_id"]][1]["offline"] is True


def test_nothing_is_redeemed_without_a_network(
    till: Till, service: Any, running: Any, clip: Path
) -> None:
    till.scan(clip, "--amount", "50.00")
    running.stop()
    done, _ = till.scan(clip, "--redeem", "10")
    assert done.returncode == 1 and "not redeemed" in done.stderr
    assert len(till.kept()) == 1


def test_points_are_held_and_taken_and_an_accrual_is_taken_back(
    till: Till, service: Any, clip: Path
) -> None:
    _, accrued = till.scan(clip, "--amount", "50.00")
    done, said = till.scan(clip, "--redeem", "30")
    assert done.returncode == 0, done.stderr
    assert (said["points"], service.balance) == (-30, 20)
    hold = service.postings[next(iter(list(service.postings)[1:]))][1]
    assert hold["presentation_token"] == "shown-now"
    done, said = till.scan(clip, "--redeem", "30")
    assert done.returncode == 1
    assert (said["outcome"], said["posting_id"]) == ("accepted", None)
    assert "insufficient_points" in done.stderr
    back = till.run("reverse", accrued["posting_id"], "--cashier", "Anna", "--json")
    assert back.returncode == 0, back.stderr
    assert json.loads(back.stdout.splitlines()[-1])["points"] == -50


def test_a_refused_redemption_is_told_and_the_sale_gives_its_points_once(
    till: Till, service: Any, clip: Path
) -> None:
    till.scan(clip, "--amount", "20.00")
    done, said = till.scan(clip, "--amount", "12.50", "--redeem", "500", "--receipt", "R-2")
    assert done.returncode == 1, done.stdout
    assert "Not redeemed" in done.stderr and "The points for 12.50 EUR are given" in done.stderr
    assert f"first take the sale back: counterfoil-scan reverse {said['posting_id']}" in done.stderr
    assert "new balance 32 beans" in done.stdout
    assert (said["told"], said["points"], said["status"]) == ("insufficient_points", 12, "posted")
    assert said["redemption"]["status"] == "refused" and said["redemption"]["message"]
    kinds = [kind for kind, _, _ in service.postings.values()]
    assert kinds == ["accrual", "accrual"] and service.balance == 32
    # Nothing is left to be looked into; what was refused is on record.
    assert till.kept() == ["sent", "dropped", "sent"] and said["alarms"] == []
    (resolved,) = json.loads(till.run("queue", "resolved", "--json").stdout)
    assert (resolved["how"], resolved["who"]) == ("drop", "Anna")


def test_a_network_that_goes_while_redeeming_costs_nobody_the_points_of_the_sale(
    till: Till, service: Any, running: Any, clip: Path
) -> None:
    till.scan(clip, "--amount", "50.00")
    service.intervene = lambda path: (
        (502, "text/html", b"<html>") if path.startswith(("/holds", "/accruals")) else None
    )
    done, said = till.scan(clip, "--amount", "12.50", "--redeem", "10")
    assert done.returncode == 1 and "are kept here and sent later" in done.stderr
    assert (said["told"], said["queued"]) == ("nothing_redeemed", True)
    assert [each["alarm"] for each in said["alarms"]] == ["offline"]
    service.intervene = lambda path: None
    assert till.run("send").returncode == 0
    assert till.kept() == ["sent", "dropped", "sent"] and service.balance == 62


def test_what_is_wrong_with_the_till_is_told_and_given_to_programs(
    till: Till, service: Any, running: Any, clip: Path
) -> None:
    service.clock_ahead = timedelta(hours=3)
    problem = b'{"status": 409, "code": "card_refused", "detail": "This card was blocked."}'
    service.intervene = lambda path: (
        (409, "application/problem+json", problem) if path == "/accruals" else None
    )
    done, said = till.scan(clip, "--amount", "2.00")
    assert done.returncode == 1 and "hand it over to a manager" in done.stderr
    assert said["status"] == "set_aside" and said["posting_id"] is not None
    told = {each["alarm"]: each["message"] for each in said["alarms"]}
    assert set(told) == {"clock_wrong", "set_aside"}
    assert "180 min slow" in told["clock_wrong"] and "counterfoil-scan queue" in told["set_aside"]
    assert all(message in done.stdout for message in told.values())
    service.intervene = lambda path: (503, "text/html", b"busy") if path == "/accruals" else None
    done, said = till.scan(clip, "--amount", "3.00")
    assert done.returncode == 0 and said["queued"] is True
    assert {each["alarm"] for each in said["alarms"]} == {"clock_wrong", "offline", "set_aside"}
    sent = till.run("send", "--json")
    said = json.loads(sent.stdout.splitlines()[-1])
    assert {each["alarm"] for each in said["alarms"]} == {"clock_wrong", "set_aside"}
    service.tokens.clear()
    done, said = till.scan(clip, "--amount", "4.00")
    assert done.returncode == 1 and said["told"] == "till_revoked"
    assert [each["alarm"] for each in said["alarms"]] == ["till_revoked"]
    assert till.kept() == ["set_aside", "waiting"]


def test_a_queue_that_cannot_be_kept_is_an_alarm_before_anybody_waits(
    till: Till, service: Any, clip: Path
) -> None:
    till.scan(clip, "--amount", "2.00")
    queue = till.folder / "till-data" / "queue.sqlite"
    queue.write_bytes(b"not a database " * 1000)
    done, said = till.scan(clip, "--amount", "3.00")
    assert done.returncode == 2 and "do not promise points" in done.stderr
    assert [each["alarm"] for each in said["alarms"]] == ["cannot_keep"]
    assert said["told"] == "cannot_keep" and len(service.postings) == 1


def test_a_till_that_is_revoked_during_a_sale_keeps_it_and_says_so(
    till: Till, service: Any, clip: Path
) -> None:
    problem = b'{"status": 401, "code": "till_revoked", "detail": "Enrol this till again."}'
    service.intervene = lambda path: (
        (401, "application/problem+json", problem) if path == "/accruals" else None
    )
    done, said = till.scan(clip, "--amount", "2.00")
    assert done.returncode == 1 and "Enrol this till again" in done.stderr
    assert (said["queued"], said["status"], said["told"]) == (True, "waiting", "till_revoked")
    assert [each["alarm"] for each in said["alarms"]] == ["till_revoked"]
    assert till.kept() == ["waiting"]


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        ("flipped", "bad_signature"),
        ("stranger", "bad_signature"),
        ("unknown key", "other_programme"),
        ("another version", "unknown_version"),
        ("another code", "not_a_card"),
        ("cut", "malformed"),
    ],
)
def test_a_code_that_is_not_a_good_card_posts_nothing(
    till: Till, service: Any, tmp_path: Path, film: Callable[..., Path],
    make_card: Callable[..., str], case: str, outcome: str,
) -> None:  # fmt: skip
    good = make_card()
    text = {
        "flipped": good[:99] + ("0" if good[99] != "0" else "1") + good[100:],
        "stranger": make_card(key=Ed25519PrivateKey.from_private_bytes(b"s" * 32)),
        "unknown key": make_card(key_id=9),
        "another version": "CF2:" + good[4:],
        "another code": "HTTPS://EXAMPLE.COM/MENU",
        "cut": good[:100],
    }[case]
    done, said = till.scan(film(tmp_path / "bad.mjpeg", (text, 60)), "--amount", "12.50")
    assert done.returncode == 1
    assert (said["outcome"], said["posting_id"]) == (outcome, None)
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr
    assert not service.postings and not till.kept()


def test_a_blocked_card_is_refused(till: Till, service: Any, clip: Path) -> None:
    service.refused["0000000000000001"] = "blocked"
    done, said = till.scan(clip, "--amount", "12.50")
    assert done.returncode == 1 and said["outcome"] == "blocked"
    assert not service.postings and not till.kept()


def test_a_revoked_till_is_told_and_keeps_its_queue(
    till: Till, service: Any, running: Any, clip: Path
) -> None:
    till.apart = True
    till.scan(clip, "--amount", "1.00")
    running.stop()
    till.scan(clip, "--amount", "12.50")
    running.start()
    service.tokens.clear()
    for done in (till.run("send"), till.scan(clip, "--amount", "2.00")[0]):
        assert done.returncode == 1 and "till_revoked" in done.stderr
    listed = json.loads(till.run("queue", "--all", "--json").stdout)
    assert [posting["state"] for posting in listed] == till.kept() == ["sent", "waiting"]
    service.enrolment_codes.add("NEW-CODE")
    assert till.run("enrol", "--service", running.url, "--code", "NEW-CODE").returncode == 0
    assert till.run("send").returncode == 0
    assert len(service.postings) == 2


@pytest.mark.parametrize(
    ("source", "line"), [("missing.mjpeg", "does not open"), ("empty.mjpeg", "ended without")]
)
def test_a_camera_that_does_not_open_or_ends_is_one_line_and_exit_code_2(
    till: Till, tmp_path: Path, film: Callable[..., Path], source: str, line: str
) -> None:
    film(tmp_path / "empty.mjpeg", (None, 10))
    till.apart = True
    done, said = till.scan(tmp_path / source, "--amount", "12.50")
    assert done.returncode == 2 and line in done.stderr
    assert (said["outcome"], said["posting_id"], said["queued"]) == (None, None, False)
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_pin_and_a_wrong_amount_stop_before_the_camera(
    till: Till, service: Any, clip: Path
) -> None:
    done, _ = till.scan(clip, "--amount", "12.50", pin="000000")
    assert done.returncode == 1 and "wrong_pin" in done.stderr
    done, _ = till.scan(clip, "--amount", "-1")
    assert done.returncode == 2 and "not an amount" in done.stderr
    assert not service.postings


def test_a_refused_pin_never_falls_back_to_the_offline_one(
    till: Till, service: Any, running: Any, clip: Path
) -> None:
    till.scan(clip, "--amount", "1.00")
    service.pin = "999999"  # changed: the old one ends here too, network or not
    assert till.scan(clip, "--amount", "1.00")[0].returncode == 1
    running.stop()
    done, _ = till.scan(clip, "--amount", "1.00")
    assert done.returncode == 1 and len(service.postings) == 1


def test_a_clock_that_is_wrong_is_noticed_and_the_services_time_used(
    till: Till, service: Any, clip: Path
) -> None:
    service.clock_ahead = timedelta(hours=3)
    done, _ = till.scan(clip, "--amount", "12.50")
    assert done.returncode == 0 and "180 min slow" in done.stdout
    (body,) = [body for _, body, _ in service.postings.values()]
    occurred_at = datetime.fromisoformat(body["occurred_at"])
    assert occurred_at > datetime.now(UTC) + timedelta(hours=2, minutes=58)


def test_what_was_refused_is_shown_and_resolved_in_the_terminal(
    till: Till, service: Any, clip: Path
) -> None:
    problem = b'{"status": 409, "code": "card_refused", "detail": "This card was blocked."}'
    service.intervene = lambda path: (
        (409, "application/problem+json", problem) if path == "/accruals" else None
    )
    for _ in range(3):
        assert till.scan(clip, "--amount", "2.00")[0].returncode == 1
    service.intervene = lambda path: None
    listed = json.loads(till.run("queue", "--json").stdout.splitlines()[-1])
    assert [each["state"] for each in listed] == ["set_aside"] * 3
    again, over, drop = (each["posting_id"] for each in listed)
    assert "3 refused: counterfoil-scan queue again" in till.run("queue").stdout
    who = ("--cashier", "Anna")
    assert till.run("queue", "drop", drop, *who).returncode == 2  # not without a reason
    assert till.run("queue", "drop", drop, *who, "--reason", "Keyed in twice").returncode == 0
    assert till.run("queue", "hand-over", over, *who, "--reason", "She paid").returncode == 0
    assert till.run("queue", "again", again, *who).returncode == 0
    assert till.run("queue", "again", again, *who).returncode == 1  # once
    status = json.loads(till.run("queue", "status").stdout)
    assert (status["waiting"], status["set_aside"], status["all_sent"]) == (1, 0, False)
    assert till.run("send").returncode == 0
    assert json.loads(till.run("queue", "status").stdout)["all_sent"] is True
    assert list(service.postings) == [again] and list(service.handed_over) == [over]
    done = json.loads(till.run("queue", "resolved", "--json").stdout)
    assert [(each["posting_id"], each["how"], each["reason"]) for each in done] == [
        (drop, "drop", "Keyed in twice"),
        (over, "hand_over", "She paid"),
        (again, "send_again", None),
    ]
    assert all(each["who"] == "Anna" and "blocked" in each["refusal"] for each in done)
