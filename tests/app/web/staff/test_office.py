"""The pages of the shop's tills, team, keys and certificates: what each does and leaves behind."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.clock import FixedClock
from app.keys import Purpose
from app.staff.errors import WrongPin
from app.staff.service import check_pin, person_by_id
from app.till.reporting import tills
from tests.app.office import SignIn, noted, secret_on


class TestTills:
    def test_a_till_is_added_enrolled_by_its_code_seen_and_refused(
        self, shop: Any, signed_in: SignIn, clock: FixedClock
    ) -> None:
        manager = signed_in("manager")
        page = manager.post("tills", {"name": "Terrace", "location": "old-town"}).text
        code = secret_on(page)
        assert "data:image/png;base64," in page
        assert shop.client.post("/api/till/v1/enrolments", json={"code": code}).status_code == 201
        shop.ask("GET", "/keys", Counterfoil_Waiting="3")
        clock.advance(timedelta(minutes=4))
        words = manager.words("tills")
        assert "Counter 1 is silent, and 3 postings were waiting in it" in words
        with shop.context.database.read(shop.programme_id) as session:
            till = next(each for each in tills(session, now=clock()) if each.name == "Counter 1")
        assert manager.post(f"tills/{till.id}/revoke").status_code == 303
        assert shop.ask("GET", "/keys").status_code == 401
        code = secret_on(manager.post(f"tills/{till.id}/code").text)
        assert shop.client.post("/api/till/v1/enrolments", json={"code": code}).status_code == 201
        assert noted(shop) == ["till.add", "till.revoke", "till.code"]
        table = manager.get("tills?as=csv").text
        assert table.splitlines()[0].lstrip("\ufeff").startswith("Till,Location,State")

    def test_what_makes_no_sense_is_said_beside_the_form(
        self, shop: Any, signed_in: SignIn
    ) -> None:
        manager = signed_in("manager")
        for data in (
            {"name": "", "location": "old-town"},
            {"name": "Counter 1", "location": "old-town"},
        ):
            answer = manager.post("tills", data)
            assert answer.status_code == 422 and 'role="alert"' in answer.text
        assert manager.post("tills", {"name": "X", "location": "nowhere"}).status_code == 404
        assert (
            manager.post("tills/locations", {"place": "Beach", "slug": "Beach !"}).status_code
            == 422
        )
        assert (
            manager.post("tills/locations", {"place": "Beach", "slug": "beach"}).status_code == 303
        )
        assert "Beach" in manager.words("tills")
        assert 'name="location"' not in signed_in("auditor").get("tills").text


class TestTeam:
    def test_somebody_is_added_given_another_role_and_pin_and_leaves(
        self, shop: Any, signed_in: SignIn, clock: FixedClock
    ) -> None:
        owner = signed_in("owner")
        page = owner.post("team", {"name": "Nadja", "role": "cashier"}).text
        link, pin = re.findall(r'class="staff-secret[^"]*">([^<]+)<', page)
        assert shop.client.get(link.removeprefix(shop.context.config.url)).status_code == 200
        with shop.context.database.write(shop.programme_id) as session:
            nadja = check_pin(session, "Nadja", pin, now=clock()).id
        new = secret_on(owner.post(f"team/{nadja}/pin").text)
        assert new != pin
        assert owner.post(f"team/{nadja}/role", {"role": "manager"}).status_code == 303
        assert owner.post(f"team/{nadja}/role", {"role": "boss"}).status_code == 422
        assert "Invited" in owner.words(f"team/{nadja}")
        assert owner.post(f"team/{nadja}/leave").status_code == 303
        assert shop.client.get(link.removeprefix(shop.context.config.url)).status_code == 404
        with shop.context.database.write(shop.programme_id) as session, pytest.raises(WrongPin):
            check_pin(session, "Nadja", new, now=clock())
        assert owner.post(f"team/{nadja}/pin").status_code == 409
        assert owner.post(f"team/{nadja}/link").status_code == 409
        owner.post(f"team/{nadja}/come-back")
        with shop.context.database.read(shop.programme_id) as session:
            person = person_by_id(session, nadja)
            assert (person.left_at, person.role) == (None, "manager")
        assert noted(shop) == [
            "staff.add",
            "staff.pin",
            "staff.role",
            "staff.leave",
            "staff.come_back",
        ]

    def test_the_last_owner_stays_owner(self, shop: Any, signed_in: SignIn) -> None:
        owner = signed_in("owner")
        mine = owner.person.id
        for path, data in ((f"team/{mine}/leave", {}), (f"team/{mine}/role", {"role": "cashier"})):
            answer = owner.post(path, data)
            assert answer.status_code == 422 and "only owner" in answer.text
        other = signed_in("owner", name="Other")
        assert owner.post(f"team/{other.person.id}/role", {"role": "cashier"}).status_code == 303
        assert other.get("account").status_code == 303  # signed out with the role

    def test_an_owner_signs_others_out_and_a_manager_only_looks(
        self, shop: Any, signed_in: SignIn
    ) -> None:
        owner, manager = signed_in("owner"), signed_in("manager")
        assert "in 1 browser" in owner.words(f"team/{manager.person.id}")
        assert manager.get("team").status_code == 200
        assert manager.post("team", {"name": "X", "role": "owner"}).status_code == 403
        owner.post(f"team/{manager.person.id}/sign-out")
        assert manager.get("team").status_code == 303
        assert owner.get("team?as=csv").text.count("\n") == 5


class TestKeys:
    def test_keys_are_rotated_and_retired_with_a_last_day(
        self, shop: Any, signed_in: SignIn, clock: FixedClock
    ) -> None:
        owner = signed_in("owner")
        card = shop.issue()
        before = shop.context.keys.current(Purpose.FIELD).version
        assert owner.post("keys/retire", {"purpose": "field", "version": before}).status_code == 409
        assert owner.post("keys/rotate", {"purpose": "field"}).status_code == 303
        assert shop.context.keys.current(Purpose.FIELD).version == before + 1
        assert owner.post("keys/retire", {"purpose": "field", "version": before}).status_code == 303
        first = next(
            each.version
            for each in shop.context.keys.list()
            if each.purpose == Purpose.CARD_SIGNING
        )
        retire = {"purpose": "card_signing", "version": first}
        assert owner.post("keys/retire", retire).status_code == 422
        assert owner.post("keys/rotate", {"purpose": "card_signing"}).status_code == 303
        assert shop.accrue(card).status_code == 201
        day = (clock() - timedelta(days=1)).date().isoformat()
        assert owner.post("keys/retire", retire | {"valid_until": "soon"}).status_code == 422
        assert owner.post("keys/retire", retire | {"valid_until": day}).status_code == 303
        assert shop.accrue(card).status_code != 201
        for wrong in ({"purpose": "x"}, {"purpose": "field", "version": "99999999"}, {}):
            assert owner.post("keys/retire", wrong).status_code == 404
        assert owner.post("keys/rotate", {"purpose": "apple_pass"}).status_code == 422
        assert "Cards refused from" in owner.words("keys")
        material = shop.context.keys.current(Purpose.FIELD).material.hex()
        assert material not in owner.get("keys").text + owner.get("keys?as=csv").text

    def test_what_several_programmes_share_is_changed_on_the_machine_alone(
        self, shop: Any, open_shop: Callable[[], Any], signed_in: SignIn
    ) -> None:
        other, owner = open_shop(), signed_in("owner")
        answer = owner.post("keys/rotate", {"purpose": "field"})
        assert answer.status_code == 403 and "Other programmes" in answer.text
        assert owner.post("certificates/request").status_code == 403
        assert owner.post("keys/rotate", {"purpose": "card_signing"}).status_code == 303
        theirs = max(
            each.version
            for each in shop.context.keys.list()
            if each.programme_id == other.programme_id
        )
        retire = {"purpose": "card_signing", "version": theirs}
        assert owner.post("keys/retire", retire).status_code == 404


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
class TestCertificates:
    def test_a_request_is_made_downloaded_and_kept_apart_from_its_key(
        self, shop: Any, signed_in: SignIn
    ) -> None:
        owner = signed_in("owner")
        assert "No certificate is installed" in owner.words("certificates")
        assert owner.post("certificates/request").status_code == 303
        found = re.search(
            r'href="([^"]+/certificates/request/[^"]+)"', owner.get("certificates").text
        )
        assert found
        made = owner.get(found[1])
        assert b"BEGIN CERTIFICATE REQUEST" in made.data and b"PRIVATE" not in made.data
        assert owner.get("certificates/request/..%2Fmaster.key").status_code == 404
        assert signed_in("auditor").get(found[1]).status_code == 403

    def test_files_of_any_kind_are_looked_at_and_refused_in_words(
        self, shop: Any, signed_in: SignIn
    ) -> None:
        owner = signed_in("owner")
        for name, data in (
            ("pass.cer", b"nonsense"),
            ("../../etc/x.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            ("a.json", b'{"type": "service_account"}'),
            ("big.p12", b"\x30" * 70_000),
            ("", b""),
        ):
            answer = owner.post("certificates/install", {"files": (io.BytesIO(data), name)})
            assert answer.status_code == 422, name
            assert "counterfoil-upload" not in answer.text
        assert not list(shop.context.config.certs_dir.glob("*"))
