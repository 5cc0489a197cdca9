"""A running service with a café and many cards, and the load that is put on it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from app.config import from_environment
from app.context import Context
from app.demo.cafe import CASHIER, CASHIER_PIN, TILL, Cafe, issue_cards, make_cafe
from app.demo.processes import Installation, free_port
from app.migrations import upgrade
from app.programmes.service import change_settings
from app.till import access

CARDS = 2_000
#: What a shop has besides points for money: three tiers, a weekend that counts more, a bonus.
RULES = {
    "tiers": {
        "measure": "points",
        "window": "calendar",
        "levels": [
            {"code": "silver", "at_least": 500, "names": {"en": "Silver"}, "multiplier": "1.25"},
            {"code": "gold", "at_least": 2000, "names": {"en": "Gold"}, "multiplier": "1.5"},
        ],
    },
    "rules": [
        {"name": "Weekend", "kind": "multiplier", "factor": "1.5", "weekdays": ["sat", "sun"]},
        {"name": "Big basket", "kind": "basket", "at_least": "20", "gives": {"points": 10}},
    ],
}


@dataclass
class Running:
    """A service to put load on."""

    service: Installation
    context: Context
    token: str
    session: str
    cashier: str
    codes: list[str]

    def load(
        self,
        *,
        seconds: float,
        clients: int = 16,
        pause: float = 0,
        codes: list[str] | None = None,
    ) -> dict[str, Any]:
        """Accruals for *seconds*, on all cards or on those of *codes*; what `_load` says."""
        done = subprocess.run(
            [
                sys.executable, "-m", "benchmarks._load", self.service.url, self.token,
                self.session, self.cashier, str(seconds), str(clients),
                str(pause),
            ],
            input="\n".join(codes or self.codes), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))


def with_rules(context: Context, cafe: Cafe) -> list[str]:
    """Give the café rules and tiers, and issue its cards."""
    with context.database.write(cafe.programme_id) as session:
        change_settings(session, cafe.programme_id, RULES, valid_from=context.clock())
    return issue_cards(context, cafe.programme_id, CARDS)


@contextmanager
def running(
    folder: Path,
    *,
    database_url: str | None = None,
    workers: int = 1,
    threads: int = 16,
    fill: Callable[[Context, Cafe], list[str]] | None = None,
    cafe: Cafe | None = None,
) -> Iterator[Running]:
    """Set a café up in *folder* and run the service on it; or on the *cafe* that is there.

    *fill* gives it members, and says the codes of the cards to use; without, they are new ones.
    """
    port = free_port()
    settings = {
        "COUNTERFOIL_DATA": str(folder / "data"),
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
        "COUNTERFOIL_WORKERS": str(workers),
        "COUNTERFOIL_THREADS": str(threads),
    }
    if database_url:
        settings["COUNTERFOIL_DATABASE_URL"] = database_url
    context = Context.open(from_environment(settings))
    if cafe is None:
        upgrade(context.database)
        cafe = make_cafe(context)
    codes = fill(context, cafe) if fill else issue_cards(context, cafe.programme_id, CARDS)
    service = Installation(settings, folder / "service.log")
    service.start()
    try:
        token, session_token, cashier = _sign_in(service.url, _enrolment_code(context, cafe))
        yield Running(service, context, token, session_token, cashier, codes)
    finally:
        service.stop()
        context.database.dispose()


def _enrolment_code(context: Context, cafe: Cafe) -> str:
    """A fresh one: filling may take longer than a code is good for."""
    with context.database.write_all() as session:
        till = access.till_by_name(session, cafe.programme_id, TILL)
        return access.new_code(session, till, now=context.clock())


def _sign_in(url: str, code: str) -> tuple[str, str, str]:
    with httpx2.Client(base_url=f"{url}/api/till/v1") as client:
        token = client.post("/enrolments", json={"code": code}).json()["token"]
        signed_in = client.post(
            "/cashier-sessions",
            json={"cashier": CASHIER, "pin": CASHIER_PIN},
            headers={"Authorization": f"Bearer {token}"},
        ).json()
    return token, signed_in["token"], signed_in["cashier"]["id"]
