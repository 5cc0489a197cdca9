import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from passes.errors import CallbackError, UnknownRootKeyError
from passes.google import callback
from tests.passes.certificates import ec_key

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ISSUER = "3388000000022000000"
ROOT, INTERMEDIATE = ec_key(20), ec_key(21)
ROOTS = [ROOT.public_key()]
MESSAGE = {
    "classId": f"{ISSUER}.beans",
    "objectId": f"{ISSUER}.8f14e45fceea167a",
    "eventType": "save",
    "expTimeMillis": int((NOW + HOUR).timestamp() * 1000),
    "count": 1,
    "nonce": "c1359b53-f2bb-4e8f-b392-9a560a21a9a0",
}


def spki(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(
        key.public_key().public_bytes(serialization.Encoding.DER, form)
    ).decode()


def sign(key: ec.EllipticCurvePrivateKey, *texts: str, count: Any = None) -> str:
    """Sign as Google does; `count` replaces how lengths are counted."""
    count = count or (lambda text: len(text.encode()))
    signed = b"".join(count(text).to_bytes(4, "little") + text.encode() for text in texts)
    return base64.b64encode(key.sign(signed, ec.ECDSA(hashes.SHA256()))).decode()


def made(
    message: Any = MESSAGE,
    *,
    root: ec.EllipticCurvePrivateKey = ROOT,
    expires: datetime = NOW + 24 * HOUR,
    recipient: str = ISSUER,
    sender: str = "GooglePayPasses",
    protocol: str = "ECv2SigningOnly",
    count: Any = None,
) -> dict[str, Any]:
    """A callback as Google makes it, with keys of our own."""
    text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    signed_key = json.dumps(
        {
            "keyValue": spki(INTERMEDIATE),
            "keyExpiration": str(int(expires.timestamp() * 1000)),
        }
    )
    return {
        "signature": sign(INTERMEDIATE, sender, recipient, protocol, text, count=count),
        "intermediateSigningKey": {
            "signedKey": signed_key,
            "signatures": [sign(root, sender, protocol, signed_key)],
        },
        "protocolVersion": protocol,
        "signedMessage": text,
    }


def body(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def verify(data: bytes, now: datetime = NOW, **more: Any) -> callback.Callback:
    return callback.verify(data, **({"root_keys": ROOTS, "recipient": ISSUER, "now": now} | more))


def refused(data: bytes, match: str = ".", **more: Any) -> None:
    with pytest.raises(CallbackError, match=match):
        verify(data, **more)


def test_a_message_that_google_signed_is_read() -> None:
    assert verify(body(made())) == callback.Callback(
        event_type="save",
        class_id=f"{ISSUER}.beans",
        object_ids=(f"{ISSUER}.8f14e45fceea167a",),
        nonce="c1359b53-f2bb-4e8f-b392-9a560a21a9a0",
        expires_at_ms=int((NOW + HOUR).timestamp() * 1000),
    )
    assert verify(body(made())).object_id == f"{ISSUER}.8f14e45fceea167a"


def test_a_message_may_be_about_several_objects() -> None:
    several = {name: value for name, value in MESSAGE.items() if name != "objectId"}
    several["objectIds"] = [f"{ISSUER}.a", f"{ISSUER}.b"]
    assert verify(body(made(several))).object_ids == (f"{ISSUER}.a", f"{ISSUER}.b")


def test_lengths_are_counted_in_bytes_not_in_characters() -> None:
    message = MESSAGE | {"nonce": "Grüße – 你好 – 🫘"}
    assert verify(body(made(message))).nonce == message["nonce"]
    refused(body(made(message, count=len)), "not signed")


def test_every_flipped_bit_is_refused() -> None:
    data = body(made())
    for bit in range(len(data) * 8):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        refused(bytes(altered))


def test_a_second_spelling_of_the_same_signature_is_refused() -> None:
    content = made()
    for text in (content["signature"] + "\n", content["signature"].rstrip("=") + "===", " "):
        refused(body(content | {"signature": text}))


def test_another_root_does_not_sign_for_google() -> None:
    refused(body(made(root=INTERMEDIATE)), "not signed by a root key")
    refused(body(made()), "not signed by a root key", root_keys=[])


def test_any_of_several_roots_may_have_signed() -> None:
    assert verify(body(made()), root_keys=[INTERMEDIATE.public_key(), *ROOTS])


def test_another_issuers_message_is_not_ours() -> None:
    refused(body(made(recipient="3388000000022999999")), "not signed")
    for name in ("classId", "objectId"):
        refused(body(made(MESSAGE | {name: "3388000000022999999.x"})), "not about issuer")
        refused(body(made(MESSAGE | {name: f"{ISSUER}9.x"})), "not about issuer")


@pytest.mark.parametrize("other", [{"sender": "GooglePay"}, {"protocol": "ECv2"}])
def test_another_sender_or_protocol_is_refused(other: dict[str, str]) -> None:
    refused(body(made(**other)))


def test_both_expiries_count() -> None:
    refused(body(made()), "message has expired", now=NOW + HOUR)
    refused(body(made(expires=NOW)), "key has expired")
    assert verify(body(made()), now=NOW + HOUR - timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "change",
    [
        {"classId": None},
        {"objectId": 7},
        {"objectId": ""},
        {"objectIds": []},
        {"objectIds": [7]},
        {"eventType": None},
        {"nonce": None},
        {"nonce": "x" * 1025},
        {"expTimeMillis": "soon"},
        {"expTimeMillis": True},
        {"expTimeMillis": 1.5},
        {"expTimeMillis": "\u0661" * 13},
    ],
)
def test_a_signed_message_of_another_form_is_refused(change: dict[str, Any]) -> None:
    refused(body(made(MESSAGE | change)))


@pytest.mark.parametrize("text", ["", "[]", "7", '{"a":1,"a":2}', "[" * 20_000])
def test_a_signed_text_that_is_no_object_is_refused(text: str) -> None:
    refused(body(made(text)))


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"{" * 9, b" " * 40_000, b"1" * 5000])
def test_what_is_no_callback_is_refused(data: bytes) -> None:
    refused(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*made(), *made()["intermediateSigningKey"]]), json_values))
