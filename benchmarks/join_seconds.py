"""Seconds on a slow phone from opening the poster's address until the wallet button can be tapped.

Chromium with nothing cached, 400 kbit/s each way, 400 ms to and fro, a processor of a quarter of
this one's speed. The button can be tapped when it is drawn, stands still and takes the tap.
"""

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from app.config import Config
from app.context import Context
from app.demo.cafe import SLUG, make_cafe, make_certificates
from app.demo.processes import Installation, free_port
from app.migrations import upgrade

RUNS = 7
BITS_PER_SECOND = 400_000
ROUND_TRIP_MS = 400
SLOWER = 4
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
WALLET = "Add to Apple Wallet"


def measure() -> list[dict[str, Any]]:
    """The median of several first visits."""
    with tempfile.TemporaryDirectory() as name:
        shop, address = _shop(Path(name))
        shop.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                    headless=True,
                    args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
                )
                # The first one warms up the browser and the service, not the phone's cache.
                times = [_visit(browser, address) for _ in range(RUNS + 1)][1:]
                browser.close()
        finally:
            shop.stop()
    return [
        {
            "name": "join_seconds",
            "value": round(statistics.median(seconds for seconds, _ in times), 2),
            "unit": "s",
            "at_most": 3,
            "detail": {
                "visits": RUNS,
                "slowest": round(max(seconds for seconds, _ in times), 2),
                "bytes_over_the_network": times[-1][1],
            },
        }
    ]


def _shop(folder: Path) -> tuple[Installation, str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    data = folder / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url=f"sqlite:///{data / 'counterfoil.sqlite'}", url=url)
    context = Context.open(config)
    upgrade(context.database)
    make_certificates(context)
    cafe = make_cafe(context)
    context.database.dispose()
    settings = {
        "COUNTERFOIL_DATA": str(data),
        "COUNTERFOIL_URL": url,
        "COUNTERFOIL_BIND": f"127.0.0.1:{port}",
    }
    assert f"/join/{SLUG}" in cafe.join_url
    return Installation(settings, folder / "service.log"), cafe.join_url


def _visit(browser: Browser, address: str) -> tuple[float, int]:
    """One first visit: the seconds it took, and how many bytes came."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, user_agent=PHONE, locale="en-GB"
    )
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": ROUND_TRIP_MS,
            "downloadThroughput": BITS_PER_SECOND / 8,
            "uploadThroughput": BITS_PER_SECOND / 8,
        },
    )
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    came = []
    tools.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
    button = page.get_by_role("button", name=WALLET).first
    begun = time.perf_counter()
    page.goto(address, wait_until="commit")
    # Everything but the tap itself: seen, standing still, not covered, enabled.
    button.click(trial=True, timeout=60_000)
    seconds = time.perf_counter() - begun
    page.wait_for_load_state("load")
    context.close()
    return seconds, int(sum(came))
