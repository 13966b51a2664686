"""The tables: the registry (dated), what was measured, and what became of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.storage.base import Base, Dated, Name, Row, Text
from service.storage.sealing import SealedText

# The registry. Text ids are the identity; rows are versions of a record, see Dated.


class Site(Dated, Base):
    """A junction or a public area of the city's list."""

    __tablename__ = "sites"
    __table_args__ = (
        UniqueConstraint("site_id", "valid_from"),
        CheckConstraint("kind IN ('junction', 'public_area')", name="kind"),
    )
    site_id: Mapped[Name]
    name: Mapped[Text]
    kind: Mapped[Name]
    is_key: Mapped[bool]
    lat: Mapped[float | None]
    lon: Mapped[float | None]
    ward: Mapped[Text]
    district: Mapped[Text]
    province: Mapped[Text]
    note: Mapped[Text]


class Approach(Dated, Base):
    """One arm of a junction; ``required``: the junction is not watched unless it is seen."""

    __tablename__ = "approaches"
    __table_args__ = (UniqueConstraint("site_id", "approach_id", "valid_from"),)
    site_id: Mapped[Name]
    approach_id: Mapped[Name]
    name: Mapped[Text]
    bearing: Mapped[float | None]
    lanes: Mapped[int | None]
    width_m: Mapped[float | None]
    required: Mapped[bool]


class Camera(Dated, Base):
    """A video source; its addresses are sealed, and hold ``${NAME}`` where a secret belongs."""

    __tablename__ = "cameras"
    __table_args__ = (UniqueConstraint("camera_id", "valid_from"), Index(None, "site_id"))
    camera_id: Mapped[Name]
    site_id: Mapped[Name]
    name: Mapped[Text]
    address: Mapped[str] = mapped_column(SealedText(), server_default="")
    substream: Mapped[str] = mapped_column(SealedText(), server_default="")
    note: Mapped[Text]


class Owner(Dated, Base):
    """The one camera that speaks for an approach; others on it are reserves and are never added."""

    __tablename__ = "owners"
    __table_args__ = (UniqueConstraint("site_id", "approach_id", "valid_from"),)
    site_id: Mapped[Name]
    approach_id: Mapped[Name]
    camera_id: Mapped[Name]


class CameraView(Dated, Base):
    """A version of what is drawn on a camera's image; ``definition`` is a ``vision.views.View``."""

    __tablename__ = "views"
    __table_args__ = (UniqueConstraint("camera_id", "valid_from"), Index(None, "camera_id", "version"))
    camera_id: Mapped[Name]
    version: Mapped[int]
    definition: Mapped[dict[str, Any]]
    sha256: Mapped[Text]


class Calibration(Dated, Base):
    """How well the calibration of a camera's view fits, with the dates of the view.

    ``definition`` names the version that speeds and densities carry, or the problem where it gives none.
    """

    __tablename__ = "calibrations"
    __table_args__ = (UniqueConstraint("camera_id", "valid_from"),)
    camera_id: Mapped[Name]
    definition: Mapped[dict[str, Any]]
    error_m: Mapped[float | None]


class Target(Dated, Base):
    """The share of sites of a kind that shall be watched, 0 to 1."""

    __tablename__ = "targets"
    __table_args__ = (UniqueConstraint("kind", "valid_from"),)
    kind: Mapped[Name]
    share: Mapped[float]


class RegistryRevision(Base):
    """One row: a number that grows with every change of the registry; workers follow it."""

    __tablename__ = "registry_revision"
    __table_args__ = (CheckConstraint("pk = 1", name="one_row"),)
    pk: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    changed_at: Mapped[datetime]


# What was measured.


