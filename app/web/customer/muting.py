"""One tap, and no campaign sends a message to this card any more; another one undoes it."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.campaigns import mutes
from app.web.customer.door import blueprint, opened, page


@blueprint.get("/card/<token>/mute")
def muting(token: str) -> str:
    """Whether messages come, and the button that changes it."""
    with opened(token) as door:
        is_muted = mutes.is_muted(door.session, door.card.account_id)
        return page("mute", door.programme, token=token, is_muted=is_muted)


@blueprint.post("/card/<token>/mute")
def mute(token: str) -> AnyResponse:
    """Send no messages from now on; or, with ``undo``, send them again."""
    with opened(token, writing=True) as door:
        if "undo" in request.form:
            mutes.unmute(door.session, door.card.account_id)
        else:
            mutes.mute(door.session, door.card.account_id, now=door.now)
    return redirect(url_for("customer.muting", token=token), 303)
