"""Built passes in their file: found again, never mistaken, bounded, sealed, and purged for good."""

import os
import threading
import time
from pathlib import Path

import pytest

from app.config import Config
from app.delivery import kept
from app.delivery.kept import LARGEST, SETS, WAYS, KeptPasses
from app.keys import KeyRing

STAMP, OTHER = b"a" * 16, b"b" * 16
CARD = "00000001" + "00" * 4


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing.open(Config(data=tmp_path, database_url="sqlite://", url="http://127.0.0.1"))


@pytest.fixture
def passes(tmp_path: Path, keys: KeyRing) -> KeptPasses:
    return KeptPasses(tmp_path / kept.FILE, keys)


def of_one_set(count: int) -> list[str]:
    """Cards that have the same places."""
    return [(7 + number * SETS).to_bytes(4, "big").hex() + "00" * 4 for number in range(count)]


def test_what_is_kept_is_found_under_its_stamp_and_no_other(passes: KeptPasses) -> None:
    passes.keep(CARD, STAMP, b"a pass", read_at=time.time())
    assert passes.find(CARD, STAMP) == b"a pass"
    assert passes.find(CARD, OTHER) is None
    assert passes.find("00" * 8, STAMP) is None


def test_a_newer_one_takes_the_place_of_the_older(passes: KeptPasses) -> None:
    passes.keep(CARD, STAMP, b"old", read_at=time.time())
    passes.keep(CARD, OTHER, b"new", read_at=time.time())
    assert passes.find(CARD, STAMP) is None
    assert passes.find(CARD, OTHER) == b"new"
    assert [card for card, _ in passes.cards()] == [CARD]


def test_a_restart_keeps_them(passes: KeptPasses, tmp_path: Path, keys: KeyRing) -> None:
    passes.keep(CARD, STAMP, b"a pass", read_at=time.time())
    assert KeptPasses(tmp_path / kept.FILE, keys).find(CARD, STAMP) == b"a pass"


def test_of_too_many_the_oldest_makes_room(passes: KeptPasses) -> None:
    cards = of_one_set(WAYS + 1)
    for card in cards:
        passes.keep(card, STAMP, card.encode(), read_at=time.time())
    assert passes.find(cards[0], STAMP) is None
    assert [passes.find(card, STAMP) for card in cards[1:]] == [each.encode() for each in cards[1:]]


def test_the_file_never_grows(passes: KeptPasses, tmp_path: Path) -> None:
    passes.keep(CARD, STAMP, b"x" * LARGEST, read_at=time.time())
    size = (tmp_path / kept.FILE).stat().st_size
    for card in of_one_set(20):
        passes.keep(card, STAMP, b"x" * LARGEST, read_at=time.time())
    assert (tmp_path / kept.FILE).stat().st_size == size <= 160 * 2**20
    assert passes.find(of_one_set(20)[-1], STAMP) == b"x" * LARGEST


def test_what_is_too_large_is_not_kept(passes: KeptPasses) -> None:
    passes.keep(CARD, STAMP, b"x" * (LARGEST + 1), read_at=time.time())
    assert passes.find(CARD, STAMP) is None


def test_a_name_cannot_be_read_from_the_file(passes: KeptPasses, tmp_path: Path) -> None:
    passes.keep(CARD, STAMP, b"Ada Lovelace", read_at=time.time())
    path = tmp_path / kept.FILE
    assert b"Ada" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_purged_is_gone_from_the_file(passes: KeptPasses, tmp_path: Path) -> None:
    passes.keep(CARD, STAMP, b"a pass", read_at=time.time())
    sealed = os.pread(passes._opened(), 22, kept._body(1 * WAYS))
    assert sealed.strip(b"\0")
    passes.purge([CARD])
    assert passes.find(CARD, STAMP) is None
    assert list(passes.cards()) == []
    assert sealed not in (tmp_path / kept.FILE).read_bytes()


def test_what_was_read_before_a_purge_is_not_kept_after_it(passes: KeptPasses) -> None:
    for was_kept in (False, True):
        read_at = time.time()
        if was_kept:
            passes.keep(CARD, STAMP, b"before", read_at=read_at)
        passes.purge([CARD])
        passes.keep(CARD, STAMP, b"too late", read_at=read_at)
        assert passes.find(CARD, STAMP) is None
        passes.keep(CARD, STAMP, b"read anew", read_at=time.time() + 0.001)
        assert passes.find(CARD, STAMP) == b"read anew"


def test_a_damaged_place_counts_as_empty(passes: KeptPasses) -> None:
    passes.keep(CARD, STAMP, b"a pass", read_at=time.time())
    os.pwrite(passes._opened(), b"?", kept._body(1 * WAYS) + 3)
    assert passes.find(CARD, STAMP) is None


@pytest.mark.parametrize("content", [b"", b"something else entirely", b"\0" * 5000])
def test_a_file_that_is_not_ours_is_begun_anew(
    content: bytes, tmp_path: Path, keys: KeyRing
) -> None:
    (tmp_path / kept.FILE).write_bytes(content)
    passes = KeptPasses(tmp_path / kept.FILE, keys)
    passes.keep(CARD, STAMP, b"a pass", read_at=time.time())
    assert passes.find(CARD, STAMP) == b"a pass"


def test_a_full_disk_stops_nobody(
    tmp_path: Path, keys: KeyRing, caplog: pytest.LogCaptureFixture
) -> None:
    passes = KeptPasses(Path("/dev/full"), keys)
    for _ in range(2):
        passes.keep(CARD, STAMP, b"a pass", read_at=time.time())
        assert passes.find(CARD, STAMP) is None
        with passes.turn(CARD):
            pass
    assert len(caplog.messages) == 1


def test_one_at_a_time_is_at_a_card(passes: KeptPasses) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(50):
            with passes.turn(CARD):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most == 1
