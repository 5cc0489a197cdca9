"""The filmed counter: phones held to a webcam, as frames and as clips.

Fourteen things that make a counter hard and three that happen over time, each graded from 0 (not
there) to 5, seeded, and freely mixed:

    clip = film([code], scene=mixed(seed=7, severity=3), seed=7)
    clip.write(Path("clip.mjpeg"))

The same arguments give the same pixels. OpenCV and Chromium read the file like a camera.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import cv2
import numpy as np

from app.demo.card_picture import CardLook
from app.demo.counter_camera import (
    Bytes,
    Glass,
    Look,
    Moire,
    Pose,
    Sensor,
    blurred,
    jpeg,
    put_phone,
)
from app.demo.counter_phone import MODULE, Floats, PhonePicture, PhoneState, draw_phone, graded
from app.demo.counter_shop import Shop

STILL_EFFECTS = (
    "distance", "tilt", "rotation", "defocus", "motion", "glare", "moire", "low_light",
    "over_exposure", "compression", "thumb", "dark_mode", "crack", "quiet_zone",
)  # fmt: skip
MOVING_EFFECTS = ("wobble", "hunting", "adapting")

LOOKS = (
    CardLook(),
    CardLook("Bakery Rozite", "#f3d9b1", "#3a2312", "#8a5a2b", ("STAMPS", "7")),
    CardLook("Fern & Fig", "#1f4d3a", "#f4fff6", "#9fd3b4", ("POINTS", "1 204")),
    CardLook("Nordlicht", "#16213e", "#ffffff", "#8fb3ff", ("STARS", "36")),
    CardLook("Pomodoro", "#b3261e", "#fff5f2", "#ffc9bf", ("SLICES", "11")),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """How bad each thing is, from 0 (not there) to 5; fractions are allowed.

    distance        6 to 1.5 px a module of a card code, at 720 lines
    tilt, rotation  of the phone away from the camera to 45°, and in the picture's plane to 180°
    defocus, motion a disc of up to 3.2 px radius; a shake of up to 8 px while the shutter is open
    glare, moire    lamps and a window in the glass; beats of the screen's and sensor's pixels
    low_light, over_exposure   noise under high gain; burnt out with bloom
    compression     MJPEG quality 90 to 7
    thumb, dark_mode, crack, quiet_zone   over the code's edge; inverted with falling contrast;
                    broken glass; margin of 4 modules down to none
    wobble, hunting, adapting  over time: an unsteady hand, the autofocus, the automatic exposure
    bustle          in the shop behind: people, packaging and light that move
    """

    distance: float = 0.0
    tilt: float = 0.0
    rotation: float = 0.0
    defocus: float = 0.0
    motion: float = 0.0
    glare: float = 0.0
    moire: float = 0.0
    low_light: float = 0.0
    over_exposure: float = 0.0
    compression: float = 0.0
    thumb: float = 0.0
    dark_mode: float = 0.0
    crack: float = 0.0
    quiet_zone: float = 0.0
    wobble: float = 0.0
    hunting: float = 0.0
    adapting: float = 0.0
    bustle: float = 0.0

    def __post_init__(self) -> None:
        for effect in fields(self):
            if not 0 <= getattr(self, effect.name) <= 5:
                raise ValueError(f"{effect.name} is graded from 0 to 5")


def mixed(seed: int, severity: float, effects: int = 3) -> Scene:
    """A scene with `effects` things wrong at once, drawn by `seed`, each of the same severity."""
    rng = np.random.default_rng([seed, 1])
    chosen = rng.choice(len(STILL_EFFECTS), effects, replace=False)
    values = {STILL_EFFECTS[int(index)]: severity for index in chosen}
    values |= {name: min(5.0, float(rng.uniform(0.7, 1.3)) * severity) for name in MOVING_EFFECTS}
    return Scene(**values)


def moderately_hard(seed: int) -> Scene:
    """An ordinary bad day: a little of everything, never more than a till must cope with."""
    rng = np.random.default_rng([seed, 2])
    most = {
        "distance": 1.6, "tilt": 2.0, "rotation": 2.0, "defocus": 1.0, "motion": 1.2, "glare": 1.6,
        "moire": 0.8, "low_light": 1.4, "compression": 2.0, "crack": 0.6, "quiet_zone": 1.0,
        "wobble": 0.8, "hunting": 1.2, "adapting": 1.2,
    }  # fmt: skip
    return Scene(**{name: level * float(rng.uniform(0.5, 1.0)) for name, level in most.items()})


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame as the camera sends it, and where each code's corners are (None: no phone)."""

    data: bytes
    corners: Floats | None
    fully_visible: bool
    text: str | None

    @property
    def frame(self) -> Bytes:
        """The frame decoded: BGR."""
        decoded = cv2.imdecode(np.frombuffer(self.data, np.uint8), cv2.IMREAD_COLOR)
        if decoded is None:
            raise ValueError("the frame is not a JPEG picture")
        return np.asarray(decoded, np.uint8)


