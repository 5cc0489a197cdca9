"""The pages of the shop and its installation: what each does, and what it leaves behind."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import app
from app.audit import AuditEntry, note
from app.clock import FixedClock
from app.errors import Invalid
from app.keys import Purpose
from app.languages import speaking
from app.members.models import MemberRead
from app.pos.errors import UnknownKey
from app.pos.keys import authenticate
from app.staff import sessions
from app.staff.errors import WrongPin
from app.staff.models import Staff
from app.staff.service import check_pin, person_by_id
from app.till.reporting import tills
from app.transfer import uploads
from app.transfer.columns import place
from app.transfer.encoding import detect
from app.web.staff.door import FORM_FIELD
from app.web.staff.office.deeds import ACTIONS
from app.web.staff.office.file_words import for_the_page
from app.webhooks.models import Delivery, Endpoint
from tests.app.office import Colleague

SignIn = Callable[..., Colleague]


def secret_on(page: str) -> str:
    found = re.search(r'class="staff-secret[^"]*">([^<]+)<', page)
    assert found, page
    return found[1]


def noted(shop: Any) -> list[str]:
    with shop.context.database.read(shop.programme_id) as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


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


class TestApiKeys:
    def test_a_key_is_shown_once_works_is_rotated_and_refused(
        self, shop: Any, signed_in: SignIn, clock: FixedClock
    ) -> None:
        owner = signed_in("owner")
        text = secret_on(owner.post("api-keys", {"name": "Web", "scopes": ["quote"]}).text)

        def holder(key: str) -> str:
            database = shop.context.database
            return authenticate(database, key, address="192.0.2.9", now=clock()).id

        key_id = holder(text)
        assert text not in owner.get("api-keys").text
        other = secret_on(owner.post(f"api-keys/{key_id}/rotate").text)
        assert holder(other) == key_id
        with pytest.raises(UnknownKey):
            holder(text)
        assert owner.post(f"api-keys/{key_id}/revoke").status_code == 303
        with pytest.raises(UnknownKey):
            holder(other)
        assert owner.post(f"api-keys/{key_id}/rotate").status_code == 404
        for wrong in ({"name": "X"}, {"name": "X", "scopes": ["all"]}, {"scopes": ["quote"]}):
            assert owner.post("api-keys", wrong).status_code == 422
        assert noted(shop) == ["api_key.add", "api_key.rotate", "api_key.revoke"]


class TestWebhooks:
    def test_an_address_is_added_stopped_goes_on_and_is_removed(
        self, shop: Any, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owner = signed_in("owner")
        refused = owner.post("webhooks", {"url": "http://127.0.0.1/hook"})
        assert refused.status_code == 422 and 'role="alert"' in refused.text
        monkeypatch.setattr("app.webhooks.service.check_address", lambda *_, **__: None)
        page = owner.post("webhooks", {"url": "https://shop.example/hook"}).text
        assert secret_on(page).startswith("whsec_")
        with shop.context.database.read(shop.programme_id) as session:
            endpoint = session.scalars(select(Endpoint)).one()
        place = f"webhooks/{endpoint.id}"
        assert owner.post(f"{place}/test").status_code == 303
        with shop.context.database.read(shop.programme_id) as session:
            sent = session.scalars(select(Delivery)).one()
        assert (sent.status, sent.type) == ("open", "webhook.test")
        assert owner.post(f"{place}/resend", {"event": sent.event_id}).status_code == 303
        assert owner.post(f"{place}/resend", {"event": "x"}).status_code == 404
        assert owner.words(place).count("webhook.test") >= 2
        assert owner.post(f"{place}/disable").status_code == 303
        assert "Stopped" in owner.words("webhooks")
        assert owner.post(f"{place}/enable").status_code == 303
        assert secret_on(owner.post(f"{place}/rotate").text) != secret_on(page)
        assert owner.post(f"{place}/remove").status_code == 303
        assert owner.get(place).status_code == 404


class TestMoving:
    def test_a_list_is_uploaded_looked_at_and_imported(self, shop: Any, signed_in: SignIn) -> None:
        owner = signed_in("owner")
        data = b"number,name,email,points\n1,Anna,anna@example.com,12\n2,Bo,wrong,1\n"
        answer = owner.post("transfer/import", {"file": (io.BytesIO(data), "old.csv")})
        place = answer.location
        assert "Being looked through" in owner.words(place)
        uploads.step(shop.context, now=shop.context.clock())
        words = owner.words(place)
        assert "Would come in 1 customer , 12 points" in words.replace("customer,", "customer ,")
        assert ",email," in owner.get(f"{place}?as=csv").text
        assert owner.post(f"{place}/run").status_code == 409
        assert owner.post(f"{place}/run", {"skip_wrong": "yes"}).status_code == 303
        uploads.step(shop.context, now=shop.context.clock())
        assert "Came in 1 customer" in owner.words(place)
        assert owner.post(f"{place}/stop").status_code == 409
        exported = owner.post("transfer/export", {"what": "customers", "form": "csv"})
        assert "anna@example.com" in exported.text
        with shop.context.database.read(shop.programme_id) as session:
            read = session.scalars(select(MemberRead)).all()
        assert [(each.reader_kind, each.purpose) for each in read] == [("staff", "export")]
        lines = owner.post("transfer/export", {"what": "entries", "form": "jsonl"}).text
        assert '"kind"' in lines and "\n" in lines
        for wrong in ({"what": "staff_logins"}, {"what": "members", "form": "exe"}, {}):
            assert owner.post("transfer/export", wrong).status_code == 422

    def test_secrets_of_the_staff_are_in_no_export(self, shop: Any, signed_in: SignIn) -> None:
        owner = signed_in("owner")
        text = owner.post("transfer/export", {"what": "staff", "form": "jsonl"}).text
        assert owner.person.name in text
        assert "argon2" not in text and "pin_hash" not in text

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_a_file_out_of_all_proportion_is_refused(self, shop: Any, signed_in: SignIn) -> None:
        owner = signed_in("owner")
        token = sessions.form_token(owner.token)
        for megabytes, status in ((2, 303), (18, 413)):
            parts = (
                f'--b\r\nContent-Disposition: form-data; name="{FORM_FIELD}"\r\n\r\n{token}\r\n'
                '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
            )
            body = parts.encode() + b"x" * (megabytes << 20) + b"\r\n--b--\r\n"
            answer = owner.client.post(
                owner.address("transfer/import"),
                data=body,
                content_type="multipart/form-data; boundary=b",
            )
            assert answer.status_code == status


class TestAuditLog:
    def test_the_log_is_filtered_paged_and_taken_away(
        self, shop: Any, signed_in: SignIn, clock: FixedClock
    ) -> None:
        auditor = signed_in("auditor")
        with shop.context.database.write(shop.programme_id) as session:
            for number in range(120):
                note(
                    session,
                    "till.add" if number % 2 else "staff.pin",
                    f"subject-{number}",
                    {"number": number},
                    actor="Olga" if number < 60 else "100%_Marta",
                    now=clock() + timedelta(hours=number),
                )
        page = auditor.get("audit").text
        assert "subject-119" in page and "subject-69<" not in page
        older = re.search(r'href="([^"]+before=[^"]+)"', page)
        assert older
        second = auditor.get(older[1].replace("&amp;", "&")).text
        assert "subject-69<" in second and "subject-119" not in second
        assert "subject-1<" in auditor.get("audit?who=olga&action=till.add").text
        assert "Nothing fits" in auditor.words("audit?who=o%25a")
        assert auditor.get("audit?who=%25_m&as=csv").text.count("subject-") == 60
        assert auditor.get("audit?subject=subject-7&as=csv").text.count("subject-") == 1
        first_day = auditor.get("audit?until=2026-06-01&as=csv").text
        assert 0 < first_day.count("subject-") < 24
        assert "Nothing fits" in auditor.words("audit?since=2030-01-01")
        assert signed_in("manager").get("audit").status_code == 403

    def test_every_sort_of_change_of_these_pages_is_in_it(
        self, shop: Any, signed_in: SignIn
    ) -> None:
        owner = signed_in("owner")
        owner.post("account/language", {"language": "de"})
        owner.post("keys/rotate", {"purpose": "card_signing"})
        assert noted(shop) == ["key.rotate"]
        with shop.context.database.read(shop.programme_id) as session:
            entry = session.scalars(select(AuditEntry)).one()
            person = session.get_one(Staff, entry.actor_id)
        assert (entry.actor, person.language) == (person.name, "de")


def test_a_page_names_no_option_of_the_command_line_for_a_file() -> None:
    with pytest.raises(Invalid) as nameless:
        place(["Vards", "Punkti"], {})
    with pytest.raises(Invalid) as twice:
        place(["number", "Kundennummer"], {})
    with pytest.raises(Invalid) as unknown:
        detect(lambda: iter([b"number;name\r\n1;\xe2\xe9\r\n"]))
    for wrong, said in (
        (nameless, "one of: number, Kundennummer, klienta numurs"),
        (twice, "Rename the heading"),
        (unknown, "CSV UTF-8"),
    ):
        assert "--" in wrong.value.message
        with speaking("en"):
            told = for_the_page(wrong.value.message)
        assert said in told and "--" not in told
    assert for_the_page("Something else.") == "Something else."


def test_every_action_that_pages_write_has_words() -> None:
    written = set()
    for path in (Path(app.__file__).parent / "web" / "staff").rglob("*.py"):
        calls = re.finditer(r"note\(\s*session,\s*\"([a-z_.]+)\"", path.read_text("utf-8"))
        written |= {call[1] for call in calls}
    assert len(written) > 60
    assert written <= ACTIONS.keys()
