"""The key directory: every secret's one home. See `KeyRing`."""

from app.keys.files import write_atomically
from app.keys.ring import KeyRing
from app.keys.types import Key, KeyExists, KeyInfo, KeyMissing, Purpose, WrongMasterKey

__all__ = [
    "Key",
    "KeyExists",
    "KeyInfo",
    "KeyMissing",
    "KeyRing",
    "Purpose",
    "WrongMasterKey",
    "write_atomically",
]
