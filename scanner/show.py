"""What the cashier sees in a terminal. State is a word and a sign, never a colour alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from scanner.backlog import Status
from scanner.clock import ClockTrouble
from scanner.known import LastKnown
from scanner.sale import Posted
from scanner.sending import Report
from scanner.unsent import Posting, State

# A list of refused cards that is older is worth a word.
OLD_LIST = timedelta(hours=1)
GOOD, CALM, BAD = "bold green", "yellow", "bold red"


def plain(value: Any, otherwise: str = "", *, most: int = 120) -> str:
    """Return a text from outside on one line, without control characters, bounded."""
    if not isinstance(value, str):
        return otherwise
    return "".join(letter for letter in value if letter.isprintable())[:most] or otherwise


def customer(console: Console, seen: dict[str, Any]) -> None:
    """Show who it is: name, tier, balance, what may be redeemed."""
    member, standing = _object(seen.get("member")), _object(seen.get("standing"))
    redeem = _object(seen.get("redeem"))
    label = plain(standing.get("points_label"), "points")
    lines = Text(plain(member.get("name"), "Member"), style="bold")
    tier = plain(seen.get("tier"))
    if tier:
        lines.append(f" · {tier}", style="not bold")
    lines.append(f"\nBalance {_number(standing.get('balance'))} {label}", style="not bold")
    if standing.get("pending"):
        lines.append(f", {_number(standing['pending'])} pending", style="not bold")
    most = redeem.get("maximum")
    if isinstance(most, int) and most >= max(1, redeem.get("minimum") or 1):
        lines.append(f"\nMay redeem up to {_number(most)} {label}", style="not bold")
        if redeem.get("minimum"):
            lines.append(f", from {_number(redeem['minimum'])}", style="not bold")
    console.print(lines)


def offline_card(console: Console, last: LastKnown | None, now: datetime) -> None:
    """Show that a card is good although nobody could be asked about it, and what was last known."""
    if last is None:
        console.print(Text("Member · card verified here, the service cannot be reached"))
        return
    lines = Text(plain(last.name, "Member"), style="bold")
    if last.tier:
        lines.append(f" · {plain(last.tier)}", style="not bold")
    if last.balance is not None:
        label = plain(last.points_label, "points")
        lines.append(f"\nBalance {_number(last.balance)} {label}", style="not bold")
    lines.append(f"\nAs of {ago(last.age(now))} · card verified here", style="not bold")
    console.print(lines)


def refused_line(age: timedelta | None) -> str | None:
    """Say how old the list of refused cards is, where that can matter."""
    if age is None:
        return "This till does not know which cards are blocked."
    return f"Cards blocked since {ago(age)} are not known here." if age > OLD_LIST else None


def ago(age: timedelta) -> str:
    """Return an age as people say it."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    raise AssertionError("a minute is at least a minute")


def caution(console: Console, line: str) -> None:
    """Show what is not as it should be and stops nothing."""
    console.print(Text(plain(line, most=400), style=CALM), soft_wrap=True)


def posted(console: Console, done: Posted, amount: str) -> None:
    """Show what a posting did: "+12 beans, new balance 112", or that it is noted here."""
    if done.answer is None:
        console.print(Text(f"✓ {amount} noted.", style=GOOD))
        return
    answer, standing = done.answer, _object(done.answer.get("standing"))
    if answer.get("status") == "waiting_for_manager":
        console.print(Text("Kept for a manager: the till's date is far from today.", style=CALM))
        return
    points = answer.get("points")
    label = plain(standing.get("points_label"), "points")
    head = f"✓ {points:+,} {label}" if isinstance(points, int) else "✓ Done"
    if "balance" in standing:
        head += f", new balance {_number(standing['balance'])} {label}"
    console.print(Text(head, style=GOOD))
    explain = answer.get("explain")
    for line in explain[:10] if isinstance(explain, list) else []:
        console.print(Text("  " + plain(line), style="dim"))


def offline_line(waiting: int) -> str:
    """Say calmly that a till is without a network."""
    return f"Offline: kept here and sent later · {waiting} waiting"


def clock_line(trouble: ClockTrouble, ahead: timedelta) -> str:
    """Say that this machine's clock is wrong; the service's time is used meanwhile."""
    if trouble is ClockTrouble.SET_BACK:
        return (
            "This till's clock was set back: set it. Times are put right when the network is there "
            "again."
        )
    minutes = round(abs(ahead).total_seconds() / 60)
    way = "fast" if ahead > timedelta() else "slow"
    return f"This till's clock is {minutes} min {way}: set it. The service's time is used."


def refused(console: Console, why: str) -> None:
    """Show that a card or a posting was refused."""
    console.print(Text(f"✗ {why}", style=BAD), soft_wrap=True)


def report(console: Console, done: Report, waiting: int) -> None:
    """Show what a round of sending did."""
    console.print(f"{done.sent} sent, {len(done.set_aside)} refused, {waiting} waiting")
    for posting, why in done.set_aside:
        console.print(Text(f"✗ {posting.kind} {posting.id}: {plain(why)}"), soft_wrap=True)
    if done.stopped:
        console.print(Text(f"Stopped: {done.stopped} What waits is kept."), soft_wrap=True)


def queue(console: Console, postings: list[Posting], now: datetime) -> None:
    """Show what is kept on this till."""
    if not postings:
        console.print("All sent: nothing waits on this till.")
        return
    table = Table("kept", "kind", Column("posting", no_wrap=True, min_width=36), "state", "tries")
    table.add_column("reason")
    for posting in postings:
        minutes = int((now - posting.kept_at).total_seconds() // 60)
        table.add_row(
            f"{minutes} min ago",
            posting.kind,
            posting.id,
            posting.state.replace("_", " "),
            str(posting.attempts),
            Text(plain(posting.reason)),
            style=BAD if posting.state is State.SET_ASIDE else "",
        )
    console.print(table)


def status(console: Console, now_is: Status, now: datetime) -> None:
    """Show in a line how much waits, since when, and what somebody has to look at."""
    if now_is.oldest_at is not None:
        age = ago(now - now_is.oldest_at)
        console.print(Text(f"{now_is.waiting} waiting, the oldest {age}", style=CALM))
    if now_is.set_aside:
        line = f"{now_is.set_aside} refused: counterfoil-scan queue again, hand-over or drop"
        console.print(Text(line, style=BAD), soft_wrap=True)
    if now_is.elsewhere:
        console.print(Text(f"{now_is.elsewhere} of another programme", style=CALM))
    if now_is.last_sent_at is not None:
        console.print(f"Last sent {ago(now - now_is.last_sent_at)}")


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "?"
