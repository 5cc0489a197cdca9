"""News reach the lock screen of an iPhone: one text, whatever else changed with it."""

from typing import Any

from app.cards import news
from app.cards.models import Card
from app.certs import ROOT
from app.clock import FixedClock
from app.context import Context
from app.delivery.wallets import Wallets
from app.demo.pass_check import CheckedPass, check_pass
from app.demo.phone import lock_screen_texts


def test_the_lock_screen_tells_the_news_and_later_the_points_again(
    programme: Any, context: Context, clock: FixedClock
) -> None:
    card, wallets = programme.issue(), Wallets(context)

    def built() -> CheckedPass:
        with context.database.read(programme.programme_id) as session:
            fresh = session.query(Card).filter_by(id=card.id).one()
            built = wallets.apple.build(session, fresh, now=clock())
            return check_pass(built, context.config.certs_dir / ROOT, clock())

    def tell(text: str, **facts: int) -> None:
        with context.database.write(programme.programme_id) as session:
            news_id = news.publish(session, {"message": {"en": text}}, now=clock())
            told = [news.Told(card.id, card.account_id, facts)]
            news.tell_cards(session, news_id, told, now=clock())

    before = built()
    tell("A new roast: 50 % off!")
    first = built()
    assert lock_screen_texts(before, first) == ["A new roast: 50 % off!"]
    programme.earn(card, 5)
    tell("Five beans are yours")
    second = built()
    assert lock_screen_texts(first, second) == ["Five beans are yours"], "one text, not a generic"
    tell("Five beans are yours", again=1)
    third = built()
    assert len(lock_screen_texts(second, third)) == 1, "the same text is told again"
    programme.earn(card, 5)
    [said] = lock_screen_texts(third, built())
    assert "10" in said, "what comes afterwards is told as ever"
