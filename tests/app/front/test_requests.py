"""Only a request that can mean one thing is read here; everything else is gunicorn's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.front.requests import LONGEST_AWAITED, LONGEST_HEAD, Asked, Read, Unfinished, read_request

GET = b"GET /v1/passes/pass.x/1a HTTP/1.1\r\nHost: a\r\nAuthorization: ApplePass 00\r\n\r\n"
POST = b"POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"


def test_a_plain_request_is_read_with_its_headers_in_small_letters() -> None:
    assert read_request(GET) == (
        Asked(
            b"/v1/passes/pass.x/1a",
            {b"host": b"a", b"authorization": b"ApplePass 00"},
            b"",
        ),
        len(GET),
    )


def test_a_body_is_as_long_as_it_says_and_what_follows_is_left() -> None:
    read = read_request(POST + b"{   GET /next")
    assert isinstance(read, Read)
    assert (read[0].body, read[1]) == (b"{   ", len(POST) + 4)


@pytest.mark.parametrize("length", range(len(POST) + 4))
def test_a_request_that_is_not_there_in_full_is_unfinished(length: int) -> None:
    whole = None if length < len(POST) else len(POST) + 4
    assert read_request((POST + b"{  }")[:length]) == Unfinished(whole)


def test_a_short_body_is_awaited_where_a_lane_wants_it() -> None:
    short = read_request(POST)
    assert isinstance(short, Unfinished)
    assert short.is_awaited(POST, [b"GET /", b"POST /api"])
    assert not short.is_awaited(POST, [b"GET /"])
    head = b"POST /api HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % LONGEST_AWAITED
    long = read_request(head)
    assert isinstance(long, Unfinished)
    assert not long.is_awaited(head, [b"POST /api"])


@pytest.mark.parametrize(
    "lines",
    [
        b"Transfer-Encoding: chunked",
        b"Expect: 100-continue",
        b"Upgrade: h2c",
        b"Connection: close",
        b"Connection: upgrade",
        b"HOST: b",
        b"Authorization: one\r\nauthorization: two",
        b"X-Folded: one\r\n two",
        b"X-Space : one",
        b"X-Control: \x01",
        b"X-Bytes: \xff",
        b"X-Bare: one\ntwo",
        b"X_Underscore: one",
        b": no name",
        b"no colon",
        b"Content-Length: 0",
        b"X-Long: " + b"a" * LONGEST_HEAD,
    ],
)
def test_what_is_not_plain_is_left_alone(lines: bytes) -> None:
    assert read_request(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n\r\n") is None


@pytest.mark.parametrize("length", [b"-1", b"+1", b"1_0", b"0x1", b"1, 1", b"", b"9999999999"])
def test_a_length_that_is_no_number_is_left_alone(length: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + b"\r\n\r\n"
    assert read_request(head + b"a" * 20) is None


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.0",
        b"GET  / HTTP/1.1",
        b"get / HTTP/1.1",
        b"DELETE / HTTP/1.1",
        b"GET http://a/ HTTP/1.1",
        b"GET /\xc3\xa9 HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"POST / HTTP/1.1",
    ],
)
def test_another_first_line_is_left_alone(line: bytes) -> None:
    assert read_request(line + b"\r\nHost: a\r\n\r\n") is None


def test_a_request_without_a_host_is_left_alone() -> None:
    assert read_request(b"GET / HTTP/1.1\r\nAccept: a\r\n\r\n") is None


@given(st.binary(max_size=200), st.integers(0, len(GET)))
def test_no_bytes_at_all_make_it_stumble(noise: bytes, place: int) -> None:
    for data in (noise, GET[:place] + noise + GET[place:]):
        read = read_request(data)
        if isinstance(read, Read):
            asked, length = read
            assert length <= len(data)
            assert asked.target.startswith(b"/") and b"host" in asked.headers
