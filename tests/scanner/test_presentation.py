"""One holding of a phone is one scan. Frames are 33 ms apart."""

from collections.abc import Callable

from passes.code import rotating_text
from scanner.places import Box, Read
from scanner.presentation import Presentations

HERE = Box(0.4, 0.3, 0.6, 0.7)
THERE = Box(0.05, 0.1, 0.2, 0.4)


class Film:
    """Frames in a row; counts the presentations that began."""

    def __init__(self) -> None:
        self.presentations = Presentations()
        self.at = 0.0
        self.begun: list[str] = []

    def show(self, frames: int, *reads: Read, like_codes: tuple[Box, ...] = ()) -> None:
        for _ in range(frames):
            places = (*like_codes, *(read.box for read in reads))
            for begun in self.presentations.frame(self.at, reads, places):
                self.begun.append(begun.text)
            self.at += 1 / 30

    def unreadable(self, frames: int, box: Box = HERE) -> None:
        self.show(frames, like_codes=(box,))


def test_a_phone_that_is_held_still_is_one_scan() -> None:
    film = Film()
    film.show(300, Read("a", HERE))
    assert film.begun == ["a"]


def test_frames_that_cannot_be_read_end_nothing() -> None:
    film = Film()
    film.show(5, Read("a", HERE))
    film.unreadable(90)
    film.show(5, Read("a", HERE))
    assert film.begun == ["a"]


def test_a_moment_in_which_nothing_is_seen_ends_nothing() -> None:
    film = Film()
    for _ in range(20):
        film.show(3, Read("a", HERE))
        film.show(8)
    assert film.begun == ["a"]


def test_the_end_is_absence_and_the_same_card_again_is_a_new_scan() -> None:
    film = Film()
    film.show(10, Read("a", HERE))
    film.show(30)
    assert film.presentations.going_on == []
    film.show(10, Read("a", HERE))
    assert film.begun == ["a", "a"]


def test_a_slow_reader_needs_several_frames_of_absence_not_a_timer_alone() -> None:
    film = Film()
    film.show(1, Read("a", HERE))
    film.at += 2.0  # the machine was busy: no frames, no absence
    film.show(2)
    film.show(1, Read("a", HERE))
    assert film.begun == ["a"]


def test_two_phones_300_ms_apart_are_two() -> None:
    film = Film()
    film.show(30, Read("a", HERE))
    film.show(9)
    film.show(30, Read("b", HERE))
    assert film.begun == ["a", "b"]


def test_two_phones_in_the_picture_by_turns_are_two_not_many() -> None:
    film = Film()
    for _ in range(20):
        film.show(2, Read("a", HERE), like_codes=(THERE,))
        film.show(2, Read("b", THERE), like_codes=(HERE,))
    assert film.begun == ["a", "b"]


def test_the_next_phone_in_the_same_place_ends_the_one_before() -> None:
    film = Film()
    film.show(10, Read("a", HERE))
    film.show(30, Read("b", HERE))
    film.show(10, Read("a", HERE))
    assert film.begun == ["a", "b", "a"]


def test_a_rotating_code_that_changes_in_the_hand_is_one_scan(
    make_card: Callable[..., str],
) -> None:
    film, static = Film(), make_card()
    for step in range(3):
        film.show(10, Read(rotating_text(static, 1_700_000_000 + 30 * step, "12345678"), HERE))
    film.show(10, Read(static, HERE))
    assert len(film.begun) == 1


def test_foreign_codes_are_told_apart_by_their_text() -> None:
    film = Film()
    film.show(10, Read("https://example.com/1", HERE), Read("https://example.com/2", THERE))
    assert film.begun == ["https://example.com/1", "https://example.com/2"]
