"""Each test has a pass with just one fault, and it is the only thing found."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes.apple.preflight import Severity
from tests.passes.apple import forge
from tests.passes.apple.preflight.faults import changed, inspect, only

QR = {"format": "PKBarcodeFormatQR", "message": "x", "messageEncoding": "iso-8859-1"}


def action(identifier: str, **changes: Any) -> dict[str, Any]:
    return {"identifier": identifier, "type": "shop", "url": "https://a.example"} | changes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"description": None}, "key_missing"),
        ({"organizationName": None}, "key_missing"),
        ({"serialNumber": None}, "key_missing"),
        ({"description": ""}, "key_empty"),
        ({"organizationName": "  "}, "key_empty"),
        ({"serialNumber": ""}, "key_empty"),
        ({"formatVersion": 2}, "format_version"),
        ({"formatVersion": "1"}, "type_wrong"),
        ({"serialNumber": 17}, "type_wrong"),
        ({"voided": "true"}, "type_wrong"),
        ({"barcodes": {}}, "type_wrong"),
        ({"maxDistance": True}, "type_wrong"),
        ({"logoTxt": "x"}, "key_unknown"),
        ({"LogoText": "x"}, "key_unknown"),
        ({"storeCard": None}, "style"),
        ({"coupon": {}}, "style"),
        ({"expirationDate": "2026-11-23T09:30:00.000Z"}, "date_milliseconds"),
        ({"relevantDates": [{"date": "2026-11-23T09:30:00.5+01:00"}]}, "date_milliseconds"),
        ({"relevantDates": [{"startDate": "2026-11-23T09:30:00Z"}]}, "date_half"),
        ({"expirationDate": "2026-11-23"}, "date_bad"),
        ({"expirationDate": "2026-11-23T09:30:00"}, "date_bad"),
        ({"expirationDate": "2026-02-30T09:30:00Z"}, "date_bad"),
        ({"expirationDate": 1795000000}, "type_wrong"),
        ({"backgroundColor": "rgb(59, 35, 256)"}, "colour_bad"),
        ({"labelColor": "brown"}, "colour_bad"),
        ({"foregroundColor": "rgba(1, 2, 3, 0.5)"}, "colour_bad"),
        ({"foregroundColor": 7}, "colour_bad"),
        ({"authenticationToken": "fifteen letters"}, "token_short"),
        ({"authenticationToken": None}, "web_service_half"),
        ({"webServiceURL": None}, "web_service_half"),
        ({"webServiceURL": "http://cards.example.com"}, "web_service_not_https"),
        ({"webServiceURL": "http://127.0.0.1.example.com"}, "web_service_not_https"),
        ({"webServiceURL": "ftp://cards.example.com"}, "web_service_url"),
        ({"webServiceURL": "https://["}, "web_service_url"),
        ({"webServiceURL": "https://x.y:99999999/"}, "web_service_url"),
        ({"webServiceURL": "https://x.y:0/"}, "web_service_url"),
        ({"webServiceURL": "https://x.y:port/"}, "web_service_url"),
        ({"authenticationToken": " " * 16}, "token_characters"),
        ({"authenticationToken": "sixteen letters\u00e9"}, "token_characters"),
        ({"locations": [{"latitude": 1, "longitude": 2}] * 11}, "too_many_locations"),
        ({"locations": [{"latitude": 1}]}, "key_missing"),
        ({"locations": [{"latitude": "1", "longitude": 2}]}, "type_wrong"),
        ({"beacons": [{"proximityUUID": "x"}] * 11}, "too_many_beacons"),
        ({"featuredActions": [action(n) for n in "abc"]}, "too_many_actions"),
        ({"featuredActions": [action("a"), action("a")]}, "action_twice"),
        ({"featuredActions": [{"identifier": "a", "type": "shop"}]}, "action_incomplete"),
        ({"featuredActions": [action("a", type="place")]}, "action_incomplete"),
        ({"featuredActions": [action("a", type="dance")]}, "value_unknown"),
        ({"featuredActions": [action("a", title="Shop")]}, "key_unknown"),
        ({"appLaunchURL": "beans://card"}, "app_missing"),
        ({"locations": [{"latitude": 91, "longitude": 2}]}, "location_bad"),
        ({"locations": [{"latitude": 1, "longitude": -181}]}, "location_bad"),
        ({"beacons": [{"proximityUUID": "x", "major": 65536}]}, "beacon_bad"),
                ({"storeCard": {"footerFields": []}}, "key_unknown"),
        ({"barcodes": [{"format": "PKBarcodeFormatEAN13", "message": "4006381333931",
                        "messageEncoding": "iso-8859-1"}]}, "barcode_format"),
        ({"barcodes": [{"format": "PKBarcodeFormatEAN13", "message": "4006381333932",
                        "messageEncoding": "iso-8859-1"}, QR]}, "barcode_message"),
        ({"nfc": {"message": "x", "encryptionPublicKey": "y"}}, "nfc_entitlement"),
        ({"barcodes": [{"format": "PKBarcodeFormatQR", "message": "Ж",
                        "messageEncoding": "iso-8859-1"}]}, "barcode_encoding"),
        ({"barcodes": [{"format": "PKBarcodeFormatQR", "message": "x",
                        "messageEncoding": "latin-one"}]}, "barcode_encoding"),
    ],
)  # fmt: skip
def test_pass_json_has_a_fault(changes: dict[str, Any], code: str) -> None:
    assert only(inspect(forge.pkpass(changed(**changes)))) == code


def with_fields(*fields: dict[str, Any]) -> bytes:
    return forge.pkpass(changed(storeCard={"headerFields": list(fields)}))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([{"key": "a", "value": 1, "changeMessage": "%@"},
          {"key": "b", "value": 1, "changeMessage": "%@"}], "change_messages"),
        ([{"key": "a", "value": 1}, {"key": "a", "value": 2}], "field_key_twice"),
        ([{"key": "a"}], "key_missing"),
        ([{"key": "a", "value": None}], "type_wrong"),
        ([{"key": "a", "value": True}], "type_wrong"),
        ([{"key": "a", "value": 1, "colour": "red"}], "key_unknown"),
        ([{"key": "a", "value": 1, "textAlignment": "left"}], "value_unknown"),
        ([{"key": "a", "value": "2026-11-23T09:30:00.1Z",
           "dateStyle": "PKDateStyleShort"}], "date_milliseconds"),
    ],
)  # fmt: skip
def test_a_field_has_a_fault(fields: list[dict[str, Any]], code: str) -> None:
    assert only(inspect(with_fields(*fields))) == code


def test_of_very_many_equal_keys_the_rest_is_counted() -> None:
    found = inspect(with_fields(*[{"key": "a", "value": 1}] * 5_001))
    twice = [finding for finding in found if finding.code == "field_key_twice"]
    assert len(twice) == 21
    assert "4980 more" in twice[-1].message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"webServiceURL": "http://127.0.0.1:8000/apple"}, "web_service_not_https"),
        ({"webServiceURL": "http://localhost:8000/apple"}, "web_service_not_https"),
        ({"webServiceURL": "http://[::1]/apple"}, "web_service_not_https"),
        ({"backgroundColor": "#3b2314"}, "colour_form"),
        ({"storeCard": {"headerFields": [{"key": "a", "value": 1, "changeMessage": "New"}]}},
         "change_message_without_value"),
        ({"storeCard": {"headerFields": [{"key": k, "value": 1} for k in "abcd"]}},
         "fields_not_shown"),
        ({"storeCard": {"secondaryFields": [{"key": k, "value": 1} for k in "abc"],
                        "auxiliaryFields": [{"key": k, "value": 1} for k in "de"]}},
         "fields_not_shown"),
        ({"barcodes": [QR | {"format": "PKBarcodeFormatMagic"}, QR]}, "barcode_format_unknown"),
        ({"barcodes": [QR, QR | {"format": "PKBarcodeFormatCode39", "message": "A 1"}]},
         "barcode_order"),
        ({"posterGeneric": {}}, "artwork_missing"),
    ],
)  # fmt: skip
def test_what_a_phone_may_forgive_is_a_warning(changes: dict[str, Any], code: str) -> None:
    assert only(inspect(forge.pkpass(changed(**changes))), Severity.WARNING) == code


def test_nfc_is_no_fault_with_the_entitlement() -> None:
    nfc = changed(nfc={"message": "x", "encryptionPublicKey": "y"})
    assert inspect(forge.pkpass(nfc), nfc_entitled=True) == []


def test_an_nfc_message_is_short() -> None:
    nfc = changed(nfc={"message": "x" * 65, "encryptionPublicKey": "y"})
    assert only(inspect(forge.pkpass(nfc), nfc_entitled=True)) == "nfc_message"


def test_a_barcode_that_nobody_knows_is_two_faults() -> None:
    made = forge.pkpass(changed(barcodes=[QR | {"format": "PKBarcodeFormatMagic"}]))
    assert [finding.code for finding in inspect(made)] == [
        "barcode_format",
        "barcode_format_unknown",
    ]


def test_a_poster_needs_a_fallback() -> None:
    files = {**forge.images(), "artwork.png": forge.png(358, 448)}
    made = forge.pkpass(changed(storeCard=None, posterGeneric={}), files=files)
    assert only(inspect(made)) == "style"


def test_a_poster_repeats_the_fields_of_its_fallback_without_fault() -> None:
    header = forge.content()["storeCard"]["headerFields"]
    files = {**forge.images(), "artwork.png": forge.png(358, 448)}
    made = forge.pkpass(changed(posterGeneric={"headerFields": header}), files=files)
    assert inspect(made) == []


def test_personalisation_needs_the_entitlement_too() -> None:
    made = forge.pkpass(files={**forge.images(), "personalization.json": b"{}"})
    assert only(inspect(made)) == "nfc_entitlement"
    assert inspect(made, nfc_entitled=True) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"serialNumber": "another"}, "serial_changed"),
        ({"authenticationToken": "another-token-long-enough"}, "token_changed"),
    ],
)
def test_what_never_changes_has_changed(changes: dict[str, Any], code: str) -> None:
    assert only(inspect(forge.pkpass(changed(**changes)), previous=forge.pkpass())) == code


def test_a_new_balance_is_no_fault_against_the_earlier_pass() -> None:
    later = forge.pkpass(forge.content(forge.face(balance=5)))
    assert inspect(later, previous=forge.pkpass()) == []
    assert only(inspect(later, previous=b"")) == "previous_unreadable"


@given(st.integers(91, 10**450), st.sampled_from(["latitude", "longitude"]))
def test_a_number_too_large_for_a_float_is_a_fault_like_any_other(number: int, name: str) -> None:
    place = {"latitude": 1, "longitude": 2, name: -(10**400) - number}
    assert only(inspect(forge.pkpass(changed(locations=[place])))) == "location_bad"
