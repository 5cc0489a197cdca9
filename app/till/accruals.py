"""Accruals, many at once: what a counter does all day, done in few statements.

Everything is looked up for all of them together, by statements that are built once. What is
refused is refused alone; nothing is checked before it is clear that a posting is not a repeat.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.benefits import service as benefits
from app.cards import service as cards
from app.cards.service import FoundCard
from app.db import Question, asked_ahead, within
from app.errors import CounterfoilError
from app.ledger import service as ledger
from app.ledger.postings import Accrue, Circumstances, Request, fingerprint
from app.programmes.giving import RuledPromises
from app.programmes.settings import Settings
from app.programmes.terms import Rulebook, rulebook_of, rules_asked
from app.till import access, service, waiting
from app.till.access import Door
from app.till.counter import Counter
from app.till.receipts import NumberedSale, paid_with_points
from app.till.rules import is_believable

OPERATION = "accrual"


@dataclass(frozen=True, slots=True)
class Asked:
    """One accrual as a till asks for it: *body* as it was checked, *sent* as it came."""

    token: str
    cashier: str | None
    body: Mapping[str, Any]
    sent: Any


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer; *repeated*: it was given before."""

    answer: dict[str, Any]
    door: Door
    settings: Settings
    repeated: bool


@dataclass(slots=True)
class _Case:
    """An accrual on its way through."""

    asked: Asked
    door: Door
    request: Request
    settings: Settings | None = None
    card: FoundCard | None = None
    counter: Counter | None = None
    #: Its date cannot be true: a manager looks at it.
    is_aside: bool = False
    accrual: Accrue | None = None
    where: Circumstances | None = None
    result: Answered | Exception | None = None

    def give(self, answer: dict[str, Any], *, repeated: bool) -> None:
        """Answer it."""
        if self.settings is None:
            raise AssertionError("an answer is told by the rules that hold")
        self.result = Answered(answer, self.door, self.settings, repeated)

    @property
    def occurred_at(self) -> datetime:
        moment: datetime = self.asked.body["occurred_at"]
        return moment


class Prepared:
    """Accruals as far as they come without writing: who asks, on which card, for how much.

    Where several processes write to one SQLite file it is made before the one writer's turn, so
    that another one writes meanwhile. What changes between the two, a card that is blocked for
    instance, does so at the same time as the accrual: either may be the first.
    """

    def __init__(self, session: Session, asked: Sequence[Asked], *, now: datetime) -> None:
        """Look everything up, in a session open for all programmes."""
        self._now = now
        self._looked_up_in = session
        self._results: list[Answered | Exception | None] = [None] * len(asked)
        groups: dict[str, list[tuple[int, _Case]]] = {}
        self._books: dict[str, Rulebook] = {}
        with asked_ahead(session, _questions(asked, now), by_keys=True):
            doors = access.doors(session, [each.token for each in asked])
            _programmes.remember(doors)
            for place, each in enumerate(asked):
                door = doors[each.token]
                if isinstance(door, CounterfoilError):
                    self._results[place] = door
                    continue
                mark = fingerprint(door.till.programme_id, door.till.id, OPERATION, each.sent)
                request = Request(each.body["id"], OPERATION, mark, door.till.id)
                case = _Case(each, door, request)
                groups.setdefault(door.till.programme_id, []).append((place, case))
            # Always in one order: accounts of several programmes are locked, by other processes
            # too.
            self._groups = sorted(groups.items())
            for programme_id, group in self._groups:
                with within(session, programme_id):
                    book = self._books[programme_id] = rulebook_of(session, programme_id, now)
                    _prepare(session, book, [case for _, case in group], now)

    @property
    def is_done(self) -> bool:
        """Whether there is an answer to each already."""
        return not any(_open([case for _, case in group]) for _, group in self._groups)

    def post(self, session: Session) -> None:
        """Do what is left to do, in a session open for all programmes that commits afterwards."""
        for programme_id, group in self._groups:
            with within(session, programme_id):
                book = replace(self._books[programme_id], session=session)
                _post_all(
                    session,
                    book,
                    [case for _, case in group],
                    self._now,
                    are_new=session is self._looked_up_in,
                )

    def answers(self) -> list[Answered | Exception]:
        """The answer to each, in their order."""
        for _, group in self._groups:
            for place, case in group:
                self._results[place] = case.result
        return [
            result or RuntimeError("an accrual was left without an answer")
            for result in self._results
        ]


class _Programmes:
    """Whose tills came lately, so that what their accruals need is asked before it is certain.

    It is the till's door that says so, each time: this only guesses what will be asked.
    """

    _MOST = 4096

    def __init__(self) -> None:
        self._by_token: dict[bytes, str] = {}

    def remember(self, doors: Mapping[str, Door | CounterfoilError]) -> None:
        """Note the programme of each till that was let in."""
        if len(self._by_token) >= self._MOST:
            self._by_token.clear()
        for token, door in doors.items():
            if isinstance(door, Door):
                self._by_token[cards.hash_token(token[:200])] = door.till.programme_id

    def guess(self, token: str) -> str | None:
        """The programme of a till, if it was here."""
        return self._by_token.get(cards.hash_token(token[:200]))


_programmes = _Programmes()


