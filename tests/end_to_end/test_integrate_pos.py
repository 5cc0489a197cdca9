"""The guide for shop systems: every example in it runs as it stands, against a real service."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config import from_environment
from app.context import Context
from app.db import enter
from app.demo.cafe import make_cafe
from app.demo.processes import Installation, free_port
from app.members.service import Contact
from app.migrations import upgrade
from app.pos import keys
from app.pos.rules import Scope
from app.programmes.service import programme_by_id
from app.web.joining import join

GUIDE = Path(__file__).parents[2] / "docs" / "integrate-pos.md"


@dataclass
class Service:
    """A service that runs, with a shop system's key and a member's card."""

    url: str
    key: str
    card: str


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    port = free_port()
    settings = {
        "COUNTERFOIL_DATA": str(tmp_path / "data"),
        "COUNTERFOIL_URL": f"http://127.0.0.1:{port}",
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
    }
    context = Context.open(from_environment(settings))
    upgrade(context.database)
    cafe = make_cafe(context)
    now = context.clock()
    with context.database.write_all() as session:
        enter(session, cafe.programme_id)
        _, key = keys.add_key(
            session, cafe.programme_id, name="guide", scopes=tuple(Scope), now=now
        )
        joined = join(
            session,
            context.keys,
            programme_by_id(session, cafe.programme_id),
            Contact("Ilze", "ilze@example.com"),
            language="en",
            source="web",
            now=now,
        )
    context.database.dispose()
    running = Installation(settings, tmp_path / "service.log")
    running.start()
    yield Service(f"http://127.0.0.1:{port}/api/pos/v1", key, joined.card.id)
    running.stop()


def test_every_example_runs(service: Service) -> None:
    assert shutil.which("curl"), "the examples are for curl"
    blocks = re.findall(r"^```sh\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    # One shell for all of them: later ones use what earlier ones have set.
    script = "\n".join(["set -eu", *(f"{block}\necho; echo ---" for block in blocks)])
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": os.environ["PATH"], "URL": service.url, "KEY": service.key,
             "CARD": service.card},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [
        json.loads(part)
        for block in done.stdout.split("---")[:-1]
        for part in re.split(r"(?<=\})\s*(?=\{)", block.strip())
    ]
    quoted, earned, held, spent, returned, member, found, entries, coupons = answers
    assert quoted["earn"]["points"] == earned["points"] > 0
    assert (held["status"], spent["points"]) == ("held", -5)
    assert returned["points"] < 0
    assert member["card"]["card_id"] == service.card
    assert found["items"][0]["member"]["name"] == "Ilze"
    assert len(entries["items"]) == 2 and entries["next_cursor"]
    assert coupons["items"] == []


def test_the_guide_names_what_there_is() -> None:
    text = GUIDE.read_text()
    for scope in Scope:
        assert f"`{scope}`" in text
    assert "--fail-with-body" in text
