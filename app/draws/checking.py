"""Recomputes a draw from what was published of it, and says in plain words what holds. Pure.

No database, no network, no key: a file, and, where somebody kept them, the files that were
published earlier, with which it has to agree.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.draws import rules
from app.draws.rules import Holder, Prize
from app.draws.terms import Terms, hashed, read_terms
from app.errors import Invalid

#: A list of some millions.
LARGEST_FILE = 512 * 1024 * 1024
MOST_TICKETS = 1 << 62
_LINE = re.compile(r"([0-9a-f]{32}) ([1-9][0-9]{0,18})", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: True holds, False does not, None cannot be said yet."""

    holds: bool | None
    text: str


def read_document(data: bytes, name: str = "The file") -> dict[str, Any]:
    """A published file. Raises `Invalid`."""
    if len(data) > LARGEST_FILE:
        raise Invalid(f"{name} is too large for a draw.")
    try:
        document = json.loads(data)
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is no JSON: it was not published by a draw.") from error
    if not isinstance(document, dict) or document.get("format") != rules.VERSION:
        raise Invalid(f"{name} is no file of a draw ({rules.VERSION}).")
    return document


def check(
    document: Mapping[str, Any], earlier: Sequence[tuple[str, Mapping[str, Any]]] = ()
) -> list[Finding]:
    """Everything that can be said of a draw by what was published of it."""
    findings: list[Finding] = []
    terms = _check_terms(document, findings)
    for name, before in earlier:
        findings += _compare(name, before, document)
    seed_hash = document.get("seed_sha256")
    if not isinstance(seed_hash, str) or not _HASH.fullmatch(seed_hash):
        findings.append(Finding(False, "There is no hash of the seed: nothing was committed to."))
        seed_hash = ""
    closed, drawn = document.get("closed"), document.get("drawn")
    holders = None
    if isinstance(closed, Mapping):
        holders = _check_list(closed, findings)
    else:
        findings.append(Finding(None, "The list of tickets is not closed yet."))
    if not isinstance(drawn, Mapping):
        findings.append(Finding(None, "The draw has not been held yet: the seed is secret."))
    elif terms is not None and holders is not None and isinstance(closed, Mapping):
        _check_draw(terms, seed_hash, str(closed["list_sha256"]), holders, drawn, findings)
    elif holders is None:
        findings.append(Finding(False, "There are winners, but no list that they are from."))
    return findings


def _check_terms(document: Mapping[str, Any], findings: list[Finding]) -> Terms | None:
    told = document.get("terms")
    try:
        terms = read_terms(told)
    except Invalid as error:
        fields = " ".join(f"{name}: {' '.join(texts)}" for name, texts in error.fields.items())
        findings.append(Finding(False, f"{error.message} {fields}".strip()))
        return None
    if hashed(told if isinstance(told, dict) else {}) != document.get("terms_sha256"):
        findings.append(Finding(False, "The terms are not those whose hash was published."))
        return None
    count = sum(prize.count for prize in terms.prizes)
    limit = "one prize a member" if terms.one_each else "a member may win several"
    text = f"The terms match their hash: “{terms.title}”, {count} prizes, {limit}."
    findings.append(Finding(True, text))
    return terms


_COMMITTED = (
    ("terms_sha256", "the terms"),
    ("seed_sha256", "the hash of the seed"),
    ("draw_id", "the draw's id"),
)


def _compare(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Finding]:
    """Whether what was published earlier still stands."""
    wrong = [told for key, told in _COMMITTED if before.get(key) != now.get(key)]
    for part, keys in (("closed", ("list_sha256", "tickets")), ("drawn", ("seed", "winners"))):
        earlier, later = before.get(part), now.get(part)
        if isinstance(earlier, Mapping):
            same = isinstance(later, Mapping) and all(
                earlier.get(key) == later.get(key) for key in keys
            )
            if not same:
                wrong.append("the list of tickets" if part == "closed" else "the winners")
    if wrong:
        return [Finding(False, f"Not as published in {name}: {', '.join(wrong)}.")]
    return [Finding(True, f"Everything that {name} had committed to still stands.")]


