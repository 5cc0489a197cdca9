"""The till's server on loopback: the page, what the page asks, and the shop's own POS."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, redirect, render_template, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from scanner.errors import ConfigError
from scanner.page import pos, selling
from scanner.page.desk import Desk
from scanner.page.errands import approve, find_receipt, refused_list, resolve, take_back
from scanner.page.guard import LONGEST_BODY, PAGE_HEADER, BadRequest, Guard, Stranger
from scanner.page.snapshot import snapshot
from scanner.page.watching import Eye
from scanner.page.words import LANGUAGES, words

ADDRESS = "127.0.0.1"
MOST_STREAMS = 12  # of pages and of programs, each; a newer one ends the oldest
LONGEST_TEXT = 8000
_FRAME = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%b\r\n"


def make_app(desk: Desk, guard: Guard, eye: Eye | None) -> Flask:
    """The Flask application of the page; serve it with `Serving`."""
    app = Flask("scanner.page", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    streams = Streams()
    _guarding(app, guard)
    _pages(app, desk, guard)
    _streams(app, desk, guard, eye, streams)
    _asking(app, desk, guard)
    app.register_blueprint(pos.routes(desk, guard, Streams().answer))
    return app


def _guarding(app: Flask, guard: Guard) -> None:
    @app.before_request
    def only_from_here() -> None:
        guard.check_address(request)

    @app.after_request
    def dressed(response: Response) -> Response:
        return guard.dress(response)

    @app.errorhandler(Stranger)
    def stranger(error: Stranger) -> tuple[str, int, dict[str, str]]:
        return f"{error}\n", error.status, {"Content-Type": "text/plain; charset=utf-8"}

    @app.errorhandler(BadRequest)
    def bad(error: BadRequest) -> tuple[dict[str, str], int]:
        return {"message": str(error)}, 422


def _pages(app: Flask, desk: Desk, guard: Guard) -> None:
    @app.get("/start")
    def start() -> Any:
        """What the till program opens: the cookie, then the page without the key."""
        guard.check_start(request.args.get("key", ""))
        answer = redirect("/")
        answer.set_cookie(
            guard.cookie_name, guard.cookie, httponly=True, samesite="Strict", path="/"
        )
        return answer

    @app.get("/")
    def page() -> str:
        """The page itself, with its token of this start."""
        guard.check_page(request)
        programme = desk.till.programme
        mode = "self" if desk.self_service else "till"
        return render_template(
            "till.html", token=guard.page, programme=programme, till=desk.till, mode=mode
        )

    @app.get("/words/<language>.json")
    def spoken(language: str) -> Any:
        guard.check_own(request, request.headers.get(PAGE_HEADER, ""))
        if language not in LANGUAGES:
            raise BadRequest(f"The page speaks {', '.join(LANGUAGES)}.")
        return words(language)

    @app.get("/favicon.ico")
    def icon() -> tuple[str, int]:
        return "", 204


def _streams(app: Flask, desk: Desk, guard: Guard, eye: Eye | None, streams: Streams) -> None:
    @app.get("/desk/events")
    def events() -> Response:
        guard.check_own(request, request.args.get("page", ""))
        return streams.answer(_snapshots(desk), "text/event-stream")

    @app.get("/desk/camera")
    def camera() -> Response:
        guard.check_own(request, request.args.get("page", ""))
        kind = "multipart/x-mixed-replace; boundary=frame"
        return streams.answer(_pictures(eye), kind)


def _snapshots(desk: Desk) -> Iterator[bytes]:
    for news in desk.showing.following():
        if news is None:
            yield b": here\n\n"
        else:
            yield b"data: %b\n\n" % json.dumps(snapshot(*news, desk.now())).encode()


def _pictures(eye: Eye | None) -> Iterator[bytes]:
    if eye is None:
        return
    for picture in eye.pictures():
        # A part is shown once the next one begins: so each is followed by the boundary at once.
        yield _FRAME % (len(picture), picture) if picture else b"\r\n"


class Streams:
    """The answers that go on for ever. A newer one ends the oldest: a page that was closed is
    noticed only when something is sent to it."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._open: list[threading.Event] = []

    def answer(self, content: Iterator[bytes], kind: str) -> Response:
        """An answer of this content type that goes on until it is closed, or too many are open."""
        over = threading.Event()
        with self._lock:
            self._open.append(over)
            for oldest in self._open[: -self._most]:
                oldest.set()
            del self._open[: -self._most]
        return Response(_until(over, content), content_type=kind, direct_passthrough=True)


