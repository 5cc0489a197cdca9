"""What members do with their card themselves: freeze, replace, a PIN, and leaving for good."""

from datetime import timedelta

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.cards import freezing, pins
from app.cards import service as cards
from app.delivery import erasures, leaving
from app.errors import Conflict, Invalid, TooMany
from app.languages import _, current_language
from app.programmes import wording
from app.web.correspondence import tell_of_change
from app.web.customer.door import Opened, blueprint, opened, page
from app.web.customer.settings_page import show_again, to_settings
from passes.card import CardStatus

Answer = AnyResponse | str | tuple[str, int]


@blueprint.post("/card/<token>/freeze")
def freeze(token: str) -> AnyResponse:
    """Block the card until its owner wants it back."""
    with opened(token, writing=True) as door:
        freezing.freeze(door.session, door.card.id, now=door.now)
    return to_settings(token, "frozen")


@blueprint.post("/card/<token>/unfreeze")
def unfreeze(token: str) -> AnyResponse:
    """Make it good again."""
    with opened(token, writing=True) as door:
        freezing.unfreeze(door.session, door.card.id, now=door.now)
    return to_settings(token, "unfrozen")


@blueprint.get("/card/<token>/lost")
def lost(token: str) -> str:
    """What becomes of the old card, before it is done."""
    with opened(token) as door:
        has_pin = pins.has_pin(door.session, door.card.id)
    return page("lost", door.programme, token=token, has_pin=has_pin, wrong=None)


@blueprint.post("/card/<token>/lost")
def replace(token: str) -> Answer:
    """A new card with a new link; the old one is void at once, wherever it is."""
    wrong = _checked_pin(token)
    if wrong is not None:
        with opened(token) as door:
            return page("lost", door.programme, token=token, has_pin=True, wrong=wrong), 422
    with opened(token, writing=True) as door:
        session, card, now = door.session, door.card, door.now
        if card.status == CardStatus.BLOCKED and card.frozen_at is None:
            raise Conflict(_("This card was blocked by the shop: ask there."))
        new = cards.replace_card(session, door.keys, card.id, now=now, reason=None)
        link = cards.create_link(session, new, now=now)
        tell_of_change(session, door.programme, new, "replaced", f"replaced/{card.id}", now=now)
    return redirect(url_for("customer.card_page", token=link, said="replaced"), 303)


@blueprint.post("/card/<token>/pin")
def set_pin(token: str) -> Answer:
    """Set, change or remove the PIN; with the present one, where there is one."""
    wrong = _checked_pin(token)
    if wrong is not None:
        return show_again(token, {}, {"pin": [wrong]})
    new, again = (request.form.get(name, "").strip()[:64] for name in ("new", "again"))
    removing = request.form.get("do") == "remove"
    try:
        if not removing and new != again:
            raise Invalid("", {"new": [_("The two are not the same. Type it once more.")]})
        if not removing:
            _check_choice(new)
        with opened(token, writing=True) as door:
            if removing:
                pins.remove_pin(door.session, door.card.id)
            else:
                pins.set_pin(door.session, door.card, new, now=door.now)
    except Invalid as invalid:
        return show_again(token, {}, invalid.fields)
    return to_settings(token, "pin_removed" if removing else "pin_set", "pin")


def _check_choice(pin: str) -> None:
    try:
        pins.check_choice(pin)
    except Invalid as invalid:
        is_form = len(pin) < pins.FEWEST_DIGITS or not pin.isascii() or not pin.isdigit()
        text = _("A PIN has four to six digits.")
        if not is_form and len(pin) <= pins.MOST_DIGITS:
            text = _("That PIN is among the first to be guessed. Choose another.")
        raise Invalid(text, {"new": [text]}) from invalid


def _checked_pin(token: str) -> str | None:
    """What is wrong with the PIN that was typed; None where it is right, or there is none to know.

    Whoever took the phone has the link in the pass: the PIN keeps them from the rest. A wrong one
    counts as one at the till does.
    """
    typed = request.form.get("pin", "").strip()[:64]
    try:
        with opened(token, writing=True) as door:
            if pins.has_pin(door.session, door.card.id):
                pins.check_pin(door.session, door.card, typed, now=door.now)
    except TooMany as locked:
        wait = timedelta(seconds=locked.retry_after_seconds)
        minutes = max(1, -(-int(wait.total_seconds()) // 60))
        return _(
            "Too many wrong PINs. Wait %(minutes)s minutes, or ask in the shop.", minutes=minutes
        )
    except pins.WrongMemberPin:
        return _("That is not your present PIN. If you forgot it, ask in the shop.")
    return None


@blueprint.get("/card/<token>/erase")
def ask_to_erase(token: str) -> str:
    """What would be lost, before anything is."""
    with opened(token) as door:
        return _erase_page(door, token, None)


def _erase_page(door: Opened, token: str, wrong: str | None) -> str:
    session, programme = door.session, door.programme
    person = leaving.find_person(session, door.keys, programme.id, door.card.id)
    has = leaving.belongings(session, door.keys, person, now=door.now)
    return page(
        "erase",
        programme,
        token=token,
        has=has,
        points=wording.told(programme.points_names, has.points, current_language()),
        cards=sum(
            each.status not in {CardStatus.REPLACED, CardStatus.ERASED} for each in has.cards
        ),
        has_pin=pins.has_pin(session, door.card.id),
        erasure=erasures.asked(session, door.card.id),
        wrong=wrong,
    )


@blueprint.post("/card/<token>/erase")
def erase(token: str) -> Answer:
    """Have it done tomorrow."""
    wrong = _checked_pin(token)
    if wrong is not None:
        with opened(token) as door:
            return _erase_page(door, token, wrong), 422
    with opened(token, writing=True) as door:
        asked = erasures.ask(door.session, door.card, now=door.now)
        tell_of_change(
            door.session,
            door.programme,
            door.card,
            "erasing",
            f"erasing/{door.card.id}/{asked.asked_at:%Y%m%d%H%M%S}",
            now=door.now,
        )
    return redirect(url_for("customer.card_page", token=token, said="erasing"), 303)


@blueprint.post("/card/<token>/keep")
def keep(token: str) -> AnyResponse:
    """Undo it: everything stays as it is."""
    with opened(token, writing=True) as door:
        erasures.withdraw(door.session, door.card.id)
    return redirect(url_for("customer.card_page", token=token, said="kept"), 303)
