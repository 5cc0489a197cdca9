"""`counterfoil-scan read`, as the program that people run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scanner.check import KeyRing
from scanner.decode import zxing
from scanner.reading import Result, Skipped, read_sources

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def read(*paths: Path, fps: float | None = None) -> list[Result | Skipped]:
    names = [str(path) for path in paths]
    return list(read_sources(names, fps=fps, decoder=zxing, ring=KeyRing(), now=NOW))


def codes(result: Result | Skipped) -> list[tuple[str, str]]:
    assert isinstance(result, Result)
    return [(code.text, code.outcome) for code in result.codes]


@pytest.mark.parametrize("name", ["a.mjpeg", "a.avi", "a.mp4", "a.y4m"])
def test_a_clip_tells_when_its_code_was_first_read(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str], name: str
) -> None:
    path = film(tmp_path / name, (None, 6), (make_card(), 6))
    (result,) = read(path)
    assert codes(result) == [(make_card(), "unverified")]
    assert isinstance(result, Result)
    assert 200 <= result.codes[0].first_ms < 300 and result.codes[0].read_ms > 0


def test_the_rate_is_what_is_said(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]
) -> None:
    path = film(tmp_path / "a.mjpeg", (None, 6), (make_card(), 6))
    (result,) = read(path, fps=10)
    assert isinstance(result, Result) and result.codes[0].first_ms == 600


def test_two_phones_300_ms_apart_are_two_presentations(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]
) -> None:
    path = film(tmp_path / "a.mjpeg", (make_card(1), 20), (None, 9), (make_card(2), 20))
    (result,) = read(path)
    assert [text for text, _ in codes(result)] == [make_card(1), make_card(2)]


def test_every_file_of_a_folder_is_a_source_and_the_rest_is_said_to_be_skipped(
    tmp_path: Path, draw: Callable[..., np.ndarray], make_card: Callable[..., str]
) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), draw(make_card()))
    (tmp_path / "inner").mkdir()
    cv2.imwrite(str(tmp_path / "inner" / "c.jpg"), draw("https://example.com"))
    (tmp_path / "note.txt").write_text("about nothing")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 not really")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "broken.mp4").write_bytes(b"\0" * 100)
    results = {Path(each.source).name: each for each in read(tmp_path)}
    assert codes(results["b.png"]) == [(make_card(), "unverified")]
    assert codes(results["c.jpg"]) == [("https://example.com", "not_a_card")]
    skipped = {name for name, each in results.items() if isinstance(each, Skipped)}
    assert skipped == {"note.txt", "broken.jpg", "empty.png", "broken.mp4"}


def run(cwd: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COUNTERFOIL")} | more
    return subprocess.run(
        [sys.executable, "-m", "scanner", *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_the_command_prints_a_line_of_json_a_source_and_leaves_nothing_behind(
    tmp_path: Path, film: Callable[..., Path], make_card: Callable[..., str]
) -> None:
    clip = film(tmp_path / "a.mjpeg", (None, 3), (make_card(), 3))
    note = tmp_path / "note.txt"
    note.write_text("no picture")
    done = run(tmp_path, "read", str(clip), str(note), "--fps", "30", "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    said: dict[str, Any] = json.loads(line)
    assert said["source"] == str(clip)
    (code,) = said["codes"]
    assert code.keys() == {"text", "outcome", "first_ms", "read_ms"}
    assert (code["text"], code["outcome"]) == (make_card(), "unverified")
    assert "note.txt" in done.stderr and len(done.stderr.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"a.mjpeg", "note.txt"}


def test_a_folder_that_is_not_there_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = run(tmp_path, "read", "nowhere", "--json")
    assert done.returncode == 2 and "nowhere" in done.stderr and not done.stdout
    assert len(done.stderr.splitlines()) == 1


def test_a_setting_that_does_not_exist_stops_the_program(tmp_path: Path) -> None:
    done = run(tmp_path, "read", ".", COUNTERFOIL_SCAN_CAMRA="1")
    assert done.returncode == 2 and "COUNTERFOIL_SCAN_CAMERA" in done.stderr


def test_pictures_with_answers_are_scored(
    tmp_path: Path, draw: Callable[..., np.ndarray], make_card: Callable[..., str]
) -> None:
    shown = {"right": make_card(1), "wrong": make_card(2), "unread": None, "forged": None}
    forged = make_card(4)
    shown["forged"] = forged[:99] + ("0" if forged[99] != "0" else "1") + forged[100:]
    for name, text in shown.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), draw(text))
        answer = make_card(3) if name in ("wrong", "unread") else text
        (tmp_path / f"{name}.txt").write_text(f"{answer}\n")
    done = run(tmp_path, "read", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    scores = {Path(line["source"]).stem: line["score"] for line in lines}
    assert scores == {"right": "right", "wrong": "wrong", "unread": "unread", "forged": "right"}
    assert done.stderr.strip() == "Of 4 with an answer: 2 right, 1 wrong, 1 unread."


def test_a_folder_without_pictures_is_told_and_not_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b")
    (tmp_path / "torn.jpg").write_bytes(b"no picture")
    for named in (".", "torn.jpg"):
        done = run(tmp_path, "read", named)
        assert done.returncode == 2 and not done.stdout
        assert "There is no picture" in done.stderr and ".jpg, .png" in done.stderr
