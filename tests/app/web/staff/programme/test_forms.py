"""What a form shows is what the terms say, and what it sends back is the same again."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from app.languages import speaking
from app.programmes.drafts import templates
from app.programmes.drafts.purpose import Benefit, Goal
from app.programmes.file.examples import EXAMPLES, example
from app.programmes.file.reading import read
from app.programmes.settings import Settings, settings_from_json
from app.web.staff.programme.editing import Form, misplaced, open_form, things_of
from app.web.staff.programme.forms.compound import Group, Hours, Names, Rows, Streak, Things
from app.web.staff.programme.forms.kernel import Around, Part, Sent, read_parts, write_parts
from app.web.staff.programme.forms.scalars import (
    Choice,
    Code,
    Day,
    Moment,
    Number,
    Percents,
    Pick,
    Picks,
    Tick,
    Whole,
    Words,
)
from app.web.staff.programme.forms.section import Many, One, Plain, parts_of
from app.web.staff.programme.sections import SECTIONS

AROUND = Around()
#: Everything that the examples leave out.
RICH: dict[str, Any] = {
    "points": "2.5",
    "per_amount": "3",
    "pending_until_confirmed": True,
    "carry_remainder": True,
    "expiry_mode": "inactivity",
    "inactivity_months": 18,
    "tiers": {
        "measure": "spend",
        "window": "anniversary",
        "grace_days": 12,
        "levels": [
            {"code": "silver", "at_least": 15050, "names": {"fr": "Argent"}, "multiplier": "1.25"},
            {"code": "gold", "at_least": 40000, "names": {"en": "Gold"}, "multiplier": "2"},
        ],
    },
    "segments": {
        "new ones": {"joined_within_days": 30, "kinds": ["personal"]},
        "big": {"within_days": 90, "spend_at_least": "100.50", "spend_at_most": "900"},
    },
    "rules": [
        {"name": "Night", "kind": "multiplier", "factor": "1.5", "role": "always",
         "hours": ["22:00-02:00", "12:00-24:00"], "weekdays": ["mon", "sun"],
         "from": "2026-06-01T00:00", "until": "2026-07-01T12:30", "locations": ["old-town"]},
        {"name": "Row", "kind": "visit", "role": "promotion", "worth": 7, "streak": {"months": 3},
         "gives": {"points": 5, "stamps": {"coffee": 2}, "tickets": {"summer": 1},
                   "gift": {"A mug": 1}, "visits": {"gym": 3}}, "a_day": 1},
        {"name": "Sets", "kind": "basket", "each": True, "most": 3, "once": "sets",
         "contains": [{"items": ["a, b", "c"], "quantity": "2.5"},
                      {"categories": ["x"], "at_least": "10"}], "gives": {"points": 1}},
        {"name": "Money", "kind": "basket", "per_amount": "10", "gives": {"points": 3},
         "tiers": ["gold"], "segments": ["big"], "first_purchase": True, "at_least": "20"},
        {"name": "Net", "kind": "amount", "points": "1", "per_amount": "2", "on": "net",
         "excluded_categories": ["tobacco"], "role": "base"},
        {"name": "Piece", "kind": "item", "items": ["SKU-1"], "per_quantity": "40", "most": 2,
         "role": "always", "gives": {"coupon": {"cake": 1}}},
    ],
    "bonuses": [{"name": "Hello", "at_least": "4.50", "points": 5, "once": "hello"}],
    "stamps": [{"code": "coffee", "names": {"en": "Coffee", "ru": "Кофе"}, "size": 10,
                "per": "item", "items": ["latte"], "at_least": "2.50", "at_most": 5}],
    "rewards": [{"code": "fifth", "names": {"en": "20 % off"}, "kind": "percent_off",
                 "percent": "20", "points": 300, "stock": 0, "valid_from": "2026-06-01",
                 "valid_to": "2026-08-31", "tiers": ["gold"]}],
    "coupons": [{"code": "cake", "names": {"en": "Cake"}, "valid_from": "2026-01-01",
                 "valid_days": 0, "valid_to": "2026-12-31", "tiers": ["silver"]}],
    "clubs": [{"code": "friends", "names": {"en": "Friends"}, "items": ["M-12"], "months": 12,
               "renew_days": 14}],
    "discounts": [
        {"code": "flat", "names": {"en": "Flat"}, "percent": "5", "tiers": ["friends", "gold"]},
        {"code": "slab", "names": {"en": "Slab"}, "kind": "slab", "months": 6,
         "scale": [{"from": "0", "percent": "0"}, {"from": "500.5", "percent": "2.25"}]},
    ],
    "prices": [{"item": "beans", "price": "0", "from": "2026-06-01", "until": "2026-06-30",
                "tiers": ["friends"]}],
    "multipasses": [{"code": "swim", "names": {"en": "Ten swims"}, "items": ["S-10"],
                     "entries": 10, "entry_names": {"en": "A swim"}, "lasts_months": 12}],
    "occasions": [{"code": "bd", "names": {"en": "Hi"}, "on": "joining", "points": 5,
                   "gives": {"coupon": {"cake": 2}, "stamps": {"coffee": 1}}, "lasts_days": 9}],
    "referral": {"names": {"en": "Thanks"}, "at_least": "5", "within_days": 10,
                 "referrer": {"points": 9, "gives": {"gift": {"mug": 1}}},
                 "taper": [100, 40, 0], "most_a_year": 3},
    "volumes": [{"code": "v", "names": {"en": "V"}, "every": "year", "kind": "slab",
                 "scale": [{"from": "1", "percent": "1"}], "accounts": ["household", "company"],
                 "after_days": 0}],
}  # fmt: skip


def programmes() -> Iterator[Settings]:
    yield settings_from_json(RICH)
    for name in EXAMPLES:
        yield read(example(name)).settings
    for goal in Goal:
        for benefit in Benefit:
            for each in templates.proposals(goal, benefit, Decimal(40), "EUR"):
                yield each.settings


def sent_by_a_browser(fields: Mapping[str, Any]) -> Sent:
    return Sent(parse_qs(urlencode(fields, doseq=True), keep_blank_values=True))


def forms_of(made: Settings) -> Iterator[Form]:
    kept = made.as_json()
    for section in SECTIONS.values():
        if not isinstance(section, Many):
            if isinstance(section, Plain) or kept[section.code] is not None:
                yield open_form(section, kept)
            continue
        for place in range(len(things_of(section, kept))):
            yield open_form(section, kept, place)


def test_every_mechanic_of_every_programme_goes_through_its_form_and_back() -> None:
    seen = set()
    for made in programmes():
        kept = made.as_json()
        for form in forms_of(made):
            seen.add((form.section.code, form.kind))
            for language in ("en", "de"):
                with speaking(language):
                    shown = form.show(form.fields(kept, AROUND), {}, AROUND)
                    sent = sent_by_a_browser(filled_in(shown))
                    changes = form.changes(sent, kept, AROUND)
                assert sent.wrong == {}
                assert settings_from_json(kept | changes) == made, (form.section.code, changes)
    assert {code for code, _kind in seen} == set(SECTIONS)
    assert len([kind for code, kind in seen if code == "rules"]) == 5


def filled_in(shown: Any) -> dict[str, list[str]]:
    """What a browser sends of a form as it is shown: every field that stands in it."""
    sent: dict[str, list[str]] = {}

    def send(inputs: Any) -> None:
        for each in inputs:
            if each.kind in ("group", "rows", "things", "names", "hours", "streak"):
                send(each.inside)
                for row in each.rows:
                    send(row)
            elif each.kind == "tick":
                sent[f"{each.at}.there"] = ["yes"]
                sent[each.at] = list(each.values)
            else:
                sent[each.at] = list(each.values) if each.kind == "picks" else [each.value]

    for _fieldset, inputs, _is_open in shown:
        send(inputs)
    return sent


# --- any terms that a part can say ------------------------------------------------------------

_LINE = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_categories=("Cc", "Cs", "Zs")),
    min_size=1,
    max_size=12,
)
_CODES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)


def terms_of(part: Part) -> st.SearchStrategy[Any]:
    match part:
        case Whole():
            return st.integers(part.low, part.high)
        case Number():
            return st.decimals("0.01", part.high, places=2, allow_nan=False).map(lambda x: f"{x:f}")
        case Choice():
            return st.sampled_from([value for value, _words in part.options if value])
        case Picks() if part.options:
            values = [value for value, _words in part.options]
            return st.lists(st.sampled_from(values), min_size=1, unique=True)
        case Picks():
            return st.lists(_CODES, min_size=1, max_size=4, unique=True)
        case Pick() | Code():
            return _CODES
        case Tick():
            return st.booleans()
        case Percents():
            return st.lists(st.integers(0, 100), min_size=1, max_size=5)
        case Words():
            return st.lists(_LINE, min_size=1, max_size=5)
        case Day():
            return st.dates().map(lambda day: day.isoformat())
        case Moment():
            return st.datetimes().map(lambda at: at.isoformat(timespec="minutes"))
        case Names():
            languages = st.sampled_from(["en", "de", "lv", "ru", "fr", "et"])
            return st.dictionaries(languages, _LINE, min_size=1)
        case Group():
            return objects(part.parts).filter(bool)
        case Rows():
            return st.lists(objects(part.parts).filter(bool), min_size=1, max_size=4)
        case Things():
            things = st.dictionaries(_LINE, st.integers(1, 1000), min_size=1, max_size=3)
            given_things = st.dictionaries(st.sampled_from(part.kinds), things, min_size=1)
            points = st.just({}) if not part.points else st.just({"points": 7})
            return st.tuples(given_things, points).map(lambda both: both[0] | both[1])
        case Hours():
            time = st.times().map(lambda at: f"{at:%H:%M}")
            return st.lists(
                st.tuples(time, time.filter(lambda at: at != "00:00")).map("-".join),
                min_size=1,
                max_size=3,
            )
        case Streak():
            unit = st.sampled_from(["days", "weeks", "months"])
            return st.tuples(unit, st.integers(1, 500)).map(lambda both: {both[0]: both[1]})
    return _LINE


def objects(parts: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the parts; those that count only under a condition are left out with it."""
    plain = {part.name: terms_of(part) for part in parts if part.when is None}
    # A code that is left out is made from the name.
    codes = {part.name: terms_of(part) for part in parts if isinstance(part, Code)}
    return st.fixed_dictionaries(codes, optional={k: v for k, v in plain.items() if k not in codes})


