"""Problems are found before anybody gets the pass, each at the field that causes it."""

import dataclasses
import io
import json
import shutil
import zipfile
from datetime import timedelta

import pytest
from PIL import Image

from app.certs import trusted_roots
from app.clock import FixedClock
from app.delivery.wallets import Wallets
from app.designer import checking, drafts, showing, trials
from app.designer.checking import Problem
from app.errors import NotFound
from app.programmes.service import add_location
from passes.apple.preflight import inspect
from passes.card import CardFace
from tests.app.designer.conftest import Designer
from tests.passes.artwork.pictures import photo, saved, wordmark


def face(shop: Designer) -> CardFace:
    context, programme = shop.context, shop.row()
    with context.database.read(shop.programme_id) as session:
        draft = drafts.current(session, programme)
        drafted = drafts.read(session, programme, draft)
        pictures = drafts.picture_bytes(session, programme, draft)
        shaped, design = drafts.designed(session, programme, drafted, pictures)
        return showing.made_up(
            session, shaped, design, drafted.kind, language="en", now=context.clock()
        )


def found(shop: Designer) -> list[Problem]:
    context = shop.context
    passes = Wallets(context).apple
    made = face(shop)
    return [
        *checking.seen(made),
        *checking.preflight(context, passes, shop.row(), made, now=context.clock()),
    ]


def test_a_good_design_has_nothing_that_keeps_it_back(kaffa: Designer) -> None:
    kaffa.upload(logo=wordmark(), hero=photo(), icon=photo(400, 400))
    assert [each for each in found(kaffa) if each.blocks] == []


def test_what_cannot_be_read_is_said_at_its_colour_with_one_that_can(kaffa: Designer) -> None:
    kaffa.type(background="#ffffff", foreground="#ffe000", label="#000000")
    [problem] = [each for each in checking.seen(face(kaffa)) if each.code == "contrast"]
    assert problem.field == "foreground" and "1.3 to 1" in problem.message
    offered = checking.judged(face(kaffa).colours)["foreground"]
    assert offered.text is not None and offered.ground is not None
    kaffa.type(foreground=offered.text)
    assert not [each for each in checking.seen(face(kaffa)) if each.code == "contrast"]


def test_texts_of_a_poster_are_held_against_its_photo_where_they_stand(kaffa: Designer) -> None:
    """The plain colours pass; the photo below the texts decides."""
    kaffa.type(background="#3b2a20", foreground="#ffffff", label="#ffffff")

    def poster(top: str, bottom: str) -> list[Problem]:
        image = Image.new("RGB", (1400, 1750), bottom)
        image.paste(Image.new("RGB", (1400, 300), top))
        kaffa.upload(poster=saved(image, "JPEG"))
        return [each for each in found(kaffa) if each.code == "poster_contrast"]

    assert poster("#102030", "#102030") == []
    [problem] = poster("#f0f0f0", "#102030")
    assert (problem.field, problem.severity, problem.blocks) == ("poster", "warning", False)
    assert "1.1 to 1 in places" in problem.message
    # A little bright spot, such as a lamp, is no reason to take another photo.
    lamp = Image.new("RGB", (1400, 1750), "#102030")
    lamp.paste(Image.new("RGB", (60, 60), "#ffffff"), (700, 60))
    kaffa.upload(poster=saved(lamp, "JPEG"))
    assert not [each for each in found(kaffa) if each.code == "poster_contrast"]
    kaffa.type(label="#203040")
    [problem] = poster("#102030", "#102030")
    assert "the labels are hard to read" in problem.message


def test_fields_without_room_and_names_that_are_cut_are_said_at_their_fields(
    kaffa: Designer,
) -> None:
    kaffa.type(
        name_de="Kaffeerösterei am alten Hafen von Riga",
        terms_en="x",
        contact_en="y",
        **{f"field_{key}_place": "secondary" for key in ("terms", "contact", "number", "issued")},
    )
    fields = {each.field for each in found(kaffa)}
    assert {"name_de", "field_member_place", "field_pending_place", "fields"} <= fields


