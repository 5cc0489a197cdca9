"""All that a card's face is made of, read by one statement for many cards of any programme.

Ten thousand phones may ask for their passes in the same minute; `faces.face_of` asks several times
for each. What is made here is the same face (a test compares them), and the row says besides
whether a pass that was built before is still the same: whatever a face shows is in the row.
"""

import json
from collections import namedtuple
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from itertools import starmap
from typing import Any, TypeAlias, cast

from sqlalchemy import (
    ARRAY,
    Connection,
    Dialect,
    Select,
    String,
    Table,
    and_,
    any_,
    bindparam,
    case,
    exists,
    or_,
    select,
)
from sqlalchemy import cast as as_type
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.benefits.models import Coupon, Tally
from app.benefits.promises import STAMPS
from app.cards import news
from app.cards.models import Card, CardMessage, CardNews
from app.db import Moment
from app.db.lookup import Lookup
from app.errors import NotFound
from app.keys import KeyRing
from app.languages import _
from app.ledger import service as ledger
from app.ledger.models import Account, Lot
from app.members import service as members
from app.members.models import Member
from app.programmes import designs
from app.programmes.designs import Design
from app.programmes.faces import (
    NOTHING_BESIDES,
    WORKED_OUT,
    Printed,
    TierNames,
    besides_of,
    company_from,
    coupon_shown,
    fill_in,
    kept_tiers,
    kind_of,
    look_of,
    tiers_of,
)
from app.programmes.models import Programme, ProgrammeDesign, ProgrammeVersion
from app.programmes.shared_rows import COLUMN, SharedRow, share_out, shared_column
from passes.card import CardFace, CardKind, Look

#: A named tuple of the columns below.
FaceRow: TypeAlias = Any
#: What a card has in common with others, and what is large of it.
Share: TypeAlias = tuple[Design, TierNames]

_cards, _accounts, _lots, _members, _programmes = (
    cast(Table, model.__table__) for model in (Card, Account, Lot, Member, Programme)
)
_designs, _versions = (
    cast(Table, model.__table__) for model in (ProgrammeDesign, ProgrammeVersion)
)
_coupons, _tallies = (cast(Table, model.__table__) for model in (Coupon, Tally))
_news, _messages = (cast(Table, model.__table__) for model in (CardNews, CardMessage))
_now = bindparam("now", type_=Moment())


def _some_lot(condition: Any) -> Any:
    of_account = and_(_lots.c.account_id == _accounts.c.id, _lots.c.remaining > 0)
    return exists(select(1).where(of_account, condition).correlate(_accounts))


#: The rules that hold: they name the tier.
_rules = (
    select(_versions.c.id)
    .where(_versions.c.programme_id == _cards.c.programme_id, _versions.c.valid_from <= _now)
    .order_by(_versions.c.valid_from.desc(), _versions.c.number.desc())
    .limit(1)
    .correlate(_cards)
    .scalar_subquery()
)


class _Joined(FunctionElement[str]):
    """Texts of many rows as one, with commas between them."""

    inherit_cache = True
    type = String()


@compiles(_Joined)
def _joined(element: _Joined, compiler: SQLCompiler, **kw: Any) -> str:
    name = "string_agg" if compiler.dialect.name == "postgresql" else "group_concat"
    return f"{name}({compiler.process(element.clauses, **kw)}, ',')"


#: The stamps of the account as one text: "coffee:7,lunch:2".
_stamps = (
    select(_Joined(_tallies.c.what + ":" + as_type(_tallies.c.count, String)))
    .where(_tallies.c.account_id == _cards.c.account_id, _tallies.c.kind == STAMPS)
    .correlate(_cards)
    .scalar_subquery()
)

_FACES = (
    select(
        _cards.c.id,
        _cards.c.programme_id,
        _cards.c.account_id,
        _cards.c.member_id,
        _cards.c.serial_number,
        _cards.c.token_key_version,
        _cards.c.code,
        _cards.c.status,
        _cards.c.issued_on,
        _cards.c.language,
        _accounts.c.changed_at,
        _accounts.c.balance,
        # Time has changed something that nobody has noted yet: this face is of this moment only.
        _some_lot(
            or_(
                and_(_lots.c.pending, _lots.c.available_from <= _now),
                _lots.c.expires_at <= _now,
            )
        ).label("is_passing"),
        # The balance is not all there is to say: some of it is pending, or owed.
        or_(_accounts.c.debt != 0, _some_lot(_lots.c.pending)).label("is_involved"),
        _members.c.name.label("member_name"),
        shared_column(_cards.c.programme_id),
        _cards.c.version.label("card_version"),
        _accounts.c.version.label("account_version"),
        _designs.c.id.label("design_id"),
        _designs.c.version.label("design_version"),
        _accounts.c.tier,
        case(
            (or_(_accounts.c.tier.is_not(None), _designs.c.kind == CardKind.STAMPS), _rules)
        ).label("rules_id"),
        _cards.c.kind,
        case((_designs.c.kind == CardKind.STAMPS, _stamps)).label("stamps"),
        _designs.c.kind.label("design_kind"),
        _accounts.c.kind.label("account_kind"),
        _accounts.c.company_name,
        _cards.c.role,
        _cards.c.redeem_limit,
        as_type(_coupons.c.offer, String).label("coupon_offer"),
        _coupons.c.expires_at.label("coupon_expires_at"),
        _messages.c.news_id,
        _messages.c.facts.label("news_facts"),
        (_messages.c.account_version == _accounts.c.version).label("is_news_fresh"),
        as_type(_news.c.content, String).label("news"),
    )
    .join_from(_cards, _accounts, _accounts.c.id == _cards.c.account_id)
    .join(_programmes, _programmes.c.id == _cards.c.programme_id)
    .outerjoin(_designs, _designs.c.programme_id == _cards.c.programme_id)
    .outerjoin(_members, _members.c.id == _cards.c.member_id)
    .outerjoin(_coupons, _coupons.c.card_id == _cards.c.id)
    .outerjoin(_messages, _messages.c.card_id == _cards.c.id)
    .outerjoin(_news, _news.c.id == _messages.c.news_id)
)
_BY_ID = _FACES.where(_cards.c.id == bindparam("card_id"))
_BY_SERIAL = _FACES.where(_cards.c.serial_number.in_(bindparam("serials", expanding=True)))
#: One statement however many are asked for: PostgreSQL then prepares it once.
_BY_SERIAL_ARRAY = _FACES.where(
    _cards.c.serial_number == any_(bindparam("serials", type_=ARRAY(String)))
)