ALL_FORMS = [
    (f"{section.code}/{kind}", parts_of(fieldsets))
    for section in SECTIONS.values()
    for kind, fieldsets in (
        (section.forms or {}).items()
        if isinstance(section, Many)
        else [("", section.fieldsets)]
        if isinstance(section, Plain | One)
        else []
    )
]


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_any_terms_come_back_from_their_fields(data: st.DataObject) -> None:
    _name, parts = data.draw(st.sampled_from(ALL_FORMS))
    terms = data.draw(objects(parts))
    sent = sent_by_a_browser(write_parts(parts, terms))
    assert read_parts(parts, sent, "", AROUND) == terms
    assert sent.wrong == {}
    for part in parts:
        if part.name in terms:
            assert isinstance(part.words(terms[part.name], AROUND), str)


_NASTY = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "'; DROP TABLE programmes; --", "=1+1", "\x00", "-1", "1e9",
            "NaN", "٣", "9" * 400, "..", "{{7*7}}", "%s%n", "\u202e", "2026-02-30", "25:61",
        ]
    ),
)  # fmt: skip


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_whatever_is_sent_is_read_or_refused_and_shown_again(data: st.DataObject) -> None:
    name, parts = data.draw(st.sampled_from(ALL_FORMS))
    known = [field for part in parts for field in (part.name, f"{part.name}.there")]
    deeper = [
        f"{part.name}.{row}.{inner}"
        for part in parts
        for row in ("0", "7", "999", "x", "-1", "99999999")
        for inner in ("points", "kind", "what", "count", "from", "to", "items", "en", "code")
    ]
    fields = data.draw(
        st.dictionaries(
            st.sampled_from([*known, *deeper]), st.lists(_NASTY, min_size=1, max_size=2)
        )
    )
    code, kind = name.split("/")
    kept = settings_from_json(RICH).as_json()
    form = open_form(SECTIONS[code], kept, None, kind)
    sent = Sent(fields)
    changes = form.changes(sent, kept, AROUND)
    wrong: dict[str, list[str]] = dict(sent.wrong)
    try:
        settings_from_json(kept | changes)
    except Invalid as error:
        section = SECTIONS[code]
        things = [*things_of(section, kept), {}] if isinstance(section, Many) else []
        wrong |= misplaced(form, error, things)[0]
    assert form.show(fields, wrong, AROUND)


