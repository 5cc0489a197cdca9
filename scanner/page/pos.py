"""For the shop's own POS on the same machine: tell the amount, follow what happens.

`POST /sale` before or after the scan, `DELETE /sale`, `GET /events` (server-sent). Programs only,
with the token of the file `pos-token` in the till's data folder (0600).
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from scanner.amounts import LARGEST_MINOR
from scanner.config import state_folder
from scanner.errors import ConfigError
from scanner.page import selling
from scanner.page.guard import Guard

if TYPE_CHECKING:
    from scanner.page.desk import Desk
    from scanner.page.showing import Event

TOKEN_FILE = "pos-token"  # noqa: S105 - a file's name
LONGEST_RECEIPT = 64
MOST_LINES = 500
_FIELDS = {"amount_minor", "receipt", "lines", "at_once"}


def token(folder: Path) -> str:
    """Return the POS token of this till, making its file (0600) at the first start.

    Raises ConfigError where it cannot be read or written, or others could read it.
    """
    path = state_folder(folder) / TOKEN_FILE
    try:
        if not path.exists():
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
        path.chmod(0o600)
        kept = path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path} cannot be used: {error}.") from None
    if len(kept) < 32:
        raise ConfigError(f"{path} is damaged. Remove it; the next start makes a new one.")
    return kept


def routes(
    desk: Desk, guard: Guard, answer: Callable[[Iterator[bytes], str], Response]
) -> Blueprint:
    """The routes of the POS; `answer` makes an answer that goes on for ever."""
    blueprint = Blueprint("pos", __name__)

    @blueprint.post("/sale")
    def sale() -> Any:
        """An amount, before or after the scan."""
        guard.check_pos(request)
        told = _read(request.get_json(silent=True))
        if isinstance(told, str):
            return {"message": told}, 422
        desk.ask(lambda: selling.told_by_pos(desk, **told))
        return _standing(desk), 202

    @blueprint.delete("/sale")
    def withdraw() -> Any:
        guard.check_pos(request)
        desk.ask(lambda: selling.withdrawn(desk))
        return _standing(desk)

    @blueprint.get("/sale")
    def standing() -> Any:
        guard.check_pos(request)
        return _standing(desk)

    @blueprint.get("/events")
    def events() -> Response:
        guard.check_pos(request)
        last = request.headers.get("Last-Event-ID", "")
        after = int(last) if last.isdecimal() and len(last) < 12 else None
        return answer(_events(desk.showing.events(after)), "text/event-stream")

    return blueprint


def _standing(desk: Desk) -> dict[str, Any]:
    view = desk.showing.view
    return {
        "stage": view.stage,
        "sale": {"amount_minor": view.sale.amount_minor, "receipt": view.sale.receipt},
        "card": view.card is not None,
        "online": desk.showing.fact("online"),
        "waiting": desk.showing.fact("waiting"),
    }


def _events(events: Iterator[Event | None]) -> Iterator[bytes]:
    yield b": here\n\n"  # the headers go out at once, with the first of the body
    for event in events:
        if event is None:
            yield b": here\n\n"
        else:
            data = json.dumps(event.data, ensure_ascii=False)
            yield f"id: {event.number}\nevent: {event.name}\ndata: {data}\n\n".encode()


def _read(body: Any) -> dict[str, Any] | str:
    """What the POS told, or what is wrong with it."""
    if not isinstance(body, dict) or not set(body) <= _FIELDS:
        return f"Send a JSON object with {', '.join(sorted(_FIELDS))} and nothing else."
    amount, receipt = body.get("amount_minor"), body.get("receipt")
    lines, at_once = body.get("lines"), body.get("at_once", False)
    if not _whole(amount, 1, LARGEST_MINOR):
        return f"amount_minor is a whole number of minor units, 1 to {LARGEST_MINOR}."
    if receipt is not None and not _text(receipt, LONGEST_RECEIPT):
        return f"receipt is a text of 1 to {LONGEST_RECEIPT} characters."
    if not isinstance(at_once, bool):
        return "at_once is true or false."
    if lines is not None and (not isinstance(lines, list) or len(lines) > MOST_LINES):
        return f"lines is a list of at most {MOST_LINES}."
    read = [_line(line) for line in lines or []]
    if None in read:
        return "A line has item, quantity, amount_minor and perhaps category."
    return {
        "amount_minor": amount,
        "receipt": receipt,
        "lines": tuple(line for line in read if line is not None),
        "at_once": at_once,
    }


def _line(line: Any) -> dict[str, Any] | None:
    if not isinstance(line, dict) or not set(line) <= {
        "item", "category", "quantity", "amount_minor"
    }:  # fmt: skip
        return None
    category = line.get("category")
    good = (
        _text(line.get("item"), 120)
        and (category is None or _text(category, 64))
        and _whole(line.get("quantity"), 1, 1_000_000)
        and _whole(line.get("amount_minor"), 0, LARGEST_MINOR)
    )
    return {**line, "category": category} if good else None


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
