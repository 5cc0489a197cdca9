"""``python -m app.migrations``: write the first revision anew from the models.

Allowed only until the first release is out; every later change of the schema is a revision of its
own. Only the part between the two marks changes; run `ruff format` on the file afterwards.
"""

import re
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from app.db import Id, Moment
from app.schema import metadata

FIRST = Path(__file__).parent / "versions" / "0001_first_release.py"
BEGIN, END = "    # --- made from the models ---\n", "    # --- end ---\n"


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # A revision must not change when our own type does: it keeps what the database sees.
    if kind == "type" and isinstance(item, Moment):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and item is Id:
        return "sa.Uuid(as_uuid=False)"
    return False


def render() -> str:
    """Python code that makes every table of the models in an empty database."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection)
        script = produce_migrations(context, metadata)
    if script.upgrade_ops is None:
        raise RuntimeError("Alembic found nothing to make")
    code = render_python_code(script.upgrade_ops, render_item=_render, migration_context=context)
    code = re.sub(r"^ *#.*\n?", "", code, flags=re.MULTILINE)
    return "".join(f"{line}\n" for line in code.splitlines() if line.strip())


def main() -> None:
    """Rewrite the first revision."""
    text = FIRST.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    FIRST.write_text(before + BEGIN + render() + END + after)


if __name__ == "__main__":
    main()
