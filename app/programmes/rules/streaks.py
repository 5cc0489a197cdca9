"""Streaks: a visit in each of so many days, weeks or months in a row. Pure.

A period is visited once, however many receipts it has; every *count* of them in a row completes
one streak, and the next one begins. As far back as `LOOK_BACK_DAYS`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

#: How far back visits are looked at.
LOOK_BACK_DAYS = 800
UNITS = ("days", "weeks", "months")
#: So many of each fit well into the time that is looked at.
MOST = {"days": 366, "weeks": 104, "months": 24}


@dataclass(frozen=True, slots=True)
class Streak:
    """So many days, weeks (from Monday) or months in a row."""

    unit: str
    count: int

    def as_json(self) -> dict[str, int]:
        """As it is kept."""
        return {self.unit: self.count}

    def is_completed(self, day: date, visited: Collection[date]) -> bool:
        """Whether a visit on *day* completes a streak; *visited* are the days of the others."""
        periods = {self._period(each) for each in visited}
        this = self._period(day)
        if this in periods:
            return False
        run = 1
        while this - run in periods:
            run += 1
        return run % self.count == 0

    def _period(self, day: date) -> int:
        if self.unit == "days":
            return day.toordinal()
        if self.unit == "weeks":
            return (day.toordinal() - 1) // 7
        return day.year * 12 + day.month
