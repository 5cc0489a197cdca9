"""The link behind a test pass's QR code: one phone takes the pass, then it leads nowhere."""

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.context import current_context
from app.delivery.wallets import current_wallets
from app.designer import trials
from app.errors import NotFound
from app.languages import speak
from app.programmes.service import programme_by_id
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
    )


@blueprint.post("/<token>")
def take(token: str) -> AnyResponse:
    """Use the link up, and lead to the file."""
    _speak()
    context = current_context()
    if not current_wallets().apple.available:
        raise NotFound(str(trials.OFFER["no_apple"]))
    with context.database.write_all() as session:
        made = trials.take(session, token, now=context.clock())
    return redirect(url_for("trials.file", token=made), 303)


@blueprint.get("/file/<token>/test.pkpass")
def file(token: str) -> Response:
    """The test pass itself; for some minutes, as phones ask more than once."""
    _speak()
    context = current_context()
    now = context.clock()
    with context.database.read_all() as session:
        programme_id = trials.taken(session, token, now=now).programme_id
    with context.database.read(programme_id) as session:
        trial = trials.taken(session, token, now=now)
        programme = programme_by_id(session, programme_id)
        face = trials.face_of(session, programme, trial, now=now)
    built = trials.build(context, current_wallets().apple, face, now=now)
    response = Response(built, mimetype=PKPASS)
    response.headers["Content-Disposition"] = 'attachment; filename="test.pkpass"'
    return response


def _speak() -> None:
    speak(request.accept_languages.best_match(LANGUAGES, LANGUAGES[0]) or LANGUAGES[0])
