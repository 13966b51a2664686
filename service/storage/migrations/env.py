"""Runs Alembic on the connection that is handed to it; there is no configuration file."""

from alembic import context

from service.storage.base import Base
from service.storage.partitions import is_partition

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_name=lambda name, kind, _parents: kind != "table" or not is_partition(name or ""),
    user_module_prefix="base.",
    compare_type=True,
)
context.run_migrations()
