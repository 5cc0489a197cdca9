"""What rows of the ledger have in common."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db import Id, OfProgramme

#: SQLite counts up only what it calls INTEGER.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class OfAccount(OfProgramme):
    """Mixin of rows that hang on an account, or on what hangs on one: it has their programme.

    No foreign key of their own: every posting would lock the programme's row for a moment, and on
    PostgreSQL many postings at once lock it together, which costs more than writing the rows.
    """

    @declared_attr
    def programme_id(cls) -> Mapped[str]:
        return mapped_column(Id)
