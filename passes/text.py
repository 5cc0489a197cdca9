"""Words in several languages, and what a number of things is called.

A wallet shows a card in the language of its phone, so a text that has translations travels in
all of them; a plain str is the same in every language.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from babel import Locale

from passes.errors import FaceError

#: The languages that cards speak (ISO 639-1); the first is spoken where none of them is known.
LANGUAGES = ("en", "de", "lv", "ru")
#: Longest text of a card, in characters: what fits on the back of a pass and in Google's modules.
MAX_TEXT = 4000

_SAMPLES_UP_TO = 200


@dataclass(frozen=True, slots=True)
class Text:
    """One text in several languages, as (language, words) pairs; the first stands in for others.

    `key` names it in the string tables of a pass; without one it is made from the words.
    Raises FaceError for no words, words longer than MAX_TEXT, or a language given twice.
    """

    words: tuple[tuple[str, str], ...]
    key: str = ""
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        if not self.words or len(dict(self.words)) != len(self.words):
            raise FaceError("a text has words in at least one language, and once in each")
        if any(len(said) > MAX_TEXT for _, said in self.words):
            raise FaceError(f"a text on a card has at most {MAX_TEXT} characters")
        if not self.key:
            digest = hashlib.sha256(repr(self.words).encode(errors="surrogatepass")).hexdigest()
            object.__setattr__(self, "key", f"text.{digest[:12]}")
        object.__setattr__(self, "_hash", hash((self.words, self.key)))

    def __hash__(self) -> int:
        return self._hash

    def said(self, language: str) -> str:
        """The words in the BCP 47 `language`, or else those that stand in for it."""
        wanted = primary(language)
        for spoken, said in self.words:
            if spoken == wanted:
                return said
        return self.words[0][1]


#: What may stand on a card: the same in every language, or translated.
Words = str | Text


def text(words: Mapping[str, str], key: str = "") -> Text:
    """A text from a mapping of languages to words. Raises FaceError as `Text`."""
    return Text(tuple(words.items()), key)


def said(words: Words, language: str) -> str:
    """`words` in the BCP 47 `language`."""
    return words if isinstance(words, str) else words.said(language)


def primary(language: str) -> str:
    """The language of a BCP 47 tag, without region and script: "de-AT" is "de"."""
    return language.split("-")[0].split("_")[0].lower()


@dataclass(frozen=True, slots=True)
class Counted:
    """What a number of points or stamps is called: by language, and there by CLDR's plural.

    `names` is (("en", (("one", "bean"), ("other", "beans"))), …); each language has "other".
    `key` begins the names of its texts in the string tables of a pass.
    """

    names: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    key: str = "points"
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        if not self.names or any("other" not in dict(forms) for _, forms in self.names):
            raise FaceError('say what many points are called ("other") in at least one language')
        object.__setattr__(self, "_hash", hash((self.names, self.key)))

    def __hash__(self) -> int:
        return self._hash

    def said(self, number: int, language: str) -> str:
        """What `number` of them are called in the BCP 47 `language`."""
        spoken = dict(self.names)
        wanted = primary(language)
        if wanted not in spoken:
            wanted = LANGUAGES[0] if LANGUAGES[0] in spoken else self.names[0][0]
        forms = dict(spoken[wanted])
        return forms.get(plural(wanted, number)) or forms["other"]

    def label_key(self, number: int) -> str:
        """The name of the text that calls `number` of them by the right plural everywhere."""
        return f"{self.key}.{sample(number)}"

    def quoted_label(self, sample: int) -> str:
        """`label_key` in JSON, for a number that is a sample already."""
        return f'"{self.key}.{sample}"'

    def quoted_change(self, sample: int) -> str:
        """`change_key` in JSON, for a number that is a sample already."""
        return f'"{self.key}.now.{sample}"'

    def change_key(self, number: int) -> str:
        """The name of the text that says that there are now `number` of them."""
        return f"{self.key}.now.{sample(number)}"


def counted(names: Mapping[str, Mapping[str, str]], key: str = "points") -> Counted:
    """A Counted from mappings. Raises FaceError where a language lacks "other"."""
    return Counted(tuple((lang, tuple(forms.items())) for lang, forms in names.items()), key)


@cache
def _plural_rule(language: str) -> object:
    return Locale.parse(language).plural_form


def plural(language: str, number: int) -> str:
    """CLDR's plural category of the whole `number` in `language`; English's where unknown."""
    rule = _plural_rule(language if language in LANGUAGES else LANGUAGES[0])
    return str(rule(abs(number)))  # type: ignore[operator]


@cache
def samples() -> tuple[int, ...]:
    """Smallest numbers that stand for all others: one for each combination of plurals.

    Two numbers with the same sample take the same plural in every language of LANGUAGES.
    """
    return tuple(sorted(set(_sample_of())))


def sample(number: int) -> int:
    """The smallest number that takes the same plural as `number` in each of LANGUAGES."""
    number = abs(number)
    # In these languages the plural of whole numbers depends on the last two digits, but for
    # the first few numbers themselves.
    return _sample_of()[number if number < 100 else 100 + number % 100]


@cache
def _sample_of() -> tuple[int, ...]:
    first: dict[tuple[str, ...], int] = {}
    return tuple(
        first.setdefault(tuple(plural(language, number) for language in LANGUAGES), number)
        for number in range(_SAMPLES_UP_TO)
    )
