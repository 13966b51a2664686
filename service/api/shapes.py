"""Shapes of answers: what each field is, with its unit. Not observed is null."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from service.registry.records import SiteKind
from vision.views import View

T = TypeVar("T")


class Shape(BaseModel):
    """Base of all shapes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Shape, Generic[T]):
    """One page of a list."""

    items: list[T] = Field(description="rows of this page")
    next: str | None = Field(description="cursor of the page behind; null on the last")


class CameraOut(Shape):
    """A camera of the registry; secrets never come out."""

    id: str = Field(description="name in files, tables and addresses")
    site: str = Field(description="the site it belongs to")
    name: str = Field(description="where it stands and looks")
    address: str = Field(description="where its pictures come from, secrets masked")
    substream: str = Field(description="its smaller stream, secrets masked; empty for none")
    note: str = Field(description="anything else")
    view_version: int | None = Field(description="version of its view; null while nothing is drawn")
    approaches: list[str] = Field(description="approaches in its view")
    owns: list[str] = Field(description="approaches for which it speaks")


class ViewOut(Shape):
    """A version of what is drawn on a camera's picture."""

    camera: str = Field(description="the camera")
    valid_from: datetime = Field(description="since when it holds")
    valid_to: datetime | None = Field(description="until when; null while nothing takes over")
    sha256: str = Field(description="checksum of its content, as in segments and pictures")
    confirmed_at: datetime | None = Field(
        description="since when somebody says that it fits the picture; null where it must be looked at"
    )
    confirmed_by: str | None = Field(description="who said so")
    picture: bool = Field(description="whether the picture it was drawn on is kept")
    view: View = Field(description="gates, zones, movements and calibration; fractions of the picture")


class CameraTest(Shape):
    """What came of opening a camera's address once."""

    works: bool = Field(description="whether a picture came")
    seconds: float = Field(description="how long it took")
    width: int | None = Field(None, description="of the picture, pixels")
    height: int | None = Field(None, description="of the picture, pixels")
    codec: str | None = Field(None, description="how the video is coded")
    fps: float | None = Field(None, description="pictures a second that the camera claims")
    problem: str | None = Field(None, description="what went wrong, and the fix")


class CrossingOut(Shape):
    """One vehicle that passed a gate."""

    id: str = Field(description="made of what happened: the same event has the same id for ever")
    time: datetime = Field(description="the moment, interpolated")
    site: str | None = Field(description="the site")
    camera: str = Field(description="the camera that saw it")
    approach: str | None = Field(description="the approach of the gate")
    gate: str = Field(description="the gate")
    direction: Literal["in", "out"] = Field(description="of the gate")
    vehicle_class: str = Field(description="bicycle, motorcycle, car, bus, truck, or unknown")
    confidence: float = Field(description="in vehicle and class, 0 to 1")
    x: float = Field(description="place on the picture, share of its width")
    y: float = Field(description="place on the picture, share of its height")
    movement: str | None = Field(description="the movement that it completes")
    origin: str | None = Field(description="the gate by which the vehicle came")


class IntervalOut(Shape):
    """An approach in one interval; a figure is null where it was not observed or cannot be known."""

    site: str | None = Field(description="the junction")
    approach: str = Field(description="the approach")
    camera: str | None = Field(description="the camera that spoke for it")
    start: datetime = Field(description="beginning")
    length: int = Field(description="s")
    observed_seconds: float = Field(description="how much of it was watched, s")
    expected_seconds: float = Field(description="how much of it there was, s")
    status: str = Field(description="observed, partial or not_observed")
    revision: int = Field(description="grows when a closed interval changes")
    final: bool = Field(description="whether it is closed")
    light: str | None = Field(description="day, dusk or night")
    count: int | None = Field(description="vehicles that entered over it")
    count_out: int | None = Field(description="vehicles that left over it")
    flow_per_h: float | None = Field(description="vehicles per hour")
    flow_pcu_per_h: float | None = Field(description="passenger-car units per hour")
    density_per_km: float | None = Field(description="vehicles per km (Edie)")
    space_mean_speed_kmh: float | None = Field(description="km/h (Edie)")
    speed_p85_kmh: float | None = Field(description="speed that 85 % do not exceed, km/h")
    area_occupancy: float | None = Field(description="share of the zone that vehicles cover")
    area_occupancy_basis: str | None = Field(description="ground (calibrated) or image")
    time_occupancy: float | None = Field(description="share of time that a gate was covered")
    queue_max_m: float | None = Field(description="longest queue, m")
    queue_max_at_least: bool | None = Field(description="whether it reached the edge of the view")
    queue_p95_m: float | None = Field(description="length that the queue exceeded 5 % of the time, m")
    stopped_vehicles: float | None = Field(description="standing vehicles, mean")
    delay_s: float | None = Field(description="time lost by all, s")
    level: str | None = Field(description="free, busy, slow or jammed")
    density_band: str | None = Field(description="A to F by density")


