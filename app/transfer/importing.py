"""Imports a list of members: looks through all of it, then writes it in pieces that each hold.

A piece is one transaction: people, accounts, cards and opening postings together. So an import
that is cut off leaves whole customers, and the same file under the same name goes on from there;
imported again it changes nothing. A posting's id follows from programme, import's name and the
customer's number.
"""

import hmac
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.benefits.promises import STAMPS
from app.cards import service as cards
from app.cards.service import NewCard
from app.db import Database
from app.errors import Invalid, Unavailable
from app.keys import KeyRing, Purpose
from app.ledger import service as ledger
from app.ledger.errors import PostingIdReused
from app.ledger.postings import Circumstances, Given, Open, Request, Terms, fingerprint
from app.ledger.tiers import Window
from app.ledger.tiers.windows import cycle_of, local_day
from app.members import consents
from app.members import service as members
from app.members.service import NewMember
from app.programmes.giving import RuledPromises
from app.programmes.models import Programme
from app.programmes.terms import rulebook_of
from app.transfer.lines import Customer, Frame, Problem, Reader
from app.transfer.models import Import

#: Customers in one transaction. On SQLite the tills wait for it, well under a second.
PIECE = 500
_LONGEST_NAME = 80
#: Tables that grow from nothing; before these pieces the database is told how much there is by now.
_GROWING = ("accounts", "members", "cards", "entries", "lots", "postings")
_STATISTICS_BEFORE = frozenset({2, 10, 50, 250, 1250})
#: In a rolling window, a tier that is brought along stays so long where the file says nothing.
_ROLLING_TIER = timedelta(days=365)

#: Told how many lines have been gone through.
Progress = Callable[[int], None]


@dataclass(slots=True)
class Summary:
    """What an import did, or would do."""

    name: str
    customers: int = 0
    points: int = 0
    lots: int = 0
    #: Points that are owed.
    debt: int = 0
    #: Those that an earlier run brought: they are left as they are.
    there_before: int = 0
    #: Lines that cannot be used.
    wrong: int = 0
    by_language: Counter[str] = field(default_factory=Counter)
    by_tier: Counter[str] = field(default_factory=Counter)
    by_consent: Counter[str] = field(default_factory=Counter)

    def add(self, customer: Customer, language: str) -> None:
        """Count a customer who comes in."""
        self.customers += 1
        self.points += customer.points
        self.lots += len(customer.lots)
        self.debt += customer.debt
        self.by_consent.update(purpose for purpose, _ in customer.consents)
        self.by_language[language] += 1
        if customer.tier:
            self.by_tier[customer.tier] += 1


