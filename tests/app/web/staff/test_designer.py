"""The designer's pages: drafts are kept while somebody types, hostile uploads are refused, and only
publishing changes a card."""

import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from app.audit import AuditEntry
from app.members import service as members
from app.members.models import MemberRead
from app.members.service import Contact
from app.programmes import designs
from app.programmes.models import Programme
from app.staff import sessions
from passes.artwork.upload import MAX_BYTES
from tests.app.office import Colleague, sign_in
from tests.passes.artwork.pictures import photo, wordmark

SignIn = Callable[..., Colleague]
TYPED = {"kind": "points", "background": "#102030", "foreground": "#ffffff", "label": "#cccccc"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def owner(signed_in: SignIn) -> Colleague:
    return signed_in("owner", name="Olga")


def colours(shop: Any) -> str:
    with shop.context.database.read_all() as session:
        return str(
            session.scalars(select(Programme).where(Programme.id == shop.programme_id))
            .one()
            .colours["background"]
        )


def send(who: Colleague, name: str, data: bytes, file: str = "x.png", **options: Any) -> Any:
    """Upload a file. Put together here: the test client leaves a large body's own file open."""
    edge = b"----a-line-that-no-picture-has"
    token = sessions.form_token(who.token).encode()
    disposition = b'Content-Disposition: form-data; name="%s"'
    body = b"\r\n".join(
        (
            b"--" + edge,
            disposition % b"form_token",
            b"",
            token,
            b"--" + edge,
            disposition % name.encode() + b'; filename="%s"' % file.encode(),
            b"Content-Type: image/png",
            b"",
            data,
            b"--" + edge + b"--",
            b"",
        )
    )
    return who.client.post(
        who.address(f"designer/pictures/{name}"),
        data=body,
        content_type=f"multipart/form-data; boundary={edge.decode()}",
        **options,
    )


def test_what_is_typed_is_kept_and_drawn_and_no_card_changes(shop: Any, owner: Colleague) -> None:
    answer = owner.post("designer/draft", TYPED | {"name_en": "Kaffa Club"}, headers=HTMX)
    assert answer.status_code == 200
    assert "Kaffa Club" in answer.text and 'fill="#102030"' in answer.text
    assert 'id="edit" value="1"' in answer.text
    page = owner.get("designer")
    assert 'value="#102030"' in page.text and 'value="Kaffa Club"' in page.text
    assert colours(shop) == "#3b2a20"
    assert not re.search(r"""\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)""", page.text)


def test_problems_and_better_colours_stand_at_their_fields(owner: Colleague) -> None:
    bad = TYPED | {"background": "#ffffff", "foreground": "#ffe000", "valid_until": "some day"}
    answer = owner.post("designer/draft", bad, headers=HTMX)
    assert "contrast is 1.3 to 1" in answer.text and "Choose a day." in answer.text
    [offered] = re.findall(r'value="(foreground:#[0-9a-f]{6})"', answer.text)
    looking = {"take": offered, "show_who": "longest", "show_language": "ru"}
    taken = owner.post("designer/draft", bad | looking, headers=HTMX)
    again = taken.headers["HX-Redirect"]
    assert "show_language=ru" in again and "show_who=longest" in again
    named = {"take": offered, "show_who": "card", "show_card": "ada@kaffa.example"}
    taken = owner.post("designer/draft", bad | named, headers=HTMX)
    assert "ada" not in taken.headers["HX-Redirect"], "nobody's address goes into a link"
    page = owner.get("designer").text
    assert f'value="{offered.partition(":")[2]}"' in page and 'value="some day"' in page
    assert owner.post("designer/publish").status_code == 422
    # Without a script the same form leads back to the page.
    plain = owner.post("designer/draft", TYPED | {"show_language": "lv"})
    assert plain.status_code == 303 and "show_language=lv" in plain.location


def test_who_typed_while_somebody_else_did_is_told(signed_in: SignIn, owner: Colleague) -> None:
    owner.post("designer/draft", TYPED | {"edit": "0"})
    mia = signed_in("marketer", name="Mia")
    mia.post("designer/draft", TYPED | {"edit": "1", "name_en": "Mia's"})
    owner.client.set_cookie("counterfoil_staff", owner.token, path=f"/staff/{owner.slug}")
    late = owner.post("designer/draft", TYPED | {"edit": "1", "name_en": "Olga's"}, headers=HTMX)
    assert "Mia has changed the draft" in late.text
    assert owner.post("designer/draft", TYPED | {"edit": "1"}).status_code == 409
    assert "Mia&#39;s" in owner.get("designer").text


def test_a_draft_is_published_undone_and_noted(shop: Any, owner: Colleague) -> None:
    owner.post("designer/draft", TYPED)
    assert send(owner, "logo", wordmark(), headers=HTMX).status_code == 200
    review = owner.words("designer/publish")
    assert "Publish, and update 0 passes" in review
    assert owner.post("designer/publish").location.endswith("/designer/progress")
    assert colours(shop) == "#102030"
    assert "Design 1, published" in owner.words("designer/progress")
    owner.post("designer/draft", TYPED | {"background": "#400000"})
    owner.post("designer/publish")
    assert colours(shop) == "#400000"
    assert "Undo: publish design 1 again" in owner.words("designer/progress")
    assert owner.post("designer/releases/1/publish").status_code == 303
    assert colours(shop) == "#102030"
    with shop.context.database.read(shop.programme_id) as session:
        assert designs.current(session, shop.programme_id).logo is not None
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions == [
            "design.picture",
            "design.publish",
            "design.publish",
            "design.publish",
        ]
    assert owner.post("designer/releases/2/draft").status_code == 303
    assert 'value="#400000"' in owner.get("designer").text and colours(shop) == "#102030"
    owner.post("designer/discard")
    assert 'value="#102030"' in owner.get("designer").text
    assert owner.post("designer/releases/99/publish").status_code == 404


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that unpacks to many."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        summed = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", summed)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(30_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"


HOSTILE_UPLOADS: list[tuple[bytes, str, str]] = [
    (SCRIPT, "logo.svg", "no picture that can be read"),
    (SCRIPT, "logo.png", "no picture that can be read"),
    (b"<html><script>alert(1)</script>", "logo.png", "no picture that can be read"),
    (b"GIF89a/*" + bytes(100), "logo.gif", "no picture that can be read"),
    (b"\x89PNG\r\n\x1a\n" + SCRIPT, "logo.png", "no picture that can be read"),
    (bomb(60_000, 60_000), "logo.png", "million pixels"),
    (bomb(7_000, 7_000), "logo.png", "million pixels"),
    (bytes(MAX_BYTES + 1), "logo.png", "at most 10 are taken"),
    (wordmark(100, 100), "logo.png", "at least"),
    (wordmark(2000, 200), "logo.png", "too wide"),
    (b"", "logo.png", "Choose a file first"),
]


def test_a_hostile_upload_is_refused_with_what_to_do(owner: Colleague) -> None:
    for data, file, says in HOSTILE_UPLOADS:
        answer = send(owner, "logo", data, file, headers=HTMX)
        assert answer.status_code == 200 and says in answer.text, (file, data[:20])
    german = send(owner, "logo", SCRIPT, headers=HTMX | {"Accept-Language": "de"})
    assert "Speichern Sie es als PNG" in german.text
    plain = send(owner, "logo", SCRIPT, "logo.svg")
    assert plain.status_code == 422 and "no picture that can be read" in plain.text
    assert "designer-thumb" not in owner.get("designer").text


def test_of_a_polyglot_the_picture_alone_is_kept_and_served_as_one(owner: Colleague) -> None:
    polyglot = photo(700, 700, form="PNG") + b"<script>alert(1)</script>PK\x05\x06" + bytes(18)
    assert send(owner, "icon", polyglot, "icon.php", headers=HTMX).status_code == 200
    [address] = set(
        re.findall(r'src="([^"]*/designer/pictures/[0-9a-f]{64})"', owner.get("designer").text)
    )
    answer = owner.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert b"<script" not in answer.data and b"PK\x05\x06" not in answer.data
    assert owner.get(address[:-1] + "0").status_code == 404
    removed = owner.post("designer/pictures/icon", {"remove": "yes"}, headers=HTMX)
    assert "designer-thumb" not in removed.text
    assert owner.get(address).status_code == 404, "nothing shows it any more"


def test_an_upload_larger_than_any_picture_is_not_even_read(owner: Colleague) -> None:
    assert send(owner, "logo", bytes(12_000_000)).status_code == 413
    assert owner.post("designer/draft", {"name_en": "x" * 2_000_000}).status_code == 413
    assert send(owner, "..%2f..%2fetc", b"x").status_code == 404


HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"


def test_hostile_texts_stay_texts(owner: Colleague) -> None:
    names = ("name_en", "terms_en", "contact_lv", "label_member_en", "link_0_en", "link_0_url")
    more = ("beacon_0_uuid", "background", "kind", "app_url", "valid_until", "field_member_place")
    typed = TYPED | dict.fromkeys((*names, *more), HOSTILE)
    for answer in (
        owner.post("designer/draft", typed, headers=HTMX),
        owner.get("designer"),
        owner.get("designer/checks"),
        owner.get("designer/publish"),
        owner.get("designer", query_string={"show_who": "card", "show_card": HOSTILE}),
        owner.get("designer", query_string={"show_language": HOSTILE, "show_kind": HOSTILE}),
    ):
        # Another kind of card has other fields: the page is asked for anew.
        assert answer.status_code in (200, 204)
        assert "<script>alert" not in answer.text and "<img src=x" not in answer.text
        assert HOSTILE not in answer.text


def test_whose_data_are_shown_is_recorded_and_auditors_see_nobodys(
    shop: Any, owner: Colleague, signed_in: SignIn
) -> None:
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        member = members.add_member(
            session,
            shop.context.keys,
            shop.programme_id,
            Contact("Maximiliane von Hohenstein"),
            language="en",
            now=now,
        )
    shop.issue(member_id=member.id)
    assert "Maximiliane" in owner.get("designer?show_who=longest").text
    assert (
        "Maximiliane"
        in owner.post("designer/draft", TYPED | {"show_who": "longest"}, headers=HTMX).text
    )
    with shop.context.database.read(shop.programme_id) as session:
        [read] = session.scalars(select(MemberRead))
        assert (read.reader, read.member_id) == ("Olga", member.id)
    auditor = signed_in("auditor")
    page = auditor.get("designer?show_who=longest")
    assert page.status_code == 200 and "Maximiliane" not in page.text
    assert "<fieldset disabled" in page.text
    assert auditor.post("designer/draft", TYPED).status_code == 403
    assert signed_in("cashier").get("designer").status_code == 403


def test_a_shop_does_not_see_another_shops_drafts_and_pictures(
    open_shop: Callable[[], Any], shop: Any, owner: Colleague
) -> None:
    send(owner, "logo", wordmark(), headers=HTMX)
    [address] = set(
        re.findall(r'src="([^"]*/designer/pictures/[0-9a-f]{64})"', owner.get("designer").text)
    )
    owner.post("designer/draft", TYPED | {"name_en": "Secret plan"})
    other = open_shop()
    stranger = sign_in(shop.context, shop.client, other.slug, other.programme_id, "owner")
    digest = address.rpartition("/")[2]
    assert stranger.get(f"designer/pictures/{digest}").status_code == 404
    assert "Secret plan" not in stranger.get("designer").text
    assert stranger.get(address).status_code in (303, 403, 404)
    assert stranger.post("designer/releases/1/publish").status_code == 404


def test_the_pages_speak_the_readers_language(owner: Colleague) -> None:
    assert "Card design" in owner.words("designer")
    for language, called in (("de", "Kartendesign"), ("lv", "Kartes dizains"), ("ru", "Вид карты")):
        answer = owner.get("designer", headers={"Accept-Language": language})
        assert f'<html lang="{language}"' in answer.text
        assert called in answer.text and "Card design" not in answer.text


def test_a_test_pass_is_offered_without_being_used_up_by_a_look(
    shop: Any, owner: Colleague
) -> None:
    page = owner.post("designer/trial")
    [token] = set(re.findall(r"/try/([0-9a-f]{48})", page.text))
    for _ in range(2):
        assert shop.client.get(f"/try/{token}").status_code == 200
    # No certificate in this shop: said, and not used up.
    assert shop.client.post(f"/try/{token}").status_code == 404
    assert shop.client.get(f"/try/{token}").status_code == 200
    assert shop.client.get(f"/try/{'0' * 48}").status_code == 404
    assert shop.client.get("/try/file/x/test.pkpass").status_code == 404
