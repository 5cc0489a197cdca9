"""The verdict on a scanned text, offline: the signature against the keys this till last fetched.

keys.json holds every public key of the programme with the date it is valid until; the cards that
the service refuses come as a signed list (`refusals`). A verdict here can only become stricter
online.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from passes import code
from passes.code import Outcome
from passes.errors import CodeError
from scanner import refusals
from scanner.config import read_private, write_private
from scanner.errors import CardRefused, ConfigError, TryLater

FILE = "keys.json"

# What the cashier is told: what happened, and what to do next.
SENTENCES = {
    Outcome.ACCEPTED: "Card accepted.",
    Outcome.NOT_A_CARD: "This is not one of our cards. Ask for the loyalty card in the wallet.",
    Outcome.MALFORMED: "The code is damaged. Ask the customer to open the card again.",
    Outcome.UNKNOWN_VERSION: "The card is newer than this till. Update the till program.",
    Outcome.UNKNOWN_KEY: "This till does not know who issued the card. "
    "It may be another programme's; connect the till to the service and try again.",
    Outcome.BAD_SIGNATURE: "This card is not from this shop, or it is damaged. Do not accept it.",
    Outcome.OTHER_PROGRAMME: "This is a card of another programme.",
    Outcome.BLOCKED: "The card is blocked. A manager can unblock it.",
    Outcome.REPLACED: "The card was replaced by a newer one. Ask for the newer card.",
    Outcome.EXPIRED: "The card has expired. The customer can get a new one from the poster.",
    Outcome.STEP_USED: "This code was already shown. Wait until the code changes, then hold it "
    "up again.",
    Outcome.STEP_OUT_OF_WINDOW: "This code is old: a picture of a card, or the phone's clock is "
    "wrong. Ask the customer to open the card itself.",
    Outcome.UNVERIFIED: "This till has no keys yet. Connect it to the service once.",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One public key of the programme; `valid_until` is None while it signs new cards."""

    public: Ed25519PublicKey
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """What this till can verify with. `fetched_at` is None where it never fetched keys.

    `refused_at`: as of when it knows the refused cards; `trouble`: what was wrong with their list.
    """

    keys: Mapping[int, Key] = field(default_factory=dict)
    refused: Mapping[str, Outcome] = field(default_factory=dict)
    fetched_at: datetime | None = None
    refused_at: datetime | None = None
    trouble: str | None = None

    def public_keys(self, now: datetime) -> dict[int, Ed25519PublicKey]:
        """The keys that are not over at `now`."""
        return {
            key_id: key.public
            for key_id, key in self.keys.items()
            if key.valid_until is None or now <= key.valid_until
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scanned text is worth. `reading` is there once the text has a card's structure."""

    outcome: Outcome
    reading: code.Reading | None
    message: str

    @property
    def card_id(self) -> str | None:
        """The card id as 16 hexadecimal digits, where the text carries one."""
        return self.reading.card.card_id_hex if self.reading else None


def check(text: str, ring: KeyRing, now: datetime) -> Verdict:
    """Judge `text` at the time `now` with the keys in `ring`. Never raises for any text."""
    try:
        reading = code.parse(text)
    except CodeError as error:
        return Verdict(error.outcome, None, SENTENCES[error.outcome])
    outcome = _outcome(text, reading, ring, now)
    return Verdict(outcome, reading, SENTENCES[outcome])


def _outcome(text: str, reading: code.Reading, ring: KeyRing, now: datetime) -> Outcome:
    try:
        code.verify(text, {key_id: key.public for key_id, key in ring.keys.items()})
    except CodeError as error:
        return error.outcome
    valid_until = ring.keys[reading.card.key_id].valid_until
    if valid_until is not None and now > valid_until:
        return Outcome.EXPIRED
    return ring.refused.get(reading.card.card_id_hex, Outcome.ACCEPTED)


def refusal_in(seen: dict[str, Any]) -> CardRefused:
    """Return what the service says against a card, in its words or in ours."""
    try:
        outcome = Outcome(seen["outcome"])
    except ValueError:
        raise TryLater(
            f"The service speaks of an outcome {seen['outcome']!r} that this till "
            "does not know: update the till program.",
            reached=True,
        ) from None
    card, message = seen.get("card"), seen.get("message")
    card_id = card.get("card_id") if isinstance(card, dict) else None
    said = message[:500] if isinstance(message, str) and message else SENTENCES[outcome]
    return CardRefused(outcome, said, card_id if isinstance(card_id, str) else None)


def identity(text: str) -> str:
    """Return what makes a scanned text the same presentation: card id, or the text itself."""
    try:
        return "card " + code.parse(text).card.card_id_hex
    except CodeError:
        return "text " + text


def load_keys(folder: Path, programme_id: str) -> KeyRing:
    """Read keys.json and the refused cards; an empty ring where there is none, or another's.

    Raises ConfigError where keys.json is damaged.
    """
    data = read_private(folder, FILE)
    if data is None or data.get("programme_id") != programme_id:
        return KeyRing()
    try:
        ring = ring_from(data, moment(data["fetched_at"]))
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{folder / FILE} is damaged ({error}). Run: counterfoil-scan keys"
        ) from None
    # Keys that are over are left out by what was true when they were fetched: the list is older.
    return refusals.with_refused(folder, programme_id, ring)


def save_keys(folder: Path, programme_id: str, answer: Mapping[str, Any], now: datetime) -> KeyRing:
    """Keep the service's answer about keys, and return it as a ring without refused cards.

    Raises ValueError where the answer is not one, ConfigError where the disk refuses.
    """
    ring = ring_from(answer, now)
    kept = {
        "programme_id": programme_id,
        "fetched_at": now.isoformat(),
        "keys": answer["keys"],
    }
    write_private(folder, FILE, kept)
    return ring


def ring_from(data: Mapping[str, Any], fetched_at: datetime) -> KeyRing:
    """Read keys as the till API words them; raises ValueError."""
    listed = data.get("keys")
    if not isinstance(listed, list):
        raise ValueError("keys is a list")
    return KeyRing(dict(_key(item) for item in listed), fetched_at=fetched_at)


def _key(item: Any) -> tuple[int, Key]:
    if not isinstance(item, dict):
        raise ValueError("a key is an object")
    key_id, public, until = item.get("key_id"), item.get("public_key"), item.get("valid_until")
    if not isinstance(key_id, int) or not 0 <= key_id <= 0xFFFF or not isinstance(public, str):
        raise ValueError("a key has key_id and public_key")
    try:
        raw = base64.b64decode(public, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("public_key is base64") from None
    return key_id, Key(
        Ed25519PublicKey.from_public_bytes(raw), None if until is None else moment(until)
    )


def moment(text: Any) -> datetime:
    """Read an ISO time with zone; raises ValueError for anything else."""
    if not isinstance(text, str):
        raise ValueError("a time is a text")
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return read
