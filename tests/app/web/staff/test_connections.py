"""The pages that lead out: keys of shop systems, webhooks, files of customers, the log."""

import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import app
from app.audit import AuditEntry, note
from app.clock import FixedClock
from app.errors import Invalid
from app.languages import speaking
from app.members.models import MemberRead
from app.pos.errors import UnknownKey
from app.pos.keys import authenticate
from app.staff import sessions
from app.staff.models import Staff
from app.transfer import uploads
from app.transfer.columns import place
from app.transfer.encoding import detect
from app.web.staff.door import FORM_FIELD
from app.web.staff.office.deeds import ACTIONS
from app.web.staff.office.file_words import for_the_page
from app.webhooks.models import Delivery, Endpoint
from tests.app.office import SignIn, noted, secret_on


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
