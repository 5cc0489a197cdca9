"""Enrolling by the QR code that the service's page shows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scanner.config import load_till
from scanner.enrolling import Invitation, read_invitation
from tests.scanner.test_headless import Till

CODE = "ABCD-EFGH-2345-WXYZ"


@pytest.mark.parametrize(
    "text",
    [
        "",
        CODE,
        f"counterfoil-till ftp://cards.example.com {CODE}",
        f"counterfoil-till https://cards.example.com {CODE.lower()}",
        f"counterfoil-till https://cards.example.com  {CODE}",
        f"counterfoil-till https://cards.example.com {CODE} x",
        f"counterfoil-till https://{'x' * 400}.com {CODE}",
        f"https://evil.example/?counterfoil-till https://cards.example.com {CODE}",
    ],
)
def test_another_code_enrols_nowhere(text: str) -> None:
    assert read_invitation(text) is None


def test_the_page_s_code_says_where_and_with_which_code() -> None:
    found = read_invitation(f"counterfoil-till https://cards.example.com {CODE}")
    assert found == Invitation("https://cards.example.com", CODE)


def test_a_till_is_enrolled_by_holding_the_page_up_to_its_camera(
    tmp_path: Path, running: Any, service: Any, film: Callable[..., Path]
) -> None:
    service.enrolment_codes.add(CODE)
    shown = f"counterfoil-till {running.url} {CODE}"
    clip = film(tmp_path / "page.mjpeg", (None, 10), ("https://example.com", 20), (shown, 40))
    till = Till(tmp_path)
    done = till.run("enrol", "--camera", str(clip), "--service", "https://other.example")
    assert done.returncode == 2 and "and not of" in done.stderr
    done = till.run("enrol", "--camera", str(clip))
    assert done.returncode == 0, done.stderr
    assert "Enrolled as" in done.stdout
    assert load_till(tmp_path / "till-data").service == running.url
