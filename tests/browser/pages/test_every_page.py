"""Nobody is kept from any page: the list is the service's own, so that none can be forgotten."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from app import create_app
from tests.app.office import sign_in
from tests.browser.every_page import (
    NO_PAGES,
    SERVICE,
    VISITORS,
    World,
    furnish_all,
    get_rules,
    is_whole_page,
)
from tests.browser.staff_office import DESK, PHONE, open_office

#: Each size once, each scheme on every page.
LOOKS = (("390-light", PHONE, "light"), ("1440-dark", DESK, "dark"))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_office(tmp_path_factory.mktemp("pages"), **SERVICE) as office:
        yield furnish_all(office)


def test_every_address_of_the_service_is_walked_to_or_is_no_page(world: World) -> None:
    walked = {place.endpoint for place in world.places}
    every = set(get_rules(create_app(world.office.context)))
    assert every - walked == NO_PAGES, "a new page is found by a link, or is added to the walk"
    assert walked.isdisjoint(NO_PAGES)


def test_what_is_called_no_page_is_none(world: World) -> None:
    """Of what can be asked for without an id: files, parts and addresses that lead on."""
    office = world.office
    app = create_app(office.context)
    who = sign_in(
        office.context, app.test_client(), office.slug, office.programme_id, "owner", "Looks"
    )
    for endpoint, rule in get_rules(app).items():
        if endpoint in NO_PAGES and rule.arguments <= {"slug"}:
            answer = who.client.get(rule.rule.replace("<slug>", office.slug))
            assert not is_whole_page(answer), endpoint


def test_axe_finds_nothing_on_any_page_by_day_and_by_night(
    world: World,
    browser: Browser,
    violations: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], Path],
) -> None:
    wrong: list[str] = []
    for visitor in VISITORS:
        page = world.sit_down(browser, visitor, size=DESK)
        for place in (each for each in world.places if each.visitor == visitor):
            answer = page.goto(world.office.url + place.path)
            assert answer is not None and answer.status == 200, place
            assert page.url == world.office.url + place.path, f"{place} leads elsewhere"
            for look, size, scheme in LOOKS:
                page.set_viewport_size(size)  # type: ignore[arg-type]
                page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                wrong += [f"{place.name} {look}: {each}" for each in violations(page)]
                screenshot(page, f"every-{place.name}-{look}")
        page.context.close()
    assert wrong == []