@dataclass(frozen=True, slots=True)
class Clip:
    """A filmed sequence. `texts` are the codes shown, in their order."""

    shots: tuple[Shot, ...]
    fps: float
    size: tuple[int, int]
    texts: tuple[str, ...]
    arrivals: tuple[int, ...] = field(default=())
    """For each phone the index of the first frame in which its code is whole in the picture."""

    @property
    def frames(self) -> Iterator[Bytes]:
        """The frames as a camera would deliver them: BGR, after MJPEG."""
        return (shot.frame for shot in self.shots)

    @property
    def fully_visible_frame(self) -> int:
        """The index of the first frame with the first phone's code whole in the picture."""
        return self.arrivals[0]

    def __len__(self) -> int:
        return len(self.shots)

    def write(self, path: Path) -> None:
        """Write the clip as concatenated MJPEG."""
        path.write_bytes(b"".join(shot.data for shot in self.shots))


def photograph(
    text: str,
    *,
    scene: Scene,
    seed: int,
    size: tuple[int, int] = (1280, 720),
    look: CardLook | None = None,
) -> Bytes:
    """One frame of a phone held still in its place: BGR, after MJPEG."""
    counter = _Counter(scene, np.random.default_rng([seed, 3]), size)
    holding = _Holding(text, counter, 2.0, look)
    when = float(counter.rng.uniform(0.9, 1.5))
    return counter.shoot(when, holding, when, settled=True).frame


def film(
    texts: Sequence[str],
    *,
    scene: Scene,
    seed: int,
    size: tuple[int, int] = (1280, 720),
    fps: float = 30,
    seconds: float = 3.0,
    gap_seconds: float = 0.1,
    look: CardLook | None = None,
) -> Clip:
    """Film phones that come one after another; each presentation takes `seconds`.

    A presentation is: an empty moment, the hand arrives, wobbles and settles while focus and
    exposure find themselves, and leaves. `gap_seconds` of empty counter are between two. Without
    any text the clip is `seconds` of the empty counter, with somebody walking past.
    """
    shots = tuple(
        filming(texts, scene=scene, seed=seed, size=size, fps=fps, seconds=seconds,
                gap_seconds=gap_seconds, look=look)
    )  # fmt: skip
    arrivals = tuple(
        index
        for index, shot in enumerate(shots)
        if shot.fully_visible and not (index and shots[index - 1].fully_visible)
    )
    return Clip(shots, fps, size, tuple(texts), arrivals)


def filming(
    texts: Sequence[str],
    *,
    scene: Scene,
    seed: int,
    size: tuple[int, int] = (1280, 720),
    fps: float = 30,
    seconds: float = 3.0,
    gap_seconds: float = 0.1,
    look: CardLook | None = None,
) -> Iterator[Shot]:
    """The shots of `film`, one at a time, so that a clip may be as long as one likes."""
    if seconds < 0.8 and texts:
        raise ValueError("a presentation takes at least 0.8 seconds")
    counter = _Counter(scene, np.random.default_rng([seed, 3]), size)
    start = 0
    for index, text in enumerate(texts or (None,)):
        holding = None if text is None else _Holding(text, counter, seconds, look)
        for frame in range(round(seconds * fps)):
            yield counter.shoot((start + frame) / fps, holding, frame / fps)
        start += round(seconds * fps)
        if index + 1 < len(texts):
            for frame in range(round(gap_seconds * fps)):
                yield counter.shoot((start + frame) / fps, None, 0.0)
            start += round(gap_seconds * fps)