def test_the_real_pass_is_looked_through_with_all_that_the_draft_has(kaffa: Designer) -> None:
    with kaffa.context.database.write(kaffa.programme_id) as session:
        add_location(
            session, kaffa.programme_id, slug="port", name="Port", now=kaffa.context.clock()
        )
    kaffa.type(
        kind="club",
        place_port="56.9496, 24.1052",
        beacon_0_uuid="f8f589e9-9d29-4a5c-9f5c-1f5b7d0ea7a1",
        action_0_kind="shop",
        action_0_url="https://kaffa.example",
        time_0_from="2026-12-24T09:00",
        app_ids="284910350",
        app_url="kaffa://card",
        no_sharing="yes",
        valid_until="2027-12-31",
        code_aztec="yes",
        name_ru="Кофе",
        label_member_lv="Viesis",
    )
    context = kaffa.context
    signer = Wallets(context).apple.usable().signer
    built = checking.signed(context, signer, face(kaffa), now=context.clock())
    assert inspect(built, now=context.clock(), roots=trusted_roots(context.config)) == []
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        content = json.loads(archive.read("pass.json"))
    for name in ("locations", "beacons", "featuredActions", "relevantDates", "sharingProhibited"):
        assert content[name]


def test_without_a_certificate_the_design_is_looked_through_all_the_same(
    kaffa: Designer,
) -> None:
    shutil.rmtree(kaffa.context.config.certs_dir)
    problems = found(kaffa)
    assert [each.code for each in problems if each.wallet == "apple"] == ["no_certificate"]
    assert not any(each.blocks for each in problems)


def test_what_the_installation_lacks_is_said_and_keeps_no_design_back(kaffa: Designer) -> None:
    local = dataclasses.replace(kaffa.context.config, url="http://127.0.0.1:8000")
    context = dataclasses.replace(kaffa.context, config=local)
    kaffa.context = context
    codes = {each.code: each for each in found(kaffa)}
    assert codes["unreachable_from_outside"].is_error
    assert not any(each.blocks for each in codes.values())


def test_a_test_pass_comes_by_a_link_that_works_once(kaffa: Designer) -> None:
    context, now = kaffa.context, kaffa.context.clock()
    kaffa.type(background="#102030", field_member_place="hidden", kind="points", terms_en="Nice.")
    with context.database.write(kaffa.programme_id) as session:
        draft = drafts.current(session, kaffa.row())
        token = trials.make_link(session, kaffa.row(), draft, language="de", now=now)
        assert token not in json.dumps([str(each.token_hash) for each in session.new])
    kaffa.type(background="#ffffff")
    with context.database.write_all() as session:
        trial = trials.find(session, token, now=now)
        assert trial.programme_id == kaffa.programme_id
        file_token = trials.take(session, token, now=now)
    for used in (token, file_token, "", "x" * 500):
        with context.database.read_all() as session, pytest.raises(NotFound):
            trials.find(session, used, now=now)
    with context.database.read_all() as session:
        programme_id = trials.taken(session, file_token, now=now).programme_id
    with context.database.read(programme_id) as session:
        trial = trials.taken(session, file_token, now=now)
        made = trials.face_of(session, kaffa.row(), trial, now=now)
    built = trials.build(context, Wallets(context).apple, made, now=now)
    assert [
        each
        for each in inspect(built, now=now, roots=trusted_roots(context.config))
        if each.severity == "error"
    ] == []
    with zipfile.ZipFile(io.BytesIO(built)) as archive:
        content = json.loads(archive.read("pass.json"))
    fields = {field["key"]: field for fields in content["storeCard"].values() for field in fields}
    assert content["backgroundColor"] == "rgb(16, 32, 48)", "as it was when the link was made"
    assert fields["member"]["value"] == "Testkarte" and "Testkarte" in fields["message"]["value"]
    assert fields["balance"]["value"] == 0
    assert content["serialNumber"].startswith("TEST") and "webServiceURL" not in content
    assert content["expirationDate"] == "2026-06-08T09:00:00Z"
    assert "CF" not in content["barcodes"][0]["message"][:2]


def test_a_link_that_nobody_took_is_over_after_half_an_hour(kaffa: Designer) -> None:
    context, now = kaffa.context, kaffa.context.clock()
    assert isinstance(context.clock, FixedClock)
    with context.database.write(kaffa.programme_id) as session:
        draft = drafts.current(session, kaffa.row())
        token = trials.make_link(session, kaffa.row(), draft, language="en", now=now)
    later = now + timedelta(minutes=31)
    with context.database.write_all() as session:
        with pytest.raises(NotFound, match="is over"):
            trials.take(session, token, now=later)
        file_token = trials.take(session, token, now=now)
        assert trials.taken(session, file_token, now=now + timedelta(minutes=9))
        with pytest.raises(NotFound):
            trials.taken(session, file_token, now=now + timedelta(minutes=11))
