"""What is held of a member as a letter to them would say it: in their language, in their words."""

from collections.abc import Iterator

from app.delivery.leaving import Person
from app.languages import _, current_language
from app.ledger import service as ledger
from app.members import service as members
from app.members.reads import reads_of
from app.programmes import wording
from app.web import formats
from app.web.customer.door import Opened
from app.web.customer.history import lines_of
from app.web.customer.settings_page import agreements


def readable(door: Opened, person: Person) -> str:
    """The text, for people; what it leaves out is in what follows it."""
    parts = (
        _about(door, person),
        _agreed(door),
        _happened(door),
        _looked(door, person),
    )
    return "\n".join(line for part in parts for line in part)


def _about(door: Opened, person: Person) -> Iterator[str]:
    yield _(
        "What %(programme)s holds of you, on %(moment)s",
        programme=door.programme.name,
        moment=formats.moment(door.now),
    )
    yield ""
    labels = {
        "name": _("Name"),
        "nickname": _("Called"),
        "email": _("E-mail"),
        "phone": _("Telephone"),
        "number": _("Number"),
        "birthday": _("Birthday"),
    }
    for member_id in person.member_ids:
        contact = members.contact_of(door.session, door.keys, member_id)
        for field, label in labels.items():
            if value := getattr(contact, field):
                yield f"{label}: {value}"
    for card in person.cards:
        yield _(
            "Card %(number)s, issued on %(day)s (%(source)s)",
            number=card.id,
            day=formats.day(card.issued_on),
            source=card.source,
        )
    balance = ledger.standing(door.session, door.card.account_id, now=door.now).balance
    yield wording.told(door.programme.points_names, balance, current_language())
    yield ""


def _agreed(door: Opened) -> Iterator[str]:
    yield _("What you agree to").upper()
    for each in agreements(door):
        yield each.text
        if each.since:
            yield "  " + _("You agreed on %(day)s.", day=formats.day(each.since))
        else:
            yield "  " + _("You do not agree.")
    yield ""


def _happened(door: Opened) -> Iterator[str]:
    yield _("History").upper()
    for line in lines_of(door):
        money = formats.money(*line.money) if line.money else ""
        about = [formats.moment(line.at), line.what, f"{line.points:+d}", line.place or "", money]
        yield ", ".join(each for each in about if each)
        yield from (f"    {each}" for each in line.why)
    yield ""


def _looked(door: Opened, person: Person) -> Iterator[str]:
    yield _("Who looked at your data").upper()
    for member_id in person.member_ids:
        for each in reads_of(door.session, member_id):
            yield f"{formats.moment(each.read_at)}, {each.reader_kind}, {each.purpose}"
    yield ""
