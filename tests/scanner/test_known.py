"""What a till remembers of cards: as last known, bounded, and gone when it has to be."""

import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scanner import known
from scanner.known import FILE, KnownCards, wipe

NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def seen(name: str | None = "Ada Kalnina", balance: int = 112, **more: Any) -> dict[str, Any]:
    standing = {"balance": balance, "points_label": "beans"}
    return {"member": {"name": name}, "tier": "Gold", "standing": standing, **more}


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith(FILE))


def test_a_card_is_known_as_it_was_last_seen_with_its_age(tmp_path: Path) -> None:
    cards = KnownCards(tmp_path)
    stamps = [{"name": "Coffee", "have": 3, "of": 10}]
    cards.note("a" * 16, seen(stamps=stamps), NOW)
    cards.close()
    last = KnownCards(tmp_path).of("a" * 16)
    assert last is not None
    assert (last.name, last.tier, last.balance, last.stamps) == ("Ada Kalnina", "Gold", 112, stamps)
    assert last.age(NOW + timedelta(hours=3)) == timedelta(hours=3)
    assert last.age(NOW - timedelta(hours=3)) == timedelta()
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


def test_no_contact_data_is_kept_whatever_the_service_says(tmp_path: Path) -> None:
    cards = KnownCards(tmp_path)
    member = {"name": "Ada", "email": "ada@example.com", "phone": "+371 2000", "nickname": "Addie"}
    cards.note("a" * 16, seen() | {"member": member, "note": "birthday 5 May"}, NOW)
    cards.close()
    kept = content(tmp_path)
    assert b"Addie" in kept
    for never in (b"example.com", b"+371", b"birthday", b"Ada"):
        assert never not in kept


def test_what_is_forgotten_is_not_in_the_file_any_more(tmp_path: Path) -> None:
    cards = KnownCards(tmp_path)
    for number in range(50):
        cards.note(f"{number:016x}", seen(f"Somebody {number}"), NOW)
    cards.forget([f"{7:016x}"])
    assert cards.of(f"{7:016x}") is None and cards.of(f"{8:016x}") is not None
    cards.close()
    assert b"Somebody 7" not in content(tmp_path) and b"Somebody 8" in content(tmp_path)


def test_a_new_balance_is_noted_for_known_cards_only(tmp_path: Path) -> None:
    cards = KnownCards(tmp_path)
    cards.note("a" * 16, seen(), NOW)
    later = NOW + timedelta(minutes=1)
    for card in ("a" * 16, "b" * 16):
        cards.note_standing(card, {"balance": 120, "points_label": "beans"}, later)
    last = cards.of("a" * 16)
    assert last is not None and (last.balance, last.seen_at, last.name) == (
        120, later, "Ada Kalnina",
    )  # fmt: skip
    assert cards.of("b" * 16) is None


def test_the_longest_unseen_goes_first_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "MOST_CARDS", 5)
    cards = KnownCards(tmp_path)
    for number in range(8):
        cards.note(f"{number:016x}", seen(), NOW + timedelta(minutes=number))
    assert sorted(cards.card_ids()) == [f"{number:016x}" for number in range(3, 8)]
    cards.note("f" * 16, seen(), NOW + timedelta(days=91))
    assert cards.card_ids() == ["f" * 16]


def test_a_revoked_till_remembers_nobody(tmp_path: Path) -> None:
    cards = KnownCards(tmp_path)
    cards.note("a" * 16, seen(), NOW)
    wipe(tmp_path)
    assert not (tmp_path / FILE).exists()
    assert cards.of("a" * 16) is None  # not in a program that still has the file open, either
    wipe(tmp_path)


def test_trouble_with_the_file_is_nobodys_trouble(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all " * 500)
    cards = KnownCards(tmp_path)  # made anew
    cards.note("a" * 16, seen(), NOW)
    assert cards.of("a" * 16) is not None
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("DROP TABLE card")
    other.commit()
    other.close()
    cards.note("b" * 16, seen(), NOW)
    assert cards.of("b" * 16) is None and cards.card_ids() == []


def test_a_file_that_the_power_cut_left_damaged_is_made_anew_in_passing(tmp_path: Path) -> None:
    cards = KnownCards(tmp_path)
    for number in range(500):
        cards.note(f"{number:016x}", seen(f"Somebody {number}"), NOW)
    kept = bytearray((tmp_path / FILE).read_bytes())
    kept[4096:] = bytes(len(kept) - 4096)  # pages that never reached the disk
    (tmp_path / FILE).write_bytes(kept)
    after = KnownCards(tmp_path)
    for number in range(3):
        after.note(f"{number:016x}", seen(), NOW)
    assert after.of(f"{2:016x}") is not None


@pytest.mark.parametrize("strange", [None, [], "x", {"balance": "many"}, {"balance": 10**30}])
def test_a_strange_answer_stops_nothing(tmp_path: Path, strange: Any) -> None:
    cards = KnownCards(tmp_path)
    cards.note("a" * 16, {"member": strange, "standing": strange, "stamps": strange}, NOW)
    cards.note_standing("a" * 16, strange, NOW)
    last = cards.of("a" * 16)
    assert last is None or last.name is None
