"""A programme's design: what its owner gave the cards, and how all passes come to show it.

Pictures are large and every pass has them, so a design is read once for each of its versions and
process. A change is written with the next version number and nothing else; `spread` then marks the
accounts as changed, some at a time, and delivery brings their passes up to date.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer_group

from app.db import within
from app.errors import Invalid
from app.languages import _, lazy
from app.ledger import service as ledger
from app.ledger.models import Account
from app.programmes.design_releases import PICTURE_NAMES, record
from app.programmes.design_texts import (
    LONGEST_NAME,
    arrangement_of,
    read_fields,
    read_labels,
    read_words,
    words_of,
)
from app.programmes.models import PICTURES, Location, Programme, ProgrammeDesign
from app.programmes.service import location_by_slug, programme_by_id
from app.programmes.wallet_extras import NO_EXTRAS, WalletExtras, extras_from_json, read_extras
from passes.artwork import keep
from passes.card import MAX_LINKS, MAX_PLACES, Arrangement, CardKind, Colours
from passes.errors import FaceError, ImageError
from passes.extras import Link, Place
from passes.text import MAX_TEXT, Words, said

#: What a programme's cards can be. Coupons are issued one by one, and the cards of a company's
#: account show the company by themselves.
ISSUED_KINDS = (CardKind.POINTS, CardKind.STAMPS, CardKind.DISCOUNT, CardKind.CLUB)

#: Coordinates are kept in millionths of a degree.
MICRO = 1_000_000
_LONGEST_LABEL = 60
#: Designs kept in memory, up to some megabytes each.
_MOST_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """One version of a design. Compared by identity: pictures are not looked through."""

    kind: CardKind = CardKind.POINTS
    logo: bytes | None = None
    hero: bytes | None = None
    poster: bytes | None = None
    icon: bytes | None = None
    links: tuple[Link, ...] = ()
    name: Words | None = None
    terms: Words | None = None
    contact: Words | None = None
    arrangement: Arrangement | None = None
    places: tuple[Place, ...] = ()
    extras: WalletExtras = NO_EXTRAS


#: Of a programme whose owner gave nothing: everything is drawn.
PLAIN = Design()
_kept: dict[tuple[str, int], Design] = {}


def current(session: Session, programme_id: str) -> Design:
    """The design of a programme now."""
    row = session.execute(
        select(ProgrammeDesign.id, ProgrammeDesign.version).where(
            ProgrammeDesign.programme_id == programme_id
        )
    ).first()
    return PLAIN if row is None else design_of(session, row.id, row.version)


def card_name(session: Session, programme: Programme, language: str) -> str:
    """What the programme's card is called in *language*: as designed, else as the programme."""
    name = current(session, programme.id).name
    return programme.name if name is None else said(name, language)


def kept(design_id: str | None, version: int | None) -> Design | None:
    """That version of a design, if it is in memory; the plain one for no id."""
    return PLAIN if design_id is None or version is None else _kept.get((design_id, version))


def design_of(session: Session, design_id: str | None, version: int | None) -> Design:
    """The same, else the design as it is now."""
    found = kept(design_id, version)
    return _read(session, design_id) if found is None and design_id else found or PLAIN


def _read(session: Session, design_id: str) -> Design:
    row = session.scalars(
        select(ProgrammeDesign)
        .where(ProgrammeDesign.id == design_id)
        .options(undefer_group(PICTURES))
        .execution_options(populate_existing=True)
    ).one()
    made = Design(
        kind=CardKind(row.kind),
        logo=row.logo,
        hero=row.hero,
        poster=row.poster,
        icon=row.icon,
        links=links_of(row.links),
        name=words_of(row.name, fills_in=False),
        terms=words_of(row.terms),
        contact=words_of(row.contact),
        arrangement=arrangement_of(row.fields, row.labels),
        places=tuple(
            Place(place.latitude_micro / MICRO, place.longitude_micro / MICRO, place.name)
            for place in places_of(session, row.programme_id)
            if place.latitude_micro is not None and place.longitude_micro is not None
        ),
        extras=extras_from_json(row.extras),
    )
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    # Under the number that was read: another change may have come since it was asked for.
    _kept[(design_id, row.version)] = made
    return made


