"""A change is compared, tried over receipts and published from pages; and taken back."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.programmes import pilots
from app.programmes.drafts import trials
from app.programmes.drafts.models import TrialState
from app.programmes.file.examples import example
from app.programmes.file.reading import read
from app.programmes.service import (
    add_location,
    change_settings,
    programme_by_id,
    version_at,
)
from tests.app.office import Colleague

SignIn = Callable[..., Colleague]
DAY = timedelta(days=1)


def settings_at(shop: Any, later: timedelta = timedelta(0)) -> Any:
    with shop.context.database.read(shop.programme_id) as session:
        return version_at(session, shop.programme_id, shop.context.clock() + later).settings


def draft(owner: Colleague, points: str = "2") -> None:
    form = {"points": points, "per_amount": "1", "earn_on": "gross", "stacking": "all"}
    assert owner.post("programme/draft/earning", form).status_code == 303


def test_a_draft_is_compared_by_field_and_published_from_a_day_on(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner", name="Olga")
    assert "The draft is what is in force" in owner.words("programme/compare")
    draft(owner)
    owner.post("programme/draft/stamps", {"names.en": "Coffee card", "size": "10", "per": "visit"})
    page = owner.words("programme/compare")
    assert re.search(r"Earning ! changes Points before: 1 → after: 2", page)
    assert "Stamp cards: Coffee card ✓ new" in page and "after: 10" in page
    assert "Olga" in page
    day = (shop.context.clock() + 2 * DAY).date().isoformat()
    wrong = owner.post("programme/publish", {"when": "day", "from": "2020-01-01"})
    assert wrong.status_code == 422 and "today on or later" in wrong.text
    assert owner.post("programme/publish", {"when": "day", "from": "x"}).status_code == 422
    answer = owner.post("programme/publish", {"when": "day", "from": day, "where": "all"})
    assert answer.status_code == 303
    assert settings_at(shop).points == 1
    assert (settings_at(shop, 3 * DAY).points, len(settings_at(shop, 3 * DAY).stamps)) == (2, 1)
    listed = owner.words("programme/versions")
    assert "Version 2 ! planned" in listed and "published : Olga" in listed.replace(":", " :")
    assert "Coffee card" in listed
    assert owner.post("programme/publish", {"when": "now"}).status_code == 422


def test_a_planned_version_is_undone_and_one_that_holds_is_rolled_back(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    draft(owner)
    day = (shop.context.clock() + 2 * DAY).date().isoformat()
    owner.post("programme/publish", {"when": "day", "from": day})
    assert owner.post("programme/versions/2/back").status_code == 303
    assert settings_at(shop, 3 * DAY).points == 1
    draft(owner, "3")
    owner.post("programme/publish", {"when": "now"})
    page = owner.words("programme/versions")
    assert "never held" in page
    shop.context.clock.advance(10 * DAY)
    owner = signed_in("owner", name="Again")
    assert settings_at(shop).points == 1
    assert owner.post("programme/versions/99/back").status_code == 404


def test_a_pilot_is_begun_widened_and_made_to_hold_everywhere(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    owner.post("programme/places", {"is_new": "yes", "name": "Harbour"})
    draft(owner)
    nowhere = owner.post("programme/publish", {"when": "now", "where": "some"})
    assert nowhere.status_code == 422 and "on trial" in nowhere.text
    form = {"when": "now", "where": "some", "locations": "old-town"}
    assert owner.post("programme/publish", form).status_code == 303
    page = owner.words("programme/versions")
    assert "Pilot 2" in page and "Old Town" in page
    assert "On trial: pilot 2" in owner.words("programme")
    assert owner.post("programme/versions/2/widen", {"locations": "harbour"}).status_code == 303
    with shop.context.database.read(shop.programme_id) as session:
        newest = pilots.history(session, shop.programme_id)[-1]
        assert (newest.number, newest.locations) == (3, ("harbour", "old-town"))
    assert settings_at(shop).points == 1
    assert owner.post("programme/versions/3/widen", {"where": "everywhere"}).status_code == 303
    assert settings_at(shop).points == 2
    page = owner.words("programme/versions")
    assert "widened" in page and "made to hold everywhere" in page


def test_what_is_one_for_all_members_is_not_put_on_trial(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    form = {"point_value": "0.02", "redeem_minimum": "1", "redeem_step": "1"}
    owner.post("programme/draft/redeeming", form)
    assert "cannot be on trial: Redeeming" in owner.words("programme/compare")
    tried = owner.post("programme/publish", {"where": "some", "locations": "old-town"})
    assert tried.status_code == 422
    assert settings_at(shop).point_value < settings_at(shop).point_value * 2


def test_a_trial_shows_its_progress_its_cost_and_who_wins(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner", name="Olga")
    assert owner.post("programme/trials", {"since": "2026-01-01"}).status_code == 422
    for minor in (1000, 450):
        assert shop.accrue(shop.issue(), minor).status_code == 201
    draft(owner)
    shop.context.clock.advance(timedelta(minutes=1))
    assert owner.post("programme/trials", {"since": "nonsense"}).status_code == 422
    answer = owner.post("programme/trials", {"since": "2026-01-01", "locations": "old-town"})
    assert answer.status_code == 303
    page = owner.get("programme/compare").text
    assert "It begins in a moment." in page and "every 1s" in page
    with shop.context.database.read(shop.programme_id) as session:
        made = trials.latest(session)
        assert made is not None and made.state == TrialState.WAITING
    assert owner.get("programme/trials/00000000-0000-0000-0000-000000000000").status_code == 404
    assert trials.run_one(shop.context.database, shop.context.clock, processes=1) == 1
    told = owner.words(f"programme/trials/{made.id}")
    assert "15 points more than as it was" in told
    assert re.search(r"Members who gain 2 15 points together", told)
    assert "Members who lose 0" in told and "Olga" in told
    assert settings_at(shop).points == 1
    draft(owner, "3")
    assert "of an earlier draft" in owner.words("programme/compare")
    assert owner.post(f"programme/trials/{made.id}/stop").status_code == 303
    assert signed_in("auditor").post("programme/trials", {}).status_code == 403


def test_what_somebody_else_published_is_not_silently_undone(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    draft(owner)
    with shop.context.database.write(shop.programme_id) as session:
        change_settings(
            session, shop.programme_id, {"points": "7"}, valid_from=shop.context.clock()
        )
    assert "Somebody else has published" in owner.words("programme/compare")
    assert owner.post("programme/publish", {"when": "now"}).status_code == 422
    assert owner.post("programme/draft/take-over").status_code == 303
    assert owner.post("programme/publish", {"when": "now"}).status_code == 303
    assert settings_at(shop).points == 2


def test_names_and_plurals_change_at_once_in_four_languages(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    form = {
        "name": "Kaffa",
        "benefit": "Beans",
        "points.en.one": "bean",
        "points.en.other": "beans",
        "points.lv.zero": "pupiņu",
        "points.lv.one": "pupiņa",
        "points.lv.other": "pupiņas",
        "points.ru.one": "зерно",
        "points.ru.few": "зерна",
        "points.ru.many": "зёрен",
        "points.ru.other": "зерна",
    }
    assert owner.post("programme/names", form).status_code == 303
    page = owner.words("programme/names")
    assert "1 bean, 2 beans, 5 beans" in page
    assert "1 pupiņa, 2 pupiņas, 5 pupiņas, 11 pupiņu, 21 pupiņa" in page
    assert "1 зерно, 2 зерна, 5 зёрен, 11 зёрен, 21 зерно" in page
    broken = form | {"name": " ", "points.de.one": "Bohne", "points.en.other": "x" * 31}
    answer = owner.post("programme/names", broken)
    assert answer.status_code == 422
    for at in ("name", "points.de.other", "points.en.other"):
        assert f'id="w-{at}"' in answer.text
    with shop.context.database.read(shop.programme_id) as session:
        programme = programme_by_id(session, shop.programme_id)
        assert (programme.name, set(programme.points_names)) == ("Kaffa", {"en", "lv", "ru"})


def test_locations_are_added_renamed_and_put_on_the_map(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    new = {"is_new": "yes", "name": "Rīgas osta", "latitude": "56,95", "longitude": "24.1"}
    assert owner.post("programme/places", new).status_code == 303
    page = owner.get("programme/places").text
    assert "rigas-osta" in page and 'value="56.95"' in page
    assert owner.post("programme/places", new).status_code == 422
    for bad in ({"name": " "}, {"latitude": "x"}, {"latitude": "200", "longitude": "1"}):
        sent = {"slug": "old-town", "name": "Old Town"} | bad
        assert owner.post("programme/places", sent).status_code == 422, bad
    renamed = {"slug": "old-town", "name": "Vecrīga"}
    assert owner.post("programme/places", renamed).status_code == 303
    assert "Vecrīga" in owner.get("programme/places").text
    assert owner.post("programme/places", renamed | {"slug": "nowhere"}).status_code == 422


def test_a_draw_is_written_published_closed_and_drawn(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    form = {
        "is_new": "yes",
        "title": "Summer draw",
        "prizes.0.name": "A bicycle",
        "prizes.0.count": "1",
        "prizes.1.name": "Книга",
        "prizes.1.count": "3",
        "one_prize_each.there": "yes",
        "one_prize_each": "yes",
        "closes_at": "2026-06-03T18:00",
        "public_value": "Viking Lotto of 3 June",
        "public_value_known_from": "2026-06-03T20:00",
    }
    early = owner.post("programme/draws", form | {"public_value_known_from": "2026-06-01T00:00"})
    assert early.status_code == 422 and 'id="w-public_value_known_from"' in early.text
    assert owner.post("programme/draws", form).status_code == 303
    assert owner.post("programme/draws", form).status_code == 422
    assert "not published yet" in owner.words("programme/draws/summer-draw")
    assert owner.get("programme/draws/summer-draw?edit=yes").status_code == 200
    assert owner.post("programme/draws/summer-draw/close").status_code == 422
    assert owner.post("programme/draws/summer-draw/publish").status_code == 303
    told = owner.get("programme/draws/summer-draw/file").json
    assert [each["name"] for each in told["terms"]["prizes"]] == ["A bicycle", "Книга"]
    rule = {"kind_of": "visit", "name": "T", "gives.0.kind": "tickets",
            "gives.0.what": "summer-draw", "gives.0.count": "2"}  # fmt: skip
    owner.post("programme/draft/rules", rule)
    owner.post("programme/publish", {"when": "now"})
    assert shop.accrue(shop.issue(), 1000).status_code == 201
    shop.context.clock.advance(3 * DAY)
    owner = signed_in("owner", name="Later")
    assert owner.post("programme/draws/summer-draw/close").status_code == 303
    assert owner.post("programme/draws/summer-draw/draw", {"value": " "}).status_code == 422
    assert owner.post("programme/draws/summer-draw/draw", {"value": "1 2 3"}).status_code == 303
    page = owner.words("programme/draws/summer-draw")
    assert "A bicycle" in page and "Winners" in page and "1 2 3" in page
    assert owner.get("programme/draws/nothing").status_code == 404


def test_the_file_goes_out_and_comes_back_into_the_draft(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    text = owner.get("programme/file/programme.toml").text
    assert read(text).settings == settings_at(shop)
    wrong = text.replace("points = 1", "points = many").replace("[earning]", "[erning]")
    told = owner.post("programme/file", {"text": wrong})
    assert told.status_code == 422 and "Line" in told.text
    assert owner.post("programme/file", {"text": ""}).status_code == 422
    foreign = owner.post("programme/file", {"text": example("cafe")})
    assert foreign.status_code == 422 and "kaffa" in foreign.text
    mine = example("cafe").replace('slug = "kaffa"', f'slug = "{shop.slug}"')
    assert owner.post("programme/file", {"text": mine}).status_code == 303
    assert settings_at(shop).points == 1 and settings_at(shop).stamps == ()
    assert "Coffee card" in owner.words("programme/compare")
    drafted = owner.get("programme/file/programme.toml?of=draft").text
    assert read(drafted).settings == read(mine).settings
    assert owner.post("programme/publish", {"when": "now"}).status_code == 303
    assert settings_at(shop) == read(mine).settings
    assert owner.post("programme/file", {"text": mine, "names": "yes"}).status_code == 303
    assert "Kaffa Roasters" in owner.get("programme/names").text
    assert "Central Station" in owner.get("programme/places").text


def test_pages_of_another_programme_are_not_reached(
    open_shop: Callable[[], Any], shop: Any, signed_in: SignIn
) -> None:
    other = open_shop()
    theirs = signed_in("owner", of=other)
    draft(theirs)
    theirs.post("programme/trials", {"since": "2026-01-01"})
    with shop.context.database.read(other.programme_id) as session:
        made = trials.latest(session)
        assert made is not None
    owner = signed_in("owner")
    assert owner.get(f"programme/trials/{made.id}").status_code == 404
    assert owner.post(f"programme/trials/{made.id}/stop").status_code == 404
    assert "The draft is what is in force" in owner.words("programme/compare")


def test_a_price_list_comes_in_as_a_file_and_goes_out_the_same(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    form = {"content_type": "multipart/form-data"}

    def send(text: str | bytes) -> Any:
        body = text if isinstance(text, bytes) else text.encode()
        file = {"file": (io.BytesIO(body), "prices.csv")}
        return owner.post("programme/prices", file, **form)

    good = "item;price;name_en;name_lv;until\nbeans;17,90;Beans;Pupiņas;2026-12-31\ncup;0;;;\n"
    assert send(good).status_code == 303
    assert "Beans" in owner.words("programme/draft/prices")
    out = owner.get("programme/prices.csv").text
    assert "beans,17.90," in out.replace(";", ",")
    assert send(out).status_code == 303
    wrong = send("item,price\nbeans,1\ncup,lots\n")
    assert wrong.status_code == 422 and "Line 3" in wrong.text
    for bad in ("nothing", b"\xff\xfe", 'item,price\n"x', "item,price,secret\n", ""):
        assert send(bad).status_code == 422, bad
    assert send("item,price\n" + "x,1\n" * 2001).status_code == 422
    assert "Beans" in owner.words("programme/draft/prices")


def test_with_another_rate_goes_the_line_that_customers_read_if_it_is_ticked(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    join = f"/join/{shop.slug}"

    def line(language: str = "en") -> str:
        return read_line(shop, f"{join}?lang={language}")

    before = line()
    draft(owner, "3")
    page = owner.get("programme/compare").text
    offered = dict(re.findall(r'name="line\.(\w\w)" type="text" value="([^"]*)"', page))
    assert list(offered) == ["en", "de", "lv", "ru"]
    assert re.fullmatch(r"3 \w+ for every €1\.00 you spend\.", offered["en"])
    assert offered["de"].endswith("für je 1,00\xa0€ Einkauf.") and before in page
    day = (shop.context.clock() + 2 * DAY).date().isoformat()
    lines = {f"line.{language}": text for language, text in offered.items()}
    lines["line.ru"] = "Три балла <b>за евро"
    asked = {"when": "day", "from": day, "where": "all", "take_line": "yes", **lines}
    assert owner.post("programme/publish", asked | {"line.lv": " "}).status_code == 422
    assert owner.post("programme/publish", asked).status_code == 303
    assert line() == before
    shop.context.clock.advance(3 * DAY)
    assert (line(), line("de")) == (offered["en"], offered["de"].replace("\xa0", " "))
    assert line("ru") == "Три балла &lt;b&gt;за евро"
    owner = signed_in("owner", name="Again")
    owner.post("programme/versions/2/back")
    assert line("en") == before
    draft(owner, "4")
    owner.post("programme/publish", {"when": "now", "where": "all", **lines})
    assert line() == before


def read_line(shop: Any, address: str) -> str:
    """What members get, as a join page says it."""
    [found] = re.findall(r'<ul class="three">\s*<li>([^<]*)', shop.client.get(address).text)
    return str(found.strip())


def test_the_line_of_a_trial_is_read_in_its_locations_until_it_holds_everywhere_or_is_over(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    join = f"/join/{shop.slug}"
    with shop.context.database.write(shop.programme_id) as session:
        for slug in ("harbour", "station"):
            add_location(session, shop.programme_id, slug=slug, name=slug, now=shop.context.clock())
    before = read_line(shop, join)

    def lines_at(*places: str) -> list[str]:
        return [read_line(shop, f"{join}?at={place}") for place in places]

    def poster(place: str) -> str:
        return str(shop.client.get(f"{join}/poster.svg?at={place}").text)

    draft(owner, "3")
    page = owner.get("programme/compare").text
    offered = dict(re.findall(r'name="line\.(\w\w)" type="text" value="([^"]*)"', page))
    lines = {f"line.{language}": text for language, text in offered.items()}
    asked = {"when": "now", "where": "some", "take_line": "yes", "locations": "harbour", **lines}
    assert owner.post("programme/publish", asked).status_code == 303
    new = offered["en"]
    assert lines_at("harbour", "station", "") == [new, before, before]
    assert new.split()[1] in poster("harbour") and "every" in poster("harbour")
    assert "for every" not in poster("station")
    owner.post("programme/versions/2/widen", {"when": "now", "locations": "station"})
    assert lines_at("harbour", "station", "") == [new, new, before]
    owner.post("programme/versions/3/widen", {"when": "now", "where": "everywhere"})
    assert read_line(shop, join) == new
    owner.post("programme/versions/4/back")
    draft(owner, "5")
    owner.post("programme/publish", asked)
    # What everybody read before the version was undone is read again, but where it is on trial.
    assert lines_at("harbour", "station", "")[0] == new
    owner.post("programme/versions/6/back")
    assert lines_at("harbour") == [read_line(shop, join)]


def test_the_line_is_not_said_to_everybody_for_a_trial_of_some_members(
    shop: Any, signed_in: SignIn
) -> None:
    owner = signed_in("owner")
    with shop.context.database.write(shop.programme_id) as session:
        segment = {"segments": {"New": {"joined_within_days": 9}}}
        change_settings(session, shop.programme_id, segment, valid_from=shop.context.clock())
    draft(owner, "3")
    asked = {"when": "now", "where": "some", "take_line": "yes", "segments": "New", "line.en": "x"}
    refused = owner.post("programme/publish", asked)
    assert refused.status_code == 422 and "A poster is read by everybody" in refused.text
    assert owner.post("programme/publish", asked | {"take_line": ""}).status_code == 303
