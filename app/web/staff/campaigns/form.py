"""A campaign as a form: fields become a plan, and a plan becomes fields again.

Conditions stand in groups: within a group one of them has to hold, and all groups have to; each
condition may be turned round. That is enough for whatever and, or and not can say.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from app.campaigns import plans, segments
from app.campaigns.plans import Plan
from app.campaigns.segments import KINDS, Condition, Group, Node
from app.errors import Invalid
from app.languages import _
from app.programmes.wording import currency_exponent

MOST_GROUPS, MOST_IN_GROUP = 6, 6
#: Money is typed in major units.
_MONEY = {"spend"}
_LISTS = {"classes", "tiers", "locations", "sources", "languages"}
_NUMBERS = {"days_at_least", "days_at_most", "at_least", "at_most", "within_days"}

#: One condition as the page has it: kind, whether it is turned round, and its values as text.
Row = dict[str, Any]


def rows_of(node: Node, currency: str) -> list[list[Row]]:
    """A segment as groups of rows."""
    groups = node.of if isinstance(node, Group) and node.how == "all" else (node,)
    found = []
    for group in groups:
        parts = group.of if isinstance(group, Group) and group.how == "any" else (group,)
        rows = [_row(part, currency) for part in parts]
        found.append([row for row in rows if row is not None])
    return [rows for rows in found if rows]


def _row(node: Node, currency: str) -> Row | None:
    turned = isinstance(node, Group) and node.how == "not"
    inner = node.of[0] if isinstance(node, Group) and turned else node
    if not isinstance(inner, Condition):
        return None
    said = segments.as_json(inner)
    values = {name: value for name, value in said.items() if name != "is"}
    if inner.kind in _MONEY:
        scale = -currency_exponent(currency)
        values = {name: str(Decimal(value).scaleb(scale)) for name, value in values.items()}
    return {"kind": inner.kind, "not": turned, "values": values}


def parameters(kind: str) -> list[str]:
    """The names of what a condition of that kind may say."""
    return list(KINDS[kind][0]) if kind in KINDS else []


def read_rows(form: Mapping[str, str], lists: Mapping[str, list[str]]) -> list[list[Row]]:
    """The rows of a form as they were typed; *lists* are its fields with several values."""
    groups: list[list[Row]] = []
    for group in range(MOST_GROUPS):
        rows = []
        for place in range(MOST_IN_GROUP):
            begin = f"c-{group}-{place}"
            kind = form.get(f"{begin}-kind", "")
            if kind not in KINDS:
                continue
            values: dict[str, Any] = {}
            for name in parameters(kind):
                field = f"{begin}-{name}"
                if name in _LISTS:
                    values[name] = [each for each in lists.get(field, []) if each]
                elif form.get(field, "").strip():
                    values[name] = form[field].strip()
            rows.append({"kind": kind, "not": f"{begin}-not" in form, "values": values})
        if rows:
            groups.append(rows)
    return groups


def segment_of(groups: list[list[Row]], currency: str) -> dict[str, Any]:
    """The rows as a segment; what says nothing is left out."""
    made = []
    for rows in groups:
        parts = [part for row in rows if (part := _part(row, currency)) is not None]
        if parts:
            made.append(parts[0] if len(parts) == 1 else {"any": parts})
    return {"all": made}


def _part(row: Row, currency: str) -> dict[str, Any] | None:
    values: dict[str, Any] = {}
    for name, value in row["values"].items():
        if value in ("", [], None):
            continue
        if name in _NUMBERS:
            value = _whole(value, row["kind"], currency)
        values[name] = value
    if not values:
        return None
    said = {"is": row["kind"], **values}
    return {"not": said} if row["not"] else said


def _whole(text: Any, kind: str, currency: str) -> Any:
    try:
        number = Decimal(str(text).replace(",", "."))
        if kind in _MONEY:
            number = number.scaleb(currency_exponent(currency))
        return int(number) if number == number.to_integral_value() else str(text)
    except (InvalidOperation, ValueError, OverflowError):
        return str(text)


def plan_from(
    form: Mapping[str, str], lists: Mapping[str, list[str]], *, currency: str, time_zone: str
) -> dict[str, Any]:
    """The whole form as a plan; `service.change` checks it. Raises `Invalid` for numbers."""
    reader = _Numbers(form, currency)
    content: dict[str, Any] = {"message": {}, "article": {}}
    for language in plans.LANGUAGES:
        if text := form.get(f"message-{language}", "").strip():
            content["message"][language] = text
        title, body = (form.get(f"{each}-{language}", "").strip() for each in ("title", "text"))
        if title or body:
            content["article"][language] = [title, body.replace("\r\n", "\n")]
    if not content["article"]:
        del content["article"]
    content["points"] = reader.whole("points") or 0
    content["points_last_days"] = reader.whole("points_last_days") or 0
    content["thing_cost_minor"] = reader.money("thing_cost") or 0
    content["email"] = "email" in form
    kind, _found, what = form.get("thing", "").partition("/")
    if what:
        content["gives"] = {kind: {what: reader.whole("thing_count") or 1}}
    made = {
        "segment": segment_of(read_rows(form, lists), currency),
        "content": content,
        "when": _when(form, lists, reader, time_zone),
        "limits": {
            "hold_out_percent": reader.whole("hold_out_percent") or 0,
            "per_week": reader.whole("per_week") or 0,
            "per_minute": reader.whole("per_minute") or 0,
            "budget_minor": reader.money("budget"),
            **_quiet(form),
        },
        "measure_days": reader.whole("measure_days") or 14,
    }
    reader.check()
    return made


def _quiet(form: Mapping[str, str]) -> dict[str, str]:
    named = {"quiet_from": form.get("quiet_from", ""), "quiet_to": form.get("quiet_to", "")}
    return {name: each.strip() for name, each in named.items() if each.strip()}


def _when(
    form: Mapping[str, str], lists: Mapping[str, list[str]], reader: "_Numbers", time_zone: str
) -> dict[str, Any]:
    kind = form.get("when", plans.NOW)
    said: dict[str, Any] = {"kind": kind}
    if kind == plans.AT:
        said["at"] = _moment(form.get("at", ""), time_zone)
    elif kind == plans.REPEATING:
        said |= {"every_days": reader.whole("every_days") or 7, "time": form.get("time", "")}
        said |= {name: form[name] for name in ("first", "until") if form.get(name)}
    elif kind == plans.EVENT:
        said |= {"event": form.get("event", ""), "days": reader.whole("days") or 0}
        said |= {"least_points": reader.whole("least_points") or 1}
        said |= {"tiers": [each for each in lists.get("event_tiers", []) if each]}
    return said


def _moment(text: str, time_zone: str) -> str:
    """A local time as browsers write it, in UTC; what is none stays, and is refused as it is."""
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(time_zone))
    except ValueError:
        return text
    return local.astimezone(UTC).isoformat()


def local_text(moment: datetime | None, time_zone: str) -> str:
    """A moment as browsers' fields have it."""
    if moment is None:
        return ""
    return f"{moment.astimezone(ZoneInfo(time_zone)):%Y-%m-%dT%H:%M}"


