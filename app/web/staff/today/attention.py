"""What needs a hand today: found cheaply, said in a sentence, with the page to put it right."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import certs
from app.approvals import service as approvals
from app.campaigns.models import Campaign, CampaignState
from app.cards.models import CardPin
from app.certs import whole_days_left
from app.certs.notices import THRESHOLDS
from app.delivery import status
from app.delivery.wallets import current_wallets
from app.errors import Misconfigured
from app.languages import _, ngettext
from app.ledger.models import Entry
from app.mail.models import MailStatus, OutgoingMail
from app.programmes.drafts import purpose
from app.staff.models import Staff
from app.staff.permissions import Permission
from app.till import reporting
from app.till.models import WaitingPosting
from app.till.reporting import Presence, Seen
from app.web.formats import ago, day, number
from app.web.staff.door import Visit

#: A pass that is behind for longer than this is no longer simply on its way.
LATE = timedelta(minutes=10)
#: The owner is told of the end of a certificate this many days before, and urgently in the last.
CERTIFICATE_DAYS, URGENT_DAYS = max(THRESHOLDS), min(THRESHOLDS)
#: A till that is switched off overnight is nothing to do anything about.
AWAY = timedelta(days=7)
PROPOSED = CampaignState.PROPOSED
#: States in which a campaign sends something, or soon will.
_UNDER_WAY = (
    CampaignState.PROPOSED,
    CampaignState.SCHEDULED,
    CampaignState.RUNNING,
    CampaignState.PAUSED,
)
#: Letters that wait are counted up to here.
_MOST_LETTERS = 1000
_WALLETS = {"apple": "Apple Wallet", "google": "Google Wallet"}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to be done, "bad" or "warn"; *address* is where, *button* what stands on it."""

    kind: str
    title: str
    words: str
    address: str = ""
    button: str = ""
    #: Whether it has happened already, and will not only soon.
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """How things stand in a word, whether or not anything is to be done about them."""

    name: str
    words: str
    kind: str = "good"


@dataclass(frozen=True, slots=True)
class Attention:
    """All of it."""

    needs: list[Need]
    states: list[State]


def look(session: Session, visit: Visit) -> Attention:
    """Look at everything that somebody might have to see to."""
    tills = reporting.tills(session, now=visit.now)
    behind = status.behind(session)
    ends = _ends(visit)
    wallets = current_wallets()
    absent = {"apple": not wallets.apple.available, "google": not wallets.google.available}
    needs = [
        *_waiting_for_two(session, visit),
        *_campaigns(session, visit),
        *_waiting_receipts(session, visit),
        *_tills(tills, visit),
        *_delivery(behind, visit.now),
        *_certificates(ends, visit),
        *_unsaid(session, visit),
        *_suspicious(session, visit),
    ]
    needs.sort(key=lambda need: need.kind != "bad")
    return Attention(needs, list(_states(tills, behind, absent, ends, visit.now)))


# --- what waits for somebody ------------------------------------------------------------------


def _waiting_for_two(session: Session, visit: Visit) -> Iterator[Need]:
    waiting = approvals.waiting(session)
    if waiting:
        mine = sum(each.asked_by_id == visit.person.id for each in waiting)
        words = ngettext(
            "%(num)d change waits for a second person.",
            "%(num)d changes wait for a second person.",
            len(waiting),
        )
        if mine == len(waiting):
            words += " " + _("You asked for it yourself: somebody else has to agree.")
        address = visit.address("members.approvals_page") if visit.may(Permission.APPROVE) else ""
        yield Need("warn", _("To approve"), words, address, _("Look at them"))


def _campaigns(session: Session, visit: Visit) -> Iterator[Need]:
    if not visit.may(Permission.APPROVE_CAMPAIGNS):
        return
    proposed = session.scalars(
        select(Campaign)
        .where(Campaign.programme_id == visit.programme.id, Campaign.state == PROPOSED)
        .order_by(Campaign.created_at.desc())
        .limit(5)
    )
    for each in proposed:
        words = _("It is sent once somebody has approved it.")
        if each.proposed_by == visit.person.id:
            words += " " + _("You proposed it yourself: somebody else has to agree.")
        address = visit.address("campaigns.show", campaign_id=each.id)
        title = _("Campaign to approve: %(name)s", name=each.name)
        yield Need("warn", title, words, address, _("Look at it"))


def _waiting_receipts(session: Session, visit: Visit) -> Iterator[Need]:
    waiting = select(func.count()).where(WaitingPosting.decided_at.is_(None))
    count = session.scalar(waiting.select_from(WaitingPosting)) or 0
    if count:
        words = ngettext(
            "%(num)d receipt came with a date that cannot be believed, or was refused and handed "
            "over. A manager lets it in or not.",
            "%(num)d receipts came with dates that cannot be believed, or were refused and handed "
            "over. A manager lets them in or not.",
            count,
        )
        address = visit.address("members.approvals_page") if visit.may(Permission.APPROVE) else ""
        yield Need("warn", _("Receipts to decide"), words, address, _("Look at them"))