def _until(over: threading.Event, content: Iterator[bytes]) -> Iterator[bytes]:
    for part in content:
        if over.is_set():
            return
        yield part


def _asking(app: Flask, desk: Desk, guard: Guard) -> None:
    """What the page asks: `POST /desk/NAME` with JSON; the answer is the view after it."""

    def route(name: str, work: Callable[[dict[str, Any]], object]) -> None:
        @app.post(f"/desk/{name}", endpoint=f"desk_{name}")
        def asked() -> Any:
            guard.check_own(request, request.headers.get(PAGE_HEADER, ""))
            body = request.get_json(silent=True)
            if not isinstance(body, dict):
                raise BadRequest("This is not a JSON object.")
            desk.touched()
            answer = work(body)
            shown = snapshot(*desk.showing.now(), desk.now())
            return {"view": shown, "answer": answer}

    def asking(work: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        return lambda body: desk.ask(lambda: work(body))

    route("touched", lambda body: None)
    route("sign-in", asking(lambda b: desk.sign_in(text(b, "name", 80), text(b, "pin", 12))))
    route("sign-out", asking(lambda b: desk.sign_out()))
    route("code", asking(lambda b: desk.scanned(text(b, "text", LONGEST_TEXT))))
    route("sale", asking(lambda b: selling.keyed(desk, *sale_of(b))))
    route("undo", asking(lambda b: selling.undo(desk)))

    def give(body: dict[str, Any]) -> None:
        selling.note_sale(desk, *sale_of(body))
        selling.give(desk, whole(body, "card"))

    def redeem(body: dict[str, Any]) -> None:
        selling.note_sale(desk, *sale_of(body))
        selling.redeem(desk, whole(body, "card"), whole(body, "points"))

    def hand_out(body: dict[str, Any]) -> None:
        selling.note_sale(desk, *sale_of(body))
        card, kind = whole(body, "card"), text(body, "kind", 10)
        selling.hand_out(desk, card, kind, text(body, "id", 40))

    route("hand-out", asking(hand_out))
    route("give", asking(give))
    route("redeem", asking(redeem))
    route("approve", asking(lambda b: approve(desk, text(b, "name", 80), text(b, "pin", 12))))
    route("no-approval", asking(lambda b: desk.no_approval()))
    route("find-receipt", asking(lambda b: find_receipt(desk, text(b, "receipt", 64))))
    route(
        "return",
        asking(lambda b: take_back(desk, text(b, "posting_id", 36), text(b, "amount", 20))),
    )
    route("aside", asking(lambda b: refused_list(desk)))
    route(
        "resolve",
        asking(
            lambda b: resolve(
                desk, text(b, "posting_id", 36), text(b, "how", 20), text(b, "reason", 200)
            )
        ),
    )
    route("put-away", asking(lambda b: desk.put_away()))
    route("understood", asking(lambda b: desk.understood()))


def sale_of(body: dict[str, Any]) -> tuple[str, str]:
    """Amount and receipt number as they are typed so far."""
    return text(body, "amount", 20), text(body, "receipt", 64)


def text(body: dict[str, Any], name: str, longest: int) -> str:
    """A text of the page's JSON, bounded; raises BadRequest."""
    value = body.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise BadRequest(f"{name} is a text of at most {longest} characters.")
    return value


def whole(body: dict[str, Any], name: str, most: int = 2_000_000_000) -> int:
    """A whole number of the page's JSON, 0 to `most`; raises BadRequest."""
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadRequest(f"{name} is a whole number.")
    return value


class _Quiet(WSGIRequestHandler):
    """Says nothing about requests: their addresses carry the page's token."""

    timeout = 120

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""

    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing either: a page that was closed in mid-stream is no trouble."""


def listen(port: int) -> socket.socket:
    """Take the port on loopback (0: any); raises ConfigError where it is taken."""
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((ADDRESS, port))
    except OSError as error:
        taken.close()
        raise ConfigError(
            f"Port {port} of this machine is taken ({error.strerror}): is the till running "
            "already? Stop that one, or choose another with --port."
        ) from None
    return taken


class Serving:
    """Serves the application on a port that was taken; a thread for each request."""

    def __init__(self, app: Flask, taken: socket.socket) -> None:
        port = taken.getsockname()[1]
        taken.listen(64)
        self._server: BaseWSGIServer = make_server(
            ADDRESS, port, app, threaded=True, request_handler=_Quiet, fd=taken.fileno()
        )
        taken.close()  # the server has its own handle of the same socket
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()