def values_of(plan: Plan, *, currency: str, time_zone: str) -> dict[str, Any]:
    """A plan as the values of the form."""
    content, when, limits = plan.content, plan.when, plan.limits
    scale = -currency_exponent(currency)
    values: dict[str, Any] = {
        "points": content.points or "",
        "points_last_days": content.points_last_days or "",
        "thing": "",
        "thing_count": 1,
        "thing_cost": Decimal(content.thing_cost_minor).scaleb(scale)
        if content.thing_cost_minor
        else "",
        "email": content.email,
        "when": when.kind,
        "at": local_text(when.at, time_zone),
        "event": when.event or "",
        "days": when.days or "",
        "least_points": when.least_points,
        "event_tiers": list(when.tiers),
        "every_days": 7,
        "hold_out_percent": limits.hold_out_percent,
        "per_week": limits.per_week or "",
        "per_minute": limits.per_minute or "",
        "budget": "" if limits.budget_minor is None else Decimal(limits.budget_minor).scaleb(scale),
        "quiet_from": f"{limits.quiet.begins:%H:%M}" if limits.quiet else "",
        "quiet_to": f"{limits.quiet.ends:%H:%M}" if limits.quiet else "",
        "measure_days": plan.measure_days,
    }
    for language in plans.LANGUAGES:
        values[f"message-{language}"] = content.message.get(language, "")
        title, text = content.article.get(language, ("", ""))
        values |= {f"title-{language}": title, f"text-{language}": text}
    if content.gives:
        kind, what, count = content.gives[0]
        values |= {"thing": f"{kind}/{what}", "thing_count": count}
    if when.repeat is not None:
        repeat = when.repeat
        values |= {"every_days": repeat.days, "time": f"{repeat.at:%H:%M}"}
        values |= {"first": repeat.first.isoformat()}
        values |= {"until": repeat.until.isoformat() if repeat.until else ""}
    return values


class _Numbers:
    """Reads numbers of a form, and remembers what is none."""

    def __init__(self, form: Mapping[str, str], currency: str) -> None:
        self._form, self._currency = form, currency
        self._wrong: dict[str, list[str]] = {}

    def whole(self, name: str) -> int | None:
        """A whole number; None where nothing was typed."""
        text = self._form.get(name, "").strip().replace(" ", "")
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 13):
            self._wrong[name] = [_("Type a whole number.")]
            return None
        return int(text)

    def money(self, name: str) -> int | None:
        """An amount in major units as minor ones."""
        text = self._form.get(name, "").strip().replace(",", ".")
        if not text:
            return None
        try:
            minor = Decimal(text).scaleb(currency_exponent(self._currency))
            if minor == minor.to_integral_value() and 0 <= minor < 10**12:
                return int(minor)
        except (InvalidOperation, ValueError):
            pass
        self._wrong[name] = [_("Type an amount, such as 12.50.")]
        return None

    def check(self) -> None:
        """Raise `Invalid` where something was no number."""
        if self._wrong:
            raise Invalid(_("Please look at the fields that are marked."), self._wrong)
