"""The first tables."""

import sqlalchemy as sa
from alembic import op

from service.storage import base

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.create_table(
        "approach_intervals",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("approach_id", sa.String(length=64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("start", base.Moment(), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("observed_seconds", sa.Double(), nullable=False),
        sa.Column("expected_seconds", sa.Double(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("light", sa.String(length=64), nullable=True),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("count_out", sa.Integer(), nullable=True),
        sa.Column("flow_per_h", sa.Double(), nullable=True),
        sa.Column("flow_pcu_per_h", sa.Double(), nullable=True),
        sa.Column("density_per_km", sa.Double(), nullable=True),
        sa.Column("space_mean_speed_kmh", sa.Double(), nullable=True),
        sa.Column("speed_p85_kmh", sa.Double(), nullable=True),
        sa.Column("area_occupancy", sa.Double(), nullable=True),
        sa.Column("area_occupancy_basis", sa.String(length=64), nullable=True),
        sa.Column("time_occupancy", sa.Double(), nullable=True),
        sa.Column("queue_max_m", sa.Double(), nullable=True),
        sa.Column("queue_max_at_least", sa.Boolean(), nullable=True),
        sa.Column("queue_p95_m", sa.Double(), nullable=True),
        sa.Column("stopped_vehicles", sa.Double(), nullable=True),
        sa.Column("delay_s", sa.Double(), nullable=True),
        sa.Column("level", sa.String(length=64), nullable=True),
        sa.Column("density_band", sa.String(length=64), nullable=True),
        sa.Column(
            "sums",
            base.Json,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint(
            "segment_id", "approach_id", "length", "start", name=op.f("pk_approach_intervals")
        ),
        postgresql_partition_by="RANGE (start)",
    )
    op.create_index(
        op.f("ix_approach_intervals_camera_id_length_start"),
        "approach_intervals",
        ["camera_id", "length", "start"],
        unique=False,
    )
    op.create_index(
        op.f("ix_approach_intervals_site_id_length_start"),
        "approach_intervals",
        ["site_id", "length", "start"],
        unique=False,
    )
    op.create_table(
        "approaches",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("approach_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("bearing", sa.Double(), nullable=True),
        sa.Column("lanes", sa.Integer(), nullable=True),
        sa.Column("width_m", sa.Double(), nullable=True),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_approaches")),
        sa.UniqueConstraint(
            "site_id", "approach_id", "valid_from", name=op.f("uq_approaches_site_id_approach_id_valid_from")
        ),
    )
    op.create_table(
        "audit",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("time", base.Moment(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "detail",
            base.Json,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_time"), "audit", ["time"], unique=False)
    op.create_table(
        "calibrations",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column(
            "definition",
            base.Json,
            nullable=False,
        ),
        sa.Column("error_m", sa.Double(), nullable=True),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_calibrations")),
        sa.UniqueConstraint("camera_id", "valid_from", name=op.f("uq_calibrations_camera_id_valid_from")),
    )
    op.create_table(
        "camera_health",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("started_at", base.Moment(), nullable=False),
        sa.Column("ended_at", base.Moment(), nullable=True),
        sa.Column("seen_at", base.Moment(), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "detail",
            base.Json,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_camera_health")),
        sa.UniqueConstraint("camera_id", "started_at", name=op.f("uq_camera_health_camera_id_started_at")),
    )
    op.create_table(
        "cameras",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_cameras")),
        sa.UniqueConstraint("camera_id", "valid_from", name=op.f("uq_cameras_camera_id_valid_from")),
    )
    op.create_index(op.f("ix_cameras_site_id"), "cameras", ["site_id"], unique=False)
    op.create_table(
        "coverage_snapshots",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("time", base.Moment(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("sites", sa.Integer(), nullable=False),
        sa.Column("installed", sa.Double(), nullable=True),
        sa.Column("operational", sa.Double(), nullable=True),
        sa.Column("effective", sa.Double(), nullable=True),
        sa.Column("time_weighted", sa.Double(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column(
            "detail",
            base.Json,
            nullable=False,
        ),
        sa.Column("taken_at", base.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_coverage_snapshots")),
        sa.UniqueConstraint("kind", "time", name=op.f("uq_coverage_snapshots_kind_time")),
    )
    op.create_table(
        "crossings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("time", base.Moment(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("approach_id", sa.String(length=64), nullable=True),
        sa.Column("gate", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("vehicle_class", sa.String(length=64), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("movement", sa.String(length=64), nullable=True),
        sa.Column("origin", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", "time", name=op.f("pk_crossings")),
        postgresql_partition_by="RANGE (time)",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_crossings_camera_id_time"), "crossings", ["camera_id", "time"], unique=False)
    op.create_index(op.f("ix_crossings_site_id_time"), "crossings", ["site_id", "time"], unique=False)
    op.create_table(
        "exclusions",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("approach_id", sa.String(length=64), nullable=True),
        sa.Column("camera_id", sa.String(length=64), nullable=True),
        sa.Column("started_at", base.Moment(), nullable=False),
        sa.Column("ended_at", base.Moment(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("author", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", base.Moment(), nullable=False),
        sa.Column("withdrawn_at", base.Moment(), nullable=True),
        sa.Column("withdrawn_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("site_id IS NOT NULL OR camera_id IS NOT NULL", name=op.f("ck_exclusions_what")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_exclusions")),
    )
    op.create_index(
        op.f("ix_exclusions_site_id_started_at"), "exclusions", ["site_id", "started_at"], unique=False
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("approach_id", sa.String(length=64), nullable=True),
        sa.Column("camera_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.String(length=64), nullable=False),
        sa.Column("started_at", base.Moment(), nullable=False),
        sa.Column("ended_at", base.Moment(), nullable=True),
        sa.Column(
            "details",
            base.Json,
            nullable=False,
        ),
        sa.Column("acknowledged_at", base.Moment(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        op.f("ix_incidents_site_id_started_at"), "incidents", ["site_id", "started_at"], unique=False
    )
    op.create_table(
        "junction_intervals",
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("start", base.Moment(), nullable=False),
        sa.Column("observed_seconds", sa.Double(), nullable=False),
        sa.Column("expected_seconds", sa.Double(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("approaches_required", sa.Integer(), nullable=False),
        sa.Column("approaches_observed", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.Column("flow_per_h", sa.Double(), nullable=True),
        sa.Column("flow_pcu_per_h", sa.Double(), nullable=True),
        sa.Column("delay_s", sa.Double(), nullable=True),
        sa.Column("level", sa.String(length=64), nullable=True),
        sa.Column(
            "approaches",
            base.Json,
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("site_id", "length", "start", name=op.f("pk_junction_intervals")),
        postgresql_partition_by="RANGE (start)",
    )
    op.create_index(
        op.f("ix_junction_intervals_length_start"), "junction_intervals", ["length", "start"], unique=False
    )
    op.create_table(
        "movement_counts",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("start", base.Moment(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("direction", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("approach_id", sa.String(length=64), nullable=True),
        sa.Column("bicycle", sa.Integer(), nullable=False),
        sa.Column("motorcycle", sa.Integer(), nullable=False),
        sa.Column("car", sa.Integer(), nullable=False),
        sa.Column("bus", sa.Integer(), nullable=False),
        sa.Column("truck", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "segment_id", "start", "length", "kind", "item", "direction", name=op.f("pk_movement_counts")
        ),
        postgresql_partition_by="RANGE (start)",
    )
    op.create_index(
        op.f("ix_movement_counts_camera_id_kind_item_start"),
        "movement_counts",
        ["camera_id", "kind", "item", "start"],
        unique=False,
    )
    op.create_index(
        op.f("ix_movement_counts_site_id_start"), "movement_counts", ["site_id", "start"], unique=False
    )
    op.create_table(
        "observed",
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("start", base.Moment(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("observed_seconds", sa.Double(), nullable=False),
        sa.Column("expected_seconds", sa.Double(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("light", sa.String(length=64), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("segment_id", "start", "length", name=op.f("pk_observed")),
        postgresql_partition_by="RANGE (start)",
    )
    op.create_index(
        op.f("ix_observed_camera_id_length_start"), "observed", ["camera_id", "length", "start"], unique=False
    )
    op.create_table(
        "owners",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("approach_id", sa.String(length=64), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_owners")),
        sa.UniqueConstraint(
            "site_id", "approach_id", "valid_from", name=op.f("uq_owners_site_id_approach_id_valid_from")
        ),
    )
    op.create_table(
        "registry_revision",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", base.Moment(), nullable=False),
        sa.CheckConstraint("pk = 1", name=op.f("ck_registry_revision_one_row")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_registry_revision")),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("source_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("model_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "versions",
            base.Json,
            nullable=False,
        ),
        sa.Column(
            "summary",
            base.Json,
            nullable=False,
        ),
        sa.Column("started_at", base.Moment(), nullable=False),
        sa.Column("ended_at", base.Moment(), nullable=True),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_index(op.f("ix_runs_camera_id_started_at"), "runs", ["camera_id", "started_at"], unique=False)
    op.create_index(op.f("ix_runs_segment_id"), "runs", ["segment_id"], unique=False)
    op.create_table(
        "segments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("source_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("model", sa.Text(), server_default="", nullable=False),
        sa.Column("model_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("view_version", sa.Integer(), nullable=True),
        sa.Column("view_sha256", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "settings",
            base.Json,
            nullable=False,
        ),
        sa.Column("started_at", base.Moment(), nullable=False),
        sa.Column("ended_at", base.Moment(), nullable=True),
        sa.Column("final_until", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
    )
    op.create_index(
        op.f("ix_segments_camera_id_started_at"), "segments", ["camera_id", "started_at"], unique=False
    )
    op.create_table(
        "sites",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("is_key", sa.Boolean(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("ward", sa.Text(), server_default="", nullable=False),
        sa.Column("district", sa.Text(), server_default="", nullable=False),
        sa.Column("province", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.CheckConstraint("kind IN ('junction', 'public_area')", name=op.f("ck_sites_kind")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_sites")),
        sa.UniqueConstraint("site_id", "valid_from", name=op.f("uq_sites_site_id_valid_from")),
    )
    op.create_table(
        "targets",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_targets")),
        sa.UniqueConstraint("kind", "valid_from", name=op.f("uq_targets_kind_valid_from")),
    )
    op.create_table(
        "views",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "definition",
            base.Json,
            nullable=False,
        ),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_views")),
        sa.UniqueConstraint("camera_id", "valid_from", name=op.f("uq_views_camera_id_valid_from")),
    )
    op.create_index(op.f("ix_views_camera_id_version"), "views", ["camera_id", "version"], unique=False)
    op.create_table(
        "authority",
        sa.Column("pk", base.RowId, autoincrement=True, nullable=False),
        sa.Column("camera_id", sa.String(length=64), nullable=False),
        sa.Column("segment_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", base.Moment(), nullable=False),
        sa.Column("valid_to", base.Moment(), nullable=True),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name=op.f("fk_authority_segment_id")),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_authority")),
        sa.UniqueConstraint("camera_id", "valid_from", name=op.f("uq_authority_camera_id_valid_from")),
    )
    op.create_index(op.f("ix_authority_segment_id"), "authority", ["segment_id"], unique=False)
