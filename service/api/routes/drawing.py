"""Drawing a view: what is wrong with it, how well it is calibrated, what it counts before it is saved."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.answers import json_bytes, respond
from service.api.documents import given
from service.api.parameters import CameraPath, Moment
from service.api.services import Engineer, Parts, Services, Viewer, found
from service.api.shapes import Page
from service.auth.access import audit
from service.auth.language import told
from service.auth.problems import Problem, answers
from service.drawing.again import Again, count_archive, propose_from_archive, record_archive
from service.drawing.archive import archived, archived_frames
from service.drawing.preview import CalibrationCheck, check_ground, check_view, vehicle_paths
from service.registry import Camera, CameraView, Version
from service.registry.writing import view_data
from service.storage.connect import writing
from service.storage.ids import content_sha256
from service.storage.looks import all_confirmations
from vision import TrackFile
from vision.errors import TracksError, ViewError
from vision.views import View

router = APIRouter(tags=["views"])

LONGEST = timedelta(hours=6)
"""Of what has passed, at most so much is looked at in one request."""

GATE = {"id": "north-line", "line": [[0.1, 0.5], [0.9, 0.5]], "approach": "north"}
CHECKED: dict[str, Any] = {"faults": [], "calibration": None}
PERIOD = {"start": "2026-03-10T09:00:00+07:00", "end": "2026-03-10T10:00:00+07:00"}
COUNTED = {
    "start": "2026-03-10T02:00:00Z",
    "end": "2026-03-10T03:00:00Z",
    "observed_seconds": 3540.2,
    "crossings": 3,
    "gates": {"north-line": {"in": {"motorcycle": 2}, "out": {"car": 1}}},
    "movements": {},
}
LISTED = {
    "camera": "hoa-ban-cam1",
    "version": 1,
    "valid_from": "2026-01-01T00:00:00Z",
    "proposed": False,
    "calibrated": True,
    "picture": True,
    "confirmed_at": "2026-01-01T00:03:00Z",
    "confirmed_by": "an",
}
PATHS = {"width": 1280, "height": 720, "paths": [{"class": "car", "points": [[0.1, 0.4], [0.5, 0.6]]}]}

Past = Annotated[
    Moment | None, Query(description="Beginning of what has passed; ten minutes before its end if left out.")
]
PastEnd = Annotated[Moment | None, Query(description="Its end; now if left out.")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ViewCheck(_Body):
    """What is wrong with a drawing, and how good its calibration is."""

    faults: list[dict[str, str]] = Field(description="each with its field, such as gates.0.line")
    calibration: dict[str, Any] | None = Field(description="null where the drawing has none")


class Period(_Body):
    """A stretch of what has passed."""

    start: Moment = Field(description="its beginning")
    end: Moment = Field(description="the first moment after it")


class Trial(Period):
    """A view to be tried on what has passed."""

    view: View = Field(description="the view")


class Counted(_Body):
    """What a view counts."""

    start: datetime = Field(description="beginning of the stretch")
    end: datetime = Field(description="its end")
    observed_seconds: float = Field(description="how much of it was watched, and so is counted, s")
    crossings: int = Field(description="crossings in it")
    gates: dict[str, dict[str, dict[str, int]]] = Field(description="by gate, direction and class")
    movements: dict[str, dict[str, int]] = Field(description="completed movements by class")


class ViewState(_Body):
    """How it stands with what is drawn on a camera's picture."""

    camera: str = Field(description="the camera")
    version: int = Field(description="version of its present view")
    valid_from: datetime = Field(description="since when it holds")
    proposed: bool = Field(description="whether it is a proposal that nobody has looked at")
    calibrated: bool = Field(description="whether the ground is known")
    picture: bool = Field(description="whether the picture that it was drawn on is kept")
    confirmed_at: datetime | None = Field(
        description="since when somebody says that it fits the picture; null where it must be looked at"
    )
    confirmed_by: str | None = Field(description="who said so")


