"""A phone as Apple's web service sees it: what it sends, and what it makes of the answers."""

import io
import json
import zipfile
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from app.cards.models import Card
from app.cards.service import apple_token

PASS_TYPE = "pass.dev.counterfoil"
TOKEN = "a1" * 32


class Device:
    """A phone: its id, its push token, and what it asks."""

    def __init__(self, client: FlaskClient, name: str = "3f2a9c") -> None:
        self.client = client
        self.name = name

    def registration(self, card: Any, pass_type: str = PASS_TYPE) -> str:
        serial = card if isinstance(card, str) else card.serial_number
        return f"/v1/devices/{self.name}/registrations/{pass_type}/{serial}"

    def register(self, card: Any, auth: str, body: Any = None, **more: Any) -> int:
        if "data" not in more:
            more["json"] = {"pushToken": TOKEN} if body is None else body
        answer = self.client.post(self.registration(card), headers={"Authorization": auth}, **more)
        return int(answer.status_code)

    def unregister(self, card: Any, auth: str) -> int:
        headers = {"Authorization": auth}
        return int(self.client.delete(self.registration(card), headers=headers).status_code)

    def changed(self, tag: str | None = None, pass_type: str = PASS_TYPE) -> Any:
        query = {} if tag is None else {"passesUpdatedSince": tag}
        return self.client.get(
            f"/v1/devices/{self.name}/registrations/{pass_type}", query_string=query
        )

    def fetch(self, card: Any, auth: str, since: str | None = None, method: str = "GET") -> Any:
        serial = card if isinstance(card, str) else card.serial_number
        headers = {"Authorization": auth} | ({"If-Modified-Since": since} if since else {})
        return self.client.open(f"/v1/passes/{PASS_TYPE}/{serial}", method=method, headers=headers)


def auth(shop: Any, card: Card) -> str:
    return f"ApplePass {apple_token(shop.context.keys, card)}"


def content(answer: Any) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        found: dict[str, Any] = json.loads(archive.read("pass.json"))
        return found


def push_token(shop: Any, device: str = "3f2a9c") -> str:
    with shop.context.database.engine.connect() as connection:
        statement = text("SELECT push_token FROM apple_registrations WHERE device_id = :device")
        return str(connection.scalar(statement, {"device": device}))
