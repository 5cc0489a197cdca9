"""The words of scenarios: moments, money, options of a line, and a programme's terms."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.ledger import rules
from app.ledger.postings import Bonus, Line, Terms
from app.ledger.rules import RoundUp
from app.ledger.tiers import Downgrade, Level, Measure, TierScheme, Window
from app.programmes.earning import Exchange, Sale, Tariff, marked, tariff_of
from app.programmes.fields import BonusRule, Tiers
from app.programmes.settings import Settings, settings_from_json
from app.programmes.wording import currency_exponent

FIRST_DAY = datetime(2026, 6, 1, tzinfo=UTC)
NINE = timedelta(hours=9)
MIDNIGHT = timedelta()

_MOMENT = r"(?:day \d+|\d{4}-\d\d-\d\d)(?: \d\d:\d\d(?: again)?)?"
#: The line's own moment is the one that belongs to no option.
OWN = re.compile(rf"(?<!expires )(?<!from )(?<!happened )(?<!until )\b{_MOMENT}")
_PARTS = re.compile(
    r"(?:day (?P<day>\d+)|(?P<date>\S+-\S+))(?: (?P<hour>\d\d):(?P<minute>\d\d)(?P<fold> again)?)?"
)
_OPTIONS = re.compile(
    r"\b(?:(?P<name>as|receipt|worth|minutes|policy|floor|grace|by|into|in|coupons|tax|paid|counts|place)"
    r" (?P<value>\S+)"
    rf"|(?P<when>expires|from|happened|until) (?P<moment>{_MOMENT})"
    r"|(?P<lasts>lasts) (?P<length>\d+ (?:month|day)s?(?: to the end of the \w+)?)"
    r"|(?P<lines>lines) (?P<items>(?:\S*\d[x:]\S+ ?)+)"
    r"|bonus (?P<bonus>\d+)(?: at (?P<least>[\d.]+))?(?P<once> once)?"
    r"|(?P<of>of) (?P<sale>\S+)|(?P<flag>pending|rolling|late))"
)
_LENGTH = re.compile(r"(\d+) (month|day)s?(?: to the end of the (\w+))?")


def minor(text: str, currency: str = "EUR") -> int:
    """ "12.50" as 1250."""
    return int(Decimal(text).scaleb(currency_exponent(currency)))


@dataclass
class Options:
    """What a line says beside its verb and its subject."""

    named: dict[str, str] = field(default_factory=dict)
    moments: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    bonuses: list[Bonus] = field(default_factory=list)


def options(rest: str) -> tuple[Options, list[str]]:
    """The options of a line and the words that are left."""
    found = Options()
    for match in _OPTIONS.finditer(rest):
        said = match.groupdict()
        if said["bonus"]:
            least = None if said["least"] is None else minor(said["least"])
            name = f"bonus {len(found.bonuses) + 1}"
            once = "once" if said["once"] else None
            found.bonuses.append(Bonus(int(said["bonus"]), name, least, once))
        elif said["flag"]:
            found.flags.add(said["flag"])
        elif said["when"]:
            found.moments[said["when"]] = said["moment"]
        for name, value in (("name", "value"), ("lasts", "length"), ("lines", "items")):
            if said[name]:
                found.named[said[name]] = said[value].strip()
        if said["of"]:
            found.named["of"] = said["sale"]
    return found, _OPTIONS.sub("", rest).split()


def lines(text: str, currency: str = "EUR") -> tuple[Line, ...]:
    """ "2x3.00 tobacco:1x5.00": quantity and the amount of all of it, and what kind it is."""
    told = []
    for number, item in enumerate(text.split(), 1):
        kind, _, line = item.rpartition(":")
        quantity, _, amount = line.partition("x")
        told.append(
            Line(f"item {number}", minor(amount, currency), Decimal(quantity), kind or None)
        )
    return tuple(told)


def _things(text: str) -> dict[str, Any]:
    """ "3+stamps:cup:2" as three points and two stamps."""
    given: dict[str, Any] = {}
    for part in text.split("+"):
        kind, _, rest = part.partition(":")
        if rest:
            what, _, count = rest.partition(":")
            given.setdefault(kind, {})[what] = int(count or 1)
        else:
            given["points"] = int(part)
    return given


def _sets(text: str) -> list[dict[str, Any]]:
    """ "coffee:1,bun:2" as two sets of goods, by category."""
    pairs = (each.split(":") for each in text.split(","))
    return [{"categories": [kind], "quantity": count} for kind, count in pairs]


def _listed(text: str) -> list[str]:
    return text.split(",")


#: How the facts of a rule are read.
_READ: dict[str, Any] = {
    "gives": _things,
    "contains": _sets,
    "most": int,
    "a_day": int,
    "worth": int,
} | dict.fromkeys(
    (
        "weekdays",
        "hours",
        "locations",
        "tiers",
        "segments",
        "items",
        "categories",
        "only_categories",
        "excluded_categories",
    ),
    _listed,
)


@dataclass
class ProgrammeWords:
    """A programme as a scenario tells it: the ledger's terms, and what a receipt is worth."""

    zone: str = "UTC"
    #: Moments are shown as dates of the zone once the scenario has named one.
    is_dated: bool = False
    terms: Terms = field(default_factory=Terms)
    settings: Settings = field(
        default_factory=lambda: Settings(points=Decimal(1), per_amount=Decimal(1))
    )
    currency: str = "EUR"
    rates: dict[str, Decimal] = field(default_factory=dict)

    def moment(self, text: str, default: timedelta) -> datetime:
        """ "day 3 12:30", or "2026-10-25 03:30" by the zone's clocks ("again": the second time).

        Without a time the default one of that day.
        """
        match = _PARTS.fullmatch(text)
        assert match, text
        hour = match["hour"]
        time = default
        if hour:
            time = timedelta(hours=int(hour), minutes=int(match["minute"]))
        if match["day"]:
            return FIRST_DAY + timedelta(days=int(match["day"]) - 1) + time
        day = date.fromisoformat(match["date"])
        if time == MIDNIGHT:
            return rules.start_of_day(day, self.zone)
        local = datetime.combine(day, datetime.min.time()) + time
        fold = 1 if match["fold"] else 0
        return local.replace(tzinfo=ZoneInfo(self.zone), fold=fold).astimezone(UTC)

    def told(self, moment: datetime) -> str:
        """A moment as a scenario writes it, without the time where it is the day's first."""
        if not self.is_dated:
            since = moment - FIRST_DAY
            time = "" if not since.seconds else f" {moment:%H:%M}"
            return f"day {since.days + 1}{time}"
        local = moment.astimezone(ZoneInfo(self.zone))
        if rules.start_of_day(local.date(), self.zone) == moment:
            return f"{local:%Y-%m-%d}"
        return f"{local:%Y-%m-%d %H:%M}"

    def expiry(self, said: Options, earned_at: datetime) -> datetime | None:
        """When what is earned at a moment expires, as the line says."""
        if "expires" in said.moments:
            return self.moment(said.moments["expires"], MIDNIGHT)
        if "lasts" not in said.named:
            return None
        match = _LENGTH.fullmatch(said.named["lasts"])
        assert match
        count, unit, period = match.groups()
        return rules.expiry(
            earned_at,
            time_zone=self.zone,
            round_up=RoundUp(period) if period else None,
            **{f"{unit}s": int(count)},
        )

    # --- terms --------------------------------------------------------------------------------

    def change(self, text: str) -> None:
        """Apart by ";": see `scenario`."""
        for fact in text.split(";"):
            verb, _, rest = fact.strip().partition(" ")
            getattr(self, f"_say_{verb}")(rest)
        self.terms = replace(self.terms, time_zone=self.zone)

    def _say_zone(self, rest: str) -> None:
        self.zone, self.is_dated = rest, True

    def _say_inactive(self, rest: str) -> None:
        months = 0 if rest == "never" else int(rest.split()[0])
        self.terms = replace(self.terms, inactivity_months=months)

    def _say_tiers(self, rest: str) -> None:
        """ "silver 100, gold 300x2, by spend, rolling, one step, grace 30"."""
        levels, multipliers, facts = [], {}, {}
        for part in (each.strip() for each in rest.split(",")):
            first, _, second = part.partition(" ")
            if first == "by":
                facts["measure"] = Measure(second)
            elif first == "grace":
                facts["grace_days"] = int(second)
            elif part == "one step":
                facts["downgrade"] = Downgrade.ONE_STEP
            elif part in {"rolling", "anniversary", "calendar"}:
                facts["window"] = Window(part)
            else:
                least, _, factor = second.partition("x")
                levels.append(Level(first, int(least)))
                multipliers[first] = Decimal(factor or 1)
        scheme = TierScheme(tuple(levels), **facts)
        self.terms = replace(self.terms, tiers=scheme)
        names = {level.code: {"en": level.code} for level in levels}
        self.settings = replace(self.settings, tiers=Tiers(scheme, names, multipliers))

    def _say_earns(self, rest: str) -> None:
        """ "1 per 50.00 [carried on] [net of tax]"."""
        points, _, rest = rest.partition(" per ")
        amount, _, how = rest.partition(" ")
        self.settings = replace(
            self.settings,
            points=Decimal(points),
            per_amount=Decimal(amount),
            carry_remainder="carried on" in how,
            earn_on="net" if "net of tax" in how else "gross",
        )

    def _say_not(self, rest: str) -> None:
        self.settings = replace(self.settings, excluded_categories=tuple(rest.split(", ")))

    def _say_bonus(self, rest: str) -> None:
        """ "50 at 100.00 [once]"."""
        points, _, rest = rest.partition(" at ")
        least, _, once = rest.partition(" ")
        rule = BonusRule("bonus", Decimal(least), int(points), once or None)
        self.settings = replace(self.settings, bonuses=(*self.settings.bonuses, rule))

    def _say_rule(self, rest: str) -> None:
        """ "Buns item categories=bun gives=3+stamps:cup:2 most=5 each": see `scenario`."""
        name, kind, *facts = rest.split()
        rule: dict[str, Any] = {"name": name, "kind": kind}
        for fact in facts:
            key, equals, value = fact.partition("=")
            rule[key] = _READ.get(key, str)(value) if equals else True
        kept = [each.as_json() for each in self.settings.rules if each.name != name]
        self._set(rules=[*kept, rule])

    def _say_segment(self, rest: str) -> None:
        """ "busy within_days=30 visits_at_least=2"."""
        name, *facts = rest.split()
        said = dict(fact.split("=") for fact in facts)
        read = {
            key: value if "spend" in key else value.split(",") if key == "kinds" else int(value)
            for key, value in said.items()
        }
        before = {each.name: each.as_json() for each in self.settings.segments}
        self._set(segments=before | {name: read})

    def _say_stacking(self, rest: str) -> None:
        self._set(stacking=rest)

    def _set(self, **changes: Any) -> None:
        self.settings = settings_from_json(self.settings.as_json() | changes)

    def _say_money(self, rest: str) -> None:
        """ "EUR"; "money USD 0.9" gives another currency's rate."""
        currency, _, rate = rest.partition(" ")
        if rate:
            self.rates[currency] = Decimal(rate)
        else:
            self.currency = currency

    # --- receipts -----------------------------------------------------------------------------

    def tariff(self) -> Tariff:
        """What the programme's settings come to."""
        return tariff_of(self.settings, self.currency, self.zone)

    def sale(self, said: Options, amount: str, at: datetime) -> tuple[Sale, Exchange | None]:
        """A receipt that the programme's own rules value, and the rate of its currency."""
        currency = said.named.get("in", self.currency)
        told = marked(self.tariff(), lines(said.named.get("lines", ""), currency))
        sale = Sale(
            amount_minor=sum(line.amount_minor for line in told) or minor(amount, currency),
            currency=currency,
            occurred_at=at,
            tax_minor=minor(said.named.get("tax", "0"), currency),
            coupons_minor=minor(said.named.get("coupons", "0"), currency),
            paid_with_points=int(said.named.get("paid", "0")),
            lines=told,
            location=said.named.get("place"),
        )
        if currency == self.currency:
            return sale, None
        return sale, Exchange(self.rates[currency], "bank", at.date())

    def facts(self, said: Options) -> dict[str, Any]:
        """How a return is made."""
        told: dict[str, Any] = {"return_policy": said.named.get("policy", "allow_debt")}
        if "floor" in said.named:
            told["debt_floor"] = int(said.named["floor"])
        if "grace" in said.named:
            told["grace_days"] = int(said.named["grace"])
        return told | {"time_zone": self.zone}
