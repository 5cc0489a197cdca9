"""Somebody of the staff at the pages, without a browser: signed in, and sending forms."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit import AuditEntry
from app.context import Context
from app.staff import sessions
from app.staff.models import Staff
from app.staff.service import add_staff
from app.web.staff.door import COOKIE, FORM_FIELD

PIN = "472910"


@dataclass
class Colleague:
    """One signed-in person: `get` and `post` take addresses below the programme's staff pages."""

    client: FlaskClient
    slug: str
    person: Staff
    token: str

    def address(self, path: str) -> str:
        return path if path.startswith("/staff/") else f"/staff/{self.slug}/{path.lstrip('/')}"

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(self.address(path), **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
        """Send a form with this session's token."""
        sent = {FORM_FIELD: sessions.form_token(self.token), **(data or {})}
        return self.client.post(self.address(path), data=sent, **options)

    def words(self, path: str) -> str:
        """What a page says, without its tags."""
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:2000])
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


SignIn = Callable[..., Colleague]


def secret_on(page: str) -> str:
    """The secret that a page shows this once."""
    found = re.search(r'class="staff-secret[^"]*">([^<]+)<', page)
    assert found, page
    return found[1]


def sign_in(
    context: Context, client: FlaskClient, slug: str, programme_id: str, role: str, name: str = ""
) -> Colleague:
    """Add somebody of that role and sign them in, second factor and all."""
    now = context.clock()
    with context.database.write(programme_id) as session:
        person = add_staff(
            session, programme_id, name=name or f"{role} of {slug}", role=role, pin=PIN, now=now
        )
        token = sessions.start(session, person, second_factor=True, now=now)
    client.set_cookie(COOKIE, token, path=f"/staff/{slug}")
    return Colleague(client, slug, person, token)


def noted(shop: Any) -> list[str]:
    """The names of the actions that stand in the programme's audit log, in their order."""
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
