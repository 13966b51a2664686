"""What a worker tells the service twice a second, and what it hears back: compact, no pictures in it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CameraState = Literal[
    "connecting",
    "live",
    "stalled",
    "offline",
    "frozen",
    "dark",
    "blinded",
    "blocked",
    "blurred",
    "moved",
]
"""What a camera is doing; ``live`` is the one in which frames arrive and what they show is of use."""

Stream = Literal["main", "sub"]
"""Which of a camera's streams: the one at its address, or its substream."""

VehicleLabel = Literal["bicycle", "motorcycle", "car", "bus", "truck", "unknown"]
Way = Literal["in", "out"]
ByClass = dict[VehicleLabel, Annotated[int, Field(ge=0)]]
"""Vehicles by class; a class that is not named has none."""

PICTURE_WIDTH = 640
"""Pictures that leave a worker are at most so many pixels wide."""

PICTURES_PER_SECOND = 5.0
"""And at most so many of one camera leave it in a second."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ApproachLive(_Message):
    """An approach in its newest closed interval; what was not observed or cannot be known is null."""

    approach: str = Field(description="id of the approach")
    level: str | None = Field(None, description="level of service or of congestion")
    density_per_km: float | None = Field(None, description="vehicles per km, by Edie")
    space_mean_speed_kmh: float | None = Field(None, description="space-mean speed, km/h, by Edie")
    queue_m: float | None = Field(None, description="longest queue in the interval, m")
    area_occupancy: float | None = Field(None, description="share of the zone covered by vehicles, 0 to 1")
    flow_per_h: float | None = Field(None, description="vehicles per hour over the approach's gates")
    start: float | None = Field(None, description="start of the interval, seconds since the epoch, UTC")
    end: float | None = Field(None, description="end of the interval, seconds since the epoch, UTC")


class CrossingLive(_Message):
    """One vehicle that passed a gate."""

    time: float = Field(description="seconds since the epoch, UTC")
    gate: str = Field(description="id of the gate")
    direction: Way = Field(description="in or out")
    vehicle_class: VehicleLabel = Field(description="class of the vehicle")
    movement: str | None = Field(None, description="movement that the crossing completes, if any")


class CameraReport(_Message):
    """One camera as its worker sees it now."""

    camera: str = Field(description="id of the camera")
    site: str | None = Field(None, description="id of its site")
    state: CameraState = Field(description="what the camera is doing")
    since: float = Field(description="since when, seconds since the epoch, UTC")
    reason: str = Field("", description="why, in one sentence, secrets masked")
    stream: Stream = Field("main", description="which of its streams is read")
    frame_time: float | None = Field(None, description="time of the newest frame that was analysed")
    age_s: float | None = Field(None, description="age of that frame when its analysis was through, s")
    source_fps: float | None = Field(None, description="frames a second that arrive")
    analysed_fps: float | None = Field(None, description="frames a second that are analysed")
    received: int = Field(0, ge=0, description="frames that arrived since the worker started")
    dropped: int = Field(0, ge=0, description="chosen frames dropped since then: too old or overtaken")
    counts: dict[str, dict[Way, ByClass]] = Field(
        default_factory=dict, description="crossings by gate, direction and class since counts_since"
    )
    counts_since: float | None = Field(
        None, description="local midnight or the worker's start, whichever is later, seconds since the epoch"
    )
    last_minute: ByClass = Field(default_factory=dict, description="crossings of the last 60 s by class")
    movements: dict[str, ByClass] = Field(
        default_factory=dict, description="completed movements by class since counts_since"
    )
    approaches: list[ApproachLive] = Field(default_factory=list, description="its approaches")
    crossings: list[CrossingLive] = Field(
        default_factory=list, description="crossings that are new since the last report"
    )
    width: int | None = Field(None, ge=1, description="width of the picture, pixels")
    height: int | None = Field(None, ge=1, description="height of the picture, pixels")


class OutboxLive(_Message):
    """How a worker's outbox stands."""

    waiting: int = Field(0, ge=0, description="messages that the database does not have yet")
    bytes: int = Field(0, ge=0, description="size on disk")
    limit: int = Field(0, ge=0, description="most bytes it may take")
    free: int = Field(0, ge=0, description="bytes free on its disk")
    rejected: int = Field(0, ge=0, description="messages that the database refused")
    oldest_age_s: float | None = Field(
        None, description="how long the oldest message has been waiting, s; null where none waits"
    )
    alarm: str | None = Field(None, description="what somebody should see to, or null")


class InferenceLive(_Message):
    """How long the network took, since the worker started."""

    bounds: list[float] = Field(description="upper bounds of the buckets, s, rising")
    counts: list[int] = Field(description="pictures in each bucket; one more than bounds: the last has none")
    seconds: float = Field(ge=0, description="time of all pictures together, s")


class WorkerReport(_Message):
    """All that one worker process says of itself and its cameras."""

    worker: str = Field(description="id of the worker")
    host: str = Field("", description="name of its machine")
    pid: int = Field(0, ge=0, description="its process")
    started: float = Field(description="when it started, seconds since the epoch, UTC")
    time: float = Field(description="when this report was made, seconds since the epoch, UTC")
    revision: int = Field(0, ge=0, description="revision of the registry that it works by")
    cameras: list[CameraReport] = Field(default_factory=list, description="its cameras")
    outbox: OutboxLive = Field(default_factory=OutboxLive, description="what waits for the database")
    inference: InferenceLive | None = Field(None, description="how long the network took; null: not told")


class Answer(_Message):
    """What the service answers to a report."""

    revision: int = Field(0, ge=0, description="revision of the registry in the database")
    pictures: list[str] = Field(
        default_factory=list, description="ids of cameras whose picture somebody watches now"
    )
