"""Indices from which the longest reads are answered without going to the rows, which lie a page apart."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it; on PostgreSQL a city's year takes some minutes, in which nothing is written."""
    op.drop_index("ix_junction_intervals_length_start", "junction_intervals")
    op.create_index(
        "ix_junction_intervals_length_start_site_id", "junction_intervals", ["length", "start", "site_id"]
    )
    op.drop_index("ix_movement_counts_camera_id_kind_item_start", "movement_counts")
    op.create_index(
        "ix_movement_counts_camera_id_kind_item_start",
        "movement_counts",
        ["camera_id", "kind", "item", "start"],
        postgresql_include=[
            *("length", "segment_id", "approach_id", "direction"),
            *("bicycle", "motorcycle", "car", "bus", "truck", "unknown"),
        ],
    )
    op.drop_index("ix_observed_camera_id_length_start", "observed")
    op.create_index(
        "ix_observed_camera_id_length_start",
        "observed",
        ["camera_id", "length", "start"],
        postgresql_include=["segment_id", "site_id", "observed_seconds"],
    )