class Importer:
    """One import into one programme."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        programme: Programme,
        name: str,
        *,
        now: datetime,
        language: str = "en",
    ) -> None:
        if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
            raise Invalid(f"An import's name has 1 to {_LONGEST_NAME} characters: give it --name.")
        self.database, self.keys, self.programme = database, keys, programme
        self.name, self.now, self.language = name.strip(), now, language
        with database.read(programme.id) as session:
            self._version = session.scalar(
                select(Import.key_version).where(Import.name == self.name)
            )
            book = rulebook_of(session, programme.id, now)
            self.settings, self.terms = book.at(now).settings, book.terms(now)
        if self._version is None:
            self._version = keys.current(Purpose.BLIND_INDEX).version
        self._secret = keys.derive(Purpose.BLIND_INDEX, self._version, b"imports")
        self._space = uuid.UUID(programme.id)

    def frame(self, dates: str | None = None) -> Frame:
        """What its lines are read by."""
        return Frame(self.programme.time_zone, self.settings, self.now, dates)

    # --- looking ------------------------------------------------------------------------------

    def check(
        self, reader: Reader, report: Callable[[Problem], None], progress: Progress = lambda _: None
    ) -> Summary:
        """Go through the whole file and report what is wrong; writes nothing."""
        summary = Summary(self.name)
        for piece in self._pieces(reader, report, summary, progress):
            with self.database.read(self.programme.id) as session:
                for customer in self._new(session, piece, report, summary):
                    summary.add(customer, customer.language or self.language)
        return summary

    def _pieces(
        self,
        reader: Reader,
        report: Callable[[Problem], None],
        summary: Summary,
        progress: Progress,
    ) -> Iterator[list[Customer]]:
        def good() -> Iterator[Customer]:
            for customer, problems in reader.customers():
                for each in problems:
                    report(each)
                if customer is None:
                    summary.wrong += 1
                else:
                    yield customer

        found = good()
        while piece := list(islice(found, PIECE)):
            yield piece
            progress(piece[-1].line)

    def _new(
        self,
        session: Session,
        piece: Sequence[Customer],
        report: Callable[[Problem], None],
        summary: Summary,
    ) -> list[Customer]:
        """Those of the customers who are not here yet; what is wrong with others is reported."""
        answers = ledger.replayed_many(session, [self._request(each) for each in piece])
        fresh = []
        for customer, answer in zip(piece, answers, strict=True):
            if isinstance(answer, PostingIdReused):
                what = "An earlier run of this import brought this customer with other points."
                cure = "Put the points right with: counterfoil account adjust"
                report(Problem(customer.line, "points", what, cure))
                summary.wrong += 1
            elif answer is not None:
                summary.there_before += 1
            else:
                fresh.append(customer)
        numbers = [each.number for each in fresh]
        known = members.members_by_numbers(session, self.keys, self.programme.id, numbers)
        for customer in fresh:
            if customer.number in known:
                what = "Another import has brought this customer."
                cure = "Leave the line out; if it is the same list, give the same --name."
                report(Problem(customer.line, "number", what, cure))
                summary.wrong += 1
        return [each for each in fresh if each.number not in known]

    # --- writing ------------------------------------------------------------------------------

    def run(
        self,
        reader: Reader,
        progress: Progress = lambda _: None,
        note_link: Callable[[str, str], None] | None = None,
    ) -> Summary:
        """Write every line that can be used. Safe to be cut off, and to be run again.

        *note_link* is told number and link token of each new card: they are kept nowhere else.
        """
        summary = Summary(self.name)
        for number, piece in enumerate(self._pieces(reader, lambda _: None, summary, progress)):
            if number in _STATISTICS_BEFORE:
                self.database.analyse(_GROWING)
            with self.database.write(self.programme.id) as session:
                row = self._row(session)
                fresh = self._new(session, piece, lambda _: None, summary)
                if fresh:
                    self._write(session, fresh, note_link)
                row.members += len(fresh)
                row.points += sum(each.points for each in fresh)
            for customer in fresh:
                summary.add(customer, customer.language or self.language)
        with self.database.write(self.programme.id) as session:
            self._row(session).finished_at = self.now
        return summary

    def _row(self, session: Session) -> Import:
        """The import's own row. All imports of a programme are locked: they take turns."""
        found = session.scalars(select(Import).order_by(Import.id).with_for_update()).all()
        for row in found:
            if row.name == self.name:
                return row
        row = Import(name=self.name, key_version=self._version, started_at=self.now)
        row.members = row.points = 0
        session.add(row)
        session.flush()
        return row

    def _write(
        self,
        session: Session,
        fresh: Sequence[Customer],
        note_link: Callable[[str, str], None] | None,
    ) -> None:
        programme_id, keys, now = self.programme.id, self.keys, self.now
        spoken = [each.language or self.language for each in fresh]
        joined = [each.joined_at or now for each in fresh]
        accounts = ledger.open_accounts(
            session, joined, now=now, time_zone=self.programme.time_zone
        )
        people = [
            NewMember(customer.contact, language, moment)
            for customer, language, moment in zip(fresh, spoken, joined, strict=True)
        ]
        member_ids = members.add_members(session, keys, programme_id, people)
        consents.bring(
            session,
            programme_id,
            [
                (member_id, purpose, given_at)
                for member_id, customer in zip(member_ids, fresh, strict=True)
                for purpose, given_at in customer.consents
            ],
        )
        wanted = [
            NewCard(account.id, member_id, language)
            for account, member_id, language in zip(accounts, member_ids, spoken, strict=True)
        ]
        card_ids = cards.issue_cards(
            session, keys, programme_id, wanted, source=f"import {self.name}", now=now
        )
        openings = [
            (
                account,
                self._request(customer),
                self._open(customer, account.id),
                Circumstances(now, card_id=card_id, language=language),
            )
            for customer, account, card_id, language in zip(
                fresh, accounts, card_ids, spoken, strict=True
            )
        ]
        terms = self._terms(fresh)
        made = ledger.post_openings(session, openings, now=now, terms=terms)
        if any(posted.repeated for posted in made):
            raise Unavailable("Another run of this import is at work. Start it again.")
        if giving := [posted.answer for posted in made if posted.answer.get("given")]:
            book = rulebook_of(session, programme_id, now)
            benefits.keep(session, giving, RuledPromises(book, now), now=now)
        if note_link is not None:
            tokens = cards.create_links(session, programme_id, card_ids, now=now)
            for customer, token in zip(fresh, tokens, strict=True):
                note_link(customer.number, token)

    def _terms(self, fresh: Sequence[Customer]) -> Terms:
        """Tiers need a look at what each account has counted: not where nobody brings any."""
        if any(each.tier for each in fresh):
            return self.terms
        return replace(self.terms, tiers=None)

    def _open(self, customer: Customer, account_id: str) -> Open:
        until = customer.tier_until
        if customer.tier is not None and until is None:
            until = self._tier_until(customer.joined_at or self.now)
        given: tuple[Given, ...] = ()
        if customer.stamps:
            card = self.settings.stamps[0].code
            given = (Given(STAMPS, card, customer.stamps, f"import {self.name}"),)
        reason = f"import {self.name}"
        return Open(account_id, customer.lots, reason, customer.tier, until, given, customer.debt)

    def _tier_until(self, joined_at: datetime) -> datetime:
        """The end of the year that counts now; what is earned here decides from then on."""
        scheme, zone = self.terms.tiers, self.programme.time_zone
        if scheme is None or scheme.window is Window.ROLLING:
            return self.now + _ROLLING_TIER
        joined_on, today = (local_day(moment, zone) for moment in (joined_at, self.now))
        return cycle_of(scheme.window, joined_on, today, zone).ends_at

    def _request(self, customer: Customer) -> Request:
        keyed = hmac.digest(self._secret, customer.number.encode(), "sha256").hex()
        posting_id = str(uuid.uuid5(self._space, f"import\n{self.name}\n{keyed}"))
        body: dict[str, Any] = customer.told
        return Request(posting_id, "opening", fingerprint(self.programme.id, None, "opening", body))


def default_name(file_name: str) -> str:
    """An import's name where none was given: the file's."""
    return file_name[:_LONGEST_NAME]