# --- words next to the field that they are about ----------------------------------------------

WRONG: list[tuple[str, str, dict[str, str], str]] = [
    ("earning", "", {"points": "many", "per_amount": "1"}, "points"),
    ("earning", "", {"points": "1", "per_amount": "0"}, "per_amount"),
    ("expiry", "", {"expiry_mode": "inactivity", "inactivity_months": "0"}, "inactivity_months"),
    ("rules", "basket", {"name": "X", "gives.points": "1"}, ""),
    ("rules", "basket", {"name": "X", "at_least": "3"}, "gives"),
    ("rules", "multiplier", {"name": "X", "factor": "0.5"}, "factor"),
    ("rules", "multiplier", {"name": "Night", "factor": "2"}, ""),
    ("rules", "amount", {"name": "X", "points": "1", "per_amount": "1", "until": "x"}, "until"),
    ("rules", "visit", {"name": "X", "gives.0.kind": "car", "gives.0.what": "a"}, "gives.0.kind"),
    ("rules", "item", {"name": "X", "gives.points": "1"}, ""),
    ("stamps", "", {"names.en": "Card", "size": "99"}, "size"),
    ("stamps", "", {"names.en": "Card", "code": "No Good", "size": "9"}, "code"),
    ("stamps", "", {"names.en": "x" * 61, "size": "9"}, "names.en"),
    ("rewards", "", {"names.en": "R", "kind": "amount_off", "points": "9"}, "amount"),
    ("discounts", "", {"names.en": "D", "kind": "fixed"}, "percent"),
    ("discounts", "", {"names.en": "D", "kind": "slab", "scale.0.from": "1"}, "scale.0.percent"),
    ("prices", "", {"item": "x", "price": "-1"}, "price"),
    ("referral", "", {"names.en": "R", "taper": "lots", "referrer.points": "1"}, "taper"),
    ("tiers", "", {"levels.0.code": "GOLD!", "levels.0.at_least": "1"}, "levels.0.code"),
    ("segments", "", {"name": "big", "joined_within_days": "3"}, "name"),
    ("volumes", "", {"names.en": "V", "every": "year", "scale.0.from": "1"}, "scale.0.percent"),
]


