"""`/api/pos/v1/quote`: asked for every basket, so it reads and writes nothing."""

from typing import Any

from app.api.pos import examples, quote_schemas
from app.api.pos.door import blueprint, holder, scoped
from app.context import current_context
from app.pos import quoting
from app.pos.rules import Scope


@blueprint.post("/quote", endpoint=scoped("quote", Scope.QUOTE))
@blueprint.input(quote_schemas.BasketQuoteIn, arg_name="body", example=examples.QUOTE)
@blueprint.output(quote_schemas.BasketQuoteOut, example=examples.QUOTED)
@blueprint.doc(summary="What a basket would earn, and what may be redeemed with it", security="pos")
def quote(body: dict[str, Any]) -> dict[str, Any]:
    """By the very rules of an accrual. Nothing is kept: no Idempotency-Key is needed."""
    context = current_context()
    with context.database.read(holder().programme_id) as session:
        return quoting.quote(session, holder(), body, now=context.clock())