def test_no_body_does_worse_than_be_refused_or_say_what_was_signed(change: dict[str, Any]) -> None:
    content = made()
    inner = content["intermediateSigningKey"] | change
    for altered in (content | change, content | {"intermediateSigningKey": inner}):
        try:
            read = verify(body(altered))
        except CallbackError:
            continue
        # Keys that no signature covers may come and go; what was signed stays.
        assert read == verify(body(content))


# -- Google's list of root keys ------------------------------------------------------------------


def listed(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def entry(**more: Any) -> dict[str, Any]:
    expires = str(int((NOW + HOUR).timestamp() * 1000))
    return {
        "keyValue": spki(ROOT),
        "protocolVersion": "ECv2SigningOnly",
        "keyExpiration": expires,
    } | more


def test_the_published_keys_of_our_protocol_are_taken() -> None:
    other = entry(protocolVersion="ECv1", keyValue="of another kind")
    assert callback.root_keys(listed(other, entry()), NOW) == (ROOT.public_key(),)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        listed(),
        listed(entry(keyExpiration="1")),
        listed(entry(keyValue="AAAA")),
        listed(entry(keyExpiration=None)),
        b'{"keys": 7}',
        b'{"keys": [7]}',
        listed(*[entry()] * 21),
    ],
)
def test_a_list_without_a_good_key_is_refused(document: bytes) -> None:
    with pytest.raises(CallbackError):
        callback.root_keys(document, NOW)


def test_the_first_key_to_expire_says_when_the_list_has_to_be_renewed() -> None:
    never = {name: value for name, value in entry().items() if name != "keyExpiration"}
    later = entry(keyExpiration=str(int((NOW + 9 * HOUR).timestamp() * 1000)))
    assert callback.first_expiry(listed(later, entry(), never), NOW) == NOW + HOUR
    assert callback.first_expiry(listed(never), NOW) is None
    with pytest.raises(CallbackError):
        callback.first_expiry(listed(), NOW)


def test_an_unknown_root_is_told_from_other_faults() -> None:
    with pytest.raises(UnknownRootKeyError):
        verify(body(made(root=INTERMEDIATE)))
    with pytest.raises(CallbackError) as found:
        verify(body(made(recipient="42")))
    assert not isinstance(found.value, UnknownRootKeyError)


# -- what Google really sent ---------------------------------------------------------------------


def real() -> list[Any]:
    """Callbacks that Google signed, from a folder beside the repository where there is one."""
    beside = Path(__file__).resolve().parents[3].parent
    found = []
    for path in beside.glob("*/vectors/google_callbacks.json"):
        document = json.loads(path.read_text())
        root = document["root_public_key_spki_base64"]
        found += [
            pytest.param(root, content, id=name) for name, content in document["callbacks"].items()
        ]
    return found


@pytest.mark.parametrize(("root", "content"), real())
def test_a_callback_that_google_sent_verifies_and_altered_does_not(
    root: str, content: dict[str, Any]
) -> None:
    message = json.loads(content["signedMessage"])
    [key] = callback.root_keys(listed(entry(keyValue=root)), NOW)
    asked: dict[str, Any] = {
        "root_keys": [key],
        "recipient": message["classId"].partition(".")[0],
        "now": datetime.fromtimestamp(message["expTimeMillis"] / 1000, UTC) - HOUR,
    }
    if "xxxxx" in content["signedMessage"]:
        # Its author blacked the ids out: the intermediate holds, the message cannot.
        refused(body(content), "message is not signed by Google's intermediate", **asked)
        return
    assert verify(body(content), **asked).event_type in ("save", "del", "activate")
    refused(body(content), "expired", **asked | {"now": asked["now"] + 2 * HOUR})
    data = body(content)
    for at in range(len(data)):
        altered = bytearray(data)
        altered[at] ^= 1 << at % 8
        refused(bytes(altered), **asked)
