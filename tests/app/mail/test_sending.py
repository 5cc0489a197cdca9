"""Letters are neither lost nor doubled, and say nothing of anybody while they wait."""

import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from app.delivery.letters import COMPOSER
from app.mail import sending
from app.mail.confirming import confirm
from app.mail.letters import NotAnAddress, mailbox
from app.mail.models import OutgoingMail
from app.mail.posting import Post, Unreachable
from app.members import service as members

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def test_a_letter_arrives_once_whole_and_over_tls(room: Any) -> None:
    member = room.member()
    body = "Labdien, Līga!\n.viens punkts\n" + "gara rinda " * 200 + "\n"
    assert room.write(member, text=body, html="<p>Labdien, [[name]]!</p>")
    assert not room.write(member, text="the same key again")
    room.work()
    room.work(hours=30)
    [taken] = room.server.letters
    assert not room.server.faults
    assert (taken.sender, taken.recipient) == ("cards@example.com", "liga@example.com")
    assert taken.over_tls and taken.login == "counterfoil"
    assert taken.part() == body
    assert taken.part("html").strip() == "<p>Labdien, Līga!</p>"
    message = taken.message
    assert str(message["From"]) == "Café shop-1 <cards@example.com>"
    assert str(message["Subject"]) == "Sveiki, Līga"
    assert "List-Unsubscribe" not in message
    [mail] = room.mails()
    assert (mail.status, mail.tries, mail.text, mail.subject) == ("sent", 1, None, None)
    assert message["Message-ID"] == f"<{mail.id}@example.com>"


def test_a_waiting_letter_holds_neither_address_nor_link(room: Any) -> None:
    card = room.shop.issue()
    room.write(room.member(), text="[[name]]: [[card_link]]", fills={"card_link": card.id})
    with room.context.database.engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM mail_outbox")).mappings()
    assert "liga" not in repr(dict(row)) and "/card/" not in repr(dict(row))
    room.work()
    said = room.server.letters[0].part().strip()
    assert said.startswith("Līga: http://127.0.0.1:8000/card/")
    page = room.shop.client.get(said.partition("8000")[2])
    assert page.status_code == 200


def test_what_is_filled_in_cannot_write_html(room: Any) -> None:
    with room.context.database.write(room.shop.programme_id) as session:
        evil = members.Contact('<img src=x onerror="a()">', "eve@example.com")
        member = members.add_member(
            session, room.context.keys, room.shop.programme_id, evil, language="en",
            now=room.context.clock(),
        ).id  # fmt: skip
    room.write(
        member, html="<p>[[name]] [[unknown]]</p>", subject="Hi [[name]]\r\nBcc: a@b.example"
    )
    room.work()
    [taken] = room.server.letters
    assert "<img" not in taken.part("html")
    assert taken.message["Bcc"] is None


def test_without_a_mail_server_letters_wait(room: Any) -> None:
    room.write(room.member())
    plain = room.shop.context
    assert sending.step(plain, COMPOSER, now=plain.clock()) is None
    assert [each.status for each in room.mails()] == ["waiting"]
    room.work()
    assert len(room.server.letters) == 1


def test_a_server_that_is_down_loses_nothing(room: Any) -> None:
    room.write(room.member())
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        down = replace(
            room.context, config=replace(
                room.context.config, smtp_server=f"127.0.0.1:{nobody.getsockname()[1]}"
            )
        )  # fmt: skip
        sent = sending.step(down, COMPOSER, now=room.context.clock())
    assert sent == sending.Sent(unsent=1)
    room.server.mood.busy = 1
    assert room.step() == sending.Sent(unsent=1)
    room.work()
    assert len(room.server.letters) == 1


def test_a_wrong_password_and_a_stranger_are_named(room: Any) -> None:
    config = replace(room.context.config, smtp_password="wrong")
    with pytest.raises(Unreachable, match="535"):
        Post(config)
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        Post(replace(room.context.config, smtp_ca=None))


def test_come_again_later_is_done_with_growing_pauses(room: Any) -> None:
    room.write(room.member())
    room.server.mood.grey["liga@example.com"] = 2
    room.work()
    [mail] = room.mails()
    assert (mail.status, mail.tries, mail.answer) == ("waiting", 1, "451 4.7.1 come again later")
    assert mail.next_at - room.context.clock() == timedelta(minutes=1)
    room.work()
    assert room.mails()[0].tries == 1
    room.work(hours=0.02)
    assert room.mails()[0].next_at - room.context.clock() == timedelta(minutes=3)
    room.work(hours=1)
    assert len(room.server.letters) == 1


def test_days_without_a_server_that_takes_it_end_a_letter(room: Any) -> None:
    room.write(room.member())
    room.server.mood.grey["liga@example.com"] = 1000
    for _ in range(16):
        room.work(hours=8)
    assert room.mails()[0].status == "failed"
    assert 10 < room.mails()[0].tries < 20


def test_no_such_mailbox_is_not_tried_again_and_keeps_nobody_waiting(room: Any) -> None:
    room.server.mood.unknown.add("liga@example.com")
    room.write(room.member(), "a")
    room.write(room.member("andris@example.com"), "b")
    room.write(room.member("nobody@bad_domain.example"), "c")
    room.write(room.member(None), "d")
    room.write(room.member("jānis@bücher.example"), "e")
    room.work()
    assert [each.status for each in room.mails()] == [
        "refused", "sent", "refused", "dropped", "sent"
    ]  # fmt: skip
    recipients = [each.recipient for each in room.server.letters]
    assert recipients == ["andris@example.com", "jānis@xn--bcher-kva.example"]