def _questions(asked: Sequence[Asked], now: datetime) -> Iterator[Question]:
    """What will be asked for these, where all is in order; none where nobody was here before."""
    groups: dict[str, list[Asked]] = {}
    for each in asked:
        if (programme_id := _programmes.guess(each.token)) is not None:
            groups.setdefault(programme_id, []).append(each)
    yield access.doors_asked(each.token for each in asked)
    for programme_id, group in groups.items():
        ids = [each.body["id"] for each in group]
        believed = [each for each in group if is_believable(each.body["occurred_at"], now)]
        yield rules_asked(programme_id, now)
        yield ledger.replays_asked(ids, programme_id)
        yield waiting.replays_asked(ids, programme_id)
        yield access.cashiers_asked([each.cashier for each in group], programme_id, now=now)
        yield cards.cards_asked([each.body["code"] for each in believed], programme_id)


def _prepare(session: Session, book: Rulebook, cases: list[_Case], now: datetime) -> None:
    for case in cases:
        case.settings = book.at(now).settings
    _repeats(session, cases)
    _who_asks(session, _open(cases), now)
    for case in _open(cases):
        case.is_aside = not is_believable(case.occurred_at, now)
    believed = [case for case in _open(cases) if not case.is_aside]
    _find_cards(session, believed, now)
    _price(session, book, _open(believed), now)


def _post_all(
    session: Session, book: Rulebook, cases: list[_Case], now: datetime, *, are_new: bool
) -> None:
    for case in _open(cases):
        if case.is_aside:
            _put_aside(session, case, now)
    while left := _open(cases):
        # Each account and each id once at a time; two receipts of one card are two rounds.
        by_account = {case.card.account_id: case for case in reversed(left) if case.card}
        by_id = {case.request.id: case for case in by_account.values()}
        _post(session, book, list(by_id.values()), now, are_new=are_new)
        # The next round may be of an id that this one took.
        are_new = False


def _open(cases: Sequence[_Case]) -> list[_Case]:
    return [case for case in cases if case.result is None]


def _repeats(session: Session, cases: list[_Case]) -> None:
    requests = [case.request for case in cases]
    for known in (ledger.replayed_many, waiting.replayed_many):
        for case, first in zip(cases, known(session, requests), strict=True):
            if isinstance(first, Exception):
                case.result = case.result or first
            elif first is not None and case.result is None:
                case.give(first, repeated=True)


def _who_asks(session: Session, cases: list[_Case], now: datetime) -> None:
    """With a network the server's own sessions say who it is, not the body."""
    signed_in = [case for case in cases if not _is_alone(case)]
    people = access.cashiers(
        session, [(case.door.till.id, case.asked.cashier) for case in signed_in], now=now
    )
    for case in cases:
        body, till = case.asked.body, case.door.till
        if _is_alone(case):
            person_id = access.known_person(session, body["cashier_id"])
            case.counter = Counter(till, None, person_id, offline=True)
            continue
        person = people[till.id, case.asked.cashier]
        try:
            person_id = access.check_is(person, body["cashier_id"])
        except CounterfoilError as error:
            case.result = error
            continue
        case.counter = Counter(till, person, person_id, offline=body["offline"])


def _is_alone(case: _Case) -> bool:
    return bool(case.asked.body["offline"]) and case.asked.cashier is None


def _put_aside(session: Session, case: _Case, now: datetime) -> None:
    if case.counter is None:
        return
    try:
        answer = waiting.put_aside(session, case.counter, case.request, case.asked.sent, now=now)
        case.give(answer, repeated=False)
    except CounterfoilError as error:
        case.result = error


def _find_cards(session: Session, cases: list[_Case], now: datetime) -> None:
    wanted = [
        (case.asked.body["code"], case.occurred_at if case.asked.body["offline"] else now)
        for case in cases
    ]
    for case, found in zip(cases, cards.cards_by_codes(session, wanted, now=now), strict=True):
        if isinstance(found, CounterfoilError):
            case.result = found
        else:
            case.card = found


def _sale_of(case: _Case) -> NumberedSale | None:
    number = case.asked.body.get("receipt")
    if number is None or case.card is None:
        return None
    return NumberedSale(case.card.account_id, number, case.door.till.id, case.occurred_at)


def _price(session: Session, book: Rulebook, cases: list[_Case], now: datetime) -> None:
    paid = paid_with_points(session, [sale for case in cases if (sale := _sale_of(case))])
    for case in cases:
        if case.card is None or case.counter is None:
            raise AssertionError("an accrual is posted by somebody, on a card")
        try:
            case.accrual = service.accrual_of(
                session,
                book,
                case.card.account_id,
                case.asked.body,
                partner_id=case.door.partner_id,
                paid_with_points=paid.get(_sale_of(case), 0),
                now=now,
                location_id=case.counter.till.location_id,
            )
        except CounterfoilError as error:
            case.result = error
            continue
        case.where = case.counter.circumstances(
            case.occurred_at, case.card.id, now=now, language=case.card.language
        )


def _post(
    session: Session, book: Rulebook, cases: list[_Case], now: datetime, *, are_new: bool
) -> None:
    wanted: list[tuple[Request, Accrue, Circumstances]] = []
    for case in cases:
        if case.accrual is None or case.where is None:
            raise AssertionError("an accrual is priced before it is posted")
        wanted.append((case.request, case.accrual, case.where))
    results = ledger.post_accruals(session, wanted, now=now, terms=book.terms(now), are_new=are_new)
    # What a receipt gives besides points; most give nothing, and then nothing is asked.
    given = [
        posted.answer
        for posted in results
        if not isinstance(posted, CounterfoilError)
        and "given" in posted.answer
        and not posted.repeated
    ]
    if given:
        benefits.keep(session, given, RuledPromises(book, now), now=now)
    for case, posted in zip(cases, results, strict=True):
        if isinstance(posted, CounterfoilError):
            case.result = posted
        else:
            case.give(posted.answer, repeated=posted.repeated)
