"""A café with staff pages, served by this process, and people signed in to them in a browser."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page
from werkzeug.serving import make_server

from app import create_app
from app.config import Config
from app.context import Context
from app.demo.cafe import SLUG, make_cafe, make_certificates
from app.demo.processes import free_port
from app.migrations import upgrade
from app.staff import sessions
from app.staff.service import add_staff
from app.web.staff.door import COOKIE

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
#: Every look that a page is tried in: (name, size, colour scheme).
LOOKS = tuple(
    (f"{size_name}-{scheme}", size, scheme)
    for size_name, size in (("390", PHONE), ("1440", DESK))
    for scheme in ("light", "dark")
)


def looks(page: Page) -> Iterator[str]:
    """Show a page in each look in turn; its name. The page stays open: another window for each
    look, and the page loaded in it again, takes longer than all that is looked at."""
    for name, size, scheme in LOOKS:
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        yield name


@dataclass
class Office:
    """The running service and a way to sit down at it."""

    context: Context
    programme_id: str
    url: str
    slug: str = SLUG
    #: What the browser would not apply or load by the pages' own policy: (address, words).
    refused: list[tuple[str, str]] = field(default_factory=list)

    def sit_down(
        self,
        browser: Browser,
        role: str = "owner",
        *,
        size: dict[str, int] = DESK,
        scheme: str = "light",
        locale: str = "en-GB",
        script: bool = True,
    ) -> Page:
        """A page of a fresh browser in which somebody of that role is signed in."""
        now = self.context.clock()
        with self.context.database.write(self.programme_id) as session:
            person = add_staff(
                session,
                self.programme_id,
                name=f"{role} {sessions.secrets.token_hex(4)}",
                role=role,
                pin="472910",
                now=now,
            )
            token = sessions.start(session, person, second_factor=True, now=now)
        context = browser.new_context(
            viewport=size,
            color_scheme=scheme,
            locale=locale,
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        context.add_cookies(
            [{"name": COOKIE, "value": token, "url": self.address(), "httpOnly": True}]
        )
        context.on("console", self._listen)
        return context.new_page()

    def _listen(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            page = message.page
            self.refused.append((page.url if page else "", message.text))

    def address(self, path: str = "") -> str:
        """The whole address of a staff page."""
        return f"{self.url}/staff/{self.slug}/{path}"


@contextmanager
def open_office(folder: Path, **settings: Any) -> Iterator[Office]:
    """Make the café in *folder* and serve it; *settings* are further ones of its `Config`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    data = folder / "data"
    data.mkdir(parents=True, mode=0o700)
    database_url = f"sqlite:///{folder / 'cafe.sqlite'}"
    config = Config(data=data, database_url=database_url, url=url, **settings)
    context = Context.open(config)
    upgrade(context.database)
    make_certificates(context)
    cafe = make_cafe(context)
    server = make_server("127.0.0.1", port, create_app(context), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    office = Office(context, cafe.programme_id, url)
    yield office
    server.shutdown()
    thread.join()
    context.database.dispose()
    assert office.refused == [], "the policy of the pages stands in nobody's way"


def unfitting(page: Page) -> list[str]:
    """What of the frame of a page does not fit as it should: tables that are cut off without a
    sign or cannot be scrolled by keys, and on a desk a menu that has to be scrolled."""
    found: list[str] = page.evaluate(
        """() => {
          const found = [];
          for (const table of document.querySelectorAll("main table")) {
            const around = table.closest(".table-responsive");
            if (!around) {
              found.push("nothing scrolls around " + table.textContent.slice(0, 60));
              continue;
            }
            if (around.tabIndex !== 0 || !around.getAttribute("aria-label"))
              found.push("no key reaches " + around.textContent.slice(0, 60));
            const look = getComputedStyle(around);
            if (!look.backgroundImage.includes("radial-gradient") ||
                !look.backgroundAttachment.includes("local"))
              found.push("no shadow says that there is more of " + around.textContent.slice(0, 60));
          }
          const menu = document.querySelector(".staff-menu");
          if (innerWidth >= 992 && innerHeight >= 900 && menu.scrollHeight > menu.clientHeight)
            found.push(`the menu is ${menu.scrollHeight} high`);
          return found;
        }"""
    )
    return found