# --- tills, delivery, certificates ------------------------------------------------------------


def _tills(tills: list[Seen], visit: Visit) -> Iterator[Need]:
    address = visit.address("tills.index") if visit.may(Permission.SEE_TILLS) else ""
    button = _("To the tills")
    for till in tills:
        title = f"{till.name}, {till.location}"
        waiting = ngettext(
            "%(num)d receipt waits in its queue.",
            "%(num)d receipts wait in its queue.",
            till.waiting,
        )
        if till.presence is Presence.SILENT and till.seen_at is not None:
            away = _("The till was last there %(when)s.", when=ago(till.seen_at, visit.now))
            if till.waiting:
                words = f"{away} {waiting} " + _("Give it a network, and they are sent.")
                yield Need("bad", title, words, address, button)
            elif visit.now - till.seen_at < AWAY:
                yield Need("warn", title, away, address, button, is_now=True)
        elif till.presence is Presence.ONLINE and till.oldest_waiting_at is not None:
            if till.waiting and visit.now - till.oldest_waiting_at > LATE:
                since = _("The oldest is of %(when)s.", when=ago(till.oldest_waiting_at, visit.now))
                yield Need("warn", title, f"{waiting} {since}", address, button)
        if till.set_aside and till.presence is not Presence.REVOKED:
            words = ngettext(
                "%(num)d receipt was refused and lies at the till. Its cashier can hand it over to "
                "a manager there.",
                "%(num)d receipts were refused and lie at the till. Its cashier can hand them over "
                "to a manager there.",
                till.set_aside,
            )
            yield Need("warn", title, words, address, button)


def _delivery(behind: dict[str, status.Behind], now: datetime) -> Iterator[Need]:
    for name, found in behind.items():
        if found.since is None or now - found.since <= LATE:
            continue
        words = _(
            "Passes that are not up to date: %(count)s. The oldest change came %(when)s.",
            count=_count(found),
            when=ago(found.since, now),
        )
        if found.error:
            words += " " + _("The other side says: %(error)s", error=found.error)
        yield Need("bad" if found.failed else "warn", _WALLETS[name], words)


def _count(found: status.Behind) -> str:
    count = number(found.count)
    return _("more than %(count)s", count=count) if found.is_more else count


def _ends(visit: Visit) -> list[certs.Expiry] | str:
    """The certificates, or what is wrong with their files."""
    try:
        return certs.expiries(visit.context.config)
    except Misconfigured as error:
        return error.message


def _certificates(ends: list[certs.Expiry] | str, visit: Visit) -> Iterator[Need]:
    address, button = "", _("To the certificates")
    if visit.may(Permission.SEE_INSTALLATION):
        address = visit.address("certificates.index")
    if isinstance(ends, str):
        yield Need("bad", _("Certificates"), ends, address, button)
        return
    for each in ends:
        left = whole_days_left(each.status, visit.now)
        if left > CERTIFICATE_DAYS:
            continue
        title = _certificate(each)
        if left < 0:
            words = _(
                "It ended on %(date)s: no pass can be made or changed. Get a new one from Apple.",
                date=day(each.status.not_after),
            )
        else:
            days = ngettext("%(num)d day left", "%(num)d days left", left)
            words = _(
                "%(days)s, to %(date)s. Then no pass can be made or changed: get a new one from "
                "Apple before.",
                days=days,
                date=day(each.status.not_after),
            )
        yield Need("bad" if left <= URGENT_DAYS else "warn", title, words, address, button)


def _certificate(expiry: certs.Expiry) -> str:
    if expiry.role == "pass":
        return _("Certificate of the passes")
    return _("Apple's intermediate certificate")


def _unsaid(session: Session, visit: Visit) -> Iterator[Need]:
    """What customers and letters wait for, and only the shop can say."""
    if not visit.may(Permission.CHANGE_PROGRAMME):
        return
    programme = visit.programme
    asked = purpose.look(session)
    is_new = session.scalar(select(Entry.sequence).limit(1)) is None
    if is_new and (asked is None or asked.finished_at is None):
        words = _("Three questions, a template, a test card on your own phone: about ten minutes.")
        address = visit.address("programme.setup")
        yield Need("warn", _("Set the programme up"), words, address, _("Begin"), is_now=True)
    missing = [
        words
        for words, value in (
            (_("name"), programme.operator_name),
            (_("postal address"), programme.operator_address),
            (_("a way to reach you"), programme.operator_contact),
        )
        if not value
    ]
    if missing:
        words = _(
            "The privacy notice and every public page lack what the law wants there: %(what)s.",
            what=", ".join(missing),
        )
        address = visit.address("public.index", _anchor="operator")
        yield Need("warn", _("Who runs it"), words, address, _("Say it"), is_now=True)
    if visit.context.config.smtp_server is None and (reason := _needs_mail(session, visit)):
        words = reason + " " + _("No letter leaves: there is no mail server yet.")
        address = visit.address("public.index", _anchor="letters")
        yield Need("warn", _("Letters"), words, address, _("How to set it up"), is_now=True)


