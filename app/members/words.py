"""The words of names, as keyed hashes: a member is found by whole words, and by nothing less.

Letters are compared without their case and without their marks, so that "liga" finds "Līga".
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session, aliased

from app.db import Prepared
from app.keys import KeyRing
from app.members.models import MemberWord

#: Words of a name that are kept, and of a search that are looked for.
MOST_WORDS = 8
_INDEX_BYTES = 16
_WORD = re.compile(r"[^\W_]+")
_words: Any = MemberWord.__table__
_insert_words = Prepared(insert(_words), binary=["word_index"])


def words_of(name: str) -> list[str]:
    """The words of a name as they are compared, each once, in their order."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return list(dict.fromkeys(_WORD.findall(plain)))[:MOST_WORDS]


def add(
    session: Session,
    keys: KeyRing,
    programme_id: str,
    named: Iterable[tuple[str, str | None]],
) -> None:
    """Keep the words of these members' names: (member's id, name)."""
    hashed = keys.blind_indexer()
    rows = [
        {
            "word_index": hashed(_indexed(programme_id, word))[:_INDEX_BYTES],
            "member_id": member_id,
            "programme_id": programme_id,
        }
        for member_id, name in named
        if name is not None
        for word in words_of(name)
    ]
    if rows:
        _insert_words(session, rows)


def replace(
    session: Session, keys: KeyRing, programme_id: str, member_id: str, name: str | None
) -> None:
    """Keep the words of a member's name in place of those that were kept."""
    forget(session, member_id)
    add(session, keys, programme_id, [(member_id, name)])


def forget(session: Session, member_id: str) -> None:
    """Keep no word of a member."""
    session.execute(delete(MemberWord).where(MemberWord.member_id == member_id))


def having(keys: KeyRing, programme_id: str, text: str) -> Any | None:
    """A statement of the ids of members whose names have all the words of *text*.

    None where there is no word in it.
    """
    words = words_of(text)
    found = None
    for word in words:
        indexes = [each[:_INDEX_BYTES] for each in keys.blind_indexes(_indexed(programme_id, word))]
        if found is None:
            found = select(MemberWord.member_id).where(MemberWord.word_index.in_(indexes))
            continue
        other = aliased(MemberWord)
        found = found.join(other, other.member_id == MemberWord.member_id).where(
            other.word_index.in_(indexes)
        )
    return found


def _indexed(programme_id: str, word: str) -> str:
    return f"{programme_id}\nword\n{word}"