class JunctionIntervalOut(Shape):
    """A junction in one interval; null unless every required approach is known."""

    site: str = Field(description="the junction")
    start: datetime = Field(description="beginning")
    length: int = Field(description="s")
    observed_seconds: float = Field(description="mean over its required approaches, s")
    expected_seconds: float = Field(description="s")
    status: str = Field(description="observed, partial or not_observed")
    revision: int = Field(description="grows when a closed interval changes")
    final: bool = Field(description="whether it is closed")
    approaches_required: int = Field(description="approaches that must be seen")
    approaches_observed: int = Field(description="of these, watched")
    count: int | None = Field(description="vehicles that entered")
    flow_per_h: float | None = Field(description="vehicles per hour")
    flow_pcu_per_h: float | None = Field(description="passenger-car units per hour")
    delay_s: float | None = Field(description="time lost by all, s")
    level: str | None = Field(description="the worst of its approaches'")


class CountOut(Shape):
    """Crossings of a gate, or completed movements, in a quarter of an hour; null where not observed."""

    start: datetime = Field(description="beginning of the quarter")
    site: str | None = Field(description="the site asked for")
    camera: str = Field(description="the camera that saw them")
    approach: str | None = Field(description="the approach they belong to")
    kind: Literal["gate", "movement"] = Field(description="what is counted")
    item: str = Field(description="id of the gate or movement")
    direction: str = Field(description="in or out of a gate; empty for a movement")
    status: str = Field(description="observed, partial, not_observed or excluded")
    observed_seconds: float = Field(description="how long the camera was watched, s")
    total: int | None = Field(description="vehicles")
    bicycle: int | None = Field(description="of these")
    motorcycle: int | None = Field(description="of these")
    car: int | None = Field(description="of these")
    bus: int | None = Field(description="of these")
    truck: int | None = Field(description="of these")
    unknown: int | None = Field(description="of these, class not known")


class UsualOut(Shape):
    """What is usual in a quarter of an hour of that weekday."""

    start: datetime = Field(description="beginning of the quarter")
    approach: str = Field(description="the approach")
    entering: float | None = Field(description="median of the vehicles that entered; null where not known")
    days: int = Field(description="days it is the median of")


class HealthOut(Shape):
    """A stretch of time in which a camera was in one state."""

    camera: str = Field(description="the camera")
    started_at: datetime = Field(description="since when")
    ended_at: datetime | None = Field(description="until when; null while it holds")
    seen_at: datetime | None = Field(description="when it was last confirmed")
    state: str = Field(description="ok, connecting, stalled, offline, or what is wrong with the picture")
    reason: str = Field(description="why, in a sentence")


class IncidentOut(Shape):
    """Something that happened and somebody should look at."""

    id: str = Field(description="made of what happened")
    site: str | None = Field(description="the site")
    approach: str | None = Field(description="the approach")
    camera: str | None = Field(description="the camera that saw it")
    kind: str = Field(description="such as wrong_way or blocked")
    severity: str = Field(description="how bad")
    started_at: datetime = Field(description="beginning")
    ended_at: datetime | None = Field(description="end; null while it lasts")
    details: dict[str, Any] = Field(description="the evidence in numbers")


