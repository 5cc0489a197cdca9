"""A till with its page on a port of its own, without a camera."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from scanner.commands import enrol_till
from scanner.config import Settings, load_till
from scanner.page import pos
from scanner.page.desk import Desk
from scanner.page.guard import Guard
from scanner.page.server import Serving, listen, make_app


@dataclass
class Answer:
    """What the till's server answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Till:
    """The running till, and requests to it with any header that one likes."""

    desk: Desk
    guard: Guard
    folder: Path
    own: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.guard.port, timeout=20)
        sent = {"Host": f"127.0.0.1:{self.guard.port}"} | (headers or {})
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            connection.putheader(name, value)
        if data is not None:
            connection.putheader("Content-Length", str(len(data)))
        connection.endheaders(data)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, b"")
        if "event-stream" not in answer.headers.get("content-type", ""):
            answer.body = response.read()
        else:
            answer.body = response.readline()
        connection.close()
        return answer

    @property
    def page_headers(self) -> dict[str, str]:
        """What our own page sends."""
        return {
            "Cookie": f"{self.guard.cookie_name}={self.guard.cookie}",
            "Counterfoil-Page": self.guard.page,
            "Origin": f"http://127.0.0.1:{self.guard.port}",
            "Sec-Fetch-Site": "same-origin",
        }

    @property
    def pos_headers(self) -> dict[str, str]:
        """What the shop's own POS sends."""
        return {"Authorization": f"Bearer {(self.folder / 'pos-token').read_text().strip()}"}

    def page(self, asked: str, /, **body: Any) -> Any:
        """What our own page asks; the view after it."""
        answer = self.request("POST", f"/desk/{asked}", body, self.page_headers)
        assert answer.status == 200, answer.body
        return answer.json["view"]


@pytest.fixture
def till(running: Any, tmp_path: Path) -> Iterator[Till]:
    folder = tmp_path / "till"
    enrol_till(folder, running.url, "GOOD-CODE")
    taken = listen(0)
    guard = Guard(taken.getsockname()[1], pos.token(folder))
    desk = Desk(Settings(data=folder), load_till(folder))
    desk.start()
    serving = Serving(make_app(desk, guard, None), taken)
    serving.start()
    yield Till(desk, guard, folder)
    desk.stop()
    serving.stop()
