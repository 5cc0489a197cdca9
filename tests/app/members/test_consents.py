"""A consent is to the very text that was read, whatever is shown later."""

from typing import Any

import pytest

from app.errors import Conflict, Invalid, NotFound
from app.members import consents, service
from app.members.service import Contact


def member(shop: Any, session: Any, **more: Any) -> str:
    return service.add_member(
        session,
        shop.context.keys,
        shop.programme_id,
        Contact(email="liga@example.com"),
        language="lv",
        now=shop.context.clock(),
        **more,
    ).id


def test_another_text_is_another_version_and_changes_no_consent(shop: Any) -> None:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        first = member(shop, session, consents=frozenset({"messages"}))
        changed = consents.change_text(
            session,
            shop.programme_id,
            "messages",
            {"en": "[[programme]] may write to me."},
            now=now,
        )
        assert changed.version == "1"
        second = member(shop, session, consents=frozenset({"messages"}))
        found = [consents.standing(session, each)[0] for each in (first, second)]
        assert [(each.text_version, each.language) for each in found] == [
            ("2026-1", "lv"), ("1", "en")
        ]  # fmt: skip
        read = consents.wording(session, shop.programme_id, "messages", "2026-1")
        assert read.text("lv", "Kaffa").startswith("Kaffa drīkst")
        assert consents.current(session, shop.programme_id, "messages").text("de", "Kaffa") == (
            "Kaffa may write to me."
        )


def test_a_consent_is_given_once_and_withdrawn_alone(shop: Any) -> None:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        who = member(shop, session, consents=frozenset({"messages", "partners", "nonsense"}))
        assert [each.purpose for each in consents.standing(session, who)] == [
            "messages", "partners"
        ]  # fmt: skip
        read = consents.current(session, shop.programme_id, "messages")
        assert not consents.give(session, shop.programme_id, who, read, "de", now)
        service.withdraw_consents(session, who, now=now, purpose="partners")
        assert service.has_consented(session, who, "messages")
        assert not service.has_consented(session, who, "partners")
        service.withdraw_consents(session, who, now=now)
        assert consents.give(session, shop.programme_id, who, read, "de", now)


@pytest.mark.parametrize("version", ["9", "2026-2", "1; DROP", "²", "", "1" * 40])
def test_a_text_that_never_was_cannot_be_consented_to(shop: Any, version: str) -> None:
    with shop.context.database.read(shop.programme_id) as session:
        with pytest.raises(NotFound):
            consents.wording(session, shop.programme_id, "messages", version)
        with pytest.raises(Conflict):
            consents.check_version(session, shop.programme_id, "messages", version)


@pytest.mark.parametrize(
    "texts", [{}, {"xx": "x"}, {"en": " "}, {"en": "x" * 501}, {"en": "a\x00"}]
)
def test_a_text_has_to_be_one(shop: Any, texts: dict[str, str]) -> None:
    with shop.context.database.write(shop.programme_id) as session, pytest.raises(Invalid):
        consents.change_text(
            session, shop.programme_id, "messages", texts, now=shop.context.clock()
        )


def test_another_programmes_text_is_not_ours(open_shop: Any) -> None:
    one, other = open_shop(), open_shop()
    now = one.context.clock()
    with one.context.database.write(one.programme_id) as session:
        consents.change_text(session, one.programme_id, "messages", {"en": "Mine"}, now=now)
    with other.context.database.read(other.programme_id) as session:
        assert consents.current(session, other.programme_id, "messages").version == "2026-1"
        with pytest.raises(NotFound):
            consents.wording(session, other.programme_id, "messages", "1")
