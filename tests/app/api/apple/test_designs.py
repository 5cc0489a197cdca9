"""A changed design, or tier, reaches the devices that have the pass."""

import io
import zipfile
from typing import Any

from sqlalchemy import event, select

from app.context import Context
from app.ledger.models import Account
from app.programmes import designs
from app.programmes.service import change_settings
from tests.app.api.apple_device import Device, auth, content
from tests.passes.artwork.pictures import wordmark


def give_logo(shop: Any) -> None:
    context: Context = shop.context
    read = designs.read_changes({"logo": wordmark()})
    with context.database.write(shop.programme_id) as session:
        designs.change(session, shop.programme_id, read, now=context.clock())
    with context.database.write_all() as session:
        assert designs.spread(session, context.clock(), 100)


def logo(answer: Any) -> bytes:
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        return archive.read("logo.png")


def test_a_device_is_told_of_a_new_design_and_gets_it(shop: Any, device: Device) -> None:
    card = shop.issue()
    assert device.register(card, auth(shop, card)) == 201
    tag = device.changed().json["lastUpdated"]
    before = device.fetch(card, auth(shop, card))
    give_logo(shop)
    assert device.changed(tag).json["serialNumbers"] == [card.serial_number]
    after = device.fetch(card, auth(shop, card), since=before.headers["Last-Modified"])
    assert after.status_code == 200
    assert logo(after) != logo(before)


def test_pictures_are_read_once_for_many_passes(shop: Any, device: Device) -> None:
    card, other = shop.issue(), shop.issue()
    give_logo(shop)
    device.fetch(card, auth(shop, card))
    read: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        read.append(statement)

    engine = shop.context.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert device.fetch(other, auth(shop, other)).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert not [each for each in read if "programme_designs.logo" in each]


def test_a_pass_shows_the_tier_of_its_account(shop: Any, device: Device) -> None:
    context: Context = shop.context
    card = shop.issue()
    tiers = {"levels": [{"code": "gold", "at_least": 5, "names": {"en": "Gold", "de": "Gold"}}]}
    with context.database.write(shop.programme_id) as session:
        change_settings(session, shop.programme_id, {"tiers": tiers}, valid_from=context.clock())
        account = session.scalars(select(Account).where(Account.id == card.account_id)).one()
        account.tier = "gold"
    header = content(device.fetch(card, auth(shop, card)))["storeCard"]["headerFields"]
    assert [field["key"] for field in header] == ["balance", "tier"]
    # In the strings of every language, by its key.
    assert header[1]["value"].startswith("text.")
