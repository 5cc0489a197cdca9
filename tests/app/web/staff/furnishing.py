"""Fills a programme with one of everything that the staff pages show.

Whoever adds a page with an id in its address adds here what the id is of.
"""

from typing import Any

from app.audit import note
from app.db import new_id
from app.pos import keys as api_keys
from app.staff import links, second_factor
from app.webhooks import events, service
from app.webhooks.models import Event
from tests.app.office import Colleague


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
