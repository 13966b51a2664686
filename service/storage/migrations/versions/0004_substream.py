"""A camera's smaller stream, sealed like its address."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it; no camera has one yet."""
    op.add_column("cameras", sa.Column("substream", sa.Text(), server_default="", nullable=False))
