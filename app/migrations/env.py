"""Run by Alembic; `app.migrations.upgrade` gives it the connection, inside a transaction."""

from alembic import context

from app.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
