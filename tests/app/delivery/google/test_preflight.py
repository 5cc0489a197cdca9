"""Each fault that makes Google refuse, or show nothing, is named with its cure."""

from collections.abc import Callable
from typing import Any

import pytest

from app.delivery.google import schema
from app.delivery.google.preflight import inspect_issuer, inspect_resource, is_refused, pictures
from app.delivery.google.schema import REQUIRED
from passes.google.loyalty import loyalty_class, loyalty_object
from passes.google.rotating import rotating_barcode
from tests.app.delivery.google.shop import ISSUER
from tests.passes.apple.forge import face

Json = dict[str, Any]
CLASS_ID, OBJECT_ID = f"{ISSUER}.kaffa", f"{ISSUER}.card-1"
STATIC = "CF1:" + "A0" * 58


def class_body(**changes: Any) -> Json:
    return (
        loyalty_class(
            face(),
            class_id=CLASS_ID,
            issuer_name="Kaffa",
            logo_url="https://cards.example.com/google/logo/kaffa.png",
            callback_url="https://cards.example.com/google/callback",
        )
        | changes
    )


def object_body(**changes: Any) -> Json:
    rotating = rotating_barcode(STATIC, bytes(20))
    body = loyalty_object(face(), object_id=OBJECT_ID, class_id=CLASS_ID, rotating=rotating)
    return body | changes


def without(body: Json, field: str) -> Json:
    return {name: value for name, value in body.items() if name != field}


def with_rotating(**changes: Any) -> Json:
    return object_body(rotatingBarcode=rotating_barcode(STATIC, bytes(20)) | changes)


def errors(body: object, **more: Any) -> set[str]:
    return {each.code for each in inspect_resource(body, **more) if each.severity == "error"}


@pytest.mark.parametrize("body", [class_body(), object_body()], ids=["class", "object"])
def test_what_we_send_has_no_fault(body: Json) -> None:
    assert inspect_resource(body, issuer=ISSUER) == []


FAULTS: list[tuple[str, Json]] = [
    ("missing_field", without(class_body(), "programLogo")),
    ("missing_field", without(class_body(), "issuerName")),
    ("missing_field", class_body(programName="")),
    ("missing_field", without(object_body(), "state")),
    ("unknown_field", class_body(colour="red")),
    ("unknown_field", object_body(loyaltyPoints={"balanse": {"int": 7}})),
    ("wrong_type", object_body(accountName=7)),
    ("wrong_type", object_body(textModulesData={})),
    ("wrong_type", object_body(loyaltyPoints={"balance": {"int": 2**31}})),
    ("unknown_value", object_body(state="GOLDEN")),
    ("id_malformed", class_body(id="kaffa")),
    ("id_malformed", class_body(id=f"{ISSUER}.kä")),
    ("id_of_another_issuer", class_body(id="42.kaffa")),
    ("review_status", class_body(reviewStatus="approved")),
    ("review_status", class_body(reviewStatus="APPROVED")),
    ("review_status", class_body(reviewStatus="underReview")),
    ("bad_colour", class_body(hexBackgroundColor="red")),
    ("static_beside_rotating", object_body(barcode={"type": "QR_CODE", "value": "x"})),
    ("rotating_pattern", with_rotating(valuePattern=STATIC)),
    ("rotating_key", with_rotating(totpDetails={"parameters": [{"key": "GEZDGNBV"}]})),
    ("rotating_key", with_rotating(totpDetails={})),
    ("too_many", object_body(textModulesData=[{"id": str(n)} for n in range(11)])),
    ("not_https", class_body(callbackOptions={"url": "http://cards.example.com/google"})),
]


@pytest.mark.parametrize(("code", "body"), FAULTS, ids=lambda value: str(value)[:30])
def test_each_fault_is_named_alone(code: str, body: Json) -> None:
    found = [each for each in inspect_resource(body, issuer=ISSUER) if each.severity == "error"]
    assert {each.code for each in found} == {code}
    assert all(each.where and each.message and each.cure for each in found)
    assert is_refused(found)


