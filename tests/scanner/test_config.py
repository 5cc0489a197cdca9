"""Settings and the state folder."""

import stat
from pathlib import Path

import pytest

from scanner.config import (
    Programme,
    Till,
    load_settings,
    load_till,
    new_secret,
    read_private,
    save_till,
    write_private,
)
from scanner.errors import ConfigError

TILL = Till(
    "https://points.example.com", "t", "Till 1", "Brivibas 1",
    Programme("p", "Morning Glory", "beans", "EUR", 2, "Europe/Riga"), "token", new_secret(),
)  # fmt: skip


def test_what_is_not_set_has_its_default() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert (settings.data, settings.camera, settings.decoder) == (Path("till-data"), "0", "zxing")
    assert settings.pin is None


def test_a_setting_that_does_not_exist_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="COUNTERFOIL_SCAN_CAMERA"):
        load_settings({"COUNTERFOIL_SCAN_CAMRA": "1"})


def test_a_decoder_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ConfigError, match="zxing or pyzbar"):
        load_settings({"COUNTERFOIL_SCAN_DECODER": "quirc"})


def test_a_pin_and_a_token_never_show_in_a_log() -> None:
    assert "1234" not in repr(load_settings({"COUNTERFOIL_SCAN_PIN": "1234"}))
    assert "token='token'" not in repr(TILL) and TILL.secret not in repr(TILL)


def test_the_state_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o755)
    save_till(folder, TILL)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "till.json").stat().st_mode) == 0o600
    assert load_till(folder) == TILL


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    write_private(tmp_path, "keys.json", {"a": 1})
    with pytest.raises(TypeError):
        write_private(tmp_path, "keys.json", {"a": object()})
    assert read_private(tmp_path, "keys.json") == {"a": 1}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"service": 1}', b"[" * 100_000, b"\xff"])
def test_a_damaged_till_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "till.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"till\.json is damaged"):
        load_till(tmp_path)


def test_a_till_that_is_not_enrolled_says_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="counterfoil-scan enrol"):
        load_till(tmp_path)