class ExclusionOut(Shape):
    """A period left out of reports."""

    id: int = Field(description="its number")
    site: str | None = Field(description="the site; null: of the camera wherever")
    approach: str | None = Field(description="the approach; null: all")
    camera: str | None = Field(description="the camera; null: all of the site")
    start: datetime = Field(description="beginning")
    end: datetime = Field(description="end")
    reason: str = Field(description="why")
    author: str = Field(description="who said so")
    created_at: datetime = Field(description="when")
    withdrawn_at: datetime | None = Field(description="when it was withdrawn; null while it holds")
    withdrawn_by: str | None = Field(description="by whom")


class FiguresOut(Shape):
    """Coverage of the key sites of one kind; shares are 0 to 1, null where there is no key site."""

    kind: SiteKind = Field(description="junction or public_area")
    start: datetime = Field(description="beginning; of a moment the moment")
    end: datetime = Field(description="end")
    sites: float = Field(description="key sites; over a period their mean number")
    installed: float | None = Field(description="share with a camera")
    operational: float | None = Field(description="share with fresh frames")
    effective: float | None = Field(description="share seen well, all that must be seen")
    time_weighted: float | None = Field(
        description="share of required approach-seconds that were observed; of a moment, of the day before"
    )
    target: float = Field(description="what effective is to reach")
    reached: bool | None = Field(description="whether it does")


class AreaOut(FiguresOut):
    """The same for an administrative area."""

    area: str = Field(description="name of the ward, district or province; empty where none is named")


Numbers = dict[str, int]


class LiveApproach(Shape):
    """An approach in its newest closed interval; null where not observed or not known."""

    approach: str = Field(description="the approach")
    level: str | None = Field(description="free, busy, slow or jammed")
    density_per_km: float | None = Field(description="vehicles per km")
    space_mean_speed_kmh: float | None = Field(description="km/h")
    queue_m: float | None = Field(description="longest queue, m")
    area_occupancy: float | None = Field(description="share of the zone that vehicles cover")
    flow_per_h: float | None = Field(description="vehicles per hour")
    start: datetime | None = Field(description="beginning of the interval")
    end: datetime | None = Field(description="end of the interval")


class LiveCrossing(Shape):
    """A vehicle that passed a gate just now."""

    time: datetime = Field(description="the moment")
    gate: str = Field(description="the gate")
    direction: Literal["in", "out"] = Field(description="of the gate")
    vehicle_class: str = Field(description="class of the vehicle")
    movement: str | None = Field(description="the movement that it completes")


class LiveCamera(Shape):
    """A camera now. Where it is stale, figures of the present are null; where nobody reports it, all are."""

    camera: str = Field(description="the camera")
    site: str | None = Field(description="its site")
    state: str = Field(description="live, or what is wrong: connecting, stalled, offline, frozen, moved …")
    since: datetime | None = Field(description="since when")
    reason: str = Field(description="why, in a sentence")
    reason_vi: str = Field(description="the same in Vietnamese: one text serves all who follow")
    stream: Literal["main", "sub"] | None = Field(
        description="which of its streams is read; sub while there is too little time for the main one"
    )
    stale: bool = Field(description="whether the newest frame or report is older than 3 s")
    age_s: float | None = Field(description="age of the newest analysed frame, s; null where there was none")
    frame_time: datetime | None = Field(description="its moment")
    heard_at: datetime | None = Field(description="when its worker last spoke")
    worker: str | None = Field(description="the worker that speaks for it")
    source_fps: float | None = Field(description="frames a second that arrive")
    analysed_fps: float | None = Field(description="frames a second that are analysed")
    received: int | None = Field(description="frames that arrived since the worker began")
    dropped: int | None = Field(description="frames that were dropped since then")
    width: int | None = Field(description="of the picture, pixels")
    height: int | None = Field(description="of the picture, pixels")
    counts: dict[str, dict[str, Numbers]] | None = Field(
        description="crossings by gate, direction and class since counts_since"
    )
    counts_since: datetime | None = Field(description="local midnight, or when the worker began")
    movements: dict[str, Numbers] | None = Field(description="completed movements by class since then")
    last_minute: Numbers | None = Field(description="crossings of the last 60 s by class")
    approaches: list[LiveApproach] = Field(description="its approaches; empty where stale")
    crossings: list[LiveCrossing] = Field(description="crossings since the event before; empty in a snapshot")


