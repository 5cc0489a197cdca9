"""What a till asks without posting: whose card it is, what an amount would give, receipts."""

from typing import Any

from flask import request

from app.api.till import posting_schemas, schemas
from app.api.till.door import CASHIER, as_till, at_counter, blueprint
from app.context import current_context
from app.till import access, asking, service


@blueprint.post("/presentations")
@blueprint.input(schemas.LookUpIn, arg_name="body")
@blueprint.output(schemas.LookUpOut)
@blueprint.doc(
    summary="Look a scanned code up; a one-time value in it is consumed", security="till"
)
def look_up(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.write_all() as session:
        till = as_till(session)
        access.cashier(session, till, request.headers.get(CASHIER), now=context.clock())
        return service.look_up(session, context.keys, till, body["code"], now=context.clock())


@blueprint.post("/quotes")
@blueprint.input(posting_schemas.QuoteIn, arg_name="body")
@blueprint.output(posting_schemas.QuoteOut)
@blueprint.doc(summary="Say what an amount would give to a card; nothing is kept", security="till")
def quote(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    now = context.clock()
    with context.database.read_all() as session:
        return asking.quoted(session, at_counter(session, now), body, now=now)


@blueprint.post("/receipts")
@blueprint.input(schemas.ReceiptIn, arg_name="body")
@blueprint.output(schemas.ReceiptsOut)
@blueprint.doc(summary="Find the latest receipts of a number, for a return", security="till")
def receipts(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.read_all() as session:
        at_counter(session, context.clock())
        return {"receipts": asking.receipts_of(session, body["number"])}
