"""The till's loop over cameras: what is seen is told, whatever a frame does."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from passes.code import CardCode, Kind, encode
from scanner.check import Key, KeyRing
from scanner.errors import CameraError
from scanner.exposure import AUTO, MANUAL, Exposure, brighter, darker
from scanner.hints import Hint, Hints, Measured, measure
from scanner.live import LiveReader
from scanner.places import Box
from scanner.seen import Seen, What, what_is
from scanner.watch import Watch

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
HERE = Box(0.4, 0.3, 0.6, 0.7)
GOOD = Measured(paper=200, burnt=0.0, side=200, sharpness=0.5)


def watched(*sources: Path, fps: float = 30) -> tuple[list[Seen], str]:
    """Everything that was seen until the recordings ended, and how that is told."""
    seen = []
    with Watch([str(source) for source in sources], fps=fps) as watch:
        with pytest.raises(CameraError) as end:
            for each in watch:
                seen.append(each)
    return seen, str(end.value)


def begun(seen: list[Seen]) -> list[tuple[int, str]]:
    return [(each.camera, presentation.text) for each in seen for presentation in each.begun]


def test_a_phone_is_one_presentation_that_begins_is_outlined_and_ends(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]
) -> None:
    clip = film(tmp_path / "a.mjpeg", (None, 5), (make_card(), 30), (None, 30))
    seen, end = watched(clip)
    assert begun(seen) == [(0, make_card())]
    (first,) = [each for each in seen if each.begun]
    (mark,) = first.marks
    assert mark.text == make_card() and len(mark.corners) == 4
    assert all(0.3 < x < 0.7 and 0.2 < y < 0.8 for x, y in mark.corners)
    assert [p.text for each in seen for p in each.ended] == [make_card()]
    assert "ended without a card" in end


def test_several_cameras_are_watched_at_once_and_a_phone_before_both_is_one(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]
) -> None:
    left = film(tmp_path / "l.mjpeg", (None, 5), (make_card(1), 40))
    right = film(tmp_path / "r.mjpeg", (None, 15), (make_card(1), 10), (make_card(2), 20))
    seen, _ = watched(left, right)
    assert {each.camera for each in seen} == {0, 1}
    assert sorted(text for _, text in begun(seen)) == sorted([make_card(1), make_card(2)])


def test_a_camera_that_is_not_there_yet_is_waited_for(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]
) -> None:
    said: list[str] = []
    clip = film(tmp_path / "a.mjpeg", (None, 5), (make_card(), 40))
    missing = "http://127.0.0.1:9/none.mjpeg"
    with Watch([missing, str(clip)], on_change=said.append, patient=True) as watch:
        for each in watch:
            if each.begun:
                break
    assert said == [f"The camera {missing} is gone. Waiting for it to come back."]


def test_the_loop_goes_on_while_a_frame_is_hard(
    tmp_path: Path, film: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, gone_on = film(tmp_path / "a.mjpeg", (None, 30)), threading.Event()
    with Watch([str(clip)], fps=30) as watch:
        taken = watch.reader.take

        def slow(timeout_seconds: float) -> object:
            # The reader answers nothing for a while: as on a frame that it dies of.
            if gone_on.is_set():
                return taken(timeout_seconds)
            time.sleep(timeout_seconds)
            return None

        monkeypatch.setattr(watch.reader, "take", slow)
        looks, numbers = iter(watch), []
        for _ in range(4):
            began = time.monotonic()
            numbers.append(next(looks).frame.number)
            assert time.monotonic() - began < 10
        gone_on.set()
        next(looks)
    assert numbers == sorted(numbers) and numbers[-1] > numbers[0]


@pytest.fixture
def ring(signing_key: Ed25519PrivateKey) -> KeyRing:
    return KeyRing({7: Key(signing_key.public_key())}, {}, NOW)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (Kind.MEMBER, What.CARD),
        (Kind.COUPON, What.COUPON),
        (Kind.PRINTED, What.PRINTED_CARD),
        (Kind.TEST, What.TEST),
    ],
)
def test_what_was_held_up_is_told_apart(
    signing_key: Ed25519PrivateKey, ring: KeyRing, kind: Kind, what: What
) -> None:
    text = encode(CardCode(7, bytes(8), NOW.date(), kind), signing_key)
    assert what_is(text, ring, NOW) is what


def test_other_programmes_and_other_codes_are_told_apart(
    make_card: Callable[..., str], ring: KeyRing
) -> None:
    assert what_is(make_card(key_id=9), ring, NOW) is What.OTHER_PROGRAMME
    assert what_is("https://example.com", ring, NOW) is What.NOT_OURS


def test_a_hint_is_given_after_a_second_of_standing_still_and_not_before() -> None:
    hints = Hints()
    said = [hints.frame(number / 10, HERE, lambda: GOOD) for number in range(15)]
    assert said[:10] == [None] * 10 and said[11:] == [Hint.HOLD_STILL] * 4
    there = Box(0.1, 0.1, 0.3, 0.5)
    assert hints.frame(1.6, there, lambda: GOOD) is None  # it moved: the second begins anew


@pytest.mark.parametrize(
    ("measured", "hint"),
    [
        (Measured(paper=50, burnt=0.0, side=200, sharpness=0.5), Hint.BRIGHTER),
        (Measured(paper=255, burnt=0.2, side=200, sharpness=0.5), Hint.TILT),
        (Measured(paper=200, burnt=0.0, side=60, sharpness=0.5), Hint.CLOSER),
        (GOOD, Hint.HOLD_STILL),
    ],
)
def test_a_hint_is_what_was_measured(measured: Measured, hint: Hint) -> None:
    hints = Hints()
    hints.frame(0.0, HERE, lambda: measured)
    assert hints.frame(1.1, HERE, lambda: measured) is hint


def test_glare_and_darkness_are_measured(
    draw: Callable[..., np.ndarray], make_card: Callable[..., str]
) -> None:
    code = cv2.cvtColor(draw(make_card())[200:520, 480:800], cv2.COLOR_BGR2GRAY)
    shown = cv2.convertScaleAbs(code, alpha=0.8)
    assert measure(shown, 200).burnt < 0.02 and measure(shown, 200).paper > 150
    assert measure(cv2.convertScaleAbs(code, alpha=0.2), 200).paper < 60
    with_glare = cv2.circle(shown.copy(), (160, 160), 60, 255, -1)
    assert measure(with_glare, 200).burnt > 0.06


def test_a_code_that_stays_unread_gets_a_hint_and_a_read_one_none(
    draw: Callable[..., np.ndarray], make_card: Callable[..., str]
) -> None:
    reader, frame = LiveReader(), draw(make_card())
    spoilt = cv2.GaussianBlur(frame, (0, 0), 3.2)
    for number in range(20):
        assert reader.read(draw(None), number / 30).hint is None
    hints = [reader.read(spoilt, 1 + number / 30).hint for number in range(50)]
    assert hints[0] is None and hints[-1] in set(Hint)
    assert reader.read(frame, 3.0).hint is None


class Driver:
    """A webcam's driver that takes what it knows and writes down what it was asked."""

    def __init__(self, **known: float) -> None:
        self.properties = {getattr(cv2, f"CAP_PROP_{name}"): v for name, v in known.items()}
        self.asked: list[tuple[int, float]] = []

    def set(self, prop: int, value: float) -> bool:
        self.asked.append((prop, value))
        if prop in self.properties:
            self.properties[prop] = value
        return prop in self.properties

    def get(self, prop: int) -> float:
        return self.properties.get(prop, 0.0)