def links_of(kept: list[list[Any]]) -> tuple[Link, ...]:
    """Links as cards have them, from what `read_changes` gives."""
    return tuple(Link(words_of(label) or url, url) for label, url in kept)


def places_of(session: Session, programme_id: str) -> list[Location]:
    """The locations near which phones offer the card."""
    found = session.scalars(
        select(Location)
        .where(Location.programme_id == programme_id, Location.latitude_micro.is_not(None))
        .order_by(Location.slug)
        .limit(MAX_PLACES)
    )
    return list(found)


def read_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """*changes* as they are kept: kind, the pictures (logo, hero, poster, icon), links (pairs of
    label and address), the texts (name, terms, contact: plain or by language), labels and fields.

    None takes a thing away. Raises `Invalid`, which says what to do. Pictures take a moment: call
    it before the transaction.
    """
    try:
        return {
            name: _EMPTY.get(name) if value is None else _READERS[name](value)
            for name, value in changes.items()
        }
    except (ImageError, FaceError) as error:
        raise Invalid(str(error)) from error


def change(
    session: Session,
    programme_id: str,
    read: Mapping[str, Any],
    *,
    places: Mapping[str, tuple[float, float] | None] | None = None,
    extras: Mapping[str, Any] | None = None,
    colours: Mapping[str, str] | None = None,
    by: str = "cli",
    now: datetime,
) -> ProgrammeDesign:
    """Make the next version of a design out of what `read_changes` gave, and note it as a release.

    *places* are degrees (latitude, longitude) by the slug of a location, *extras* go by the names
    of `wallet_extras`; None takes one away. *colours* are all three of `passes.card.Colours`.
    Raises `Invalid`, and `NotFound` for a location that is not there.
    """
    design = session.scalars(
        select(ProgrammeDesign)
        .where(ProgrammeDesign.programme_id == programme_id)
        .options(undefer_group(PICTURES))
        .with_for_update()
    ).one_or_none()
    if design is None:
        design = ProgrammeDesign(
            programme_id=programme_id,
            version=0,
            kind=CardKind.POINTS,
            links=[],
            labels={},
            fields=[],
            extras={},
            changed_at=now,
        )
        session.add(design)
    for name, value in read.items():
        setattr(design, name, value)
    if extras:
        design.extras = read_extras(design.extras, extras)
    for slug, degrees in (places or {}).items():
        _put(location_by_slug(session, programme_id, slug), degrees)
    programme = programme_by_id(session, programme_id)
    if colours is not None:
        programme.colours = read_colours(colours)
    design.version += 1
    design.spread_after = None
    design.changed_at = now
    session.flush()
    _check_places(session, programme_id)
    pictures = {name: getattr(design, name) for name in PICTURE_NAMES}
    content = content_of(session, design, programme)
    record(session, programme_id, design.version, content, pictures, by=by, now=now)
    return design


def content_of(
    session: Session, design: ProgrammeDesign | None, programme: Programme
) -> dict[str, Any]:
    """All that a design says, but for its pictures, as JSON: what a release keeps of it."""
    places = {
        place.slug: [(place.latitude_micro or 0) / MICRO, (place.longitude_micro or 0) / MICRO]
        for place in places_of(session, programme.id)
    }
    said = {name: None if design is None else getattr(design, name) for name in _SAID}
    said |= {name: _EMPTY[name] for name, value in said.items() if value is None and name in _EMPTY}
    return {**said, "kind": said["kind"] or "points", "colours": programme.colours} | {
        "places": places,
        "extras": {} if design is None else design.extras,
    }