_names = [column.key for column in _FACES.selected_columns]
_Face = cast(Any, namedtuple)("_Face", _names)
_PROGRAMME_AT, _SHARED_AT = _names.index("programme_id"), _names.index(COLUMN)


def row_of(session: Session, card_id: str, *, now: datetime) -> FaceRow:
    """What the face of a card is made of at *now*. Raises `NotFound`."""
    row = session.connection().execute(_BY_ID, {"card_id": card_id, "now": now}).first()
    if row is None:
        raise NotFound(_("There is no such card."))
    [made] = _faces([list(row)])
    return made


def rows_by_serial(
    connection: Connection, serials: Sequence[str], *, now: datetime
) -> dict[str, FaceRow]:
    """The same for many cards of any programme, by serial number; unknown ones are left out.

    The *connection* is one that commits by itself.
    """
    values = {"serials": list(serials), "now": now}
    if connection.dialect.name == "sqlite":
        rows = [list(row) for row in connection.execute(_BY_SERIAL, values)]
    else:
        rows = _lookup(connection.dialect)(connection, values)
    return {row.serial_number: row for row in _faces(rows)}


def _faces(rows: Sequence[list[Any]]) -> Iterable[FaceRow]:
    share_out(rows, programme_at=_PROGRAMME_AT, text_at=_SHARED_AT)
    return starmap(_Face, rows)


@cache
def _lookup(dialect: Dialect) -> Lookup:
    return Lookup(_BY_SERIAL_ARRAY, dialect)


def changed_at_of(card_ids: Sequence[str]) -> Select[Any]:
    """Ids of cards, each with the moment of the last change that its face shows."""
    return (
        select(_cards.c.id, _accounts.c.changed_at)
        .join_from(_cards, _accounts, _accounts.c.id == _cards.c.account_id)
        .where(_cards.c.id.in_(card_ids))
    )


def needs_ledger(row: FaceRow) -> bool:
    """Whether more has to be read before it is known what the card shows."""
    return bool(row.is_involved or row.is_passing or row.design_kind in WORKED_OUT)


def kept_share(row: FaceRow) -> Share | None:
    """What the card shares with others, if it is in memory: then nothing is read for it."""
    design = designs.kept(row.design_id, row.design_version)
    tiers = kept_tiers(row.rules_id)
    return None if design is None or tiers is None else (design, tiers)


def face_from(
    session: Session | None,
    keys: KeyRing,
    row: FaceRow,
    *,
    now: datetime,
    share: Share | None = None,
    page: str | None = None,
) -> CardFace:
    """The face of a card whose row was read at *now*; *page* is the address of its own page.

    *session* where the row needs the ledger, or without the *share* of `kept_share`.
    """
    if share is None:
        assert session is not None  # noqa: S101 - for the type checker: the caller looks first
        share = (
            designs.design_of(session, row.design_id, row.design_version),
            tiers_of(session, row.rules_id),
        )
    design, tiers = share
    balance, pending = row.balance, 0
    if needs_ledger(row):
        assert session is not None  # noqa: S101 - for the type checker: the caller looks first
        standing = ledger.standing(session, row.account_id, now=now)
        balance, pending = standing.balance, standing.pending
    name = members.open_name(keys, row.member_id, row.member_name)
    shown = None
    if row.coupon_offer is not None:
        shown = coupon_shown(json.loads(row.coupon_offer), row.coupon_expires_at)
    told = None
    if row.news is not None:
        told = news.now_on(
            row.news_id,
            row.news,
            row.news_facts,
            is_fresh=bool(row.is_news_fresh),
            language=row.language,
            member_name=name,
        )
    besides = NOTHING_BESIDES
    if session is not None:
        besides = besides_of(session, row.programme_id, row.account_id, design.kind, now=now)
    company = company_from(row.account_kind, row.company_name, row.role, row.redeem_limit)
    kind = kind_of(design, is_coupon=shown is not None, company=company, besides=besides)
    look = _look(row.programme, design, tiers, kind)
    return fill_in(
        look,
        cast(Printed, row),
        name=name,
        balance=balance,
        pending=pending,
        tier=None if row.tier is None else tiers.by_code.get(row.tier, row.tier),
        extras=design.extras,
        time_zone=row.programme.time_zone,
        stamps=_counted(row.stamps),
        drawn=tiers.stamps,
        coupon_shown=shown,
        company=company,
        besides=besides,
        told=told,
        page=page,
    )


def _counted(stamps: str | None) -> dict[str, int]:
    pairs = (each.rpartition(":") for each in stamps.split(",")) if stamps else ()
    return {what: int(count) for what, _, count in pairs}


@lru_cache(maxsize=128)
def _look(shared: SharedRow, design: Design, tiers: TierNames, kind: CardKind) -> Look:
    return look_of(shared.programme, design, tiers, kind=kind)
