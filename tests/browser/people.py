"""Members of the café with a month of visits, and a till that was not heard of for an hour."""

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.cards import service as cards
from app.cards.scans import note_scan
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, Value
from app.ledger.rules import local_day
from app.members import notes
from app.members.service import Contact, add_member
from app.programmes.models import Programme
from app.staff.models import Staff
from app.till import reporting
from app.till.models import Till
from tests.browser.staff_office import Office

PEOPLE = ("Līga Ozola", "Anna Bērziņa", "Jānis Kalniņš", "Анна Петрова", "Marija Ozola")
#: No member of any programme has a longer one.
LONGEST = "Maximiliana-Alexandrina von Hohenzollern-Sigmaringen zu Lauen"


def furnish(office: Office) -> None:
    """Some people who came for a month, and a till that is away with receipts in its queue."""
    context, now = office.context, office.context.clock()
    with context.database.write(office.programme_id) as session:
        zone = session.get_one(Programme, office.programme_id).time_zone
        till = session.scalars(select(Till)).one()
        till.token_hash, till.enrolled_at = b"x" * 32, now - timedelta(days=9)
        staff = session.scalars(select(Staff.id)).first()
        for number, name in enumerate((*PEOPLE, LONGEST[:60])):
            joined = now - timedelta(days=28 - 4 * number)
            email = f"person{number}@example.com"
            contact = Contact(name, email, f"+3712612345{number}")
            facts: Any = {"language": "lv", "consents": frozenset({"messages"})}
            member = add_member(
                session, context.keys, office.programme_id, contact, now=joined, **facts
            )
            account = ledger.open_account(session, now=joined)
            card = cards.issue_card(
                session,
                context.keys,
                office.programme_id,
                account_id=account.id,
                member_id=member.id,
                now=joined,
            )
            for visit in range(8 - number):
                at = min(now - timedelta(minutes=1), joined + timedelta(days=visit * 3, hours=2))
                accrual = Accrue(account.id, 1250 + visit, "EUR", Value(12, at))
                request = Request(str(uuid.uuid4()), "accrual", bytes(32))
                where = Circumstances(at, actor_kind="staff", actor_id=staff, card_id=card.id)
                ledger.post(session, request, accrual, where, now=at)
                place: Any = {"till_id": till.id, "location_id": till.location_id}
                note_scan(session, card, day=local_day(at, zone), now=at, **place)
            if number == 0:
                facts = {"staff_id": str(staff), "now": now}
                notes.write(session, context.keys, member.id, "Prefers oat milk", **facts)
                notes.tell_counter(
                    session, context.keys, member.id, is_vip=True, note="Say hello to the dog"
                )
    reporting.note(
        context.database,
        till,
        waiting="3",
        oldest=(now - timedelta(hours=1)).isoformat(),
        set_aside="0",
        now=now - timedelta(hours=1),
    )
