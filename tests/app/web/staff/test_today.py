"""Today: four figures, and only what needs a hand."""

import re
from datetime import timedelta
from typing import Any

from app.campaigns import service as campaigns
from app.campaigns.models import CampaignState
from app.cards import pins
from app.certs import expiries, make_dev_chain
from app.clock import FixedClock
from app.delivery.models import GooglePass
from app.figures import adding
from app.mail.service import queue
from app.members import service as members
from app.programmes.drafts import purpose
from app.till import reporting
from app.till.models import Till


def test_the_day_s_figures_stand_beside_last_week_s(
    shop: Any, signed_in: Any, clock: FixedClock
) -> None:
    card = shop.issue()
    shop.ask("POST", "/presentations", {"code": card.code})
    shop.accrue(card, 5000)
    clock.advance(timedelta(days=7, minutes=20))
    shop.session = shop.sign_in()
    with shop.context.database.write_all() as session:
        adding.step(session, clock())
    other = shop.issue()
    shop.ask("POST", "/presentations", {"code": other.code})
    shop.accrue(other, 2000)
    said = signed_in("manager").words("today")
    assert "New cards 1 1 last week by 12:15" in said
    assert "Cards read 1 1 last week by 12:15" in said
    assert "Points 20 in, 0 out" in said
    assert "50 in, 0 out last week" in said
    assert "€20.00" in said
    assert "€50.00 last week" in said


def test_a_quiet_shop_needs_no_hand(shop: Any, signed_in: Any) -> None:
    said = signed_in("cashier").words("today")
    assert "Nothing. Everything runs by itself." in said
    assert signed_in("cashier", name="Two").get("today/live").status_code == 200


def test_a_silent_till_with_receipts_in_its_queue_is_said_first(
    shop: Any, signed_in: Any, clock: FixedClock
) -> None:
    with shop.context.database.read(shop.programme_id) as session:
        [till] = reporting.tills(session, now=clock())
        row = session.get_one(Till, till.id)
    reporting.note(
        shop.context.database,
        row,
        waiting="3",
        oldest=clock().isoformat(),
        set_aside="1",
        now=clock(),
    )
    manager = signed_in("manager")
    assert "1 of 1 online, 3 receipts in queues" in manager.words("today")
    clock.advance(timedelta(minutes=20))
    said = manager.words("today")
    assert "Counter 1, Old Town" in said
    assert "20 minutes ago. 3 receipts wait in its queue. Give it a network" in said
    assert "1 receipt was refused and lies at the till" in said
    assert said.index("3 receipts wait") < said.index("1 receipt was refused")


def test_a_certificate_is_spoken_of_from_thirty_days_before_its_end(
    shop: Any, signed_in: Any, clock: FixedClock
) -> None:
    make_dev_chain(shop.context.config, shop.context.keys, now=clock())
    [ends] = [
        each.status.not_after for each in expiries(shop.context.config) if each.role == "pass"
    ]
    for days, words in (
        (31, "Nothing. Everything runs by itself."),
        (30, "! Soon Certificate of the passes 30 days left, to"),
        (4, "! Soon Certificate of the passes 4 days left, to"),
        (3, "✕ Now Certificate of the passes 3 days left, to"),
        (1, "✕ Now Certificate of the passes 1 day left, to"),
        (-1, "✕ Now Certificate of the passes It ended on"),
    ):
        clock.now = ends - timedelta(days=days, seconds=-1 if days < 0 else 3600)
        owner = signed_in("owner", name=f"Olga {days}")
        said = owner.words("today")
        if days == 31:
            # The till is away by now; that is another need.
            assert "Certificate of the passes 31 days left" not in said.split("How things")[0]
        else:
            assert words in said, (days, said)
    assert "To the certificates" in said