def _needs_mail(session: Session, visit: Visit) -> str:
    """What e-mail is wanted for, in words; "" where it is not used."""
    waiting = session.scalar(
        select(func.count()).select_from(
            select(OutgoingMail.id)
            .where(OutgoingMail.status == MailStatus.WAITING)
            .limit(_MOST_LETTERS)
            .subquery()
        )
    )
    if waiting:
        return ngettext("%(num)d letter waits.", "%(num)d letters wait.", waiting)
    plans = session.execute(
        select(Campaign.name, Campaign.plan)
        .where(Campaign.programme_id == visit.programme.id, Campaign.state.in_(_UNDER_WAY))
        .order_by(Campaign.created_at.desc())
        .limit(50)
    )
    for name, plan in plans:
        if plan.get("content", {}).get("email"):
            return _("The campaign %(name)s goes out by e-mail besides.", name=name)
    return ""


# --- what is odd ------------------------------------------------------------------------------


def _suspicious(session: Session, visit: Visit) -> Iterator[Need]:
    """Where somebody guesses: names and cards that are locked after wrong PINs."""
    locked = session.scalars(
        select(Staff.name).where(Staff.locked_until > visit.now).order_by(Staff.name).limit(5)
    ).all()
    if locked:
        words = _(
            "Too many wrong PINs for %(names)s: somebody may be guessing.", names=", ".join(locked)
        )
        address = visit.address("team.index") if visit.may(Permission.SEE_STAFF) else ""
        yield Need("bad", _("Wrong PINs of the staff"), words, address, _("To the staff"))
    cards = session.scalars(
        select(CardPin.card_id).where(CardPin.locked_until > visit.now).limit(100)
    ).all()
    if cards:
        words = ngettext(
            "The PIN of %(num)d card is locked after wrong tries: somebody may be guessing.",
            "The PINs of %(num)d cards are locked after wrong tries: somebody may be guessing.",
            len(cards),
        )
        one = len(cards) == 1
        address = visit.address("members.show", card_id=cards[0]) if one else ""
        yield Need("warn", _("Wrong PINs of members"), words, address, _("Look at the card"))


# --- how things stand -------------------------------------------------------------------------


def _absent(name: str, found: status.Behind) -> State:
    """A wallet that nothing can be sent to; bad where cards in it wait for news."""
    if not found.count:
        return State(_WALLETS[name], _("not set up"), "quiet")
    return State(_WALLETS[name], _("not set up, %(count)s wait", count=_count(found)), "bad")


def _states(
    tills: list[Seen],
    behind: dict[str, status.Behind],
    absent: dict[str, bool],
    ends: list[certs.Expiry] | str,
    now: datetime,
) -> Iterator[State]:
    there = [till for till in tills if till.presence in (Presence.ONLINE, Presence.SILENT)]
    online = sum(till.presence is Presence.ONLINE for till in there)
    waiting = sum(till.waiting for till in there)
    if there:
        words = _("%(online)s of %(all)s online", online=number(online), all=number(len(there)))
        if waiting:
            words += ", " + ngettext(
                "%(num)d receipt in queues", "%(num)d receipts in queues", waiting
            )
        yield State(_("Tills"), words, "good" if online == len(there) and not waiting else "warn")
    else:
        yield State(_("Tills"), _("none yet"), "quiet")
    for name, found in behind.items():
        if absent[name]:
            yield _absent(name, found)
            continue
        if not found.count:
            yield State(_WALLETS[name], _("up to date"))
            continue
        is_late = found.since is not None and now - found.since > LATE
        words = _("%(count)s on their way", count=_count(found))
        yield State(_WALLETS[name], words, "warn" if is_late else "good")
    if isinstance(ends, str):
        return
    for each in ends:
        left = whole_days_left(each.status, now)
        words = _("ended") if left < 0 else ngettext("%(num)d day left", "%(num)d days left", left)
        kind = "good" if left > CERTIFICATE_DAYS else "warn" if left > URGENT_DAYS else "bad"
        yield State(_certificate(each), words, kind)
