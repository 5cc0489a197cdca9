"""Members: what they told us is sealed, read on record, and forgotten whole."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DBAPIError

from app.context import Context
from app.errors import Invalid
from app.members import service as members
from app.members.models import Consent, Member, MemberRead
from app.members.reads import Reader, note_read, reads_of
from app.members.service import Contact, read_contact

LIGA = Contact("Līga Ozola", "liga@example.com")


def add(context: Context, programme_id: str, contact: Contact = LIGA) -> str:
    with context.database.write(programme_id) as session:
        return members.add_member(
            session,
            context.keys,
            programme_id,
            contact,
            language="lv",
            consents=frozenset({"messages"}),
            now=context.clock(),
        ).id


def test_what_a_member_told_us_stands_nowhere_in_the_clear(shop: Any, context: Context) -> None:
    add(context, shop.programme_id)
    with context.database.engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM members")).mappings()
    sealed = [bytes(row[name]) for name in ("name", "email", "email_index")]
    stored = b" ".join(sealed) + repr(dict(row)).encode()
    assert b"Ozola" not in stored
    assert b"liga@" not in stored


def test_an_erased_member_leaves_no_row_and_no_consent(shop: Any, context: Context) -> None:
    liga = add(context, shop.programme_id)
    other = add(context, shop.programme_id, Contact("Anna", "anna@example.com"))
    with context.database.write(shop.programme_id) as session:
        assert members.erase(session, liga)
    with context.database.write(shop.programme_id) as session:
        assert not members.erase(session, liga)
        assert session.scalars(select(Member.id)).all() == [other]
        assert session.scalars(select(Consent.member_id)).all() == [other]
        assert members.contact_of(session, context.keys, liga) == Contact()
        found = members.members_by_email(session, context.keys, shop.programme_id, str(LIGA.email))
        assert found == []


def test_a_member_of_another_programme_is_not_erased(open_shop: Any, context: Context) -> None:
    one, other = open_shop(), open_shop()
    liga = add(context, one.programme_id)
    with context.database.write(other.programme_id) as session:
        assert not members.erase(session, liga)
    with context.database.read(one.programme_id) as session:
        assert members.contact_of(session, context.keys, liga) == LIGA


def test_every_reading_is_kept_in_its_order_and_outlives_the_member(
    shop: Any, context: Context, clock: Any
) -> None:
    liga = add(context, shop.programme_id)
    for purpose in ("show", "export"):
        with context.database.write(shop.programme_id) as session:
            note_read(session, liga, Reader("cli", "x" * 200), purpose, now=clock())
        clock.advance(timedelta(minutes=1))
    with context.database.write(shop.programme_id) as session:
        members.erase(session, liga)
    with context.database.read(shop.programme_id) as session:
        found = reads_of(session, liga)
    assert [(each.purpose, each.reader_kind, len(each.reader)) for each in found] == [
        ("show", "cli", 80),
        ("export", "cli", 80),
    ]


@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_record_of_readings_only_grows(shop: Any, context: Context, change: str) -> None:
    liga = add(context, shop.programme_id)
    with context.database.write(shop.programme_id) as session:
        note_read(session, liga, Reader("cli", "root"), "show", now=context.clock())
    statement: Any = (
        update(MemberRead).values(reader="nobody") if change == "update" else delete(MemberRead)
    )
    with (
        pytest.raises(DBAPIError, match="never changed or deleted"),
        context.database.write(shop.programme_id) as session,
    ):
        session.execute(statement)


@pytest.mark.parametrize(
    ("name", "email", "field"),
    [
        ("L" * 61, "", "name"),
        ("a\x00b", "", "name"),
        ("", "liga@", "email"),
        ("", "a b@c.d", "email"),
    ],
)
def test_a_contact_that_makes_no_sense_is_named(name: str, email: str, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_contact(name, email)
    assert list(caught.value.fields) == [field]


def test_a_till_is_told_what_a_member_likes_to_be_called(shop: Any, context: Context) -> None:
    contact = read_contact("Līga Ozola", "", nickname="  Lī ga ")
    member_id = add(context, shop.programme_id, contact)
    card = shop.issue(member_id=member_id)
    found = shop.ask("POST", "/presentations", {"code": card.code})
    expected = {"name": "Līga Ozola", "nickname": "Lī ga", "note": None}
    assert found.json["member"] == expected
    with pytest.raises(Invalid):
        read_contact("", "", nickname="x" * 61)
