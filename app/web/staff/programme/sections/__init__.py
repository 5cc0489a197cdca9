"""Every mechanic of a programme, in the order in which pages show them."""

from collections.abc import Mapping

from app.languages import Lazy, lazy
from app.web.staff.programme.forms.section import Section
from app.web.staff.programme.sections.money import DISCOUNTS, PRICES, VOLUMES
from app.web.staff.programme.sections.people import (
    CLUBS,
    OCCASIONS,
    REFERRAL,
    SEGMENTS,
    TIERS_SECTION,
)
from app.web.staff.programme.sections.plain import EARNING, EXPIRY, REDEEMING, RETURNS
from app.web.staff.programme.sections.rules import BONUSES, RULES
from app.web.staff.programme.sections.things import COUPONS, MULTIPASSES, REWARDS, STAMPS

#: By heading.
GROUPS: tuple[tuple[Lazy, tuple[Section, ...]], ...] = (
    (lazy("Points"), (EARNING, RULES, BONUSES, REDEEMING, EXPIRY, RETURNS)),
    (lazy("Members"), (TIERS_SECTION, SEGMENTS, OCCASIONS, REFERRAL)),
    (lazy("Besides points"), (STAMPS, REWARDS, COUPONS, MULTIPASSES)),
    (lazy("Prices"), (DISCOUNTS, PRICES, CLUBS, VOLUMES)),
)
SECTIONS: Mapping[str, Section] = {
    section.code: section for _title, sections in GROUPS for section in sections
}
#: Which section a setting belongs to.
SECTION_OF: Mapping[str, Section] = {
    setting: section for section in SECTIONS.values() for setting in section.settings
}
