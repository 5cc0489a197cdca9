"""Fills a programme with one of everything that the staff pages show.

Whoever adds a page with an id in its address adds here what the id is of.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.audit import note
from app.campaigns import service as campaigns
from app.context import Context
from app.db import new_id
from app.draws import service as draws
from app.pos import keys as api_keys
from app.programmes.drafts import trials
from app.programmes.service import version_at
from app.staff import links, second_factor
from app.staff.models import Staff
from app.transfer import uploads
from app.webhooks import events, service
from app.webhooks.models import Event
from tests.app.office import Colleague

#: Short enough for every name.
HOSTILE = "'\"><script>x7()</script>"


def furnish(shop: Any, who: Colleague) -> None:
    """Fill *shop*, in which *who* is signed in as owner."""
    card = shop.issue()
    assert shop.accrue(card).status_code == 201
    fill(shop.context, shop.programme_id, who.person, card.id)


def fill(
    context: Context, programme_id: str, person: Staff, card_id: str, words: str = HOSTILE
) -> None:
    """Add what *person* may have made, with *words* wherever somebody may type any."""
    now, keys = context.clock(), context.keys
    with context.database.write(programme_id) as session:
        endpoint, _ = service.add_endpoint(
            session,
            keys,
            programme_id,
            url="http://127.0.0.1:9/hook",
            wanted=[events.ALL],
            now=now,
        )
        event = Event(
            id=new_id(),
            programme_id=programme_id,
            type="card.issued",
            data={"card_id": card_id, "note": f"</script>{words}"},
            happened_at=now,
            spread=True,
        )
        session.add(event)
        session.flush()
        service.queue(session, endpoint, event, now=now)
        api_keys.add_key(session, programme_id, name="Web shop", scopes=["quote"], now=now)
        links.make_link(session, person, now=now)
        second_factor.make_recovery_codes(session, links.login_of(session, person))
        for action in ("x.one", "x.two"):
            note(session, action, "'><img src=x onerror=x7()>", {"a": "=1+1"}, actor="=x", now=now)
        _mechanics(context, programme_id, session, person, words)
        uploads.add(
            session,
            keys,
            data=f"number,name,email,points\n1,{words},a@example.com,5\n2,B,{words},x\n".encode(),
            file_name=f"{words}.csv",
            name="",
            dates="",
            language="en",
            by_id=person.id,
            now=now,
        )
    uploads.step(context, now=now)


def _mechanics(
    context: Context, programme_id: str, session: Session, person: Staff, words: str
) -> None:
    """What a programme may have: drafts and trials of rules, prize draws, campaigns."""
    now = context.clock()
    for state in ("draft", "approved"):
        made = campaigns.create(
            session,
            programme_id,
            f"{state} {words}",
            {
                "content": {"message": {"en": words}},
                "limits": {"hold_out_percent": 0, "per_week": 0},
            },
            by=person.id,
            now=now,
        )
        if state == "approved":
            settings = version_at(session, programme_id, now).settings
            campaigns.propose(session, made.id, settings, by=person.id, now=now)
            campaigns.approve(session, made.id, by=person.id, now=now)
    day = now + timedelta(days=9)
    draws.add(
        session,
        {
            "code": "summer",
            "title": words,
            "prizes": [{"code": "bike", "name": words, "count": 1}],
            "one_prize_each": True,
            "closes_at": day.isoformat(),
            "public_value": words,
            "public_value_known_from": (day + timedelta(hours=18)).isoformat(),
        },
        now=now,
    )
    draws.publish(session, context.keys, "summer", now=now)
    trials.ask(session, {"points": "2"}, since=now - timedelta(days=1), by=person.id, now=now)
