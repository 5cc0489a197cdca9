"""Other pages in the same browser cannot drive the till, read it or frame it."""

import re
from pathlib import Path
from typing import Any

import pytest

PATHS = [
    ("GET", "/"), ("GET", "/words/en.json"), ("GET", "/desk/events"), ("GET", "/desk/camera"),
    ("POST", "/desk/give"), ("POST", "/desk/sign-in"), ("POST", "/sale"), ("GET", "/events"),
    ("DELETE", "/sale"), ("GET", "/static/till.js"), ("GET", "/start"),
]  # fmt: skip


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1:1"])
def test_a_name_that_was_pointed_at_this_machine_is_refused(till: Any, host: str) -> None:
    headers = till.page_headers | till.pos_headers | {"Host": host.format(port=till.guard.port)}
    for method, path in PATHS:
        assert till.request(method, path, {}, headers).status == 421, path


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_says_is_another_pages_is_refused(till: Any, site: str) -> None:
    headers = till.page_headers | {"Sec-Fetch-Site": site}
    for method, path in PATHS:
        assert till.request(method, path, {}, headers).status == 403, path


def test_a_change_needs_our_own_origin(till: Any) -> None:
    headers = dict(till.page_headers)
    del headers["Origin"], headers["Sec-Fetch-Site"]
    assert till.request("POST", "/desk/touched", {}, headers).status == 403
    port = till.guard.port
    for origin in (
        "http://evil.example",
        "null",
        "http://127.0.0.1:1",
        f"https://127.0.0.1:{port}",
    ):
        answer = till.request("POST", "/desk/touched", {}, headers | {"Origin": origin})
        assert answer.status == 403, origin


@pytest.mark.parametrize("missing", ["Cookie", "Counterfoil-Page"])
def test_cookie_and_token_of_this_start_are_both_needed(till: Any, missing: str) -> None:
    good = till.page_headers
    assert till.request("POST", "/desk/touched", {}, good).status == 200
    for value in (None, "wrong", "\xff"):
        headers = {name: text for name, text in good.items() if name != missing}
        if value is not None:
            headers[missing] = value if missing != "Cookie" else f"{till.guard.cookie_name}={value}"
        assert till.request("POST", "/desk/touched", {}, headers).status == 403


def test_the_streams_need_cookie_and_token_too(till: Any) -> None:
    cookie = {"Cookie": till.page_headers["Cookie"]}
    for stream in ("events", "camera"):
        assert till.request("GET", f"/desk/{stream}", headers=cookie).status == 403
        wrong = f"/desk/{stream}?page=wrong"
        assert till.request("GET", wrong, headers=cookie).status == 403
        assert till.request("GET", f"/desk/{stream}?page={till.guard.page}").status == 403
    good = till.request("GET", f"/desk/events?page={till.guard.page}", headers=cookie)
    assert good.status == 200 and good.body.startswith(b"data: {")


def test_the_page_opens_with_the_key_of_this_start_only(till: Any) -> None:
    assert till.request("GET", "/").status == 403
    assert till.request("GET", "/start?key=wrong").status == 403
    opened = till.request("GET", till.guard.start_url.partition(str(till.guard.port))[2])
    assert opened.status == 302 and opened.headers["location"] == "/"
    cookie = opened.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    page = till.request("GET", "/", headers={"Cookie": cookie.partition(";")[0]})
    assert page.status == 200 and till.guard.page.encode() in page.body
    assert till.guard.key.encode() not in page.body


def test_no_answer_may_be_read_embedded_or_framed(till: Any) -> None:
    for path in ("/", "/static/till.js", "/sale", "/desk/give", "/nothing"):
        answer = till.request("GET", path, headers={"Origin": "http://evil.example"})
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "DENY"
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_a_preflight_is_refused(till: Any) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for path in ("/desk/give", "/sale"):
        answer = till.request("OPTIONS", path, headers=asked)
        assert answer.status == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_page_has_no_script_and_no_style_in_its_html(till: Any) -> None:
    cookie = {"Cookie": till.page_headers["Cookie"]}
    html = till.request("GET", "/", headers=cookie).body.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)
    assert re.findall(r"<script[^>]*>", html) == ['<script type="module" src="/static/till.js">']
    assert not re.search(r"(src|href)=\"(?!/)", html)


def test_only_loopback_listens(till: Any) -> None:

    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{till.guard.port:04X}")
    ]
    assert listening == ["0100007F:" + f"{till.guard.port:04X}"]


def test_what_our_page_would_never_send_is_refused(till: Any) -> None:
    for body in ([], "text", None, {"card": "1"}, {"card": True}, {"card": -1}, {"card": 10**12}):
        assert till.request("POST", "/desk/give", body, till.page_headers).status == 422, body


def test_a_body_is_bounded(till: Any) -> None:
    long = {"text": "x" * 300_000}
    assert till.request("POST", "/desk/code", long, till.page_headers).status in (413, 422)
