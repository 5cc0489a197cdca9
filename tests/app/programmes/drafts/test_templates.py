"""Whatever is answered to the three questions, there is a programme that can be afforded."""

from decimal import Decimal
from itertools import product

import pytest

from app.errors import Invalid
from app.programmes.drafts import templates
from app.programmes.drafts.purpose import Benefit, Goal
from app.programmes.settings import settings_from_json

LANGUAGES = {"en", "de", "lv", "ru"}


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_every_answer_leads_to_programmes_within_the_margin(currency: str) -> None:
    margins = [Decimal(text) for text in ("0.5", "8", "30", "62.5", "100")]
    for goal, benefit, margin in product(Goal, Benefit, margins):
        found = templates.proposals(goal, benefit, margin, currency)
        assert [each.is_first for each in found] == [True] + [False] * (len(found) - 1)
        for each in found:
            assert settings_from_json(each.settings.as_json()) == each.settings
            assert each.costs is not None and each.costs <= margin / 2
            assert templates.find(each.code, goal, benefit, margin, currency) == each


def test_what_members_read_is_there_in_all_four_languages() -> None:
    for goal, benefit in product(Goal, Benefit):
        for each in templates.proposals(goal, benefit, Decimal(30), "EUR"):
            settings = each.settings
            things = [
                *settings.stamps,
                *settings.rewards,
                *settings.discounts,
                *settings.clubs,
                *settings.occasions,
                *([settings.referral] if settings.referral else []),
            ]
            assert things
            assert all(set(thing.names) == LANGUAGES for thing in things)
            if settings.tiers is not None:
                assert all(set(names) == LANGUAGES for names in settings.tiers.names.values())


def test_a_richer_margin_gives_more_back_and_fills_a_card_sooner() -> None:
    assert templates.give_back(Decimal(30)) == Decimal("4.5")
    assert templates.give_back(Decimal("0.5")) == templates.LEAST
    assert templates.give_back(Decimal(100)) == templates.MOST
    # 70 of 100 are the goods' own cost: the sixteenth would be free, of at most fifteen.
    assert templates.stamps_to_fill(Decimal(30)) == 15
    assert templates.stamps_to_fill(Decimal(50)) == 7
    assert templates.stamps_to_fill(Decimal(90)) == 5


def test_an_example_may_be_begun_with_and_an_unknown_one_may_not() -> None:
    assert {templates.example(name).code for name in templates.EXAMPLES} == set(templates.EXAMPLES)
    with pytest.raises(Invalid):
        templates.find("nonsense", Goal.STAY, Benefit.POINTS, Decimal(30), "EUR")