def read_colours(colours: Mapping[str, str]) -> dict[str, str]:
    """The three colours of a brand as they are kept. Raises `Invalid`."""
    try:
        Colours(**colours)
    except (TypeError, ValueError) as error:
        raise Invalid(_("The colours do not make sense: %(error)s.", error=error)) from error
    return dict(colours)


def spread(session: Session, now: datetime, limit: int, _terms: object = None) -> int:
    """Mark up to *limit* accounts as changed by their programme's new design; how many were.

    A step of the background work: bounded, begun again where it was left.
    """
    design = session.scalars(
        select(ProgrammeDesign)
        .where(ProgrammeDesign.version > ProgrammeDesign.spread_version)
        .order_by(ProgrammeDesign.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if design is None:
        return 0
    wanted = select(Account.id).where(Account.programme_id == design.programme_id)
    if design.spread_after is not None:
        wanted = wanted.where(Account.id > design.spread_after)
    found = session.scalars(wanted.order_by(Account.id).limit(limit)).all()
    if found:
        with within(session, design.programme_id):
            ledger.raise_versions(session, found, now=now)
    if len(found) < limit:
        design.spread_version, design.spread_after = design.version, None
    else:
        design.spread_after = found[-1]
    session.flush()
    # Even where there was no account left, something is no longer to be done.
    return len(found) or 1


def _kind(value: str) -> str:
    if value not in ISSUED_KINDS:
        raise Invalid(
            _(
                "The cards of a programme are %(known)s. Coupons are issued one by one "
                "(counterfoil coupon), and a company's cards show the company by themselves.",
                known=", ".join(ISSUED_KINDS),
            )
        )
    return str(value)


def _links(value: list[tuple[Any, str]]) -> list[list[Any]]:
    if len(value) > MAX_LINKS:
        raise Invalid(
            _("A card has at most %(max_links)s links: keep the best.", max_links=MAX_LINKS)
        )
    read = [[_link_words(label), url] for label, url in value]
    if any(not label for label, _ in read):
        raise Invalid(
            _(
                "The words for a link have 1 to %(longest_label)s characters.",
                longest_label=_LONGEST_LABEL,
            )
        )
    links_of(read)
    return read


_link_words = read_words(lazy("The words for a link"), _LONGEST_LABEL)


_READERS: dict[str, Callable[[Any], Any]] = {
    "kind": _kind,
    "logo": keep.kept_logo,
    "hero": keep.kept_hero,
    "poster": keep.kept_poster,
    "icon": keep.kept_icon,
    "links": _links,
    "name": read_words(lazy("The card's name"), LONGEST_NAME),
    "terms": read_words(lazy("The terms"), MAX_TEXT, lines=True),
    "contact": read_words(lazy("The contact"), MAX_TEXT, lines=True),
    "labels": read_labels,
    "fields": read_fields,
}
#: What is there where a thing was taken away, if not None.
_EMPTY: Mapping[str, Any] = {"links": [], "labels": {}, "fields": []}
#: What a design says besides its pictures.
_SAID = tuple(name for name in _READERS if name not in PICTURE_NAMES)


def _put(location: Location, degrees: tuple[float, float] | None) -> None:
    if degrees is None:
        location.latitude_micro = location.longitude_micro = None
        return
    try:
        Place(*degrees)
    except FaceError as error:
        raise Invalid(_("%(slug)s: %(error)s", slug=location.slug, error=error)) from error
    location.latitude_micro, location.longitude_micro = (round(each * MICRO) for each in degrees)


def _check_places(session: Session, programme_id: str) -> None:
    located = session.scalars(
        select(Location.slug)
        .where(Location.programme_id == programme_id, Location.latitude_micro.is_not(None))
        .limit(MAX_PLACES + 1)
    ).all()
    if len(located) > MAX_PLACES:
        raise Invalid(
            _(
                "Phones offer a card near %(max_places)s places at most: take one away first.",
                max_places=MAX_PLACES,
            )
        )