class Segment(Base):
    """A stretch of one camera's time analysed with one view, model and source; its id comes from these."""

    __tablename__ = "segments"
    __table_args__ = (Index(None, "camera_id", "started_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    camera_id: Mapped[Name]
    site_id: Mapped[Name | None]
    kind: Mapped[Name]
    source: Mapped[Text]
    source_sha256: Mapped[Text]
    model: Mapped[Text]
    model_sha256: Mapped[Text]
    view_version: Mapped[int | None]
    view_sha256: Mapped[Text]
    settings: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    final_until: Mapped[datetime | None]


class Authority(Base):
    """Which segment speaks for a camera when: spans of one camera never overlap."""

    __tablename__ = "authority"
    __table_args__ = (UniqueConstraint("camera_id", "valid_from"), Index(None, "segment_id"))
    pk: Mapped[Row]
    camera_id: Mapped[Name]
    segment_id: Mapped[UUID] = mapped_column(ForeignKey("segments.id"))
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime | None]


class CrossingRow(Base):
    """One vehicle passing one gate; x and y are fractions of the picture's width and height."""

    __tablename__ = "crossings"
    __table_args__ = (
        Index(None, "site_id", "time"),
        Index(None, "camera_id", "time"),
        {"postgresql_partition_by": "RANGE (time)", "sqlite_with_rowid": False},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    time: Mapped[datetime] = mapped_column(primary_key=True)
    segment_id: Mapped[UUID]
    camera_id: Mapped[Name]
    site_id: Mapped[Name | None]
    approach_id: Mapped[Name | None]
    gate: Mapped[Name]
    direction: Mapped[Name]
    ordinal: Mapped[int]
    vehicle_class: Mapped[Name]
    confidence: Mapped[float]
    x: Mapped[float]
    y: Mapped[float]
    movement: Mapped[Name | None]
    origin: Mapped[Name | None]


class Observed(Base):
    """How much of an interval a camera was watched; where nothing was, its counts are unknown, not 0."""

    __tablename__ = "observed"
    __table_args__ = (
        # Rows of one camera lie a page apart: a month of them is read from the index alone.
        Index(
            None,
            *("camera_id", "length", "start"),
            postgresql_include=["segment_id", "site_id", "observed_seconds"],
        ),
        {"postgresql_partition_by": "RANGE (start)"},
    )
    segment_id: Mapped[UUID] = mapped_column(primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(primary_key=True)
    camera_id: Mapped[Name]
    site_id: Mapped[Name | None]
    observed_seconds: Mapped[float]
    expected_seconds: Mapped[float]
    status: Mapped[Name]
    light: Mapped[Name | None]
    revision: Mapped[int]
    final: Mapped[bool]


class MovementCount(Base):
    """Crossings of a gate or movement (``kind``) in 15 minutes, by class; recomputable from crossings."""

    __tablename__ = "movement_counts"
    __table_args__ = (
        Index(
            None,
            *("camera_id", "kind", "item", "start"),
            postgresql_include=[
                *("length", "segment_id", "approach_id", "direction"),
                *("bicycle", "motorcycle", "car", "bus", "truck", "unknown"),
            ],
        ),
        Index(None, "site_id", "start"),
        {"postgresql_partition_by": "RANGE (start)"},
    )
    segment_id: Mapped[UUID] = mapped_column(primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Name] = mapped_column(primary_key=True)
    item: Mapped[Name] = mapped_column(primary_key=True)
    direction: Mapped[Name] = mapped_column(primary_key=True)
    camera_id: Mapped[Name]
    site_id: Mapped[Name | None]
    approach_id: Mapped[Name | None]
    bicycle: Mapped[int]
    motorcycle: Mapped[int]
    car: Mapped[int]
    bus: Mapped[int]
    truck: Mapped[int]
    unknown: Mapped[int]


class ApproachInterval(Base):
    """One approach in one interval: the sums that figures come from, and the main figures, ready to select.

    ``sums`` holds a ``vision.density.ApproachInterval`` without what is zero or empty in it, so that longer
    intervals are merged exactly. A figure is null where nothing was observed, or it cannot be known.
    """

    __tablename__ = "approach_intervals"
    __table_args__ = (
        Index(None, "site_id", "length", "start"),
        Index(None, "camera_id", "length", "start"),
        {"postgresql_partition_by": "RANGE (start)"},
    )
    segment_id: Mapped[UUID] = mapped_column(primary_key=True)
    approach_id: Mapped[Name] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    camera_id: Mapped[Name]
    site_id: Mapped[Name | None]
    observed_seconds: Mapped[float]
    expected_seconds: Mapped[float]
    status: Mapped[Name]
    revision: Mapped[int]
    final: Mapped[bool]
    light: Mapped[Name | None]
    count: Mapped[int | None]
    count_out: Mapped[int | None]
    flow_per_h: Mapped[float | None]
    flow_pcu_per_h: Mapped[float | None]
    density_per_km: Mapped[float | None]
    space_mean_speed_kmh: Mapped[float | None]
    speed_p85_kmh: Mapped[float | None]
    area_occupancy: Mapped[float | None]
    area_occupancy_basis: Mapped[Name | None]
    time_occupancy: Mapped[float | None]
    queue_max_m: Mapped[float | None]
    queue_max_at_least: Mapped[bool | None]
    queue_p95_m: Mapped[float | None]
    stopped_vehicles: Mapped[float | None]
    delay_s: Mapped[float | None]
    level: Mapped[Name | None]
    density_band: Mapped[Name | None]
    sums: Mapped[dict[str, Any]]


class JunctionInterval(Base):
    """One junction in one interval, made of its approaches as their owners saw them."""

    __tablename__ = "junction_intervals"
    __table_args__ = (
        Index(None, "length", "start", "site_id"),
        {"postgresql_partition_by": "RANGE (start)"},
    )
    site_id: Mapped[Name] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(primary_key=True)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    observed_seconds: Mapped[float]
    expected_seconds: Mapped[float]
    status: Mapped[Name]
    revision: Mapped[int]
    final: Mapped[bool]
    approaches_required: Mapped[int]
    approaches_observed: Mapped[int]
    count: Mapped[int | None]
    flow_per_h: Mapped[float | None]
    flow_pcu_per_h: Mapped[float | None]
    delay_s: Mapped[float | None]
    level: Mapped[Name | None]
    approaches: Mapped[dict[str, Any]]


# What became of it.


class Incident(Base):
    """Something that happened at a site and somebody should look at."""

    __tablename__ = "incidents"
    __table_args__ = (Index(None, "site_id", "started_at"), Index(None, "started_at"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    site_id: Mapped[Name | None]
    approach_id: Mapped[Name | None]
    camera_id: Mapped[Name | None]
    kind: Mapped[Name]
    severity: Mapped[Name]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    details: Mapped[dict[str, Any]]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[Text]


class CameraHealth(Base):
    """A stretch of time in which a camera was in one state of health.

    ``seen_at`` is when the state was last confirmed: where nobody confirms it any more, nothing is known.
    """

    __tablename__ = "camera_health"
    __table_args__ = (UniqueConstraint("camera_id", "started_at"),)
    pk: Mapped[Row]
    camera_id: Mapped[Name]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    state: Mapped[Name]
    reason: Mapped[Text]
    detail: Mapped[dict[str, Any]]


class CoverageSnapshot(Base):
    """The four coverage figures of one kind of site at a moment, shares 0 to 1; null where not known."""

    __tablename__ = "coverage_snapshots"
    __table_args__ = (UniqueConstraint("kind", "time"),)
    pk: Mapped[Row]
    time: Mapped[datetime]
    kind: Mapped[Name]
    sites: Mapped[int]
    installed: Mapped[float | None]
    operational: Mapped[float | None]
    effective: Mapped[float | None]
    time_weighted: Mapped[float | None]
    target: Mapped[float | None]
    detail: Mapped[dict[str, Any]]
    taken_at: Mapped[datetime]


class Run(Base):
    """One execution of the analysis, finished or not; a rerun is another run of the same segment."""

    __tablename__ = "runs"
    __table_args__ = (Index(None, "segment_id"), Index(None, "camera_id", "started_at"))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    segment_id: Mapped[UUID]
    camera_id: Mapped[Name]
    source: Mapped[Text]
    source_sha256: Mapped[Text]
    model: Mapped[Text]
    model_sha256: Mapped[Text]
    versions: Mapped[dict[str, Any]]
    summary: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    state: Mapped[Name]


class Exclusion(Base):
    """A period left out of reports, with who said so and why; where an id is null, all of them are meant."""

    __tablename__ = "exclusions"
    __table_args__ = (
        Index(None, "site_id", "started_at"),
        CheckConstraint("site_id IS NOT NULL OR camera_id IS NOT NULL", name="what"),
    )
    pk: Mapped[Row]
    site_id: Mapped[Name | None]
    approach_id: Mapped[Name | None]
    camera_id: Mapped[Name | None]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    reason: Mapped[Text]
    author: Mapped[Text]
    created_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[Text]


class Audit(Base):
    """Who did what, when; only ever added to."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "time"),)
    pk: Mapped[Row]
    time: Mapped[datetime]
    actor: Mapped[Text]
    action: Mapped[Name]
    what: Mapped[Text]
    detail: Mapped[dict[str, Any]]


class Alarm(Base):
    """Something somebody should act on: raised once, acknowledged by a person, cleared when it is over.

    ``subject`` says what it is about (kind, site, approach and camera in one text): at most one alarm of a
    subject is open. ``revision`` grows with each change, for whoever follows them.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        Index(None, "subject", "cleared_at"),
        Index(None, "raised_at"),
        Index(None, "cleared_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[Text]
    kind: Mapped[Name]
    severity: Mapped[Name]
    site_id: Mapped[Name | None]
    approach_id: Mapped[Name | None]
    camera_id: Mapped[Name | None]
    raised_at: Mapped[datetime]
    cleared_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[Text]
    note: Mapped[Text]
    details: Mapped[dict[str, Any]]
    revision: Mapped[int]


class AlarmRule(Base):
    """Thresholds of one kind of alarm, for one site or (site_id empty) for those without one of their own."""

    __tablename__ = "alarm_rules"
    __table_args__ = (UniqueConstraint("kind", "site_id"),)
    pk: Mapped[Row]
    kind: Mapped[Name]
    site_id: Mapped[Name]
    enabled: Mapped[bool]
    settings: Mapped[dict[str, Any]]


class Job(Base):
    """A recording somebody gave to be counted, and what became of it."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "created_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[Text]
    path: Mapped[Text]
    sha256: Mapped[Text]
    state: Mapped[Name]
    progress: Mapped[float]
    message: Mapped[Text]
    options: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    created_by: Mapped[Text]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class ViewPicture(Base):
    """What a view was drawn on: the empty street, by which a moved camera is known.

    ``picture`` is a JPEG of the background without vehicles or people. A view counts as confirmed since
    ``confirmed_at``; null after the camera has moved, until somebody looks.
    """

    __tablename__ = "view_pictures"
    camera_id: Mapped[Name] = mapped_column(primary_key=True)
    view_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[Text]
    picture: Mapped[bytes]


# Who may do what.


class Account(Base):
    """Somebody who may log in; ``role`` is viewer, operator, engineer or administrator."""

    __tablename__ = "accounts"
    login: Mapped[Name] = mapped_column(primary_key=True)
    name: Mapped[Text]
    role: Mapped[Name]
    language: Mapped[Name]
    password_hash: Mapped[Text]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]


class Session(Base):
    """A browser that is logged in; the cookie holds a random value of which only the checksum is kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "login"),)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    login: Mapped[Name]
    csrf: Mapped[Text]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    client: Mapped[Text]


class ApiToken(Base):
    """A key for programs, with a scope and an end; only its checksum is kept."""

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("sha256"),)
    pk: Mapped[Row]
    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[Text]
    login: Mapped[Name]
    scope: Mapped[Name]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Invitation(Base):
    """A one-time link by which somebody sets the password of an account."""

    __tablename__ = "invitations"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    login: Mapped[Name]
    role: Mapped[Name]
    created_at: Mapped[datetime]
    created_by: Mapped[Text]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Secret(Base):
    """A value that an address names as ``${name}``, encrypted with a key that is not in the database."""

    __tablename__ = "secrets"
    name: Mapped[Name] = mapped_column(primary_key=True)
    sealed: Mapped[Text]
    changed_at: Mapped[datetime]