class _Counter:
    """The camera in its shop."""

    def __init__(self, scene: Scene, rng: np.random.Generator, size: tuple[int, int]) -> None:
        self.scene, self.rng, self.size = scene, rng, size
        self.unit = size[1] / 720
        self.focal = size[0] * float(rng.uniform(0.95, 1.15))
        self.ambient = graded((0.62, 0.36, 0.22, 0.13, 0.08, 0.05), scene.low_light)
        self.shop = Shop(rng, size, scene.bustle)
        noise = graded((1.5, 5, 9, 14, 19, 24), scene.low_light)
        bloom = graded((0.02, 0.06, 0.1, 0.14, 0.19, 0.24), scene.over_exposure)
        self.sensor = Sensor(size, noise, bloom, rng)
        self.quality = graded((90, 60, 40, 25, 14, 7), scene.compression)
        self.exposure = graded((1.0, 1.6, 2.4, 3.4, 4.5, 5.7), scene.over_exposure)

    def shoot(
        self, when: float, holding: _Holding | None, since: float, *, settled: bool = False
    ) -> Shot:
        """One frame `when` seconds into the clip and `since` into the presentation."""
        light = self.shop.frame(when, self.ambient)
        exposure, corners, whole = self.exposure, None, False
        if holding is not None:
            pose = holding.pose(since, settled=settled)
            layer = holding.focused(since, settled=settled)
            exposure *= 1.0 if settled else holding.exposure_drift(since)
            path = holding.shutter_path(since, settled=settled)
            seen = Look(layer, holding.picture, path, self.ambient)
            put_phone(light, seen, self.focal, holding.glass, holding.moire)
            corners = pose.corners(self.focal)
            whole = bool(
                (corners >= 0).all() and (corners <= np.array(self.size, np.float32)).all()
            )
        frame = self.sensor.expose(light, exposure)
        text = holding.text if holding is not None else None
        return Shot(jpeg(frame, self.quality), corners, whole, text)


