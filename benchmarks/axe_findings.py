"""What axe-core finds on all pages of the service: of the staff, of customers, of who is not signed
in; each on a phone and on a desk, by day and by night.

The pages are those of `tests.browser.every_page`, which a test holds against the service's own list
of addresses.
"""

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks._axe import findings
from tests.browser.every_page import SERVICE, VISITORS, World, furnish_all
from tests.browser.staff_office import LOOKS, open_office


def measure() -> dict[str, Any]:
    """How many elements of all pages break a rule, over all looks."""
    found: list[str] = []
    with tempfile.TemporaryDirectory() as name, open_office(Path(name), **SERVICE) as office:
        world = furnish_all(office)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                headless=True,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            for visitor in VISITORS:
                found += _of_visitor(world, browser, visitor)
            browser.close()
    rules = Counter(each.partition(":")[0] for each in found)
    return {
        "name": "axe_findings",
        "value": len(found),
        "unit": "findings",
        "at_most": 0,
        "detail": {
            "pages": len(world.places),
            "looks": [name for name, _size, _scheme in LOOKS],
            "rules": dict(rules),
            "first": found[:10],
        },
    }


def _of_visitor(world: World, browser: Browser, visitor: str) -> list[str]:
    page = world.sit_down(browser, visitor, size=LOOKS[0][1])
    found = []
    for place in world.places:
        if place.visitor != visitor:
            continue
        answer = page.goto(world.office.url + place.path)
        assert answer is not None and answer.status == 200, place
        for look, size, scheme in LOOKS:
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found += [f"{each} on {place.name} {look}" for each in findings(page)]
    page.context.close()
    return found
