"""What is drawn on a camera's picture: read it, put a new version, confirm it, see what it was drawn on."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from sqlalchemy import Connection

from service.api.answers import json_bytes, respond
from service.api.documents import CREATED, ENDED, bare, given
from service.api.parameters import At, CameraPath, ValidFrom
from service.api.registry import (
    IfMatch,
    at_or_now,
    change_registry,
    check_match,
    end,
    lock_registry,
)
from service.api.services import Engineer, Parts, Viewer, found, missing
from service.api.shapes import Page, ViewOut
from service.auth.access import audit
from service.auth.problems import Problem, answers
from service.registry import Camera, CameraView, City, History, Owner, Record, Ref, Version, city_at
from service.registry.editing import next_version
from service.registry.store import load_history
from service.registry.writing import view_data
from service.storage.connect import writing
from service.storage.ids import content_sha256
from service.storage.looks import confirmations, mark_confirmed, view_picture
from vision.views import View

router = APIRouter(tags=["views"])

VIEW = {
    "version": 1,
    "name": "Hoa Ban 1",
    "gates": [{"id": "north-line", "line": [[0.1, 0.5], [0.9, 0.5]], "approach": "north"}],
}
SHOWN = {
    "camera": "hoa-ban-cam1",
    "valid_from": "2026-01-01T00:00:00Z",
    "valid_to": None,
    "sha256": "6f1c0f5c…",
    "confirmed_at": None,
    "confirmed_by": None,
    "picture": False,
    "view": VIEW,
}
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="Version of the view.", examples=[1])]


@router.get("/cameras/{camera}/view", response_model=ViewOut, responses={**given(SHOWN), **answers(404)})
def read_view(
    request: Request, _caller: Viewer, services: Parts, camera: CameraPath, at: At = None
) -> Response:
    """The view that holds at a moment; the ETag of the present one is what a change must name."""
    time = at_or_now(services, at)
    with services.reading() as connection:
        history = services.registry(connection)[1]
        version = _version_at(history, camera, time)
        row = _row(camera, version, confirmations(connection, camera))
    return respond(request, json_bytes(row))


@router.get(
    "/cameras/{camera}/views",
    response_model=Page[ViewOut],
    responses={**given({"items": [SHOWN], "next": None}), **answers(404)},
)
def list_views(request: Request, _caller: Viewer, services: Parts, camera: CameraPath) -> Response:
    """Every version of a camera's view that ever held, in order of time."""
    with services.reading() as connection:
        history = services.registry(connection)[1]
        if ("cameras", camera) not in history:
            raise missing(("cameras", camera))
        known = confirmations(connection, camera)
    rows = [_row(camera, version, known) for version in history.get(("views", camera), ())]
    return respond(request, json_bytes({"items": rows, "next": None}))


@router.get(
    "/cameras/{camera}/views/{version}", response_model=ViewOut, responses={**given(SHOWN), **answers(404)}
)
def read_view_version(
    request: Request, _caller: Viewer, services: Parts, camera: CameraPath, version: VersionPath
) -> Response:
    """One version of a camera's view, the last time that it held."""
    with services.reading() as connection:
        history = services.registry(connection)[1]
        for each in reversed(history.get(("views", camera), ())):
            if isinstance(each.record, CameraView) and each.record.view.version == version:
                row = _row(camera, each, confirmations(connection, camera))
                return respond(request, json_bytes(row))
    raise Problem(404, "not found", f"camera {camera!r} has no version {version} of a view", "version")