class LiveOutbox(Shape):
    """What a worker still has to write."""

    waiting: int = Field(description="messages that the database does not have yet")
    bytes: int = Field(description="size on disk")
    limit: int = Field(description="most bytes it may take")
    free: int = Field(description="bytes free on its disk")
    rejected: int = Field(description="messages that the database refused")
    oldest_age_s: float | None = Field(description="how long the oldest has been waiting, s")
    alarm: str | None = Field(description="what somebody should see to")


class LiveWorker(Shape):
    """A worker now."""

    worker: str = Field(description="its id")
    state: Literal["live", "late", "silent"] = Field(description="whether it is heard")
    host: str = Field(description="its machine")
    pid: int = Field(description="its process")
    started: datetime = Field(description="since when it runs")
    heard_at: datetime = Field(description="when it last spoke")
    revision: int = Field(description="revision of the registry that it works by")
    cameras: list[str] = Field(description="its cameras")
    outbox: LiveOutbox = Field(description="what waits for the database")


class LiveState(Shape):
    """The city now."""

    time: datetime = Field(description="the moment of this answer")
    cameras: list[LiveCamera] = Field(description="every camera of the registry, in order of ids")
    workers: list[LiveWorker] = Field(description="workers heard of in the last minutes")


class ReportOut(Shape):
    """A report on one junction; what was not observed is null."""

    site: str = Field(description="the junction, in words")
    time_zone: str = Field(description="of its clock")
    start: datetime = Field(description="beginning of the first interval, local with its offset")
    end: datetime = Field(description="end of the last")
    volume_is: Literal["entering", "crossings"] = Field(description="what is called the junction's volume")
    pcu_standard: str | None = Field(description="the table of passenger-car units")
    pcu_checked: bool | None = Field(
        description="whether it was compared with the printed standard; null without units"
    )
    gates: list[dict[str, str]] = Field(description="gates, and the approach of each")
    movements: list[dict[str, str | None]] = Field(description="movements from gate to gate")
    intervals: list[dict[str, Any]] = Field(description="counts by interval")
    hours: list[dict[str, Any]] = Field(description="the same by hour of the clock")
    peak_hour: dict[str, Any] | None = Field(
        description="busiest four quarters in a row and their factor; null where none was fully observed"
    )
    approach_peak_hours: dict[str, dict[str, Any] | None] = Field(description="each approach's own")
    origin_destination: dict[str, dict[str, dict[str, int | None]]] | None = Field(
        description="vehicles by entry gate, exit gate and class; null without movements"
    )
    notes: list[str] = Field(description="what the reader must know")


class CoverageOut(Shape):
    """Coverage of the key sites, at a moment or over a period."""

    at: datetime = Field(description="the moment, or the end of the period")
    start: datetime | None = Field(description="beginning of the period; null for a moment")
    time_zone: str = Field(description="of days")
    illustrative_sites: int = Field(description="sites of a sample city, which are not real")
    figures: list[FiguresOut] = Field(description="for each kind of site")
    history: list[FiguresOut] = Field(description="of each day, week or month of a period")
    outlook: dict[str, dict[str, Any]] = Field(description="when the target is reached, by kind of site")
    gaps: list[dict[str, Any]] = Field(description="sites not covered, why, and the next step")


class FeatureCollection(BaseModel):
    """Points, as RFC 7946 writes them."""

    type: Literal["FeatureCollection"] = Field(description="always so")
    features: list[dict[str, Any]] = Field(description="one a site")
