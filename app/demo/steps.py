"""The seven steps of the main job. Each uses what a customer, a cashier or an owner would use."""

import html
import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx2
import numpy as np
import zxingcpp
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from sqlalchemy import func, select

from app.certs import GOOGLE_PUBLIC_KEY, PASS, ROOT, WWDR
from app.config import from_environment
from app.context import Context
from app.demo.apns import ApnsStandIn
from app.demo.cafe import CASHIER, CASHIER_PIN, Cafe, make_cafe, make_certificates
from app.demo.checks import check, wait_until
from app.demo.counter import Clip, film, moderately_hard
from app.demo.google import GoogleStandIn
from app.demo.phone import Iphone
from app.demo.phone_picture import look_of
from app.demo.poster_reader import read_svg_code
from app.demo.processes import Installation, TillProgram, free_port
from app.ledger.models import Account, Entry
from app.migrations import upgrade
from passes.apple.bundle import read as read_pass
from passes.image import code_png

ISSUER = "3388000000022000001"
#: 12.50 € at a bean a euro.
EARNED = 12
REDEEMED = 5


@dataclass(slots=True)
class Report:
    """What `report.json` says."""

    card_id: str = ""
    code: str = ""
    points_before: int | None = None
    points_after: int | None = None
    posting_ids: dict[str, list[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report's fields by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class Job:
    """One run of the main job: the shop, the stand-ins, the phone and what was found."""

    context: Context
    cafe: Cafe
    service: Installation
    till: TillProgram
    apns: ApnsStandIn
    google: GoogleStandIn
    phone: Iphone
    pass_file: bytes
    clip: Path

    def __init__(self, folder: Path, out: Path, seed: int, stack: ExitStack) -> None:
        self.folder = folder
        self.out = out
        self.seed = seed
        self.stack = stack
        self.report = Report()

    # 1 ------------------------------------------------------------------------------------

    def set_up(self) -> str:
        """Migrate an empty database, make keys and certificates, a programme, a till, a cashier."""
        port = free_port()
        self.google = self.stack.enter_context(GoogleStandIn(issuer_id=ISSUER))
        settings = {
            "COUNTERFOIL_DATA": str(self.folder / "data"),
            "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
            "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
            "COUNTERFOIL_GOOGLE_API_URL": self.google.url,
            "COUNTERFOIL_GOOGLE_ISSUER_ID": ISSUER,
        }
        self.context = Context.open(from_environment(settings))
        self.stack.callback(self.context.database.dispose)
        upgrade(self.context.database)
        make_certificates(self.context, google_token_uri=self.google.token_uri)
        self.cafe = make_cafe(self.context)
        certs = self.context.config.certs_dir
        root = (certs / ROOT).read_bytes()
        (self.out / "root.pem").write_bytes(root)
        public = (certs / GOOGLE_PUBLIC_KEY).read_bytes()
        (self.out / "google-public-key.pem").write_bytes(public)
        self.google.trust(load_pem_public_key(public))
        self.apns = self.stack.enter_context(
            ApnsStandIn(client_ca=root + (certs / WWDR).read_bytes())
        )
        ca = self.folder / "apns-ca.pem"
        ca.write_bytes(self.apns.ca_pem)
        settings |= {"COUNTERFOIL_APNS_URL": self.apns.url, "COUNTERFOIL_APNS_CA": str(ca)}
        self.service = Installation(settings, self.folder / "service.log")
        self.stack.callback(self.service.stop)
        check((certs / PASS).is_file(), "no pass certificate was made")
        self.service.run("certs", "check")
        self.service.start()
        return (
            f"{self.service.url}, SQLite, a development chain, {len(self.context.keys.list())} keys"
        )

    # 2 ------------------------------------------------------------------------------------

    def join(self) -> str:
        """Follow the poster's code, tap twice; take the pass and the Google link."""
        with httpx2.Client(base_url=self.service.url, timeout=20) as browser:
            poster = browser.get(self.cafe.poster_url)
            check(poster.status_code == 200, f"the poster: {poster.status_code}")
            address = read_svg_code(poster.text)
            check(address == self.cafe.join_url, f"the poster leads to {address}")
            form = browser.get(address)
            check("Get my card" in form.text, "the join page has no button")
            joined = browser.post(address, data={"at": "old-town", "name": "Ilze Bērziņa"})
            check(joined.status_code == 303, f"joining: {joined.status_code}")
            page = browser.get(joined.headers["location"])
            self.pass_file = self._download(browser, page.text)
            link = browser.get(_link(page.text, "/google"))
            check(link.status_code == 303, f"the Google button: {link.status_code} {link.text}")
        save_link = link.headers["location"]
        (self.out / "google-save-link.txt").write_text(save_link + "\n")
        (self.out / "card-before.pkpass").write_bytes(self.pass_file)
        saved = self.google.open_save_link(save_link)
        check(saved["state"] == "ACTIVE", "Google's object is not active")
        return f"pass of {len(self.pass_file) // 1024} kB; save link of {len(save_link)} characters"

    def _download(self, browser: httpx2.Client, page: str) -> bytes:
        answer = browser.get(_link(page, "/pass.pkpass"))
        check(answer.status_code == 200, f"the pass: {answer.status_code}")
        kind = answer.headers["content-type"]
        check(kind == "application/vnd.apple.pkpass", f"the pass came as {kind}")
        return answer.content

    # 3 ------------------------------------------------------------------------------------

    def add_to_phone(self) -> str:
        """Check the signature and every hash as the phone does, and register."""
        self.phone = Iphone(root_pem=self.out / "root.pem")
        self.stack.callback(self.phone.close)
        self.phone.add(self.pass_file)
        self.report.points_before = self.phone.points()
        check(self.report.points_before == 0, "a fresh card is not empty")
        check(self.phone.register() == 201, "the phone could not register")
        self.phone.listen(self.apns)
        self.service.run("pass", "inspect", str(self.out / "card-before.pkpass"))
        return "openssl, every hash and the preflight agree; registered"

    # 4 ------------------------------------------------------------------------------------

    def scan(self) -> str:
        """Film the code from inside the pass, read it with the till, post the accrual."""
        self.report.code = _code_in(self.pass_file)
        (self.out / "code.png").write_bytes(code_png(self.report.code))
        self.clip = self.out / "clip.mjpeg"
        filmed = self._film(self.clip, self.seed)
        self.till = TillProgram(self.folder / "till", cashier=CASHIER, pin=CASHIER_PIN)
        self.till.run("enrol", "--service", self.service.url, "--code", self.cafe.enrolment_code)
        said = self.till.scan(self.clip, "--amount", "12.50", "--receipt", "R-1001")
        check(said["outcome"] == "accepted", f"the till said {said['outcome']}")
        check(said["points"] == EARNED, f"the till gave {said['points']} points")
        self.report.card_id = said["card_id"]
        self._note("4", said)
        (self.out / "frame.png").write_bytes(_frame_with_find(filmed, self.report.code))
        return f"read from {len(filmed)} frames; +{EARNED} beans for 12.50 €"

    def _film(self, path: Path, seed: int) -> Clip:
        look = look_of(self.phone.held().checked)
        filmed = film([self.report.code], scene=moderately_hard(seed), seed=seed, look=look)
        filmed.write(path)
        return filmed

    # 5 ------------------------------------------------------------------------------------

    def deliver(self) -> str:
        """Wait for the push; the phone wakes and shows the points, and Google's object too."""
        wait_until(lambda: self.phone.points() == EARNED, "the phone does not show the points")
        self.report.points_after = self.phone.points()
        texts = self.phone.lock_screen
        check(len(texts) == 1 and str(EARNED) in texts[0], f"the lock screen says {texts!r}")
        check(self.apns.pushes, "no push was sent")
        wait_until(lambda: self._google_points() == EARNED, "Google does not show the points")
        (self.out / "card-after.pkpass").write_bytes(self.phone.pass_file)
        (self.out / "phone.png").write_bytes(self.phone.draw())
        return f"“{texts[0]}” on the lock screen; Google patched"

    def _google_points(self) -> int | None:
        [found] = self.google.objects.values()
        points: int | None = found.get("loyaltyPoints", {}).get("balance", {}).get("int")
        return points

    # 6 ------------------------------------------------------------------------------------

    def survive(self) -> str:
        """Send everything again; lose the service, scan, get it back."""
        before = self._entries()
        since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        self.till.run("resend", "--since", since)
        check(self._entries() == before, "resending posted something twice")
        self.service.stop()
        second = self.folder / "second.mjpeg"
        self._film(second, self.seed + 1)
        said = self.till.scan(second, "--amount", "7.40", "--receipt", "R-1002")
        check(said["queued"] is True, "without the service the accrual was not queued")
        self._note("6", said)
        self.service.start()
        self.till.run("send")
        check(self._entries() == before + 1, "the queue did not drain to exactly one accrual")
        wait_until(lambda: self.phone.points() == EARNED + 7, "the phone missed the late points")
        return "resent: nothing twice; offline: one accrual, sent later"

    # 7 ------------------------------------------------------------------------------------

    def settle(self) -> str:
        """Redeem, take an accrual back, prove the ledger, back it up and restore it."""
        said = self.till.scan(self.clip, "--redeem", str(REDEEMED))
        check(said["points"] == -REDEEMED, f"redeemed {said['points']}")
        self._note("7", said)
        rest = EARNED + 7 - REDEEMED
        wait_until(lambda: self.phone.points() == rest, "the phone does not show the rest")
        [accrual] = self.report.posting_ids["6"]
        reversed_ = json.loads(self.till.run("reverse", accrual, "--json").strip().splitlines()[-1])
        self._note("7", reversed_)
        wait_until(lambda: self.phone.points() == rest - 7, "the phone does not show the return")
        self.service.run("ledger", "check")
        archive = self.folder / "shop.backup"
        self.service.run("backup", str(archive))
        empty = self.service.settings | {
            "COUNTERFOIL_DATA": str(self.folder / "restored"),
            "COUNTERFOIL_MASTER_KEY_FILE": str(self.context.config.data / "master.key"),
        }
        restored = Installation(empty, self.folder / "restored.log")
        restored.run("restore", str(archive))
        restored.run("ledger", "check")
        check(self._balance_in(restored) == rest - 7, "the restored balance is another")
        return f"{rest - 7} beans left; the ledger is whole, and whole again from the backup"

    # ---------------------------------------------------------------------------------------

    def _note(self, step: str, said: dict[str, Any]) -> None:
        self.report.posting_ids.setdefault(step, []).append(said["posting_id"])

    def _entries(self) -> int:
        with self.context.database.read_all() as session:
            return session.scalar(select(func.count()).select_from(Entry)) or 0

    def _balance_in(self, installation: Installation) -> int:
        context = Context.open(from_environment(installation.settings))
        try:
            with context.database.read_all() as session:
                return session.scalars(select(Account.balance)).one()
        finally:
            context.database.dispose()


def _link(page: str, ending: str) -> str:
    found = re.search(rf'href="([^"]+{re.escape(ending)})"', page)
    check(found, f"the page has no link to …{ending}")
    assert found is not None  # noqa: S101 - said by the check above
    return html.unescape(found[1])


def _code_in(pass_file: bytes) -> str:
    content = json.loads(read_pass(pass_file)["pass.json"])
    return str(content["barcodes"][0]["message"])


def _frame_with_find(clip: Clip, code: str) -> bytes:
    """The first frame in which the code is read, with what was found drawn on it, as PNG."""
    for frame in list(clip.frames)[clip.fully_visible_frame :]:
        for found in zxingcpp.read_barcodes(frame):
            if found.text == code:
                at = found.position
                corners = np.array(
                    [
                        (p.x, p.y)
                        for p in (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
                    ]
                )
                cv2.polylines(frame, [corners], True, (60, 220, 60), 4, cv2.LINE_AA)
                return bytes(cv2.imencode(".png", frame)[1])
    check(False, "no single frame can be read without the till's reader")
    raise AssertionError