def test_what_is_burnt_out_is_exposed_for_less_and_left_alone_afterwards() -> None:
    driver = Driver(AUTO_EXPOSURE=3.0, EXPOSURE=160.0, AUTOFOCUS=1.0)
    exposure = Exposure(lambda step: step(driver))
    for number in range(20):
        exposure.frame(number / 10, Hint.TILT, False)
    assert driver.get(cv2.CAP_PROP_EXPOSURE) == 20.0  # three steps and no more
    assert driver.get(cv2.CAP_PROP_AUTO_EXPOSURE) == MANUAL[0]
    exposure.frame(2.0, None, True)
    exposure.frame(3.0, None, False)
    assert driver.get(cv2.CAP_PROP_AUTO_EXPOSURE) == MANUAL[0]  # still in the hand
    exposure.frame(5.0, None, False)
    assert driver.get(cv2.CAP_PROP_AUTO_EXPOSURE) == AUTO[0]


def test_windows_counts_exposure_in_powers_of_two() -> None:
    driver = Driver(AUTO_EXPOSURE=0.75, EXPOSURE=-6.0)
    darker(driver)
    assert driver.get(cv2.CAP_PROP_EXPOSURE) == -7.0
    brighter(driver)
    assert driver.get(cv2.CAP_PROP_EXPOSURE) == -6.0


def test_a_driver_that_knows_nothing_is_left_as_it_is() -> None:
    driver = Driver()
    exposure = Exposure(lambda step: step(driver))
    for hint in Hint:
        exposure.frame(float(len(driver.asked)), hint, False)
    assert driver.properties == {}


def test_what_is_held_still_and_stays_blurred_lets_the_autofocus_begin_anew() -> None:
    driver = Driver(AUTOFOCUS=1.0)
    exposure = Exposure(lambda step: step(driver))
    for number in range(20):
        exposure.frame(number / 10, Hint.HOLD_STILL, False)
    focus = [value for prop, value in driver.asked if prop == cv2.CAP_PROP_AUTOFOCUS]
    assert focus[:2] == [0, 1]
    assert driver.get(cv2.CAP_PROP_AUTOFOCUS) == 1.0
