"""counterfoil mail: an operator sees what is in the way of letters."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.demo.mail import MailServer
from app.mail import queue
from app.members import service as members
from app.members.service import Contact
from app.programmes.models import Programme


@pytest.fixture
def letters(cafe: Any) -> Any:
    """An installation with a letter that waits."""
    with cafe.open() as context:
        with context.database.read_all() as session:
            programme_id = session.scalars(select(Programme.id)).one()
        with context.database.write(programme_id) as session:
            now = context.clock()
            contact = Contact("Līga", "liga@example.com")
            member = members.add_member(
                session, context.keys, programme_id, contact, language="lv", now=now
            )
            queue(session, member_id=member.id, subject="S", text="T", key="k1", now=now)
    return cafe


def test_without_a_mail_server_it_says_so_and_keeps_the_letters(letters: Any) -> None:
    assert letters.json("mail", "status")["letters"]["waiting"] == 1
    said = letters.run("mail", "status")
    assert "COUNTERFOIL_SMTP_SERVER" in said and "1 waiting" in said
    assert "COUNTERFOIL_SMTP_SERVER" in letters.refused("mail", "test", "a@example.com")


def test_the_background_work_sends_them_and_a_test_letter_goes_at_once(
    letters: Any, tmp_path: Path
) -> None:
    with MailServer(tmp_path, login=("shop", "secret")) as server:
        password = tmp_path / "password"
        password.write_text("secret\n")
        letters.settings |= {
            "COUNTERFOIL_SMTP_SERVER": server.address,
            "COUNTERFOIL_SMTP_CA": str(server.ca),
            "COUNTERFOIL_SMTP_FROM": "cards@example.com",
            "COUNTERFOIL_SMTP_NAME": "shop",
            "COUNTERFOIL_SMTP_PASSWORD_FILE": str(password),
        }
        assert "Taken: 250" in letters.run("mail", "test", "owner@example.com")
        letters.run("delivery", "run", "--once")
        assert [each.recipient for each in server.letters] == [
            "owner@example.com", "liga@example.com"
        ]  # fmt: skip
        assert letters.json("mail", "status")["letters"]["sent"] == 1
        server.mood.unknown.add("nobody@example.com")
        assert "550" in letters.refused("mail", "test", "nobody@example.com")
        assert "not an address" in letters.refused("mail", "test", "nobody at example")
        password.write_text("wrong")
        assert "535" in letters.refused("mail", "test", "owner@example.com")
