"""Which passes a device should fetch: never is one lost, in whatever order changes commit."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.cards import service as cards
from passes.card import CardStatus
from tests.app.api.apple_device import Device, auth


class TestListing:
    def test_an_unknown_device_is_204(self, shop: Any, device: Device) -> None:
        answer = device.changed()
        assert (answer.status_code, answer.data) == (204, b"")

    def test_without_a_tag_everything_is_listed(self, shop: Any, device: Device) -> None:
        issued = [shop.issue() for _ in range(3)]
        for card in issued:
            device.register(card, auth(shop, card))
        answer = device.changed()
        assert answer.status_code == 200
        assert answer.content_type == "application/json"
        assert set(answer.json) == {"serialNumbers", "lastUpdated"}
        assert answer.json["serialNumbers"] == [card.serial_number for card in issued]

    def test_a_tag_lists_what_changed_since(self, shop: Any, device: Device) -> None:
        issued = [shop.issue() for _ in range(3)]
        for card in issued:
            device.register(card, auth(shop, card))
        tag = device.changed().json["lastUpdated"]
        assert device.changed(tag).status_code == 204
        shop.earn(issued[1])
        newer = device.changed(tag).json
        assert newer["serialNumbers"] == [issued[1].serial_number]
        assert device.changed(newer["lastUpdated"]).status_code == 204
        # An old tag lists everything since it was made, however often it is used.
        shop.earn(issued[0])
        both = {issued[0].serial_number, issued[1].serial_number}
        assert set(device.changed(tag).json["serialNumbers"]) == both

    def test_two_changes_within_one_second_are_both_listed(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        shop.earn(card)
        tag = device.changed().json["lastUpdated"]
        shop.earn(card)
        assert device.changed(tag).json["serialNumbers"] == [card.serial_number]

    def test_a_pass_added_later_is_listed(self, shop: Any, device: Device) -> None:
        first, second = shop.issue(), shop.issue()
        device.register(first, auth(shop, first))
        tag = device.changed().json["lastUpdated"]
        device.register(second, auth(shop, second))
        assert device.changed(tag).json["serialNumbers"] == [second.serial_number]

    def test_a_pass_that_took_another_one_s_place_is_listed(
        self, shop: Any, device: Device
    ) -> None:
        """Both at the same version: nothing but the registration tells one from the other."""
        gone, added = shop.issue(), shop.issue()
        for card in (gone, added):
            shop.earn(card)
        device.register(gone, auth(shop, gone))
        tag = device.changed().json["lastUpdated"]
        assert device.changed(tag).status_code == 204
        device.unregister(gone, auth(shop, gone))
        device.register(added, auth(shop, added))
        answer = device.changed(tag)
        assert answer.status_code == 200
        assert answer.json["serialNumbers"] == [added.serial_number]

    def test_a_tag_that_is_not_ours_lists_everything(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        for tag in ("", "0", "1749000000", "☃", "A" * 7000, "\0", "AQ" * 9):
            assert device.changed(tag).json["serialNumbers"] == [card.serial_number], tag

    def test_a_blocked_card_is_a_change(self, shop: Any, device: Device) -> None:
        card = shop.issue()
        device.register(card, auth(shop, card))
        tag = device.changed().json["lastUpdated"]
        with shop.context.database.write(shop.programme_id) as session:
            cards.set_status(session, card.id, CardStatus.BLOCKED, now=shop.context.clock())
        assert device.changed(tag).json["serialNumbers"] == [card.serial_number]

    def test_passes_of_several_programmes_on_one_phone_are_listed_together(
        self, open_shop: Callable[[], Any], device: Device
    ) -> None:
        shops = [open_shop(), open_shop()]
        issued = [shop.issue() for shop in shops]
        for shop, card in zip(shops, issued, strict=True):
            device.register(card, auth(shop, card))
        listed = device.changed().json["serialNumbers"]
        assert set(listed) == {card.serial_number for card in issued}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
class TestOutOfOrder:
    """Two open PostgreSQL transactions never make a device lose a serial, whoever commits first."""

    RAISE = text(
        "UPDATE accounts SET version = version + 1, "
        "changed_at = changed_at + interval '1 second' WHERE id = :id"
    )

    def test_a_change_that_began_first_and_was_committed_last_is_listed(
        self, shop: Any, device: Device
    ) -> None:
        first, second = shop.issue(), shop.issue()
        for card in (first, second):
            device.register(card, auth(shop, card))
        tag = device.changed().json["lastUpdated"]
        engine = shop.context.database.engine
        with engine.connect() as early, engine.connect() as late:
            early.execute(self.RAISE, {"id": first.account_id})
            late.execute(self.RAISE, {"id": second.account_id})
            late.commit()
            told = device.changed(tag).json
            assert told["serialNumbers"] == [second.serial_number]
            early.commit()
        told = device.changed(told["lastUpdated"]).json
        assert told["serialNumbers"] == [first.serial_number]
        assert device.changed(told["lastUpdated"]).status_code == 204

    def test_two_hundred_changes_in_any_order_are_all_told(self, shop: Any, device: Device) -> None:
        issued = [shop.issue() for _ in range(10)]
        for card in issued:
            device.register(card, auth(shop, card))
        told = device.changed().json
        tag, oldest = told["lastUpdated"], told["lastUpdated"]
        engine = shop.context.database.engine
        for turn in range(20):
            fetched: set[str] = set()
            open_ones = [engine.connect() for _ in issued]
            try:
                for connection, card in zip(open_ones, issued, strict=True):
                    connection.execute(self.RAISE, {"id": card.account_id})
                # Committed backwards, or from the middle out; the device asks in between.
                order = open_ones[::-1] if turn % 2 else open_ones[5:] + open_ones[:5]
                for count, connection in enumerate(order):
                    connection.commit()
                    if count % 3 == turn % 3:
                        answer = device.changed(tag)
                        if answer.status_code == 200:
                            tag = answer.json["lastUpdated"]
                            fetched |= set(answer.json["serialNumbers"])
            finally:
                for connection in open_ones:
                    connection.close()
            answer = device.changed(tag)
            if answer.status_code == 200:
                tag = answer.json["lastUpdated"]
                fetched |= set(answer.json["serialNumbers"])
            assert fetched == {card.serial_number for card in issued}
        assert len(device.changed(oldest).json["serialNumbers"]) == 10
