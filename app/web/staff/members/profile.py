"""A member's page: who it is, what they have, what happened, and what can be done."""

import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from flask import request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.approvals import service as approvals
from app.benefits import service as benefits
from app.cards import pins, scans
from app.cards.holders import cards_of
from app.cards.models import Card
from app.delivery.status import CardWallet, card_wallets
from app.errors import CounterfoilError, Forbidden, Invalid, NotFound
from app.languages import LANGUAGES, _
from app.ledger import service as ledger
from app.ledger.explain import Voice
from app.ledger.models import Account, AccountMerge
from app.ledger.reports.rules import after as just_after
from app.ledger.reports.statement import StatementLot, statement
from app.ledger.rules import Standing
from app.members import changing, notes
from app.members.changing import Consented
from app.members.notes import ForCounter, Note
from app.members.reads import last_reads
from app.programmes.settings import Settings
from app.programmes.terms import rulebook_of
from app.programmes.voices import voice_of
from app.staff.models import Staff
from app.staff.permissions import Permission
from app.web.staff.door import Visit
from app.web.staff.members import words
from app.web.staff.members.area import Subject, names, pages, read_subject
from app.web.staff.members.timeline import Whose, timeline
from passes.card import CardStatus
from passes.code import Kind

_LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "lv": "Latviešu", "ru": "Русский"}
_READS = 10


@dataclass(frozen=True, slots=True)
class CardShown:
    """One card of the person with the wallets that hold it."""

    card: Card
    status: tuple[str, str]
    wallets: list[CardWallet]
    has_pin: bool
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class Profile:
    """All that the page shows."""

    subject: Subject
    name: str
    voice: Voice
    settings: Settings
    account: Account
    standing: Standing
    tier: str
    lots: list[StatementLot]
    benefits: list[tuple[str, int]]
    cards: list[CardShown]
    others: list[Card]
    merges: list[AccountMerge]
    last_scan: datetime | None
    consents: list[Consented]
    notes: list[Note]
    counter: ForCounter
    waiting: list[Any]
    reads: list[Any]
    staff: dict[str, str]
    takes_two: bool


@pages.get("/<card_id>", Permission.SEE_MEMBERS)
def show(visit: Visit, card_id: str) -> Any:
    """The page."""
    return page(visit, card_id)


@pages.get("/<card_id>/timeline", Permission.SEE_MEMBERS)
def happenings(visit: Visit, card_id: str) -> Any:
    """An earlier part of what happened; for htmx just that."""
    before = _moment(request.args.get("before", ""))
    subject = read_subject(visit, card_id, "show")
    with visit.read() as session:
        settings = rulebook_of(session, visit.programme.id, visit.now).at(visit.now).settings
        voice = voice_of(visit.programme, settings, visit.language)
        found, further = timeline(session, _whose(subject), voice, before=before)
    part = request.headers.get("HX-Request") is not None
    template = "_timeline.html" if part else "timeline.html"
    return visit.show(
        f"staff/members/{template}",
        subject=subject,
        name=_name(subject),
        found=found,
        further=further,
        voice=voice,
    )


def page(
    visit: Visit,
    card_id: str,
    status: int = 200,
    *,
    wrong: dict[str, list[str]] | None = None,
    problem: str = "",
    opened: str = "",
) -> Any:
    """The page; with what was wrong in a form that was sent, which is then open."""
    subject = read_subject(visit, card_id, "show")
    with visit.read() as session:
        profile = _read(session, visit, subject)
        whose = _whose(subject)
        found, further = timeline(session, whose, profile.voice)
    return visit.show(
        "staff/members/show.html",
        status,
        profile=profile,
        subject=subject,
        found=found,
        further=further,
        wrong=wrong or {},
        problem=problem,
        opened=opened,
        typed=request.form,
        words=words,
        deed_id=str(uuid.uuid4()),
        languages=[(code, _LANGUAGE_NAMES[code]) for code in LANGUAGES],
    )


def deed(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Show the page again where what was asked for cannot be: with the reason beside the form."""

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(visit: Visit, card_id: str, **values: Any) -> Any:
            try:
                return view(visit, card_id, **values)
            except (Forbidden, NotFound):
                raise
            except CounterfoilError as error:
                wrong = error.fields if isinstance(error, Invalid) else {}
                code = 422 if isinstance(error, Invalid) else 409
                return page(visit, card_id, code, wrong=wrong, problem=error.message, opened=name)

        return guarded

    return wrap


def _read(session: Session, visit: Visit, subject: Subject) -> Profile:
    keys, now, card = visit.context.keys, visit.now, subject.card
    book = rulebook_of(session, visit.programme.id, now)
    settings = book.at(now).settings
    voice = voice_of(visit.programme, settings, visit.language)
    looked = ledger.look(session, card.account_id, now=now, terms=book.terms(now))
    mine = [each for each in subject.person.cards if each.kind != Kind.COUPON]
    ids = {each.id for each in mine}
    lots = statement(session, card.account_id, since=None, before=just_after(now)).lots()
    known = subject.member_id is not None
    member_ids = subject.person.member_ids
    return Profile(
        subject=subject,
        name=_name(subject),
        voice=voice,
        settings=settings,
        account=session.get_one(Account, card.account_id),
        standing=looked.standing(),
        tier=voice.tier(looked.account.tier.tier) if settings.tiers else "",
        lots=list(lots)[:20],
        benefits=[
            (each.what, each.count)
            for each in benefits.tallies(session, card.account_id, now=now)
            if each.count
        ],
        cards=[_card(session, each, now) for each in mine],
        others=[
            each
            for each in cards_of(session, card.account_id)
            if each.id not in ids and each.kind != Kind.COUPON
        ],
        merges=_merges(session, card.account_id),
        last_scan=scans.last_scan(session, sorted(ids)),
        consents=changing.consents_of(session, str(subject.member_id)) if known else [],
        notes=notes.notes_of(session, keys, member_ids),
        counter=notes.for_counter(session, keys, subject.member_id),
        waiting=[each for one in mine for each in approvals.waiting(session, card_id=one.id)],
        reads=last_reads(session, member_ids, limit=_READS)
        if visit.may(Permission.SEE_AUDIT)
        else [],
        staff=names(session, Staff),
        takes_two=approvals.takes_another(session, visit.person),
    )


def _card(session: Session, card: Card, now: datetime) -> CardShown:
    is_over = card.status not in {CardStatus.ACTIVE, CardStatus.BLOCKED}
    return CardShown(
        card,
        words.status_of(card.status),
        [] if is_over else card_wallets(session, card.id),
        pins.has_pin(session, card.id),
        pins.locked_until(session, card.id, now=now),
    )


def _merges(session: Session, account_id: str) -> list[AccountMerge]:
    return list(
        session.scalars(
            select(AccountMerge)
            .where(AccountMerge.into_account_id == account_id, AccountMerge.undone_at.is_(None))
            .order_by(AccountMerge.merged_at.desc())
        )
    )


def _name(subject: Subject) -> str:
    if subject.contact.name:
        return subject.contact.name
    if subject.card.status == CardStatus.ERASED:
        return _("Somebody who is forgotten")
    return _("Card %(card)s", card=subject.card.id)


def _whose(subject: Subject) -> Whose:
    cards: Iterable[Card] = subject.person.cards
    mine = [each for each in cards if each.kind != Kind.COUPON]
    return Whose(subject.card.account_id, mine, subject.person.member_ids)


def _moment(text: str) -> datetime:
    with suppress(ValueError):
        found = datetime.fromisoformat(text[:40])
        if found.tzinfo is not None:
            return found
    raise NotFound(_("There is no such page."))