@pytest.mark.parametrize(("code", "kind", "typed", "at"), WRONG)
def test_what_is_wrong_stands_next_to_its_field(
    code: str, kind: str, typed: dict[str, str], at: str
) -> None:
    kept = settings_from_json(RICH).as_json()
    section = SECTIONS[code]
    form = open_form(section, kept, None, kind)
    sent = Sent({name: [value] for name, value in typed.items()})
    changes = form.changes(sent, kept, AROUND)
    wrong, others = dict(sent.wrong), []
    if not wrong:
        with pytest.raises(Invalid) as refused:
            settings_from_json(kept | changes)
        things = changes[code] if isinstance(section, Many) else []
        things = list(things) if isinstance(things, list) else [{"name": n} for n in things]
        wrong, others = misplaced(form, refused.value, things)
    if at:
        assert list(wrong) == [at], (wrong, others)
    else:
        assert others or wrong
    for language in ("de", "lv", "ru"):
        with speaking(language):
            again = Sent(sent.fields)
            form.changes(again, kept, AROUND)
            told = dict(again.wrong), []
            if not again.wrong:
                told = misplaced(form, refused.value, things)  # type: ignore[assignment]
        assert list(told[0]) == list(wrong)
        for name, words in told[0].items():
            assert words != wrong[name], (language, words)
