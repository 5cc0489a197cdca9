"""counterfoil card print: cards of paper, for people without a phone."""

from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cards import service
from app.cards.models import Card
from app.cli.common import enter_programme, open_context, programme_option
from app.context import Context
from app.errors import Invalid, NotFound
from app.ledger import service as ledger
from app.members.service import contact_of
from app.printing import PaperCard, card_drawing, pdf_of, sheet_drawings, svg_of
from app.programmes import benefit
from app.programmes.models import Programme
from passes.card import CardStatus
from passes.code import Kind

MOST_BLANK = 5000
SOURCE = "printed"


@click.command("print")
@click.argument("card_ids", metavar="[CARD]...", nargs=-1)
@click.option(
    "--blank",
    type=click.IntRange(1, MOST_BLANK),
    help="So many new cards that are nobody's yet, to hand out.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="What to write: .pdf, or .svg for one page.",
)
@click.option(
    "--single", is_flag=True, help="A page a card, in its own size, for a card printer; not sheets."
)
@click.option("--name/--no-name", default=True, help="Print the member's name on the card.")
@programme_option
def print_(
    card_ids: tuple[str, ...],
    blank: int | None,
    out: Path,
    single: bool,
    name: bool,
    slug: str | None,
) -> None:
    """Print cards, ten to an A4 sheet.

    A member with a card in the phone gets a further one for the same account; CARD that is a
    printed one already is printed again as it is.
    """
    if bool(card_ids) == bool(blank):
        raise click.UsageError("Name the cards to print, or give --blank NUMBER.")
    if out.suffix.lower() not in {".pdf", ".svg"}:
        raise click.UsageError("Write a .pdf or a .svg.")
    count = blank or len(card_ids)
    if out.suffix.lower() == ".svg" and count > (1 if single else 10):
        raise click.UsageError("An .svg holds one page: write a .pdf.")
    context = open_context(make=False)
    with context.database.write_all() as session:
        programme = enter_programme(session, slug)
        if blank:
            cards = [_blank(session, context, programme) for _ in range(blank)]
        else:
            cards = [_printed(session, context, card_id) for card_id in card_ids]
        papers = [_paper(session, context, programme, card, name) for card in cards]
        pages = [card_drawing(each) for each in papers] if single else [*sheet_drawings(papers)]
        if out.suffix.lower() == ".svg":
            out.write_text(svg_of(pages[0]), "utf-8")
        else:
            out.write_bytes(pdf_of(pages, title=f"{programme.name}: {count} cards"))
    click.echo(f"{out}: {count} {'card' if count == 1 else 'cards'}. Print it at 100 %.")


def _blank(session: Session, context: Context, programme: Programme) -> Card:
    now = context.clock()
    return service.issue_card(
        session,
        context.keys,
        programme.id,
        account_id=ledger.open_account(session, now=now).id,
        kind=Kind.PRINTED,
        source=SOURCE,
        now=now,
    )


def _printed(session: Session, context: Context, card_id: str) -> Card:
    card = session.scalar(select(Card).where(Card.id == card_id.lower()))
    if card is None:
        raise NotFound(f"There is no card {card_id!r}.")
    if card.status != CardStatus.ACTIVE:
        raise Invalid(f"The card {card_id} is {card.status}: print its successor.")
    if card.kind == Kind.PRINTED:
        return card
    return service.issue_card(
        session,
        context.keys,
        card.programme_id,
        account_id=card.account_id,
        member_id=card.member_id,
        kind=Kind.PRINTED,
        language=card.language,
        source=SOURCE,
        now=context.clock(),
    )


def _paper(
    session: Session, context: Context, programme: Programme, card: Card, with_name: bool
) -> PaperCard:
    holder = contact_of(session, context.keys, card.member_id).name if with_name else None
    return PaperCard(
        code=card.code,
        number=card.id,
        programme=programme.name,
        benefit=benefit.line(programme, card.language, context.clock()),
        background=programme.colours["background"],
        foreground=programme.colours["foreground"],
        holder=holder,
    )