class Passed(_Body):
    """Where vehicles went."""

    width: int = Field(description="of the picture, pixels")
    height: int = Field(description="of the picture, pixels")
    paths: list[dict[str, Any]] = Field(
        description="class and points (fractions of the picture), longest first"
    )


@router.get("/views", response_model=Page[ViewState], responses=given({"items": [LISTED], "next": None}))
def list_view_states(request: Request, _caller: Viewer, services: Parts) -> Response:
    """How it stands with every camera that has a view now; a camera that is not here has none."""
    now = services.clock()
    with services.reading() as connection:
        history = services.registry(connection)[1]
        known = all_confirmations(connection)
    rows = []
    for ref, versions in sorted(history.items()):
        for each in versions:
            if isinstance(each.record, CameraView) and each.start <= now < each.end:
                sha256 = content_sha256(view_data(each.record.view))
                rows.append(_state(each, known.get((ref[1], sha256))))
    return respond(request, json_bytes({"items": rows, "next": None}))


@router.post(
    "/cameras/{camera}/view/check", response_model=ViewCheck, responses={**given(CHECKED), **answers(404)}
)
def check_drawing(
    request: Request,
    _caller: Engineer,
    services: Parts,
    camera: CameraPath,
    body: Annotated[dict[str, Any], Body(examples=[{"gates": [GATE]}])],
) -> Response:
    """Say what is wrong with a drawing, field by field, and how well its calibration fits. Keeps nothing."""
    with services.reading() as connection:
        found(services.city(connection), Camera, camera)
    _, faults = check_view(body)
    shown = [{"field": each.field, "problem": told(request, each.problem)} for each in faults]
    good = check_ground(body)
    ground = _shown(request, good) if good else None
    return respond(request, json_bytes({"faults": shown, "calibration": ground}))


@router.post(
    "/cameras/{camera}/view/propose",
    response_model=View,
    responses={**given({"gates": [GATE]}), **answers(404, 409)},
)
def propose_drawing(
    request: Request,
    _caller: Engineer,
    services: Parts,
    camera: CameraPath,
    start: Past = None,
    end: PastEnd = None,
) -> Response:
    """Propose gates and movements from the vehicles that passed the camera. Keeps nothing."""
    begin, until = _past(services, start, end)
    with services.reading() as connection:
        name = found(services.city(connection), Camera, camera).name
    try:
        view = propose_from_archive(_folder(services), camera, begin, until, name)
    except (TracksError, ViewError) as error:
        raise Problem(409, "nothing to go by", str(error)) from None
    return respond(request, json_bytes(view.model_dump(mode="json", by_alias=True)))


@router.post(
    "/cameras/{camera}/view/try", response_model=Counted, responses={**given(COUNTED), **answers(404, 409)}
)
def try_drawing(
    request: Request,
    _caller: Engineer,
    services: Parts,
    camera: CameraPath,
    body: Annotated[Trial, Body(examples=[{**PERIOD, "view": {"gates": [GATE]}}])],
) -> Response:
    """Count what has passed with a view that is not saved yet. Keeps nothing."""
    with services.reading() as connection:
        found(services.city(connection), Camera, camera)
    begin, until = _past(services, body.start, body.end)
    try:
        again = count_archive(_folder(services), camera, begin, until, body.view)
    except TracksError as error:
        raise Problem(409, "nothing to go by", str(error)) from None
    return respond(request, json_bytes(_counted(again, begin, until)))


