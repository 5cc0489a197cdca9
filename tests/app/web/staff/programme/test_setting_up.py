"""Set-up: three questions, a template, the look, a place, and a card on the owner's phone."""

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from app.programmes.drafts import purpose
from app.programmes.service import programme_by_id, version_at
from app.web.staff.programme.setting_up import ink_on
from tests.app.office import Colleague

SignIn = Callable[..., Colleague]


def settings_of(shop: Any) -> Any:
    with shop.context.database.read(shop.programme_id) as session:
        return version_at(session, shop.programme_id, shop.context.clock()).settings


def picture() -> io.BytesIO:
    made = io.BytesIO()
    Image.new("RGB", (660, 660), "#aa3311").save(made, "PNG")
    made.seek(0)
    return made


def test_an_owner_is_set_up_in_seven_steps_and_holds_a_card(shop: Any, signed_in: SignIn) -> None:
    owner = signed_in("owner")
    assert "What is the programme for?" in owner.words("programme/setup")
    assert owner.post("programme/setup/goal", {"goal": "riches"}).status_code == 422
    assert owner.post("programme/setup/goal", {"goal": "come_back"}).status_code == 303
    assert owner.post("programme/setup/benefit", {"benefit": "free_item"}).status_code == 303
    assert owner.post("programme/setup/margin", {"margin": "much"}).status_code == 422
    assert owner.post("programme/setup/margin", {"margin": "62,5 %"}).status_code == 303
    page = owner.words("programme/setup/template")
    assert "Stamp card ✓ suits best" in page and "It costs at most" in page
    assert owner.post("programme/setup/template", {"template": "nonsense"}).status_code == 422
    assert owner.post("programme/setup/template", {"template": "stamps"}).status_code == 303
    assert [card.code for card in settings_of(shop).stamps] == ["card"]
    look = {
        "name": "Kaffa",
        "benefit": "The tenth is on us.",
        "colour": "#ffee88",
        "one": "bean",
        "other": "beans",
    }
    nasty = look | {"logo": (io.BytesIO(b"GIF89a<script>"), "logo.png")}
    form = {"content_type": "multipart/form-data"}
    assert owner.post("programme/setup/look", nasty, **form).status_code == 422
    bad = owner.post("programme/setup/look", look | {"colour": "red;}", "one": ""}, **form)
    assert bad.status_code == 422
    fine = look | {"logo": (picture(), "logo.png")}
    answer = owner.post("programme/setup/look", fine, **form)
    assert answer.status_code == 303, re.findall("alert.*?</div>", answer.text, re.S)
    assert owner.post("programme/setup/location", {"name": "Harbour"}).status_code == 303
    page = owner.get("programme/setup/card").text
    assert "data:image/png;base64," in page and f"/join/{shop.slug}?at=harbour" in page
    assert owner.post("programme/setup/card").status_code == 422
    assert "waiting for your phone" in owner.get("programme/setup/card/state").text
    shop.context.clock.advance(timedelta(minutes=6))
    assert shop.client.post(
        f"/join/{shop.slug}?at=harbour", data={"at": "harbour"}
    ).status_code in (
        200,
        303,
    )
    assert "Your card is there" in owner.get("programme/setup/card/state").text
    assert owner.post("programme/setup/card").status_code == 303
    assert "It took 6 minutes." in owner.words("programme/setup")
    with shop.context.database.read(shop.programme_id) as session:
        row = purpose.look(session)
        assert row is not None
        assert (row.goal, row.benefit, row.margin, row.template) == (
            "come_back",
            "free_item",
            "62.5",
            "stamps",
        )
        assert row.finished_at is not None
        programme = programme_by_id(session, shop.programme_id)
        assert programme.colours["background"] == "#ffee88"
        assert programme.colours["foreground"] == "#000000"
    told = owner.words("programme/draft/earning")
    assert "margin" in told or "only rules give them" in told


def test_a_programme_with_points_gets_the_template_as_a_draft(shop: Any, signed_in: SignIn) -> None:
    assert shop.accrue(shop.issue(), 1000).status_code == 201
    owner = signed_in("owner")
    answer = owner.post("programme/setup/template", {"template": "bookshop"})
    assert answer.status_code == 303
    assert settings_of(shop).points == 1
    assert "Children" in owner.words("programme/compare")
    assert owner.post("programme/setup/nowhere").status_code == 404
    assert owner.get("programme/setup/nowhere").status_code == 404


def test_whoever_may_only_look_takes_no_step(shop: Any, signed_in: SignIn) -> None:
    assert signed_in("auditor").post("programme/setup/goal", {"goal": "stay"}).status_code == 403


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#777777", "#ff0000", "#0000ff"])
def test_writing_is_readable_on_every_colour(colour: str) -> None:
    def luminance(text: str) -> float:
        parts = [int(text[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_a_template_says_what_it_gives_until_the_owner_says_it(
    shop: Any, signed_in: SignIn
) -> None:
    """A programme that was made for points reads as what it became, in each language."""
    owner = signed_in("owner")
    owner.post("programme/setup/margin", {"margin": "60"})
    said = {}
    faces = {}
    for benefit, template in (
        ("free_item", "stamps"),
        ("discount", "discount"),
        ("membership", "club"),
        ("points", "points"),
    ):
        owner.post("programme/setup/benefit", {"benefit": benefit})
        owner.post("programme/setup/template", {"template": template})
        said[template] = [
            re.findall(
                r'<ul class="three">\s*<li>([^<]*)',
                shop.client.get(f"/join/{shop.slug}?lang={language}").text,
            )[0].strip()
            for language in ("en", "lv")
        ]
        joining = shop.client.get(f"/join/{shop.slug}?lang=en").text
        faces[template] = re.findall(r'id="(?:label|number)">([^<]*)<', joining)
    # The card that is about to be had is drawn as it will look.
    assert faces["stamps"] == ["Stamps", "0/5"] and faces["points"][1] == "0"
    english = {name: lines[0] for name, lines in said.items()}
    assert english["stamps"] == "Every 5 stamps: One is free."
    assert re.fullmatch(r"Up to [\d.]+ % off every purchase\.", english["discount"])
    assert re.fullmatch(r"Club: [\d.]+ % off every purchase\.", english["club"])
    assert re.fullmatch(r"1 \w+ for every €1\.00 you spend\.", english["points"])
    assert said["stamps"][1].endswith("Viens bez maksas.")
    page = owner.get("programme/setup/look").text
    assert f'value="{english["points"]}"' in page
    # Left as it is, it stays in every language; changed, it is the owner's own.
    look = {"name": "Kaffa", "colour": "#3b2a20", "one": "bean", "other": "beans"}
    form = {"content_type": "multipart/form-data"}
    owner.post("programme/setup/look", look | {"benefit": english["points"]}, **form)
    assert said["points"][1] in shop.client.get(f"/join/{shop.slug}?lang=lv").text
    owner.post("programme/setup/look", look | {"benefit": "The tenth is ours."}, **form)
    assert "The tenth is ours." in shop.client.get(f"/join/{shop.slug}?lang=lv").text
