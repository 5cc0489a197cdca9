"""The link behind a test pass's QR code: one phone takes the pass, then it leads nowhere."""

from datetime import datetime

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.context import current_context
from app.db import enter
from app.delivery.wallets import current_wallets
from app.designer import google_trials, trials
from app.designer.models import TrialLink
from app.errors import NotFound
from app.languages import speak
from app.programmes.models import Programme
from app.programmes.service import programme_by_id
from passes.card import CardFace
from passes.text import LANGUAGES

blueprint = APIBlueprint("trials", __name__, url_prefix="/try", enable_openapi=False)

PKPASS = "application/vnd.apple.pkpass"


@blueprint.get("/<token>")
def offer(token: str) -> str:
    """What there is to take. Looking uses nothing up: messengers look into links by themselves."""
    _speak()
    context = current_context()
    with context.database.read_all() as session:
        trial = trials.find(session, token, now=context.clock())
        programme = programme_by_id(session, trial.programme_id)
    return render_template(
        "trial.html",
        programme=programme,
        words=trials.OFFER,
        token=token,
        has_apple=current_wallets().apple.available,
        has_google=current_wallets().google.available,
    )


@blueprint.post("/<token>")
def take(token: str) -> AnyResponse:
    """Use the link up, and lead to the file."""
    _speak()
    context = current_context()
    wallets, now = current_wallets(), context.clock()
    wants_google = request.form.get("wallet") == "google"
    wallet = wallets.google if wants_google else wallets.apple
    if not wallet.available:
        raise NotFound(str(trials.OFFER["no_wallet"]))
    if wants_google:
        with context.database.read_all() as session:
            face, programme = _face(session, trials.find(session, token, now=now), now)
        # Made before the link is used up: Google may be away.
        link = google_trials.save_link(context, wallets.google, programme, face, now=now)
        with context.database.write_all() as session:
            trials.take(session, token, now=now)
        return redirect(link, 303)
    with context.database.write_all() as session:
        made = trials.take(session, token, now=now)
    return redirect(url_for("trials.file", token=made), 303)


@blueprint.get("/picture/<serial>/<path:kind>.png")
def picture(serial: str, kind: str) -> Response:
    """A picture of a test pass, for Google's servers."""
    context = current_context()
    now = context.clock()
    with context.database.read_all() as session:
        face, _programme = _face(session, trials.shown(session, serial, now=now), now)
    return Response(google_trials.picture_of(face, kind), mimetype="image/png")


@blueprint.get("/file/<token>/test.pkpass")
def file(token: str) -> Response:
    """The test pass itself; for some minutes, as phones ask more than once."""
    _speak()
    context = current_context()
    now = context.clock()
    with context.database.read_all() as session:
        face, _programme = _face(session, trials.taken(session, token, now=now), now)
    built = trials.build(context, current_wallets().apple, face, now=now)
    response = Response(built, mimetype=PKPASS)
    response.headers["Content-Disposition"] = 'attachment; filename="test.pkpass"'
    return response


def _face(session: Session, trial: TrialLink, now: datetime) -> tuple[CardFace, Programme]:
    """The face of a test pass; the session is its programme's from here on."""
    enter(session, trial.programme_id)
    programme = programme_by_id(session, trial.programme_id)
    return trials.face_of(session, programme, trial, now=now), programme


def _speak() -> None:
    speak(request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]) or LANGUAGES[0])
