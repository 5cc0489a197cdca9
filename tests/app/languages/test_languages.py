"""The words of pages: every one of them is there in every language."""

from pathlib import Path

from app.keys import Purpose
from app.languages import _, lazy, ngettext, speaking
from app.languages.catalogues import area_of, found, untranslated
from app.web.staff.office.keyring import ABOUT


def test_every_message_is_translated_into_every_language() -> None:
    assert list(untranslated()) == []


def test_messages_are_found_in_code_and_in_templates() -> None:
    messages = found()["staff"]
    assert messages.get("Skip to the page") and messages.get("Owner")


def test_the_language_is_that_of_the_block_and_then_the_one_before() -> None:
    owner = lazy("Owner")
    with speaking("de"):
        assert (str(owner), _("Manager")) == ("Inhaber", "Manager")
        with speaking("xx"):
            assert str(owner) == "Owner"
        assert str(owner) == "Inhaber"


def test_what_is_put_in_is_put_in_by_name() -> None:
    assert ngettext("%(num)s thing of %(who)s", "%(num)s things of %(who)s", 2, who="Anna") == (
        "2 things of Anna"
    )


def test_a_file_belongs_to_the_area_that_its_place_says() -> None:
    assert [
        area_of(Path(name))
        for name in (
            "web/staff/members.py",
            "web/staff/campaigns/plan.py",
            "web/templates/staff/members/show.html",
            "web/templates/staff/base.html",
            "web/staff/door.py",
            "web/joining.py",
            "web/templates/customer/card.html",
            "insight/lift.py",
        )
    ] == ["members", "campaigns", "members", "staff", "staff", "customer", "customer", "insight"]


def test_every_kind_of_key_is_explained_to_the_owner() -> None:
    assert set(ABOUT) == set(Purpose)
