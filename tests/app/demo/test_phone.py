"""The iPhone stand-in refuses what an iPhone refuses, and keeps its passes up to date."""

import hashlib
import io
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image
from werkzeug.serving import make_server

from app import create_app
from app.cards.models import Card
from app.certs import ROOT, make_dev_chain
from app.clock import FixedClock
from app.config import Config
from app.context import Context
from app.db import Database
from app.demo.apns import ApnsStandIn
from app.demo.pass_check import PassRefused
from app.demo.phone import Iphone, lock_screen_texts, shown
from app.demo.processes import free_port
from app.keys import KeyRing
from tests.app.api.programmes import Programme
from tests.app.demo.conftest import pem_of
from tests.passes import certificates
from tests.passes.apple import forge

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="session")
def root_pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("root") / "root.pem"
    path.write_bytes(pem_of(certificates.root().certificate))
    return path


@pytest.fixture
def phone(root_pem: Path) -> Iterator[Iphone]:
    with Iphone(root_pem, clock=lambda: certificates.NOW) as phone:
        yield phone


# -- what it takes and what it refuses ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_a_good_pass_is_taken_and_shows_its_points(phone: Iphone, kind: str) -> None:
    signer = certificates.signer(kind)
    made = forge.pkpass(signature=lambda manifest: signer.sign(manifest, certificates.NOW))
    phone.add(made)
    assert phone.points() == 120
    assert phone.pass_file == made


def changed(**changes: Any) -> dict[str, Any]:
    """A good pass.json with fields changed; None takes one out."""
    content = forge.content() | changes
    return {name: value for name, value in content.items() if value is not None}


def with_field(**changes: Any) -> dict[str, Any]:
    content = forge.content()
    content["storeCard"]["headerFields"][0] |= changes
    return content


def with_barcode(**changes: Any) -> dict[str, Any]:
    content = forge.content()
    content["barcodes"][0] |= changes
    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (changed(formatVersion=2), "formatVersion"),
        (changed(description=None), "description"),
        (changed(serialNumber=7), "serialNumber"),
        (changed(storeCard=None), "one style"),
        (changed(generic={}), "one style"),
        (changed(passTypeIdentifier="pass.other"), "passTypeIdentifier"),
        (changed(teamIdentifier="OTHERTEAM1"), "teamIdentifier"),
        (changed(backgroundColor="#3b2314"), "backgroundColor"),
        (changed(labelColor="rgb(1, 2, 300)"), "labelColor"),
        (changed(expirationDate="2027-01-01T00:00:00.000Z"), "expirationDate"),
        (changed(locations=[{"latitude": 1, "longitude": 1}] * 11), "locations"),
        (changed(nfc={"message": "x"}), "nfc"),
        (changed(voided="yes"), "voided"),
        (changed(authenticationToken="short"), "16"),
        (changed(webServiceURL="http://cards.example.com"), "https"),
        (changed(webServiceURL=None), "https"),
        (with_field(key="number"), "taken"),
        (with_field(value=None), "no value"),
        (with_field(label=3), "label"),
        (with_field(dateStyle="PKDateStyleShort"), "date"),
        (with_barcode(format="QR"), "format"),
        (with_barcode(message="\u20ac"), "messageEncoding"),
        (with_barcode(messageEncoding="klingon"), "messageEncoding"),
        (b"{", "JSON"),
        (b"[]", "not an object"),
    ],
)
def test_a_pass_with_wrong_content_is_refused(phone: Iphone, content: Any, said: str) -> None:
    with pytest.raises(PassRefused, match=said):
        phone.add(forge.pkpass(content))
    assert not phone.passes


def without(name: str) -> Callable[[dict[str, bytes]], Any]:
    return lambda files: [item for item in files.items() if item[0] != name]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"archive": without("signature")}, "signature is missing"),
        ({"archive": without("strip.png")}, "in the manifest but missing: strip.png"),
        ({"archive": lambda f: [*f.items(), ("x.txt", b"")]}, "not in the manifest: x.txt"),
        ({"archive": lambda f: [*f.items(), ("../x", b"")]}, "no name"),
        ({"archive": lambda f: [*f.items(), ("pass.json", b"{}")]}, "one name"),
        ({"archive": lambda f: {**f, "logo.png": b"other"}.items()}, "SHA-1 of logo.png"),
        ({"hashed": lambda data: hashlib.sha256(data).hexdigest()}, "SHA-1"),
        ({"signature": lambda made: forge.sign(made + b" ")}, "openssl"),
        ({"signature": lambda made: b"signed, honestly"}, "not a CMS"),
        (
            {"signature": lambda made: forge.cms(forge.attributes(made), attached=made)},
            "not detached",
        ),
        (
            {"signature": lambda made: forge.cms(forge.attributes(made)[::2])},
            "signingTime",
        ),
        (
            {"signature": lambda made: forge.cms(forge.attributes(made)[::-1])},
            "DER order",
        ),
    ],
)
def test_a_pass_with_a_wrong_hash_file_or_signature_is_refused(
    phone: Iphone, fault: dict[str, Any], said: str
) -> None:
    with pytest.raises(PassRefused, match=said):
        phone.add(forge.pkpass(**fault))


