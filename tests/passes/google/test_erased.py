"""Of an erased card nothing stands at Google but that it is over: objects cannot be deleted."""

import dataclasses

import pytest

from passes.apple import pass_json
from passes.card import CardFace, CardKind, CardStatus
from passes.google.loyalty import loyalty_object
from passes.google.offer import offer_object
from tests.passes.faces import of_every_kind

NAMES = {"object_id": "3388.card", "class_id": "3388.class"}
BLANK = {"id": "3388.card", "classId": "3388.class", "state": "INACTIVE"}


def erase(face: CardFace) -> CardFace:
    issued = dataclasses.replace(face.issued, status=CardStatus.ERASED, member_name=None)
    return dataclasses.replace(face, issued=issued)


@pytest.mark.parametrize("kind", [kind for kind in CardKind if kind != CardKind.COUPON])
def test_an_erased_card_is_an_inactive_object_with_nothing_in_it(kind: CardKind) -> None:
    face = of_every_kind(everything=True)[kind]
    assert loyalty_object(erase(face), **NAMES, rotating={"type": "QR_CODE"}) == BLANK


def test_an_erased_coupon_too() -> None:
    face = of_every_kind(everything=True)[CardKind.COUPON]
    assert offer_object(erase(face), **NAMES) == BLANK


@pytest.mark.parametrize("kind", CardKind)
def test_an_erased_pass_is_void(kind: CardKind) -> None:
    content = pass_json.build(
        erase(of_every_kind(everything=True)[kind]),
        pass_type_identifier="pass.example",
        team_identifier="TEAM123456",
        web_service_url=None,
        authentication_token=None,
    )
    assert content["voided"] is True
