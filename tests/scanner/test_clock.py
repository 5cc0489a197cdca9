"""The time at a till whose own clock is wrong, is set, or stands still while it is switched off."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner.client import encode
from scanner.clock import ClockNotes, ClockTrouble, Moment, TillClock, uptime
from scanner.sending import redate
from scanner.unsent import Posting, Queue, State

TRUE = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class Machine:
    """A machine: the true time, what its clock is wrong by, and its uptime; notes survive it."""

    true: datetime = TRUE
    wrong_by: timedelta = timedelta()
    boots: int = 1
    up: float = 100.0
    notes: ClockNotes = field(default_factory=ClockNotes)

    def clock(self) -> TillClock:
        return TillClock(
            self,
            machine=lambda: self.true + self.wrong_by,
            uptime=lambda: Moment(f"boot {self.boots}", self.up),
        )

    def passes(self, time: timedelta) -> None:
        self.true += time
        self.up += time.total_seconds()

    def restarts(self, after: timedelta = timedelta(minutes=5)) -> None:
        self.true += after
        self.boots, self.up = self.boots + 1, 3.0

    def clock_notes(self) -> ClockNotes:
        return self.notes

    def note_clock(self, notes: ClockNotes) -> None:
        self.notes = notes


@pytest.mark.parametrize("wrong_by", [timedelta(), 5 * HOUR, -5 * HOUR, timedelta(days=400)])
def test_the_services_time_holds_whatever_the_machine_says(wrong_by: timedelta) -> None:
    machine = Machine(wrong_by=wrong_by)
    clock = machine.clock()
    clock.heard(machine.true)
    machine.passes(3 * HOUR)
    assert clock() == machine.true and clock.ahead == wrong_by
    assert machine.clock()() == machine.true  # in another process, too
    wanted = {-1: ClockTrouble.SLOW, 0: None, 1: ClockTrouble.FAST}
    assert clock.trouble is wanted[(wrong_by > timedelta()) - (wrong_by < timedelta())]


def test_setting_the_clock_while_the_network_is_down_changes_nothing_and_is_noticed() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.heard(machine.true)
    for wrong_by, trouble in ((-2 * HOUR, ClockTrouble.SLOW), (7 * HOUR, ClockTrouble.FAST)):
        machine.wrong_by = wrong_by
        machine.passes(HOUR)
        assert (clock(), clock.trouble) == (machine.true, trouble)
        assert machine.clock()() == machine.true


def test_after_a_restart_the_clock_is_as_wrong_as_it_was() -> None:
    machine = Machine(wrong_by=2 * HOUR)
    machine.clock().heard(machine.true)
    machine.restarts()
    clock = machine.clock()
    assert clock() == machine.true and not clock.is_sure
    assert clock.trouble is ClockTrouble.FAST


def test_after_a_restart_a_clock_that_was_put_right_is_believed_where_the_old_fault_cannot_be() -> (
    None
):
    machine = Machine(wrong_by=2 * HOUR)
    machine.clock().heard(machine.true)
    machine.wrong_by = timedelta()
    machine.restarts()
    assert machine.clock()() == machine.true  # two hours earlier is before the service's word


def test_a_clock_that_went_back_over_a_restart_is_noticed_and_time_goes_on() -> None:
    machine = Machine()
    machine.clock().heard(machine.true)
    machine.passes(HOUR)
    machine.notes = ClockNotes(
        machine.notes.service_at, machine.notes.moment, machine.notes.ahead, latest=machine.true
    )
    machine.wrong_by = -timedelta(days=9000)  # the battery of the clock is flat
    machine.restarts()
    clock = machine.clock()
    assert clock.trouble is ClockTrouble.SET_BACK
    first = clock()
    assert first >= TRUE + HOUR
    machine.passes(HOUR)
    assert clock() - first == HOUR
    clock.heard(machine.true)
    assert clock() == machine.true and clock.trouble is ClockTrouble.SLOW


def test_half_the_way_of_the_answer_is_added() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.heard(TRUE, took_seconds=4.0)
    assert clock() == TRUE + timedelta(seconds=2)


def test_the_real_uptime_runs_and_names_this_start() -> None:
    before, after = uptime(), uptime()
    assert before.boot == after.boot and after.seconds >= before.seconds > 0


def keep(queue: Queue, number: int, at: datetime, moment: Moment | None) -> Posting:
    body = encode({"id": str(number), "occurred_at": at.isoformat(), "amount_minor": 100})
    posting = Posting(
        str(number), "p", "accrual", "/accruals", body, False, at, None, None, moment
    )  # fmt: skip
    queue.keep(posting)
    return posting


def test_postings_of_an_uncertain_time_get_their_moment_when_the_service_is_back(
    tmp_path: Path,
) -> None:
    machine = Machine(wrong_by=-26 * HOUR)
    with Queue(tmp_path) as queue:
        clock = machine.clock()
        first = keep(queue, 1, clock(), clock.moment())
        true_first = machine.true
        machine.passes(HOUR)
        tried = keep(queue, 2, clock(), clock.moment())
        queue.attempted(tried.id)  # a service may have seen it: its body stays
        assert redate(queue, "p", clock) == 0  # nobody knows better yet
        machine.passes(HOUR)
        clock.heard(machine.true)
        assert redate(queue, "p", clock) == 1
        dated = {each.id: each for each in queue.all(State.WAITING)}
    assert dated[first.id].kept_at == true_first
    assert true_first.isoformat().encode() in dated[first.id].body
    assert dated[tried.id].body == tried.body


def test_postings_from_before_a_restart_keep_what_the_clock_said(tmp_path: Path) -> None:
    machine = Machine()
    with Queue(tmp_path) as queue:
        clock = machine.clock()
        kept = keep(queue, 1, clock(), clock.moment())
        machine.restarts()
        later = machine.clock()
        later.heard(machine.true)
        assert redate(queue, "p", later) == 0
        assert queue.all() == [kept]


def test_the_notes_survive_the_program(tmp_path: Path) -> None:
    notes = ClockNotes(TRUE, Moment("boot", 12.5), 3 * HOUR, TRUE)
    with Queue(tmp_path) as queue:
        assert queue.clock_notes() == ClockNotes()
        queue.note_clock(notes)
        keep(queue, 1, TRUE + HOUR, None)
    with Queue(tmp_path) as queue:
        assert queue.clock_notes() == ClockNotes(TRUE, Moment("boot", 12.5), 3 * HOUR, TRUE + HOUR)


def test_a_wrong_clock_never_reaches_the_service(
    tmp_path: Path,
    running: Any,
    service: Any,
    film: Callable[..., Path],
    make_card: Callable[..., str],
) -> None:
    """Through the program: the service's time, six hours ahead of this machine, is posted."""
    from rich.console import Console

    from scanner.commands import enrol_till
    from scanner.config import Settings
    from scanner.headless import Sale, scan_once

    service.clock_ahead = 6 * HOUR
    enrol_till(tmp_path / "data", running.url, "GOOD-CODE")
    clip = film(tmp_path / "clip.mjpeg", (make_card(), 20))
    settings = Settings(tmp_path / "data", camera=str(clip), cashier="Anna")
    with (tmp_path / "said").open("w") as said:
        console = Console(file=said)
        scan_once(settings, Sale("5.00"), "271828", console, {})
        service.intervene = lambda path: (502, "text/html", b"") if "keys" not in path else None
        scan_once(settings, Sale("6.00"), "271828", console, {})
    assert "clock is 360 min slow" in (tmp_path / "said").read_text()
    with Queue(tmp_path / "data") as queue:
        kept = queue.all()
    assert [each.state for each in kept] == [State.SENT, State.WAITING]
    for each in kept:
        ahead = each.kept_at - datetime.now(UTC)
        assert abs(ahead - 6 * HOUR) < timedelta(minutes=2)