def test_a_pass_without_an_icon_or_with_a_broken_picture_is_refused(phone: Iphone) -> None:
    images = dict(forge.images())
    with pytest.raises(PassRefused, match=r"logo\.png is not a PNG"):
        phone.add(forge.pkpass(files=images | {"logo.png": b"GIF89a"}))
    del images["icon.png"]
    with pytest.raises(PassRefused, match=r"icon\.png is missing"):
        phone.add(forge.pkpass(files=images))


def test_what_is_no_archive_is_refused(phone: Iphone) -> None:
    with pytest.raises(PassRefused, match="not a zip"):
        phone.add(b"PK\x03\x04 and nothing else")


def test_a_signature_is_judged_by_the_day(root_pem: Path) -> None:
    late = certificates.NOW + 2 * certificates.YEAR
    with (
        Iphone(root_pem, clock=lambda: late) as phone,
        pytest.raises(PassRefused, match="expired"),
    ):
        phone.add(forge.pkpass())


def test_only_the_phones_own_root_is_trusted(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(pem_of(certificates.authority("Another", number=9).certificate))
    with (
        Iphone(other, clock=lambda: certificates.NOW) as phone,
        pytest.raises(PassRefused, match="openssl"),
    ):
        phone.add(forge.pkpass())


# -- what it shows --------------------------------------------------------------------------------


def texts_between(phone: Iphone, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    first = phone.add(forge.pkpass(before)).checked
    return lock_screen_texts(first, phone.add(forge.pkpass(after)).checked)


def test_one_changed_field_with_a_message_is_told_in_its_words(phone: Iphone) -> None:
    after = with_field(value=1250, changeMessage="You now have %@ beans, 5%% more")
    assert texts_between(phone, forge.content(), after) == ["You now have 1,250 beans, 5% more"]


def test_texts_are_said_in_the_phones_language(phone: Iphone) -> None:
    first = forge.content(forge.face(balance=120))
    assert texts_between(phone, first, forge.content(forge.face(balance=1))) == [
        "You now have 1 bean"
    ]
    checked = phone.held().checked
    assert checked.said("label.member", "lv") == "Dalībnieks"
    assert checked.said("label.member", "fr") == "label.member"


def test_without_a_placeholder_nothing_is_told(phone: Iphone) -> None:
    after = with_field(value=7, changeMessage="Your balance changed")
    assert texts_between(phone, forge.content(), after) == []
    assert texts_between(phone, forge.content(), forge.content()) == []


def test_several_changed_messages_become_one_that_says_little(phone: Iphone) -> None:
    def content(tier: str, points: int) -> dict[str, Any]:
        made = with_field(value=points, changeMessage="%@ beans")
        made["storeCard"]["secondaryFields"] = [
            {"key": "tier", "label": "Tier", "value": tier, "changeMessage": "You are %@ now"}
        ]
        return made

    texts = texts_between(phone, content("Silver", 1), content("Gold", 2))
    assert texts == ["Bean & Leaf Ltd: your card was updated"]


def test_values_are_written_as_people_read_them() -> None:
    assert shown({"value": 12345}) == "12,345"
    assert shown({"value": 12.5, "currencyCode": "EUR"}) == "EUR 12.50"
    assert shown({"value": 0.2, "numberStyle": "PKNumberStylePercent"}) == "20%"
    assert shown({"value": "Gold"}) == "Gold"


def test_the_card_is_drawn_in_its_own_colours(phone: Iphone) -> None:
    phone.add(forge.pkpass())
    with Image.open(io.BytesIO(phone.draw())) as drawn:
        assert drawn.format == "PNG"
        assert drawn.mode == "RGBA"
        assert drawn.width == 816
        assert drawn.getpixel((0, 0))[3] == 0
        red, green, blue, _ = drawn.getpixel((80, 1100))
    assert (red, green, blue) == (0x3B, 0x23, 0x14)


# -- with the web service -------------------------------------------------------------------------


class Service:
    """Counterfoil's own web service on loopback, with a programme and its cards."""

    def __init__(self, context: Context) -> None:
        self.programme = Programme.open(context, "kaffa")
        self.app = create_app(context)
        self.context = context
        self.root_pem = context.config.certs_dir / ROOT

    def pass_of(self, card: Card) -> bytes:
        wallets = self.app.extensions["counterfoil.wallets"]
        with self.context.database.read(self.programme.programme_id) as session:
            found = session.get_one(Card, card.id)
            built: bytes = wallets.apple.build(session, found, now=self.context.clock())
            return built


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("phone") / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url="sqlite://", url="http://127.0.0.1:8000")
    make_dev_chain(config, KeyRing.open(config), now=datetime(2026, 6, 1, tzinfo=UTC))
    return data


@pytest.fixture
def service(
    certified: Path,
    database_urls: Callable[[str], str],
    clock: FixedClock,
    tmp_path: Path,
) -> Iterator[Service]:
    shutil.copytree(certified, tmp_path / "data")
    database = Database(database_urls("sqlite"))
    port = free_port()
    config = Config(
        data=tmp_path / "data", database_url=database.url, url=f"http://127.0.0.1:{port}"
    )
    made = Service(Context(config, database, KeyRing.open(config, now=clock), clock))
    server = make_server("127.0.0.1", port, made.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()
    database.dispose()


@pytest.fixture
def owner(service: Service, clock: FixedClock) -> Iterator[tuple[Iphone, Card]]:
    """A phone with a card of the service on it, registered."""
    with Iphone(service.root_pem, clock=clock) as phone:
        card = service.programme.issue()
        phone.add(service.pass_of(card))
        assert phone.register() == 201
        yield phone, card


def test_a_registered_phone_fetches_what_changed(
    service: Service, owner: tuple[Iphone, Card], clock: FixedClock
) -> None:
    phone, card = owner
    assert phone.register() == 200
    assert phone.wake() == []
    clock.advance(SECOND)
    service.programme.earn(card, 12)
    [text] = phone.wake()
    assert phone.points() == 12
    assert "12" in text
    assert phone.wake() == []
    assert phone.lock_screen == [text]


def test_a_push_wakes_the_phone(
    service: Service,
    owner: tuple[Iphone, Card],
    clock: FixedClock,
    apns: ApnsStandIn,
    client: httpx2.Client,
) -> None:
    phone, card = owner
    phone.listen(apns)
    clock.advance(SECOND)
    service.programme.earn(card, 7)
    headers = {"apns-topic": certificates.PASS_TYPE}
    client.post(f"/3/device/{phone.push_token}", content=b"{}", headers=headers)
    wake = phone.wait_for_wake()
    assert phone.points() == 7
    assert wake.texts == tuple(phone.lock_screen)
    assert wake.done_at > wake.pushed_at
    assert phone.errors == []


def test_a_removed_pass_is_no_longer_asked_for(
    service: Service, owner: tuple[Iphone, Card], clock: FixedClock
) -> None:
    phone, card = owner
    second = service.programme.issue()
    phone.add(service.pass_of(second))
    assert phone.register() == 201
    assert phone.remove(card.serial_number) == 200
    clock.advance(SECOND)
    service.programme.earn(card)
    service.programme.earn(second, 3)
    assert len(phone.wake()) == 1
    assert phone.points() == 3
    assert list(phone.passes) == [second.serial_number]


def test_a_wrong_token_does_not_register(owner: tuple[Iphone, Card]) -> None:
    phone, _ = owner
    held = phone.held()
    held.checked.content["authenticationToken"] = "x" * 32  # type: ignore[index]
    assert phone.register() == 401


def test_a_service_that_cannot_be_reached_is_noted(
    owner: tuple[Iphone, Card], apns: ApnsStandIn, client: httpx2.Client
) -> None:
    phone, _ = owner
    held = phone.held()
    held.checked.content["webServiceURL"] = f"http://127.0.0.1:{free_port()}"  # type: ignore[index]
    phone.listen(apns)
    headers = {"apns-topic": certificates.PASS_TYPE}
    client.post(f"/3/device/{phone.push_token}", content=b"{}", headers=headers)
    assert phone.wait_for_wake().texts == ()
    assert len(phone.errors) == 1