def test_an_answer_that_was_not_heard_doubles_no_letter_that_may_come_once(room: Any) -> None:
    """Nobody can know whether it arrived: others go again, as the same letter."""
    room.write(room.member(), "campaign", once=True)
    room.write(room.member(), "link")
    room.server.mood.mute_after_letter = 2
    for _ in range(4):
        room.work(hours=1)
    statuses = {each.key: each.status for each in room.mails()}
    assert statuses == {"campaign": "unknown", "link": "sent"}
    ids = [str(each.message["Message-ID"]) for each in room.server.letters]
    assert len(ids) == 3 and len(set(ids)) == 2


def test_a_worker_that_dies_leaves_its_letters_to_the_next(room: Any) -> None:
    for number in range(3):
        room.write(room.member(), f"k{number}", once=True)

    class Dies(Post):
        def send(self, to: str, letter: bytes) -> Any:
            answer = super().send(to, letter)
            if len(room.server.letters) == 2:
                raise KeyboardInterrupt
            return answer

    with pytest.raises(KeyboardInterrupt):
        room.step(connect=lambda: Dies(room.context.config))
    assert room.step() is None
    room.work(hours=1)
    room.work(hours=1)
    assert [each.status for each in room.mails()] == ["sent", "unknown", "sent"]
    assert len(room.server.letters) == 3


def test_two_workers_side_by_side_send_each_letter_once(room: Any) -> None:
    for number in range(4):
        room.write(room.member(), f"k{number}")

    class Slow(Post):
        def send(self, to: str, letter: bytes) -> Any:
            room.step(limit=2)
            return super().send(to, letter)

    room.step(limit=2, connect=lambda: Slow(room.context.config))
    room.work()
    assert len(room.server.letters) == 4


def test_an_erased_member_gets_no_letter(room: Any) -> None:
    member = room.member()
    room.write(member)
    with room.context.database.write(room.shop.programme_id) as session:
        members.erase(session, member)
    room.work()
    assert not room.mails() and not room.server.letters


def test_news_go_only_to_confirmed_addresses_that_consented_and_stop_with_one_click(
    room: Any,
) -> None:
    told, not_told = (
        room.member(consents=frozenset({"messages"})),
        room.member("b@example.com", consents=frozenset({"messages"})),
    )
    without = room.member("c@example.com")
    with room.context.database.write(room.shop.programme_id) as session:
        confirm(session, told, now=room.context.clock())
        confirm(session, without, now=room.context.clock())
    for number, member in enumerate((told, not_told, without)):
        text_ = "News. No more: [[unsubscribe_link]]"
        room.write(member, f"n{number}", unsubscribe="messages", text=text_)
    room.work()
    assert [each.status for each in room.mails()] == ["sent", "dropped", "dropped"]
    [taken] = room.server.letters
    assert taken.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = str(taken.message["List-Unsubscribe"]).strip("<>")
    assert url in taken.part().replace("\n", "")
    path = url.partition("8000")[2]
    client = room.shop.client
    assert client.get(path).status_code == 200
    # A mail program that only looks, or posts anything else, withdraws nothing.
    assert client.post(path, data={"x": "y"}).status_code == 200
    with room.context.database.read(room.shop.programme_id) as session:
        assert members.has_consented(session, told, "messages")
    done = client.post(path, data=ONE_CLICK)
    assert done.status_code == 200
    with room.context.database.read(room.shop.programme_id) as session:
        assert not members.has_consented(session, told)
    assert client.post(path, data=ONE_CLICK).status_code == 200
    room.write(told, "n9", unsubscribe="messages")
    room.work()
    assert room.mails()[-1].status == "dropped"


@pytest.mark.parametrize("change", ["mac", "member", "purpose", "key", "form"])
def test_nobody_else_can_make_a_link_to_unsubscribe(room: Any, change: str) -> None:
    from app.mail import tokens

    member, other = room.member(), room.member("b@example.com")
    token = tokens.make(room.context.keys, "unsubscribe messages", member)
    version, _, mac = token.split(".")
    changed = {
        "mac": f"messages/{version}.{member}.{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",
        "member": f"messages/{version}.{other}.{mac}",
        "purpose": f"partners/{token}",
        "key": f"messages/9.{member}.{mac}",
        "form": f"messages/{member}",
    }[change]
    assert room.shop.client.post(f"/unsubscribe/{changed}", data=ONE_CLICK).status_code == 404


def test_letters_of_long_ago_are_forgotten_but_none_that_waits(room: Any) -> None:
    room.write(room.member(), "a")
    room.work()
    room.write(room.member(), "b")
    with room.context.database.write(room.shop.programme_id) as session:
        session.execute(update(OutgoingMail).values(created_at=OutgoingMail.created_at))
    room.context.clock.advance(timedelta(days=181))
    assert sending.clear(room.context, now=room.context.clock()) == 1
    assert [each.key for each in room.mails()] == ["b"]


@pytest.mark.parametrize(
    "address",
    ["a b@c.example", "a@b", "a@-b.example", "a..b@c.example", ".a@c.example", "a@c..example",
     "<a@c.example", "a@c.example>", "a\x00@c.example", '"a"@c.example', "a@[127.0.0.1]"],
)  # fmt: skip
def test_what_could_change_an_envelope_is_no_address(address: str) -> None:
    with pytest.raises(NotAnAddress):
        mailbox(address)
