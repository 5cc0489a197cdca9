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


POSTER = Read("https://example.com/poster", THERE)


def till(*, fixed_at_first: bool = False) -> Film:
    film = Film()
    film.presentations = Presentations(only_held=True, fixed_at_first=fixed_at_first)
    return film


def test_at_a_till_a_code_that_is_not_ours_counts_when_it_is_read_again(
    make_card: Callable[..., str],
) -> None:
    film = till()
    film.show(30)
    film.show(1, Read("https://example.com/1", HERE))
    assert film.begun == []
    film.show(1, Read("https://example.com/1", HERE), Read(make_card(), THERE))
    assert film.begun == ["https://example.com/1", make_card()]


def test_a_poster_that_hangs_there_when_the_camera_begins_is_never_presented() -> None:
    film = till(fixed_at_first=True)
    for _ in range(5):
        film.show(60, POSTER)
        film.show(60)  # somebody stands before it
    assert film.begun == []


def test_a_poster_that_is_put_up_is_presented_once() -> None:
    film = till(fixed_at_first=True)
    film.show(60)
    for _ in range(5):
        film.show(60, POSTER)
        film.show(60)
    assert film.begun == [POSTER.text]


def test_a_foreign_code_held_up_elsewhere_is_no_poster() -> None:
    film = till(fixed_at_first=True)
    film.show(60, POSTER)
    film.show(30)
    film.show(5, Read(POSTER.text, HERE))
    assert film.begun == [POSTER.text]


def test_what_one_camera_does_not_see_is_not_absent_from_another() -> None:
    presentations = Presentations()
    begun = []
    for number in range(60):
        read = Read("a", HERE)
        begun += presentations.frame(number / 30, [read], [HERE], 0)
        begun += presentations.frame(number / 30, [], [], 1)
    assert len(begun) == 1 and len(presentations.going_on) == 1
