"""What a member told us is put right as the member asks, and what the staff wrote stays sealed."""

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.errors import Invalid, NotFound
from app.members import changing, notes
from app.members.models import MemberNote, MemberWord
from app.members.service import (
    Contact,
    add_member,
    contact_of,
    erase,
    members_by_email,
    members_by_phone,
)
from app.members.words import having


@pytest.fixture
def liga(shop: Any) -> str:
    with shop.context.database.write(shop.programme_id) as session:
        return add_member(
            session,
            shop.context.keys,
            shop.programme_id,
            Contact("Līga Ozola", "liga@example.com", number="A-7"),
            language="lv",
            consents=frozenset({"messages"}),
            now=shop.context.clock(),
        ).id


def test_a_changed_contact_is_found_by_what_it_is_now_alone(shop: Any, liga: str) -> None:
    keys, programme_id = shop.context.keys, shop.programme_id
    with shop.context.database.write(programme_id) as session:
        contact = Contact("Līga Kalniņa", "liga@example.com", "+37126000000")
        changed = changing.set_contact(session, keys, liga, contact, language="en")
    assert sorted(changed) == ["language", "name", "phone"]

    def named(session: Session, word: str) -> list[str]:
        found = having(keys, programme_id, word)
        assert found is not None
        return list(session.scalars(found))

    with shop.context.database.read(programme_id) as session:
        assert contact_of(session, keys, liga) == Contact(
            "Līga Kalniņa", "liga@example.com", "+37126000000", number="A-7"
        )
        assert named(session, "kalnina") == [liga]
        assert named(session, "ozola") == []
        assert members_by_phone(session, keys, programme_id, "+371 26 000 000") == [liga]
        assert members_by_email(session, keys, programme_id, "liga@example.com") == [liga]


def test_consents_follow_what_the_member_says_and_keep_their_history(shop: Any, liga: str) -> None:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        assert changing.set_consent(session, liga, "messages", is_given=False, now=now)
        assert not changing.set_consent(session, liga, "messages", is_given=False, now=now)
        standing = {each.purpose: each for each in changing.consents_of(session, liga)}
        assert not standing["messages"].is_given
        assert changing.set_consent(session, liga, "messages", is_given=True, now=now)
        standing = {each.purpose: each for each in changing.consents_of(session, liga)}
        assert standing["messages"].is_given


def test_what_the_staff_wrote_is_sealed_and_goes_with_the_member(shop: Any, liga: str) -> None:
    keys = shop.context.keys
    marta = shop.staff["Marta"]
    with shop.context.database.write(shop.programme_id) as session:
        facts: Any = {"staff_id": marta, "now": shop.context.clock()}
        first = notes.write(session, keys, liga, "Allergic to nuts\nAsked twice", **facts)
        notes.tell_counter(session, keys, liga, is_vip=True, note="  Say   hello to the dog ")
        with pytest.raises(Invalid):
            notes.write(session, keys, liga, "  ", **facts)
        with pytest.raises(Invalid):
            notes.tell_counter(session, keys, liga, is_vip=True, note="x" * 121)
    with shop.context.database.engine.connect() as connection:
        stored = repr(connection.execute(text("SELECT * FROM member_notes, members")).all())
    assert "nuts" not in stored
    assert "dog" not in stored
    with shop.context.database.write(shop.programme_id) as session:
        [note] = notes.notes_of(session, keys, [liga])
        assert (note.id, note.text) == (first, "Allergic to nuts\nAsked twice")
        told = notes.for_counter(session, keys, liga)
        assert told == notes.ForCounter(True, "Say hello to the dog")
        erase(session, liga)
        assert session.scalars(select(MemberNote)).all() == []
        assert session.scalars(select(MemberWord)).all() == []


def test_a_note_of_another_programme_is_neither_written_nor_removed(
    open_shop: Any, shop: Any, liga: str
) -> None:
    other = open_shop()
    keys = shop.context.keys
    with shop.context.database.write(shop.programme_id) as session:
        facts: Any = {"now": shop.context.clock()}
        note = notes.write(session, keys, liga, "x", staff_id=shop.staff["Marta"], **facts)
    with shop.context.database.write(other.programme_id) as session:
        for attempt in (
            lambda: notes.write(session, keys, liga, "x", staff_id=other.staff["Marta"], **facts),
            lambda: notes.remove(session, liga, note),
            lambda: notes.tell_counter(session, keys, liga, is_vip=True, note=""),
            lambda: changing.set_contact(session, keys, liga, Contact("Eve"), language="en"),
        ):
            with pytest.raises(NotFound):
                attempt()
    with shop.context.database.read(shop.programme_id) as session:
        assert contact_of(session, keys, liga).name == "Līga Ozola"


def test_who_may_not_see_a_contact_sees_enough_to_ask_about_it() -> None:
    shown = changing.masked(Contact("Līga", "liga@example.com", "+37126123456", "A-7", "05-17"))
    assert (shown.name, shown.number) == ("Līga", "A-7")
    assert (shown.email, shown.phone, shown.birthday) == ("l•••@e•••.com", "••••56", "••••")
    assert changing.masked(Contact()) == Contact()


def test_the_cashier_is_told_of_a_vip_and_reads_the_line(shop: Any, liga: str) -> None:
    card = shop.issue(member_id=liga)
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    assert (seen["vip"], seen["member"]["note"]) == (False, None)
    with shop.context.database.write(shop.programme_id) as session:
        notes.tell_counter(session, shop.context.keys, liga, is_vip=True, note="Say hello")
    seen = shop.ask("POST", "/presentations", {"code": card.code}).json
    assert (seen["vip"], seen["member"]["note"]) == (True, "Say hello")
