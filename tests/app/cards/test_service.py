"""Cards: signing keys, states, links, and the keys of rotating codes."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

from app.cards import service as cards
from app.cards.errors import CardRefused
from app.cards.models import Card, SigningKey
from app.clock import FixedClock
from app.context import Context
from app.db import Database
from app.errors import Conflict, Invalid, Misconfigured, NotFound
from app.keys import Purpose
from app.ledger import service as ledger
from app.programmes.service import create_programme
from passes import code as card_code
from passes import totp
from passes.card import CardStatus
from passes.code import Outcome

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Cards:
    """One programme and what happens to its cards."""

    def __init__(self, context: Context, slug: str = "kaffa") -> None:
        self.context, self.keys, self.now = context, context.keys, context.clock
        with context.database.write_all() as session:
            programme = create_programme(session, slug=slug, name=slug, now=self.now())
            self.programme_id = programme.id
        self.key_id = self.rotate()

    def rotate(self) -> int:
        with self.context.database.write_all() as session:
            return cards.create_signing_key(session, self.keys, self.programme_id, now=self.now())

    def writing(self) -> Any:
        return self.context.database.write(self.programme_id)

    def reading(self) -> Any:
        return self.context.database.read(self.programme_id)

    def issue(self, **options: Any) -> Card:
        with self.writing() as session:
            account = ledger.open_account(session, now=self.now())
            return cards.issue_card(
                session,
                self.keys,
                self.programme_id,
                account_id=account.id,
                now=self.now(),
                **options,
            )

    def outcome(self, code: str, **options: Any) -> str:
        with self.reading() as session:
            try:
                cards.card_by_code(session, code, now=self.now(), **options)
            except CardRefused as refused:
                return str(refused.outcome)
        return "accepted"

    def public(self) -> dict[int, Ed25519PublicKey]:
        with self.reading() as session:
            return {
                key.key_id: Ed25519PublicKey.from_public_bytes(key.public_key)
                for key in cards.public_keys(session)
            }

    def set_status(self, card: Card, status: CardStatus, reason: str | None = None) -> Card:
        with self.writing() as session:
            return cards.set_status(session, card.id, status, now=self.now(), reason=reason)

    def replace(self, card: Card, **options: Any) -> Card:
        with self.writing() as session:
            return cards.replace_card(session, self.keys, card.id, now=self.now(), **options)

    def link(self, card: Card) -> str:
        with self.writing() as session:
            return cards.create_link(session, card, now=self.now())

    def by_link(self, token: str) -> str:
        with self.reading() as session:
            return cards.card_by_link(session, self.keys, token).id

    def stored(self, card: Card) -> Card:
        with self.reading() as session:
            return cards.card_by_id(session, card.id)


@pytest.fixture
def kaffa(context: Context) -> Cards:
    return Cards(context)


@on_sqlite
class TestSigningKeys:
    def test_new_cards_are_signed_with_the_new_key_and_old_ones_stay_good(
        self, kaffa: Cards
    ) -> None:
        old = kaffa.issue()
        second = kaffa.rotate()
        new = kaffa.issue()
        assert (old.key_id, new.key_id) == (kaffa.key_id, second)
        assert list(kaffa.public()) == [second, kaffa.key_id]
        for card in (old, new):
            assert card_code.verify(card.code, kaffa.public()).card.card_id_hex == card.id
            assert kaffa.outcome(card.code) == "accepted"

    def test_key_ids_count_up_over_all_programmes(self, kaffa: Cards, context: Context) -> None:
        tea = Cards(context, "tea")
        assert [kaffa.key_id, tea.key_id, kaffa.rotate(), tea.rotate()] == [1, 2, 3, 4]

    def test_a_rotation_retires_no_other_programme_s_key(
        self, kaffa: Cards, context: Context
    ) -> None:
        tea = Cards(context, "tea")
        kaffa.rotate()
        assert tea.issue().key_id == tea.key_id

    def test_the_id_of_a_key_whose_row_was_rolled_back_is_not_used_again(
        self, kaffa: Cards, context: Context
    ) -> None:
        with pytest.raises(ZeroDivisionError), context.database.write_all() as session:
            lost = cards.create_signing_key(
                session, context.keys, kaffa.programme_id, now=kaffa.now()
            )
            raise ZeroDivisionError
        assert kaffa.issue().key_id == kaffa.key_id  # the rotation did not happen
        assert kaffa.rotate() > lost
        assert kaffa.outcome(kaffa.issue().code) == "accepted"

    def test_an_id_is_not_used_again_after_an_older_backup(
        self, kaffa: Cards, context: Context
    ) -> None:
        """The database forgets a key that the key directory and cards outside still know."""
        newest = kaffa.rotate()
        with context.database.write_all() as session:
            session.execute(
                update(SigningKey).where(SigningKey.key_id == kaffa.key_id).values(retired_at=None)
            )
            session.delete(session.get_one(SigningKey, newest))
        assert kaffa.rotate() == newest + 1

    def test_ids_run_out_in_words(self, kaffa: Cards, context: Context) -> None:
        context.keys.create(
            Purpose.CARD_SIGNING,
            programme_id=kaffa.programme_id,
            version=0xFFFF,
            material=bytes(32),
        )
        with pytest.raises(Conflict, match="65,535"):
            kaffa.rotate()

    def test_codes_of_a_key_past_its_date_are_expired(
        self, kaffa: Cards, context: Context, clock: FixedClock
    ) -> None:
        card = kaffa.issue()
        kaffa.rotate()
        with context.database.write_all() as session:
            session.get_one(SigningKey, kaffa.key_id).valid_until = clock() + timedelta(days=1)
        assert kaffa.outcome(card.code) == "accepted"
        clock.advance(timedelta(days=1))
        assert kaffa.outcome(card.code) == "expired"
        assert kaffa.outcome(kaffa.issue().code) == "accepted"

    def test_without_a_signing_key_nothing_is_issued(self, context: Context) -> None:
        with context.database.write_all() as session:
            bare = create_programme(session, slug="bare", name="Bare", now=context.clock()).id
        with (
            pytest.raises(Misconfigured, match="keys rotate"),
            context.database.write(bare) as session,
        ):
            account = ledger.open_account(session, now=context.clock())
            cards.issue_card(
                session, context.keys, bare, account_id=account.id, now=context.clock()
            )


@on_sqlite
class TestStates:
    def test_a_blocked_card_is_refused_until_it_is_unblocked(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        kaffa.set_status(card, CardStatus.BLOCKED, "lost")
        assert kaffa.outcome(card.code) == "blocked"
        with kaffa.reading() as session:
            assert cards.refused_cards(session) == [(card.id, Outcome.BLOCKED)]
            with pytest.raises(CardRefused, match=r"blocked on 1 June 2026 \(lost\)"):
                cards.card_by_code(session, card.code, now=kaffa.now())
        kaffa.set_status(card, CardStatus.ACTIVE)
        assert kaffa.outcome(card.code) == "accepted"
        assert kaffa.stored(card).status_reason is None

    def test_what_was_scanned_before_a_card_was_blocked_was_good(
        self, kaffa: Cards, clock: FixedClock
    ) -> None:
        card = kaffa.issue()
        before = clock()
        clock.advance(timedelta(hours=1))
        kaffa.set_status(card, CardStatus.BLOCKED)
        assert kaffa.outcome(card.code, at=before) == "accepted"
        assert kaffa.outcome(card.code, at=clock()) == "blocked"

    def test_every_change_of_state_reaches_the_wallets_once(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        versions = [
            kaffa.stored(kaffa.set_status(card, status)).version
            for status in (CardStatus.BLOCKED, CardStatus.BLOCKED, CardStatus.ACTIVE)
        ]
        assert versions == [card.version + 1, card.version + 1, card.version + 2]

    def test_a_replaced_card_is_refused_and_its_successor_has_the_account(
        self, kaffa: Cards
    ) -> None:
        old = kaffa.issue(language="lv", source="old-town")
        new = kaffa.replace(old, reason="broken phone")
        assert (kaffa.outcome(old.code), kaffa.outcome(new.code)) == ("replaced", "accepted")
        assert (new.account_id, new.language, new.source) == (old.account_id, "lv", "old-town")
        assert new.id != old.id
        assert new.serial_number != old.serial_number
        stored = kaffa.stored(old)
        assert (stored.replaced_by_id, stored.status_reason) == (new.id, "broken phone")
        assert stored.version == old.version + 1

    def test_a_blocked_card_may_be_replaced_by_a_good_one(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        kaffa.set_status(card, CardStatus.BLOCKED)
        assert kaffa.outcome(kaffa.replace(card).code) == "accepted"

    def test_a_replaced_card_stays_replaced(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        kaffa.replace(card)
        for change in (
            lambda: kaffa.replace(card),
            lambda: kaffa.set_status(card, CardStatus.ACTIVE),
            lambda: kaffa.set_status(card, CardStatus.BLOCKED),
        ):
            with pytest.raises(Conflict):
                change()
        assert kaffa.outcome(card.code) == "replaced"

    def test_replaced_is_not_a_state_to_set(self, kaffa: Cards) -> None:
        with pytest.raises(Invalid):
            kaffa.set_status(kaffa.issue(), CardStatus.REPLACED)

    def test_a_reason_has_200_letters_at_most(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        for change in (
            lambda: kaffa.set_status(card, CardStatus.BLOCKED, "x" * 201),
            lambda: kaffa.replace(card, reason="x" * 201),
        ):
            with pytest.raises(Invalid, match="200"):
                change()
        kaffa.set_status(card, CardStatus.BLOCKED, "x" * 200)

    def test_a_card_of_another_programme_is_not_found(self, kaffa: Cards, context: Context) -> None:
        tea = Cards(context, "tea")
        card = kaffa.issue()
        for change in (
            lambda: tea.set_status(card, CardStatus.BLOCKED),
            lambda: tea.replace(card),
            lambda: tea.stored(card),
        ):
            with pytest.raises(NotFound):
                change()
        assert tea.outcome(card.code) == "other_programme"


def test_of_two_who_replace_a_card_at_once_one_does(database: Database, kaffa: Cards) -> None:
    card = kaffa.issue()
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def replace() -> None:
        start.wait()
        try:
            outcomes.append(kaffa.replace(card).id)
        except Conflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=replace) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("refused") == 1
    with kaffa.reading() as session:
        good = session.scalars(select(Card.id).where(Card.status == CardStatus.ACTIVE)).all()
    assert good == [each for each in outcomes if each != "refused"]


@on_sqlite
class TestLinks:
    def test_a_link_leads_to_its_card_and_only_its_hash_is_kept(self, kaffa: Cards) -> None:
        card, other = kaffa.issue(), kaffa.issue()
        token = kaffa.link(card)
        assert len(bytes.fromhex(token)) * 8 >= 128
        assert (kaffa.by_link(token), kaffa.by_link(kaffa.link(other))) == (card.id, other.id)
        path = kaffa.context.database.path
        assert path is not None
        kept = b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
        assert card.id.encode() in kept
        assert token.encode() not in kept
        assert bytes.fromhex(token) not in kept

    @pytest.mark.parametrize("token", ["", "0" * 48, "../x", "x" * 5000])
    def test_a_link_that_was_never_made_leads_nowhere(self, kaffa: Cards, token: str) -> None:
        kaffa.link(kaffa.issue())
        with pytest.raises(NotFound):
            kaffa.by_link(token)

    def test_revoking_ends_every_link_of_that_card_and_no_other(self, kaffa: Cards) -> None:
        card, other = kaffa.issue(), kaffa.issue()
        tokens = [kaffa.link(card), kaffa.link(card)]
        kept = kaffa.link(other)
        with kaffa.writing() as session:
            counts = [cards.revoke_links(session, card.id, now=kaffa.now()) for _ in range(2)]
        assert counts == [2, 0]
        for token in tokens:
            with pytest.raises(NotFound):
                kaffa.by_link(token)
        assert kaffa.by_link(kept) == other.id

    def test_replacing_a_card_ends_its_links(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        token = kaffa.link(card)
        kaffa.replace(card)
        with pytest.raises(NotFound):
            kaffa.by_link(token)

    def test_a_link_of_another_programme_leads_nowhere(
        self, kaffa: Cards, context: Context
    ) -> None:
        token = kaffa.link(kaffa.issue())
        with pytest.raises(NotFound):
            Cards(context, "tea").by_link(token)


@on_sqlite
class TestRotatingCodes:
    def use(self, kaffa: Cards, card: Card, key: bytes) -> bool:
        seconds = int(kaffa.now().timestamp())
        text = card_code.rotating_text(card.code, seconds, totp.totp(key, seconds))
        with kaffa.writing() as session:
            _, reading = cards.card_by_code(session, text, now=kaffa.now())
            return cards.use_step(session, kaffa.keys, reading, now=kaffa.now())

    def test_every_card_has_a_key_of_its_own(self, kaffa: Cards) -> None:
        first, second = kaffa.issue(), kaffa.issue()
        [key] = cards.totp_keys(kaffa.keys, first.id)
        assert len(key) == 20
        assert cards.totp_keys(kaffa.keys, first.id) == [key]
        assert cards.totp_keys(kaffa.keys, second.id) != [key]
        with pytest.raises(CardRefused):
            self.use(kaffa, second, key)

    def test_after_a_rotation_both_keys_are_good_until_the_old_one_is_retired(
        self, kaffa: Cards, clock: FixedClock
    ) -> None:
        card = kaffa.issue()
        [old] = cards.totp_keys(kaffa.keys, card.id)
        kaffa.keys.rotate(Purpose.TOTP_MASTER)
        new, still = cards.totp_keys(kaffa.keys, card.id)
        assert still == old != new
        for key in (old, new):
            assert self.use(kaffa, card, key)
            clock.advance(timedelta(seconds=60))
        kaffa.keys.retire(Purpose.TOTP_MASTER, 1)
        assert cards.totp_keys(kaffa.keys, card.id) == [new]
        with pytest.raises(CardRefused) as refused:
            self.use(kaffa, card, old)
        assert refused.value.outcome == Outcome.STEP_OUT_OF_WINDOW

    def test_a_static_code_uses_no_step(self, kaffa: Cards) -> None:
        card = kaffa.issue()
        with kaffa.writing() as session:
            _, reading = cards.card_by_code(session, card.code, now=kaffa.now())
            assert not cards.use_step(session, kaffa.keys, reading, now=kaffa.now())


@on_sqlite
def test_a_pass_s_token_outlives_a_rotation_and_is_each_card_s_own(kaffa: Cards) -> None:
    card, other = kaffa.issue(), kaffa.issue()
    token = cards.apple_token(kaffa.keys, card)
    kaffa.keys.rotate(Purpose.APPLE_TOKEN)
    assert cards.apple_token(kaffa.keys, card) == token
    assert cards.apple_token(kaffa.keys, other) != token
    assert kaffa.issue().token_key_version == 2