class _Holding:
    """One phone's presentation: where it is at each moment, how sharp, how bright."""

    def __init__(self, text: str, counter: _Counter, seconds: float, look: CardLook | None) -> None:
        scene, rng = counter.scene, counter.rng
        self.text, self.scene, self.counter, self.seconds = text, scene, counter, seconds
        self.rest = self._resting_pose()
        state = PhoneState(
            dark_mode=scene.dark_mode,
            quiet_zone=scene.quiet_zone,
            crack=scene.crack,
            thumb=scene.thumb,
            screen_level=graded((0.85, 0.64, 0.47, 0.35, 0.27, 0.21), scene.low_light),
            ambient=counter.ambient,
        )
        look = look or LOOKS[int(rng.integers(len(LOOKS)))]
        drawn_at = min(2.0, self.rest.scale * 1.1)
        # A phone in dark mode shows a code in its white box as often as not.
        state = replace(state, dark_screen=scene.dark_mode > 0 or self._coin(text))
        self.picture: PhonePicture = draw_phone(text, look, state, rng, drawn_at)
        lamps = scene.glare > 0
        self.glass = Glass(scene.glare, self.picture.glass, rng) if lamps else None
        self.moire = Moire(scene.moire, rng) if scene.moire > 0 else None
        self._phases = rng.uniform(0, 2 * math.pi, 8)
        self._from_side = float(rng.uniform(-0.35, 0.35))
        self._arrive = min(0.36, seconds * 0.2)
        self._lead = min(0.1, seconds * 0.05)
        self._focused: dict[int, Floats] = {}

    @staticmethod
    def _coin(text: str) -> bool:
        """Whether this phone's owner likes it dark: one half does."""
        return bool(hashlib.sha256(text.encode()).digest()[0] & 1)

    def _resting_pose(self) -> Pose:
        """Where the hand comes to rest: the whole code well inside the picture."""
        scene, rng, counter = self.scene, self.counter.rng, self.counter
        px = graded((6, 5, 4, 3, 2.2, 1.5), scene.distance)
        if scene.distance == 0:
            px = float(rng.uniform(4, 6))
        scale = px * counter.unit / MODULE
        lean = math.radians(graded((3, 12, 21, 30, 38, 45), scene.tilt)) * rng.uniform(0.85, 1)
        about = rng.uniform(0, 2 * math.pi)
        turn = math.radians(graded((3, 10, 22, 45, 100, 180), scene.rotation))
        roll = turn * rng.uniform(0.8, 1) * rng.choice((-1, 1))
        width, height = counter.size
        # The code's half diagonal and a little more stays inside.
        keep = 100 * scale + 12
        x = width / 2 + rng.uniform(-0.7, 0.7) * max(0.0, min(width / 2 - keep, width / 5))
        y = height / 2 + rng.uniform(-0.7, 0.7) * max(0.0, min(height / 2 - keep, height / 5))
        pitch, yaw = lean * math.sin(about), lean * math.cos(about)
        return Pose(float(x), float(y), scale, float(roll), float(pitch), float(yaw))

    def pose(self, since: float, *, settled: bool = False) -> Pose:
        """The pose `since` seconds into the presentation."""
        calm = 0.1 if settled else 0.7 + 0.7 * math.exp(-max(0.0, since - self._lead) / 0.5)
        sway = graded((0.4, 5, 14, 23, 28, 32), self.scene.wobble) * calm
        a, b, c, d, e, f, g, h = (float(value) for value in self._phases)
        unit = self.counter.unit
        dx = sway * unit * (3.0 * math.sin(5.1 * since + a) + math.sin(17 * since + b))
        dy = sway * unit * (3.0 * math.sin(4.3 * since + c) + math.sin(19 * since + d))
        away = 0.0 if settled else self._away(since)
        travel = away * (self.counter.size[1] + 560 * self.rest.scale)
        return replace(
            self.rest,
            x=self.rest.x + dx + self._from_side * travel,
            y=self.rest.y + dy + travel,
            scale=self.rest.scale * (1 + 0.004 * sway * math.sin(3.1 * since + e)),
            roll=self.rest.roll + 0.005 * sway * math.sin(3.7 * since + f) + 0.25 * away,
            pitch=self.rest.pitch + 0.006 * sway * math.sin(4.9 * since + g) - 0.3 * away,
            yaw=self.rest.yaw + 0.006 * sway * math.sin(4.1 * since + h),
        )

    def _away(self, since: float) -> float:
        """1 while the phone is out of the picture below, 0 while it is in its place."""
        arrived = (since - self._lead) / self._arrive
        left = (since - (self.seconds - 0.32)) / 0.3
        if arrived < 1:
            return (1 - max(0.0, arrived)) ** 3
        return min(1.0, left) ** 2 if left > 0 else 0.0

    def shutter_path(self, since: float, *, settled: bool = False) -> tuple[Pose, ...]:
        """The poses while the shutter is open; more of them the further the phone moves."""
        scene, unit = self.scene, self.counter.unit
        here = self.pose(since, settled=settled)
        open_seconds = 1 / graded((80, 60, 45, 36, 32, 30), scene.low_light)
        after = self.pose(since + open_seconds, settled=settled)
        a, b, c = (float(value) for value in self._phases[:3])
        shake = graded((0, 1.4, 2.8, 4.2, 5.8, 7.8), scene.motion) * unit
        shake *= 0.72 + 0.28 * math.sin(9 * since + b)
        direction = a + 2.5 * math.sin(2.3 * since + c)
        step_x = after.x - here.x + shake * math.cos(direction)
        step_y = after.y - here.y + shake * math.sin(direction)
        length = math.hypot(step_x, step_y)
        if length < 0.8:
            return (here,)
        count = min(12, max(2, math.ceil(length / 1.6)))
        return tuple(
            replace(here, x=here.x + step_x * share, y=here.y + step_y * share)
            for share in (index / (count - 1) - 0.5 for index in range(count))
        )

    def focused(self, since: float, *, settled: bool = False) -> Floats:
        """The phone's picture as the lens has it in focus at this moment."""
        radius = graded((0, 0.8, 1.4, 2.0, 2.6, 3.2), self.scene.defocus)
        if not settled:
            hunt = graded((0.3, 1.0, 1.8, 3.0, 4.6, 6), self.scene.hunting)
            patience = graded((0.3, 0.5, 1.0, 1.8, 2.6, 3.2), self.scene.hunting)
            t = max(0.0, since - self._lead - 0.4 * self._arrive)
            radius += hunt * math.exp(-t / patience) * math.cos(5 * t) ** 2
        grade = round(radius * self.counter.unit / 0.4)
        if grade not in self._focused:
            if len(self._focused) >= 8:
                self._focused.clear()
            shrink = self.picture.scale / self.rest.scale
            self._focused[grade] = blurred(self.picture, grade * 0.4 * shrink)
        return self._focused[grade]

    def exposure_drift(self, since: float) -> float:
        """The bright screen burns out until the camera has adapted to it."""
        t = max(0.0, since - self._lead - 0.5 * self._arrive)
        surplus = graded((0.05, 0.4, 0.8, 1.4, 2.4, 3.6), self.scene.adapting)
        patience = graded((0.3, 0.5, 0.8, 1.2, 1.6, 2), self.scene.adapting)
        return 1 + surplus * math.exp(-t / patience)