@router.put(
    "/cameras/{camera}/view",
    response_model=ViewOut,
    responses={**given(SHOWN), **CREATED, **answers(404, 409, 412, 428)},
)
def put_view(
    request: Request,
    caller: Engineer,
    services: Parts,
    camera: CameraPath,
    body: Annotated[View, Body(examples=[VIEW])],
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Draw a camera's view anew. It gets the next version by itself, whatever version it says.

    For approaches of its junction that no camera speaks for yet, this one does from now on.
    """
    time, ref = at_or_now(services, valid_from), ("views", camera)
    with writing(services.engine) as connection:
        lock_registry(connection)
        history = load_history(connection)
        city = city_at(history, time)
        found(city, Camera, camera)
        check_match(request, _shown(connection, history, time)(city, ref) if ref in city else None)
        present = city.get(ref)
        kept = present.view.version if isinstance(present, CameraView) else None
        view = body.model_copy(update={"version": kept or 1})
        if not (isinstance(present, CameraView) and present.view == view):
            view = body.model_copy(update={"version": next_version(history, camera)})
        record = CameraView(camera=camera, view=view)
        changed: dict[Ref, Record] = {ref: record, **_unowned(city, camera, record)}
        history = change_registry(services, connection, caller, changed, time, history)
        row = _row(camera, _version_at(history, camera, time), confirmations(connection, camera))
    return respond(request, json_bytes(row), status=200 if present else 201)


@router.delete("/cameras/{camera}/view", status_code=204, responses={**ENDED, **answers(404, 409, 412, 428)})
def end_view(
    request: Request,
    caller: Engineer,
    services: Parts,
    camera: CameraPath,
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Let nothing be drawn on a camera's picture from a moment on."""
    with services.reading() as connection:
        shown = _shown(connection, services.registry(connection)[1], at_or_now(services, valid_from))
        ref = ("views", camera)
        city = services.city(connection, at_or_now(services, valid_from))
        body = shown(city, ref) if ref in city else b""
    return end(request, caller, services, ("views", camera), valid_from, lambda _city, _ref: body)


@router.get(
    "/cameras/{camera}/view/picture",
    response_class=Response,
    responses={**bare("image/jpeg", "The empty street that the view was drawn on"), **answers(404)},
)
def read_view_picture(
    request: Request, _caller: Viewer, services: Parts, camera: CameraPath, at: At = None
) -> Response:
    """The picture that a view was drawn on: a background without vehicles or people."""
    with services.reading() as connection:
        version = _version_at(services.registry(connection)[1], camera, at_or_now(services, at))
        picture = view_picture(connection, camera, _sha256(version))
    if picture is None:
        raise Problem(404, "not found", f"no picture of camera {camera!r} is kept for this view yet")
    answer = respond(request, picture.picture)
    answer.headers["Last-Modified"] = picture.made_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if answer.status_code == 200:
        answer.headers["Content-Type"] = "image/jpeg"
    return answer


@router.post(
    "/cameras/{camera}/view/confirm",
    response_model=ViewOut,
    responses={**given(SHOWN), **answers(404, 409)},
)
def confirm_view(request: Request, caller: Engineer, services: Parts, camera: CameraPath) -> Response:
    """Say that the present view fits the camera's picture, such as after it was moved and moved back."""
    now = datetime.fromtimestamp(services.clock(), UTC)
    with writing(services.engine) as connection:
        version = _version_at(services.registry(connection)[1], camera, services.clock())
        sha256 = _sha256(version)
        if not mark_confirmed(connection, camera, sha256, caller.login, now):
            raise Problem(
                409, "no picture", f"no picture of camera {camera!r} is kept for this view yet; wait"
            )
        audit(connection, caller, "view.confirm", f"view of camera {camera}", after={"sha256": sha256})
        row = _row(camera, version, confirmations(connection, camera))
    return respond(request, json_bytes(row))


def _unowned(city: City, camera: str, record: CameraView) -> dict[Ref, Record]:
    """Ownership of the approaches in a view that nobody owns."""
    site = found(city, Camera, camera).site
    new = (Owner(site=site, approach=each, camera=camera) for each in sorted(record.approaches))
    return {
        each.ref: each for each in new if each.ref not in city and ("approaches", site, each.approach) in city
    }


def _version_at(history: History, camera: str, time: float) -> Version:
    for version in history.get(("views", camera), ()):
        if version.start <= time < version.end:
            return version
    raise missing(("views", camera))


def _row(camera: str, version: Version, known: dict[str, Any]) -> dict[str, Any]:
    record = version.record
    assert isinstance(record, CameraView)  # noqa: S101 - a view's history holds views
    sha256 = _sha256(version)
    picture = known.get(sha256)
    return {
        "camera": camera,
        "valid_from": datetime.fromtimestamp(version.start, UTC),
        "valid_to": None if version.end == float("inf") else datetime.fromtimestamp(version.end, UTC),
        "sha256": sha256,
        "confirmed_at": picture.confirmed_at if picture else None,
        "confirmed_by": (picture.confirmed_by or None) if picture else None,
        "picture": picture is not None,
        "view": record.view.model_dump(mode="json", by_alias=True),
    }


def _sha256(version: Version) -> str:
    record = version.record
    assert isinstance(record, CameraView)  # noqa: S101
    return content_sha256(view_data(record.view))


def _shown(connection: Connection, history: History, time: float) -> Any:
    def shown(_city: City, ref: Ref) -> bytes:
        return json_bytes(_row(ref[1], _version_at(history, ref[1], time), confirmations(connection, ref[1])))

    return shown
