"""The first pass of a design is looked through as a phone would, before anybody gets one."""

import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import update

from app import create_app
from app.cards.models import Card
from app.cards.service import create_link
from app.certs import ROOT
from app.context import Context
from app.delivery.inspecting import AGAIN, DesignRefused, refused_designs
from app.delivery.models import PassDesign
from app.delivery.wallets import ApplePasses
from app.programmes.models import Programme
from tests.passes import certificates


def distrust(context: Context) -> bytes:
    """Put another root in the place of ours: phones would refuse every pass. The right one."""
    path = context.config.certs_dir / ROOT
    right = path.read_bytes()
    path.write_bytes(certificates.root().certificate.public_bytes(Encoding.PEM))
    return right


def build(passes: ApplePasses, context: Context, card: Card) -> bytes:
    with context.database.read(card.programme_id) as session:
        return passes.build(session, card, now=context.clock())


def designs(context: Context) -> list[PassDesign]:
    with context.database.read_all() as session:
        return session.query(PassDesign).all()


def test_a_design_is_inspected_once_whoever_asks(
    context: Context, programme: Any, caplog: pytest.LogCaptureFixture
) -> None:
    passes = ApplePasses(context)
    for card in (programme.issue(), programme.issue()):
        assert build(passes, context, card)
    [design] = designs(context)
    assert (design.passed, design.inspected_at) == (True, context.clock())
    # From here on everything would be refused if it were inspected: it is not.
    distrust(context)
    context.clock.advance(AGAIN)  # type: ignore[attr-defined]
    assert build(passes, context, programme.issue())
    assert build(ApplePasses(context), context, programme.issue())
    assert [each.inspected_at for each in designs(context)] == [design.inspected_at]
    assert caplog.records == []


def test_a_design_that_phones_would_refuse_goes_to_nobody_and_the_log_says_why(
    context: Context, programme: Any, caplog: pytest.LogCaptureFixture
) -> None:
    distrust(context)
    passes, card = ApplePasses(context), programme.issue()
    for _ in range(3):
        with pytest.raises(DesignRefused, match="tell the shop"):
            build(passes, context, card)
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert "signature: The chain ends at" in record.getMessage()
    [design] = designs(context)
    assert not design.passed
    assert design.findings[0]["code"] == "root_untrusted"
    with context.database.read_all() as session:
        [refused] = refused_designs(session)
    assert (refused.programme, refused.findings) == (programme.slug, design.findings)


def test_a_design_that_was_put_right_is_given_out_a_minute_later(
    context: Context, programme: Any
) -> None:
    right = distrust(context)
    passes, card = ApplePasses(context), programme.issue()
    with pytest.raises(DesignRefused):
        build(passes, context, card)
    (context.config.certs_dir / ROOT).write_bytes(right)
    with pytest.raises(DesignRefused):
        build(passes, context, card)
    context.clock.advance(AGAIN)  # type: ignore[attr-defined]
    assert build(passes, context, card)
    with context.database.read_all() as session:
        assert refused_designs(session) == []


def test_another_look_is_another_design(context: Context, programme: Any) -> None:
    passes, card = ApplePasses(context), programme.issue()
    build(passes, context, card)
    with context.database.write_all() as session:
        session.execute(
            update(Programme).where(Programme.id == card.programme_id).values(name="Another name")
        )
    build(ApplePasses(context), context, card)
    assert len(designs(context)) == 2


def test_the_customer_reads_that_the_shop_has_to_look(context: Context, programme: Any) -> None:
    distrust(context)
    card = programme.issue()
    with context.database.write(card.programme_id) as session:
        token = create_link(session, card, now=context.clock())
    answer = create_app(context).test_client().get(f"/card/{token}/pass.pkpass")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "Please tell the shop" in answer.text
    assert "root" not in answer.text