@pytest.mark.parametrize(
    "address",
    [
        "https://localhost/logo.png",
        "https://127.0.0.1:8000/logo.png",
        "https://[::1]/logo.png",
        "https://192.168.1.20/logo.png",
        "https://10.0.0.1/logo.png",
        "https://169.254.0.7/logo.png",
        "https://shop.local/logo.png",
        "https://counter-pc/logo.png",
    ],
)
def test_an_address_that_only_we_reach_is_named(address: str) -> None:
    body = class_body(programLogo={"sourceUri": {"uri": address}})
    [found] = inspect_resource(body)
    assert (found.code, found.where) == ("unreachable_from_outside", "programLogo")
    assert "outside" in found.message
    [milder] = inspect_resource(body, is_google=False)
    assert milder.severity == "warning", "who stands in for Google is on this machine too"


@pytest.mark.parametrize("address", ["ftp://kaffa.example/logo.png", "logo.png", "https://", "//["])
def test_what_is_no_address_of_the_web_is_named(address: str) -> None:
    body = class_body(programLogo={"sourceUri": {"uri": address}})
    assert errors(body) == {"bad_address"}


@pytest.mark.parametrize("body", [None, [], 7, "class", {}, {"classId": {}}, {"id": []}])
def test_nothing_is_too_strange_to_be_looked_at(body: object) -> None:
    assert is_refused(inspect_resource(body))


@pytest.mark.parametrize("make", [class_body, object_body])
@pytest.mark.parametrize("value", [None, [], {}, 7, "x", [[]], {"a": 1}, [{"sourceUri": 7}], True])
def test_a_field_may_hold_anything_and_the_preflight_lives(
    make: Callable[..., Json], value: object
) -> None:
    for name in make():
        inspect_resource(make(**{name: value}), issuer=ISSUER)


def test_what_nests_without_end_is_refused() -> None:
    body: Json = {"id": OBJECT_ID}
    for _ in range(900):
        body = {"heroImage": body, "classId": "x", "messages": [{"body": body}]}
    assert "unknown_field" in errors(body)


def test_long_names_and_a_card_without_a_code_are_worth_a_warning() -> None:
    long = inspect_resource(class_body(programName="Kaffa Roasters of the Old Town"))
    assert [(each.code, each.severity) for each in long] == [("long_text", "warning")]
    bare = inspect_resource(without(object_body(), "rotatingBarcode"))
    assert [each.code for each in bare] == ["no_barcode"]


def test_our_own_list_of_required_fields_is_googles() -> None:
    known = schema.schemas()
    assert known is not None
    for name, fields in REQUIRED.items():
        assert set(schema.required(name, known)) == set(fields)
        assert schema.required(name, None) == fields


def test_without_googles_package_required_fields_are_still_looked_for() -> None:
    found = list(schema.check("LoyaltyClass", without(class_body(), "issuerName"), None))
    assert [each.where for each in found] == ["loyaltyClass.issuerName"]


@pytest.mark.parametrize(
    ("issuer", "code"),
    [
        (None, "issuer_missing"),
        ("", "issuer_missing"),
        ("BCR2DN4T", "issuer_malformed"),
        ("3388 0000", "issuer_malformed"),
        ("3" * 21, "issuer_malformed"),
        ("123456789012", "issuer_short"),
    ],
)
def test_an_issuer_id_that_is_none_is_named(issuer: str | None, code: str) -> None:
    assert [found.code for found in inspect_issuer(issuer)] == [code]
    assert inspect_issuer(ISSUER) == []


def test_every_picture_is_found_wherever_it_stands() -> None:
    body = class_body(
        heroImage={"sourceUri": {"uri": "https://a.example/hero"}},
        imageModulesData=[{"mainImage": {"sourceUri": {"uri": "https://a.example/more"}}}],
    )
    assert dict(pictures(body)).keys() == {
        "programLogo",
        "heroImage",
        "imageModulesData[0].mainImage",
    }
