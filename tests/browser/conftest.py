"""A real browser for the tests of pages; skipped with one loud line where there is none.

Nothing is installed here: `.ci/prepare` does that where it may.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks._axe import findings
from tests.browser.shared import Shared

#: The one without any window of its own first: it does the same pages with a fifth less work.
PLACES = (
    "/usr/bin/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)
#: Screenshots are kept here, for people to look at.
OUT = Path(__file__).parents[2] / "test-out"


def chromium_path() -> str | None:
    """Where Chromium is, None where it is not installed."""
    named = os.environ.get("CHROMIUM")
    return (
        named
        or next((place for place in PLACES if Path(place).exists()), None)
        or shutil.which("chromium")
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests of this folder, loudly and once, where there is no browser."""
    mine = [item for item in items if Path(__file__).parent in item.path.parents]
    if not mine or chromium_path() is not None:
        return
    line = "CHROMIUM IS MISSING: no page is tested in a browser. Install it: apt install chromium"
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(line, red=True, bold=True)
    for item in mine:
        item.add_marker(pytest.mark.skip(reason=line))


_shared = Shared(Path(__file__).parent)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Close the browser after the last test of a page."""
    _shared.go_on(nextitem)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), headless=True, args=list(FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Browser:
    """The browser of all tests of pages."""
    return _shared.get("browser", chromium)


@pytest.fixture
def screenshot() -> Callable[..., Path]:
    """Keeps a picture of a page in test-out/: of what is seen of it, or of the *whole* page."""
    OUT.mkdir(exist_ok=True)

    def keep(page: Page, name: str, *, whole: bool = False) -> Path:
        # As JPEG it takes the browser half as long.
        path = OUT / f"{name}.jpg"
        page.screenshot(path=path, type="jpeg", quality=85, full_page=whole)
        return path

    return keep


#: What axe-core asks of colours alone: all else is the same in light and in dark.
OF_COLOURS = ("color-contrast", "link-in-text-block")


@pytest.fixture(scope="session")
def seen_whole() -> set[bytes]:
    """The pages that were looked at for everything, by size and what they are made of."""
    return set()


@pytest.fixture
def violations(seen_whole: set[bytes]) -> Callable[[Page], list[str]]:
    """What axe-core finds against WCAG 2.2 AA on a page as it stands.

    A page that was found good in another colour scheme, made of just the same, is only asked for
    its colours: that costs a third.
    """

    def find(page: Page) -> list[str]:
        made_of = _made_of(page)
        found = findings(page, OF_COLOURS if made_of in seen_whole else ())
        if not found:
            seen_whole.add(made_of)
        return found

    return find


def _made_of(page: Page) -> bytes:
    """Tells pages apart by size and content, but not by scheme, keys, ids and who is signed in."""
    content = page.content()
    content = re.sub(r'data-bs-theme="\w+"', "", content)
    content = re.sub(r"[\w-]{24,}|[0-9a-f]{8}|\d{3,}", "#", content)
    return hashlib.sha256(f"{page.viewport_size} {content}".encode()).digest()
