"""Pictures are fetched as Google would, and what is wrong with one is said."""

import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from app.delivery.google.pictures import LARGEST, inspect_picture
from app.demo.google_http import HttpAnswer, HttpRequest, HttpServer, Silence


def png(width: int, height: int, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, kind)
    return out.getvalue()


class Web:
    """A server that answers whatever it is told to."""

    def __init__(self) -> None:
        self.answer: Callable[[], HttpAnswer] = lambda: HttpAnswer(200, b"", {})
        self.server = HttpServer(lambda _request: self._say(_request))

    def _say(self, _request: HttpRequest) -> HttpAnswer:
        return self.answer()

    def serve(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.answer = lambda: HttpAnswer(status, body, {"Content-Type": "image/png", **headers})

    def codes(self, where: str = "programLogo") -> list[str]:
        found = inspect_picture(
            where, f"{self.server.url}/logo.png", is_google=False, timeout_seconds=0.5
        )
        return [each.code for each in found]


@pytest.fixture
def web() -> Iterator[Web]:
    web = Web()
    web.server.start()
    yield web
    web.server.stop()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_good_picture_has_no_fault(web: Web, kind: str) -> None:
    web.serve(png(660, 660, kind))
    assert web.codes() == []


def test_a_small_or_oblong_picture_is_worth_a_warning(web: Web) -> None:
    web.serve(png(87, 87))
    assert web.codes() == ["picture_small"]
    web.serve(png(1320, 660))
    assert web.codes() == ["picture_ratio"]
    web.serve(png(1032, 336))
    assert web.codes("heroImage") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Sign in</html>",
        b"\x89PNG\r\n\x1a\n" + b"x" * 100,
        png(50, 50, "BMP"),
    ],
)
def test_what_is_no_picture_is_named(web: Web, body: bytes) -> None:
    web.serve(body)
    assert web.codes() == ["not_a_picture"]


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_picture_that_is_not_served_is_named(web: Web, status: int) -> None:
    web.serve(b"", status)
    assert web.codes() == ["picture_not_served"]


def test_a_picture_without_end_is_given_up(web: Web) -> None:
    web.serve(b"x" * (LARGEST + 1))
    assert web.codes() == ["picture_too_large"]


def test_a_server_that_is_silent_or_away_is_named(web: Web) -> None:
    def silence() -> HttpAnswer:
        raise Silence

    web.answer = silence
    assert web.codes() == ["picture_unreachable"]
    web.server.stop()
    assert web.codes() == ["picture_unreachable"]


def test_a_picture_that_leads_in_a_ring_is_named(web: Web) -> None:
    web.serve(b"", 302, Location="/logo.png")
    assert web.codes() == ["picture_unreachable"]


def test_google_is_never_thought_to_reach_this_machine(web: Web) -> None:
    """That was said by looking at the address; nothing is fetched."""
    assert list(inspect_picture("programLogo", f"{web.server.url}/logo.png")) == []
