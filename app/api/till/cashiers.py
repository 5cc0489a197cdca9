"""Signing cashiers in and out at a till."""

from typing import Any

from flask import request

from app.api.till import schemas
from app.api.till.door import CASHIER, as_till, blueprint
from app.context import current_context
from app.till import access


@blueprint.post("/cashier-sessions")
@blueprint.input(schemas.SignInIn, arg_name="body")
@blueprint.output(schemas.SignedInOut, status_code=201)
@blueprint.doc(summary="Sign a cashier in with a PIN", security="till")
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    context = current_context()
    with context.database.write_all() as session:
        till = as_till(session)
        signed_in = access.sign_in(session, till, body["cashier"], body["pin"], now=context.clock())
        person = signed_in.person
        return {
            "token": signed_in.token,
            "expires_at": signed_in.expires_at.isoformat(),
            "cashier": {"id": person.id, "name": person.name, "role": person.role},
        }


@blueprint.delete("/cashier-sessions/current")
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Sign the cashier out", security="till")
def sign_out() -> str:
    context = current_context()
    with context.database.write_all() as session:
        till = as_till(session)
        access.sign_out(session, till, request.headers.get(CASHIER, ""), now=context.clock())
    return ""