def test_guessing_at_pins_is_said(shop: Any, signed_in: Any, clock: FixedClock) -> None:
    card = shop.issue()
    with shop.context.database.write(shop.programme_id) as session:
        pins.set_pin(session, card, "4711", now=clock())
    for _ in range(5):
        try:
            with shop.context.database.write(shop.programme_id) as session:
                pins.check_pin(session, card, "0815", now=clock())
        except pins.WrongMemberPin:
            continue
    manager = signed_in("manager")
    assert "The PIN of 1 card is locked" in manager.words("today")
    answer = manager.post(f"members/{card.id}/unlock")
    assert answer.status_code == 303
    assert "The PIN of 1 card is locked" not in manager.words("today")


def test_every_role_sees_today(signed_in: Any) -> None:
    for role in ("owner", "marketer", "manager", "cashier", "auditor"):
        assert "What needs a hand" in signed_in(role).words("today")


def test_whoever_changes_the_programme_is_told_that_nobody_stands_for_it(
    shop: Any, signed_in: Any
) -> None:
    for role in ("owner", "marketer"):
        person = signed_in(role)
        assert "lack what the law wants there: name, postal address" in person.words("today")
        assert "/public#operator" in person.get("today").text
    assert "what the law wants" not in signed_in("manager").words("today")
    owner = signed_in("owner", name="Olga")
    owner.post("public/operator", {"name": "SIA Kaffa", "address": "Rīga", "contact": "a@b.lv"})
    assert "what the law wants" not in owner.words("today")


def test_a_missing_mail_server_is_said_once_there_is_a_letter_or_a_campaign_for_it(
    shop: Any, signed_in: Any, clock: FixedClock
) -> None:
    owner = signed_in("owner")
    assert "mail server" not in owner.words("today")
    with shop.context.database.write(shop.programme_id) as session:
        plan = {"content": {"message": {"en": "Hello"}, "email": True}}
        made = campaigns.create(
            session, shop.programme_id, "Roast", plan, by=owner.person.id, now=clock()
        )
        made.state = CampaignState.PROPOSED
    assert "The campaign Roast goes out by e-mail besides. No letter leaves" in owner.words("today")
    with shop.context.database.write(shop.programme_id) as session:
        member = members.add_member(
            session, shop.context.keys, shop.programme_id, members.Contact(email="a@b.lv"),
            language="en", now=clock(),
        )  # fmt: skip
        queue(session, member_id=member.id, subject="Hi", text="Hi", key="k", now=clock())
    assert "1 letter waits. No letter leaves: there is no mail server yet." in owner.words("today")
    assert "/public#letters" in owner.get("today").text


def test_a_wallet_that_is_not_set_up_is_not_called_up_to_date(shop: Any, signed_in: Any) -> None:
    said = signed_in("owner").words("today").split("How things stand")[1]
    assert re.search(r"Google Wallet · not set up(?!,)", said)
    assert "Google Wallet ✓" not in said
    card = shop.issue()
    with shop.context.database.write(shop.programme_id) as session:
        session.add(
            GooglePass(
                card_id=card.id, programme_id=shop.programme_id, object_id=f"3388.{card.id}",
                inserted_at=card.issued_at, delivered_version=0, wanted_version=1,
                next_attempt_at=card.issued_at,
            )
        )  # fmt: skip
    said = signed_in("owner", name="Olga").words("today").split("How things stand")[1]
    assert "Google Wallet ✕ not set up, 1 wait" in said


def test_who_opens_an_empty_programme_is_led_to_the_set_up_until_it_is_done(
    shop: Any, signed_in: Any
) -> None:
    owner = signed_in("owner")
    page = owner.get("today").text
    assert "Set the programme up" in page and f"/staff/{shop.slug}/programme/setup" in page
    assert "Set the programme up" not in signed_in("cashier").get("today").text
    now = shop.context.clock()
    with shop.context.database.write(shop.programme_id) as session:
        for step in purpose.STEPS:
            purpose.done(session, step, by=None, now=now)
    assert "Set the programme up" not in owner.get("today").text
