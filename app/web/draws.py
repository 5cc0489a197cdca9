"""The public pages of prize draws: what was committed to, and the file to check it with."""

import json
from collections.abc import Mapping

from apiflask import APIBlueprint
from flask import Response, render_template, request

from app.context import current_context
from app.db import enter
from app.draws import service
from app.draws.models import PrizeDraw
from app.errors import NotFound
from app.languages import _
from app.ledger import writing
from app.members.service import LANGUAGES
from app.programmes.models import Programme
from app.programmes.service import programme_by_slug

blueprint = APIBlueprint("draws", __name__, enable_openapi=False)

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "prizes": "Prizes",
        "one_each": "One prize a member at most.",
        "several": "A member may win several prizes.",
        "until": "Tickets are given until",
        "value": "Decided by",
        "seed_hash": "SHA-256 of the secret seed, published on",
        "list_hash": "SHA-256 of the list of tickets, closed on",
        "tickets": "Tickets",
        "drawn": "Drawn on",
        "public_value": "Public value",
        "seed": "The seed, revealed",
        "winners": "Winners (names in the list of tickets)",
        "file": "The file with everything that was published",
        "check": "Anybody can recompute the winners from it:",
    },
    "de": {
        "prizes": "Preise",
        "one_each": "Höchstens ein Preis je Mitglied.",
        "several": "Ein Mitglied kann mehrere Preise gewinnen.",
        "until": "Lose gibt es bis",
        "value": "Es entscheidet",
        "seed_hash": "SHA-256 des geheimen Startwerts, veröffentlicht am",
        "list_hash": "SHA-256 der Liste der Lose, geschlossen am",
        "tickets": "Lose",
        "drawn": "Gezogen am",
        "public_value": "Öffentlicher Wert",
        "seed": "Der Startwert, aufgedeckt",
        "winners": "Gewinner (Namen in der Liste der Lose)",
        "file": "Die Datei mit allem, was veröffentlicht wurde",
        "check": "Jeder kann die Gewinner daraus nachrechnen:",
    },
    "lv": {
        "prizes": "Balvas",
        "one_each": "Katram dalībniekam ne vairāk kā viena balva.",
        "several": "Dalībnieks var laimēt vairākas balvas.",
        "until": "Lozes izsniedz līdz",
        "value": "Izšķir",
        "seed_hash": "Slepenās sēklas SHA-256, publicēts",
        "list_hash": "Ložu saraksta SHA-256, slēgts",
        "tickets": "Lozes",
        "drawn": "Izlozēts",
        "public_value": "Publiskā vērtība",
        "seed": "Atklātā sēkla",
        "winners": "Uzvarētāji (vārdi ložu sarakstā)",
        "file": "Datne ar visu publicēto",
        "check": "Uzvarētājus no tās var pārrēķināt ikviens:",
    },
    "ru": {
        "prizes": "Призы",
        "one_each": "Не больше одного приза на участника.",
        "several": "Участник может выиграть несколько призов.",
        "until": "Билеты выдаются до",
        "value": "Решает",
        "seed_hash": "SHA-256 секретного числа, опубликован",
        "list_hash": "SHA-256 списка билетов, закрыт",
        "tickets": "Билеты",
        "drawn": "Розыгрыш прошёл",
        "public_value": "Публичное значение",
        "seed": "Раскрытое секретное число",
        "winners": "Победители (имена в списке билетов)",
        "file": "Файл со всем, что опубликовано",
        "check": "Победителей по нему может пересчитать каждый:",
    },
}


@blueprint.get("/draws/<slug>/<code>.json")
def file(slug: str, code: str) -> Response:
    """What is published of a draw so far, for `counterfoil draw verify`."""
    with current_context().database.read_all() as session:
        enter(session, programme_by_slug(session, slug).id)
        found = _published(service.by_code(session, code))
        told = service.document(session, found)
    answer = Response(json.dumps(told, indent=1, ensure_ascii=False), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.code}.json"'
    return answer


@blueprint.get("/draws/<slug>/<code>")
def page(slug: str, code: str) -> str:
    """The same for people."""
    language = request.accept_languages.best_match(LANGUAGES, "en") or "en"
    with current_context().database.read_all() as session:
        programme = programme_by_slug(session, slug)
        enter(session, programme.id)
        found = _published(service.by_code(session, code))
        terms = service.terms_of(found)
        winners = service.winners_of(session, found)
    names = {prize.code: prize.name for prize in terms.prizes}
    return render_template(
        "draw.html",
        language=language,
        words=WORDS[language],
        programme=programme,
        draw=found,
        terms=terms,
        winners=[(names[each.prize], each.pseudonym) for each in winners],
        moments=_moments(found, programme, language),
        file=f"/draws/{programme.slug}/{found.code}.json",
    )


def _moments(found: PrizeDraw, programme: Programme, language: str) -> dict[str, str]:
    told = {
        "published": found.published_at,
        "closed": found.closed_at,
        "drawn": found.drawn_at,
        "closes": service.terms_of(found).closes_at,
        "value": service.terms_of(found).value_from,
    }
    return {
        name: writing.moment(moment, programme.time_zone, language)
        for name, moment in told.items()
        if moment is not None
    }


def _published(found: PrizeDraw) -> PrizeDraw:
    """A draw that nobody has been told of is not there for strangers."""
    if found.published_at is None:
        raise NotFound(_("There is no such draw."))
    return found
