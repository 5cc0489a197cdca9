"""Fills a programme with one of everything that the staff pages show.

Whoever adds a page with an id in its address adds here what the id is of.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.audit import note
from app.campaigns import service as campaigns
from app.db import new_id
from app.draws import service as draws
from app.pos import keys as api_keys
from app.programmes.drafts import trials
from app.programmes.service import version_at
from app.staff import links, second_factor
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
    now, keys = shop.context.clock(), shop.context.keys
    with shop.context.database.write(shop.programme_id) as session:
        endpoint, _ = service.add_endpoint(
            session,
            keys,
            shop.programme_id,
            url="http://127.0.0.1:9/hook",
            wanted=[events.ALL],
            now=now,
        )
        event = Event(
            id=new_id(),
            programme_id=shop.programme_id,
            type="card.issued",
            data={"card_id": card.id, "note": "</script><script>x7()</script>"},
            happened_at=now,
            spread=True,
        )
        session.add(event)
        session.flush()
        service.queue(session, endpoint, event, now=now)
        api_keys.add_key(session, shop.programme_id, name="Web shop", scopes=["quote"], now=now)
        links.make_link(session, who.person, now=now)
        second_factor.make_recovery_codes(session, links.login_of(session, who.person))
        for action in ("x.one", "x.two"):
            note(session, action, "'><img src=x onerror=x7()>", {"a": "=1+1"}, actor="=x", now=now)
        _mechanics(shop, session, who)
        uploads.add(
            session,
            keys,
            data=f"number,name,email,points\n1,{HOSTILE},a@example.com,5\n2,B,{HOSTILE},x\n".encode(),
            file_name=f"{HOSTILE}.csv",
            name="",
            dates="",
            language="en",
            by_id=who.person.id,
            now=now,
        )
    uploads.step(shop.context, now=now)


def _mechanics(shop: Any, session: Session, who: Colleague) -> None:
    """What a programme may have: drafts and trials of rules, prize draws, campaigns."""
    now = shop.context.clock()
    for state in ("draft", "approved"):
        made = campaigns.create(
            session,
            shop.programme_id,
            f"{state} {HOSTILE}",
            {
                "content": {"message": {"en": HOSTILE}},
                "limits": {"hold_out_percent": 0, "per_week": 0},
            },
            by=who.person.id,
            now=now,
        )
        if state == "approved":
            settings = version_at(session, shop.programme_id, now).settings
            campaigns.propose(session, made.id, settings, by=who.person.id, now=now)
            campaigns.approve(session, made.id, by=who.person.id, now=now)
    day = now + timedelta(days=9)
    draws.add(
        session,
        {
            "code": "summer",
            "title": HOSTILE,
            "prizes": [{"code": "bike", "name": HOSTILE, "count": 1}],
            "one_prize_each": True,
            "closes_at": day.isoformat(),
            "public_value": HOSTILE,
            "public_value_known_from": (day + timedelta(hours=18)).isoformat(),
        },
        now=now,
    )
    draws.publish(session, shop.context.keys, "summer", now=now)
    trials.ask(session, {"points": "2"}, since=now - timedelta(days=1), by=who.person.id, now=now)