def _check_list(closed: Mapping[str, Any], findings: list[Finding]) -> list[Holder] | None:
    text = closed.get("list")
    if not isinstance(text, str):
        findings.append(Finding(False, "The list of tickets is missing."))
        return None
    if rules.digest(text) != closed.get("list_sha256"):
        findings.append(
            Finding(False, "The list of tickets is not the one whose hash was published.")
        )
        return None
    holders = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None or int(match[2]) > MOST_TICKETS:
            findings.append(Finding(False, f"Line {number} of the list is no pseudonym and count."))
            return None
        holders.append(Holder(match[1], int(match[2])))
    names = [holder.pseudonym for holder in holders]
    tickets = sum(holder.tickets for holder in holders)
    if tickets > MOST_TICKETS:
        findings.append(Finding(False, "The list has more tickets than a draw can have."))
        return None
    if names != sorted(set(names)) or rules.list_text(holders) != text:
        findings.append(Finding(False, "The list is not sorted, or somebody is in it twice."))
        return None
    if closed.get("tickets") != tickets or closed.get("holders") != len(holders):
        findings.append(Finding(False, f"The list has {tickets:,} tickets, others were told."))
        return None
    findings.append(
        Finding(
            True,
            f"The list of tickets matches its hash: {tickets:,} tickets of "
            f"{len(holders):,} members.",
        )
    )
    return holders


def _check_draw(
    terms: Terms,
    seed_hash: str,
    list_hash: str,
    holders: Sequence[Holder],
    drawn: Mapping[str, Any],
    findings: list[Finding],
) -> None:
    seed_text, value = drawn.get("seed"), drawn.get("public_value")
    if not isinstance(seed_text, str) or not _HASH.fullmatch(seed_text):
        findings.append(Finding(False, "The seed was not revealed: nothing can be recomputed."))
        return
    seed = bytes.fromhex(seed_text)
    if rules.commitment(seed) != seed_hash:
        findings.append(
            Finding(False, "The seed is not the one that was committed to before the first ticket.")
        )
        return
    findings.append(Finding(True, "The seed is the one that was committed to beforehand."))
    if not isinstance(value, str) or not rules.plain_value(value):
        findings.append(Finding(False, "The public value is missing."))
        return
    key = rules.draw_key(seed, list_hash, value)
    expected = rules.choose(holders, terms.prizes, key, one_each=terms.one_each)
    told = [
        {"place": each.place, "prize": each.prize, "pseudonym": each.pseudonym} for each in expected
    ]
    if drawn.get("winners") == told:
        findings.append(
            Finding(True, f"The winners follow from seed, list and value: {_count(told)}.")
        )
        short = sum(prize.count for prize in terms.prizes) - len(told)
        if short:
            findings.append(Finding(True, f"{short} prizes have no winner: no ticket was left."))
    else:
        findings.append(
            Finding(
                False,
                "The winners are not those that follow from seed, list and value. "
                f"{_difference(terms.prizes, told, drawn.get('winners'))}",
            )
        )
    findings.append(
        Finding(
            None,
            f"Look up yourself whether {rules.plain_value(value)!r} is: {terms.value_named} "
            f"(known from {terms.value_from:%Y-%m-%d %H:%M} UTC on).",
        )
    )


def _count(winners: Sequence[object]) -> str:
    return "1 winner" if len(winners) == 1 else f"{len(winners)} winners"


def _difference(prizes: Sequence[Prize], expected: list[dict[str, Any]], told: Any) -> str:
    names = {prize.code: prize.name for prize in prizes}
    given = told if isinstance(told, list) else []
    for number, each in enumerate(expected):
        if number >= len(given) or given[number] != each:
            prize = names[each["prize"]]
            return f"Place {each['place']} ({prize}) belongs to {each['pseudonym']}."
    return f"There are {len(given)} where there should be {len(expected)}."
