"""A draft is kept apart from what is published, and nothing of it is lost."""

import pytest

from app.designer import drafts, showing, uploads
from app.designer.drafts import ChangedMeanwhile
from app.errors import Invalid, NotFound
from app.members.reads import reads_of
from app.programmes import design_releases, designs
from passes.card import CardFace, CardKind, Section
from passes.text import said
from tests.app.designer.conftest import Designer
from tests.passes.artwork.pictures import photo, wordmark


def face(
    shop: Designer, who: str = "", kind: CardKind | None = None, language: str = "en"
) -> CardFace:
    context, programme, now = shop.context, shop.row(), shop.context.clock()
    with context.database.write(shop.programme_id) as session:
        drafted = drafts.read(session, programme, drafts.current(session, programme))
        shaped, design = drafts.designed(session, programme, drafted, {})
        subject = showing.find(session, context.keys, programme, who)
        showing.note(session, subject, "Olga", now=now)
        return showing.of_subject(
            session,
            context.keys,
            shaped,
            design,
            kind or drafted.kind,
            subject,
            language=language,
            now=now,
        )


def test_a_draft_begins_as_what_is_published_and_changes_nothing_of_it(kaffa: Designer) -> None:
    begun = kaffa.draft()
    assert (begun.edit, begun.base, begun.typed["background"]) == (0, 0, "#3b2a20")
    kaffa.type(background="#000000", name_en="Kaffa Club")
    assert kaffa.row().colours["background"] == "#3b2a20"
    with kaffa.context.database.read(kaffa.programme_id) as session:
        assert designs.current(session, kaffa.programme_id) is designs.PLAIN
    assert kaffa.read().colours["background"] == "#000000"
    assert said(face(kaffa).look.programme_name, "en") == "Kaffa Club"


def test_what_is_not_right_yet_is_kept_all_the_same(kaffa: Designer) -> None:
    kaffa.type(valid_until="some day", name_en="x" * 60)
    draft, drafted = kaffa.draft(), kaffa.read()
    assert draft.typed["valid_until"] == "some day" and len(draft.typed["name_en"]) == 60
    assert drafted.problems.keys() == {"valid_until", "name_en"}
    kaffa.type(valid_until="", name_en="")
    assert kaffa.read().problems == {} and "name_en" not in kaffa.draft().typed


def test_two_people_do_not_overwrite_each_other_unseen(kaffa: Designer) -> None:
    first = kaffa.type(name_en="One", by="Olga")
    kaffa.type(edit=first.edit, name_en="Two", by="Mia")
    with pytest.raises(ChangedMeanwhile, match="Mia"):
        kaffa.type(edit=first.edit, name_en="Three")
    assert kaffa.draft().typed["name_en"] == "Two"
    assert kaffa.type(name_en="Two").edit == kaffa.draft().edit, "nothing changed"


def test_uploads_are_kept_once_and_forgotten_when_nothing_shows_them(kaffa: Designer) -> None:
    kaffa.upload(logo=wordmark(), hero=photo(), icon=photo(400, 400))
    draft = kaffa.draft()
    assert draft.pictures.keys() == {"logo", "hero", "icon"}
    old = draft.pictures["logo"]
    kaffa.upload(logo=wordmark(900, 400))
    with kaffa.context.database.read(kaffa.programme_id) as session:
        with pytest.raises(NotFound):
            design_releases.picture(session, kaffa.programme_id, old)
        kept = drafts.picture_bytes(session, kaffa.row(), kaffa.draft())
    assert kept["hero"].startswith(b"\xff\xd8")
    kaffa.upload(hero=None)
    assert kaffa.draft().pictures.keys() == {"logo", "icon"}


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("logo", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "Save it as PNG"),
        ("icon", wordmark(400, 600), "too tall"),
        ("hero", photo(600, 300), "at least 1125×432"),
    ],
)
def test_an_upload_that_cannot_be_used_says_what_to_do(name: str, data: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        uploads.kept_picture(name, data)
    assert caught.value.fields.keys() == {name}
    with pytest.raises(NotFound):
        uploads.kept_picture("../etc", data)


def test_an_earlier_design_can_be_taken_up_again(kaffa: Designer) -> None:
    read = designs.read_changes({"terms": "Be nice.", "logo": wordmark()})
    with kaffa.context.database.write(kaffa.programme_id) as session:
        designs.change(session, kaffa.programme_id, read, now=kaffa.context.clock())
        later = designs.read_changes({"terms": "Be nicer.", "logo": None})
        designs.change(session, kaffa.programme_id, later, now=kaffa.context.clock())
    kaffa.type(terms_en="Never mind.")
    with kaffa.context.database.write(kaffa.programme_id) as session:
        drafts.take_up(session, kaffa.row(), 1, by="Olga", now=kaffa.context.clock())
    draft = kaffa.draft()
    assert (draft.typed["terms_en"], draft.pictures.keys()) == ("Be nice.", {"logo"})
    with kaffa.context.database.write(kaffa.programme_id) as session:
        drafts.discard(session, kaffa.row())
    assert kaffa.draft().typed["terms_en"] == "Be nicer."


@pytest.mark.parametrize("kind", CardKind)
def test_cards_of_every_kind_can_be_looked_at(kaffa: Designer, kind: CardKind) -> None:
    kaffa.type(label_member_en="Guest", valid_until="2027-12-31")
    made = face(kaffa, kind=kind, language="lv")
    assert made.kind is kind and made.fields(Section.HEADER)
    member = made.field("member")
    assert member is not None and member.label_in("lv") == "Guest"


def test_real_members_show_how_long_names_and_large_numbers_fit(kaffa: Designer) -> None:
    kaffa.join("Li")
    long = kaffa.join("Maximiliane Alexandra von Hohenstein", 5)
    rich = kaffa.join("Bo Rich", 123_456)
    assert face(kaffa, "longest").member_name == "Maximiliane Alexandra von Hohenstein"
    largest = face(kaffa, "largest")
    assert (largest.balance, largest.serial_number) == (123_456, rich.serial_number)
    assert largest.code != rich.code, "a preview is good for nothing at a counter"
    assert face(kaffa, long.serial_number).balance == 5
    assert face(kaffa, "bo@kaffa.example").member_name == "Bo Rich"
    club = face(kaffa, "largest", CardKind.CLUB)
    assert (club.kind, club.member_name) == (CardKind.CLUB, "Bo Rich")
    with pytest.raises(NotFound):
        face(kaffa, "nobody@kaffa.example")
    other = Designer.open(kaffa.context, "elsewhere")
    with pytest.raises(NotFound):
        face(other, rich.serial_number)
    assert face(other, "largest").member_name == "Ada Kalniņa", "made up, where there is nobody"
    with kaffa.context.database.read(kaffa.programme_id) as session:
        assert rich.member_id is not None
        [read] = reads_of(session, rich.member_id)
        assert (read.reader, read.purpose) == ("Olga", "preview")
