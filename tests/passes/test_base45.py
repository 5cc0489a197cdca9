import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes import base45


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"\xff\xff", "FGW"),
    ],
)
def test_the_vectors_of_rfc_9285_hold_both_ways(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@given(st.binary(max_size=200))
def test_what_is_encoded_decodes(data: bytes) -> None:
    assert base45.decode(base45.encode(data)) == data


@given(st.text(base45.ALPHABET, max_size=20))
def test_a_text_that_decodes_is_the_only_text_of_its_bytes(text: str) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text


@pytest.mark.parametrize(
    "text", ["GGW", ":::", "::", "A", "ABCD", "bb8", "BB8\n", "BB\u0662", "BBé"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base45"):
        base45.decode(text)
