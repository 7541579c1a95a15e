"""What Alembic runs: the steps on the connection that the store hands over."""

from __future__ import annotations

from alembic import context

from prognoscope.store.catalogue import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, transactional_ddl=False)
context.run_migrations()
