"""Back-off: longer after every round in vain, never all at once, and over when something got in."""

import pytest

from scanner.pauses import FIRST_SECONDS, LONGEST_SECONDS, Pauses
from scanner.sending import Report

VAIN = Report(stopped="The service cannot be reached.")


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_every_round_in_vain_doubles_the_pause_up_to_the_longest(chance: float) -> None:
    pauses = Pauses(lambda: chance)
    waits = [pauses.after(VAIN) for _ in range(12)]
    share = 0.5 + chance / 2
    assert waits[:4] == [share * FIRST_SECONDS * 2**n for n in range(4)]
    assert waits[-1] == share * LONGEST_SECONDS


def test_tills_of_one_shop_do_not_come_back_at_one_moment() -> None:
    tills = [Pauses() for _ in range(50)]
    for _ in range(5):
        waits = {round(pauses.after(VAIN), 6) for pauses in tills}
    assert len(waits) > 40


def test_whatever_got_through_starts_it_over() -> None:
    pauses = Pauses(lambda: 1.0)
    for _ in range(6):
        pauses.after(VAIN)
    assert pauses.after(Report(sent=1, stopped="lost")) == FIRST_SECONDS
    assert pauses.after(Report(sent=5)) == 0.0


def test_the_service_is_not_asked_before_it_wants_to_be() -> None:
    assert Pauses().after(Report(stopped="busy", retry_after_seconds=60)) == 60
