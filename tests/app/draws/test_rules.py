"""Winners follow from published data, for anyone who reads the description."""

import hashlib
import hmac
import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.draws import rules
from app.draws.rules import Holder, Prize

# --- a second implementation, written from docs/draws.md alone ----------------------------------


def second(
    seed: bytes, list_text: str, value: str, prizes: list[tuple[str, int]], one_each: bool
) -> list[tuple[int, str, str]]:
    def sha(data: bytes) -> bytes:
        return hashlib.sha256(data).digest()

    key = sha(b"counterfoil-draw-1 key\n" + seed + sha(list_text.encode()) + sha(value.encode()))

    def bits() -> Iterator[int]:
        for i in itertools.count():
            block = hmac.new(key, i.to_bytes(8, "big"), hashlib.sha256).digest()
            for part in (block[0:8], block[8:16], block[16:24], block[24:32]):
                yield int.from_bytes(part, "big")

    stream = bits()
    tickets = []
    for line in list_text.splitlines():
        who, count = line.split(" ")
        tickets += [who] * int(count)
    found = []
    for code, count in prizes:
        for _ in range(count):
            if not tickets:
                break
            n = len(tickets)
            w = next(stream)
            while w >= 2**64 - 2**64 % n:
                w = next(stream)
            who = tickets[w % n]
            if one_each:
                tickets = [each for each in tickets if each != who]
            else:
                del tickets[w % n]
            found.append((len(found) + 1, code, who))
    return found


HOLDERS = st.dictionaries(
    st.integers(0, 2**128 - 1).map(lambda number: f"{number:032x}"), st.integers(1, 9), max_size=12
)


@given(
    st.binary(min_size=32, max_size=32),
    HOLDERS,
    st.text("0123456789 ", max_size=20),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.booleans(),
)
def test_a_second_implementation_finds_the_same_winners(
    seed: bytes, counts: dict[str, int], value: str, prizes: list[int], one_each: bool
) -> None:
    holders = [Holder(name, tickets) for name, tickets in counts.items()]
    text = rules.list_text(holders)
    plain = " ".join(value.split())
    kinds = [Prize(f"p{number}", "", count) for number, count in enumerate(prizes)]
    found = rules.choose(
        holders, kinds, rules.draw_key(seed, rules.digest(text), value), one_each=one_each
    )
    assert [(each.place, each.prize, each.pseudonym) for each in found] == second(
        seed, text, plain, [(kind.code, kind.count) for kind in kinds], one_each
    )
    assert not one_each or len({each.pseudonym for each in found}) == len(found)
    won = Counter(each.pseudonym for each in found)
    assert all(many <= counts[name] for name, many in won.items())


def test_known_answers() -> None:
    seed = bytes(range(32))
    assert rules.commitment(seed) == hashlib.sha256(b"counterfoil-draw-1 seed\n" + seed).hexdigest()
    holders = [Holder("b" * 32, 2), Holder("a" * 32, 1), Holder("c" * 32, 10)]
    text = rules.list_text(holders)
    assert text == f"{'a' * 32} 1\n{'b' * 32} 2\n{'c' * 32} 10\n"
    key = rules.draw_key(seed, rules.digest(text), " 3  8 17\n")
    assert key == rules.draw_key(seed, rules.digest(text), "3 8 17")
    # Written down once: every release and every other program has to find the same.
    assert key.hex() == "3d103d4c6fdfc66c66821faf94ffecc04fc17ffabf24ddaeb206a3abce877056"
    prizes = [Prize("x", "", 2), Prize("y", "", 11)]
    for one_each, names in ((True, "cba"), (False, "cccabcccccbcc")):
        found = rules.choose(holders, prizes, key, one_each=one_each)
        assert "".join(each.pseudonym[0] for each in found) == names
        assert [each.prize for each in found] == (["x"] * 2 + ["y"] * 11)[: len(names)]


def test_words_that_would_prefer_some_are_passed_over() -> None:
    bound = 3 * 2**62
    limit = 2**64 - 2**64 % bound
    assert rules.below(iter([limit, limit + 5, limit - 1]), bound) == (limit - 1) % bound
    with pytest.raises(ValueError, match="nothing"):
        rules.below(iter([1]), 0)


def test_every_ticket_is_as_likely_as_every_other() -> None:
    holders = [Holder(f"{number:032x}", number + 1) for number in range(4)]
    prizes = [Prize("p", "", 1)]
    won: Counter[str] = Counter()
    for number in range(4000):
        [winner] = rules.choose(
            holders, prizes, hashlib.sha256(number.to_bytes(4, "big")).digest(), one_each=True
        )
        won[winner.pseudonym] += 1
    # Chi-square with 3 degrees of freedom: above 16.3 once in a thousand; the numbers are fixed.
    expected = {each.pseudonym: 400 * each.tickets for each in holders}
    assert sum((won[name] - many) ** 2 / many for name, many in expected.items()) < 16.3


def test_a_million_holders_and_a_thousand_prizes_are_drawn() -> None:
    holders = [Holder(f"{number:032x}", 1 + number % 3) for number in range(100_000)]
    found = rules.choose(holders, [Prize("p", "", 1000)], bytes(32), one_each=True)
    assert len({each.pseudonym for each in found}) == 1000


def test_a_pseudonym_says_nothing_without_the_key() -> None:
    account = "0b8f4a52-6f1e-4ad5-9a45-2b7ad7b0f001"
    assert rules.pseudonym(b"1" * 32, account) != rules.pseudonym(b"2" * 32, account)
    assert len(rules.pseudonym(b"1" * 32, account)) == 32