@router.post(
    "/cameras/{camera}/recount", response_model=Counted, responses={**given(COUNTED), **answers(404, 409)}
)
def recount(
    request: Request,
    caller: Engineer,
    services: Parts,
    camera: CameraPath,
    body: Annotated[Period, Body(examples=[PERIOD])],
) -> Response:
    """Count what has passed once more with the camera's present view, which then speaks for that stretch."""
    begin, until = _past(services, body.start, body.end)
    with services.reading() as connection:
        city = services.city(connection)
        site = found(city, Camera, camera).site
        view = found(city, CameraView, camera).view
    folder = _folder(services)
    try:
        again = record_archive(services.engine, folder, camera, site, begin, until, view)
    except TracksError as error:
        raise Problem(409, "nothing to go by", str(error)) from None
    counted = _counted(again, begin, until)
    with writing(services.engine) as connection:
        what = f"camera {camera}, {_moment(begin)} to {_moment(until)}"
        audit(connection, caller, "camera.recount", what, after={"version": view.version})
    return respond(request, json_bytes(counted))


@router.get("/cameras/{camera}/paths", response_model=Passed, responses={**given(PATHS), **answers(404, 409)})
def list_paths(
    request: Request,
    _caller: Engineer,
    services: Parts,
    camera: CameraPath,
    start: Past = None,
    end: PastEnd = None,
) -> Response:
    """Where the vehicles went that passed the camera, to be drawn over its picture."""
    begin, until = _past(services, start, end)
    with services.reading() as connection:
        found(services.city(connection), Camera, camera)
    files = archived(_folder(services), camera, begin, until)
    if not files:
        raise Problem(409, "nothing to go by", f"no tracks of camera {camera!r} are kept from that time")
    width, height = TrackFile(files[-1]).size
    paths = vehicle_paths(archived_frames(files, begin, until), (width, height))
    return respond(request, json_bytes({"width": width, "height": height, "paths": paths}))


def _state(version: Version, picture: Any | None) -> dict[str, Any]:
    record = version.record
    assert isinstance(record, CameraView)  # noqa: S101 - looked at by whoever calls
    return {
        "camera": record.camera,
        "version": record.view.version,
        "valid_from": _moment(version.start),
        "proposed": record.view.proposed,
        "calibrated": record.view.calibration is not None,
        "picture": picture is not None,
        "confirmed_at": picture.confirmed_at if picture else None,
        "confirmed_by": (picture.confirmed_by or None) if picture else None,
    }


def _past(services: Services, start: datetime | None, end: datetime | None) -> tuple[float, float]:
    until = services.clock() if end is None else end.timestamp()
    begin = until - 600.0 if start is None else start.timestamp()
    if not begin < until:
        raise Problem(422, "not valid", "start: it must lie before end", "start")
    if until - begin > LONGEST.total_seconds():
        raise Problem(422, "not valid", "start: at most six hours are looked at in one request", "start")
    return begin, until


def _folder(services: Services) -> Path:
    if services.settings.tracks is None:
        raise Problem(409, "nothing to go by", "this service keeps no tracks of live cameras")
    return services.settings.tracks


def _counted(again: Again, begin: float, until: float) -> dict[str, Any]:
    gates: dict[str, dict[str, dict[str, int]]] = {}
    movements: dict[str, dict[str, int]] = {}
    for crossing in again.crossings:
        kind = crossing.vehicle_class.label
        by_class = gates.setdefault(crossing.gate, {}).setdefault(crossing.direction, {})
        by_class[kind] = by_class.get(kind, 0) + 1
        if crossing.movement:
            done = movements.setdefault(crossing.movement, {})
            done[kind] = done.get(kind, 0) + 1
    return {
        "start": _moment(begin),
        "end": _moment(until),
        "observed_seconds": round(again.observed_s, 1),
        "crossings": len(again.crossings),
        "gates": gates,
        "movements": movements,
    }


def _shown(request: Request, check: CalibrationCheck) -> dict[str, Any]:
    return {
        "usable": check.usable,
        "problem": told(request, check.problem) or None,
        "error_m": check.error_m,
        "residuals_m": list(check.residuals_m),
        "extent_m": check.extent_m,
        "region": [list(point) for point in check.region],
        "grid": [[list(point) for point in line] for line in check.grid],
        "grid_m": check.grid_m,
    }


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
