"""The background work is killed (SIGKILL) in the middle of a campaign with presents."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select

from app.campaigns import service
from app.campaigns.models import CampaignState, Recipient, State
from app.cards.models import Card, CardMessage
from app.clock import system_clock
from app.config import Config
from app.context import Context
from app.db import Database
from app.demo.cafe import issue_cards
from app.keys import KeyRing
from app.ledger.models import Entry, EntryKind
from tests.app.campaigns.conftest import Shop

MEMBERS = 400
KILLS = 2


def test_killed_anywhere_it_goes_on_and_nobody_gets_it_twice(
    database: Database, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    config = Config(data=data, database_url=database.url, url="http://127.0.0.1:8000")
    context = Context(config, database, KeyRing.open(config), system_clock)
    shop = Shop.open(context)
    issue_cards(context, shop.programme_id, MEMBERS)
    plan = {
        "content": {"message": {"en": "A present"}, "points": 5},
        "limits": {"hold_out_percent": 20, "per_week": 0},
    }
    campaign_id = shop.send(plan)
    environment = os.environ | {
        "COUNTERFOIL_DATA": str(data),
        "COUNTERFOIL_URL": "http://127.0.0.1:8000",
        "COUNTERFOIL_DATABASE_URL": database.url,
    }
    chance = random.Random(4)
    for _ in range(KILLS):
        before, end = told(shop), time.monotonic() + 60
        with subprocess.Popen(
            [sys.executable, "-m", "app.cli", "work"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            # It takes a moment to begin; it is killed soon after it has done something.
            while told(shop) == before:
                assert time.monotonic() < end, shop.campaign(campaign_id).counts
                time.sleep(0.01)
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
    assert shop.campaign(campaign_id).counts["waiting"] > 0, "it was killed in the middle"
    shop.work(500)
    assert shop.campaign(campaign_id).state == CampaignState.DONE
    rows = shop.recipients(campaign_id)
    assert len(rows) == MEMBERS
    reached = {row.account_id for row in rows if row.state != State.HELD_OUT}
    with shop.context.database.read(shop.programme_id) as session:
        gifts = Counter(
            session.scalars(select(Entry.account_id).where(Entry.kind == EntryKind.ADJUSTMENT))
        )
        messages = set(
            session.scalars(
                select(Card.account_id).join(CardMessage, CardMessage.card_id == Card.id)
            )
        )
        campaign = service.campaign_by_id(session, campaign_id)
    assert set(gifts.values()) == {1} and set(gifts) == reached == messages
    assert campaign.spent_minor == 5 * len(reached)


def told(shop: Shop) -> int:
    with shop.context.database.read(shop.programme_id) as session:
        sent = select(func.count()).select_from(Recipient).where(Recipient.sent_at.is_not(None))
        return session.scalar(sent) or 0
