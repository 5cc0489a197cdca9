"""`/api/pos/v1`: looking members up, and what moved on their accounts."""

import re
from typing import Any

from app.api.fields import UUID
from app.api.pos import examples, schemas
from app.api.pos.door import blueprint, holder, scoped
from app.cards import service as cards
from app.context import current_context
from app.errors import Invalid, NotFound
from app.pos import listing, members
from app.pos.rules import Scope


@blueprint.get("/members/<card_id>", endpoint=scoped("member", Scope.MEMBERS_READ))
@blueprint.output(schemas.MemberPageOut, example=examples.MEMBER)
@blueprint.doc(summary="A card, whose it is, and its points", security="pos")
def member(card_id: str) -> dict[str, Any]:
    """By the card's id. That somebody looked is recorded."""
    context = current_context()
    with context.database.write(holder().programme_id) as session:
        if not re.fullmatch("[0-9a-f]{16}", card_id):
            raise NotFound("There is no such card in this programme.")
        card = cards.card_by_id(session, card_id)
        return members.card_page(session, context.keys, holder(), card, now=context.clock())


@blueprint.post("/members/search", endpoint=scoped("search", Scope.MEMBERS_READ))
@blueprint.input(schemas.SearchIn, arg_name="body", example=examples.SEARCH)
@blueprint.output(schemas.FoundOut, example=examples.FOUND)
@blueprint.doc(summary="Find cards by a scanned code or an e-mail address", security="pos")
def search(body: dict[str, Any]) -> dict[str, Any]:
    """In a body, so that neither gets into an address or a log. Nobody found is an empty list."""
    context = current_context()
    with context.database.write(holder().programme_id) as session:
        found = members.search(session, context.keys, holder(), body, now=context.clock())
    return {"items": found}


@blueprint.get("/accounts/<account_id>/entries", endpoint=scoped("entries", Scope.MEMBERS_READ))
@blueprint.input(schemas.PageIn, location="query", arg_name="page")
@blueprint.output(schemas.EntriesOut, example=examples.ENTRIES)
@blueprint.doc(summary="What moved on an account, the newest first", security="pos")
def entries(account_id: str, page: dict[str, Any]) -> dict[str, Any]:
    """Go on with `cursor` set to the `next_cursor` of the page before, until it is null."""
    check_limit(page)
    if not re.fullmatch(UUID, account_id):
        raise NotFound("There is no such account.")
    context = current_context()
    with context.database.read(holder().programme_id) as session:
        found = members.entries(session, account_id, limit=page["limit"], cursor=page["cursor"])
        return listing.as_json(found, members.entry_json)


def check_limit(page: dict[str, Any]) -> None:
    """Raise `Invalid` unless a page has 1 to 200 rows."""
    if not 1 <= page["limit"] <= schemas.LONGEST_PAGE:
        text = f"Give a whole number from 1 to {schemas.LONGEST_PAGE}."
        raise Invalid(text, {"limit": [text]})
