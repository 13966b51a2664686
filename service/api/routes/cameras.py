"""Cameras of the registry: list, read, add, change, end, and test an address. Secrets never come out."""

from typing import Annotated

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.answers import chosen_format, json_bytes, page, respond
from service.api.camera_address import kept_address, tried
from service.api.cursors import sliced
from service.api.documents import CREATED, ENDED, given
from service.api.parameters import (
    At,
    CameraPath,
    Cursor,
    Identifier,
    Limit,
    SiteQuery,
    TableFormat,
    ValidFrom,
)
from service.api.registry import IfMatch, at_or_now, change_registry, check_match, end, lock_registry, same_id
from service.api.services import Engineer, Parts, Viewer, found
from service.api.shapes import CameraOut, CameraTest, Page
from service.auth.problems import Problem, answers
from service.registry import Camera, CameraView, City, Owner, Ref, city_at
from service.registry.store import load_history
from service.storage.connect import writing
from vision.sources import mask_address

router = APIRouter(tags=["registry"])

CAMERA = {
    "id": "hoa-ban-cam1",
    "site": "hoa-ban",
    "name": "Cột phía nam, nhìn về bắc",
    "address": "rtsp://***@192.0.2.11:554/Streaming/Channels/101",
    "note": "",
    "view_version": 1,
    "approaches": ["east", "north", "south"],
    "owns": ["east", "north", "south"],
}
TESTED = {"works": True, "seconds": 1.2, "width": 1920, "height": 1080, "codec": "h264", "fps": 25.0}
Words = Annotated[str, Field(max_length=500)]


class CameraIn(BaseModel):
    """What a camera is to be."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    id: Identifier = Field(description="name in files, tables and addresses; as in the path")
    site: Identifier = Field(description="the site it belongs to")
    name: Words = Field("", description="where it stands and looks")
    address: Words | None = Field(
        None,
        description="where its pictures come from; a password in it is sealed and never comes out. Null, or "
        "the masked address as it was read, keeps what is there",
    )
    note: Words = Field("", description="anything else")


class AddressIn(BaseModel):
    """An address to be tried."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    address: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="such as rtsp://user:password@10.0.0.5:554/stream; it is not kept"
    )


BODY = {
    "id": "hoa-ban-cam1",
    "site": "hoa-ban",
    "name": "Cột phía nam",
    "address": "rtsp://viewer:password@192.0.2.11:554/1",
}


@router.get(
    "/cameras",
    response_model=Page[CameraOut],
    responses=given({"items": [CAMERA], "next": None}, "csv", "parquet"),
)
def list_cameras(
    request: Request,
    _caller: Viewer,
    services: Parts,
    site: SiteQuery = None,
    at: At = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """The cameras at a moment, in order of ids."""
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    wanted = {
        ref: record
        for ref, record in city.items()
        if isinstance(record, Camera) and site in (None, record.site)
    }
    records, following = sliced(wanted, limit, cursor)
    owned = _owned(city)
    rows = [camera_row(city, record, owned) for record in records]
    return page(request, rows, CameraOut, chosen, name="cameras", following=following)


@router.get("/cameras/{camera}", response_model=CameraOut, responses={**given(CAMERA), **answers(404)})
def read_camera(
    request: Request, _caller: Viewer, services: Parts, camera: CameraPath, at: At = None
) -> Response:
    """One camera; its ETag is what a change must name."""
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    return respond(request, shown_camera(city, found(city, Camera, camera).ref))


@router.put(
    "/cameras/{camera}",
    response_model=CameraOut,
    responses={**given(CAMERA), **CREATED, **answers(404, 409, 412, 428)},
)
def put_camera(
    request: Request,
    caller: Engineer,
    services: Parts,
    camera: CameraPath,
    body: Annotated[CameraIn, Body(examples=[BODY])],
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Add a camera, or say what it is from a moment on; the workers follow within seconds."""
    same_id(body.id, camera, "body.id")
    time, ref = at_or_now(services, valid_from), ("cameras", camera)
    with writing(services.engine) as connection:
        lock_registry(connection)
        history = load_history(connection)
        city = city_at(history, time)
        present = city.get(ref)
        check_match(request, shown_camera(city, ref) if present else None)
        before = present.address if isinstance(present, Camera) else ""
        if body.address is None or (before and body.address == mask_address(before)):
            address = before
        else:
            address = kept_address(connection, services, caller, camera, body.address)
        record = Camera(id=camera, site=body.site, name=body.name, address=address, note=body.note)
        history = change_registry(services, connection, caller, {ref: record}, time, history)
    after = city_at(history, time)
    return respond(request, shown_camera(after, ref), status=200 if present else 201)


@router.delete("/cameras/{camera}", status_code=204, responses={**ENDED, **answers(404, 409, 412, 428)})
def end_camera(
    request: Request,
    caller: Engineer,
    services: Parts,
    camera: CameraPath,
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """End a camera from a moment on; its view and what it owns end with it."""
    return end(request, caller, services, ("cameras", camera), valid_from, shown_camera)


@router.post("/cameras/{camera}/test", response_model=CameraTest, responses={**given(TESTED), **answers(404)})
def try_camera(_caller: Engineer, services: Parts, camera: CameraPath) -> Response:
    """Open a camera's address once, in a process of its own, and say what came."""
    with services.reading() as connection:
        record = found(services.city(connection), Camera, camera)
    if not record.address:
        raise Problem(422, "not valid", f"camera {camera} has no address yet; give it one", "camera")
    result = tried(services, record.address, registered=True)
    return Response(json_bytes(result.model_dump()), media_type="application/json")


@router.post("/camera-tests", response_model=CameraTest, responses=given(TESTED))
def try_address(
    _caller: Engineer,
    services: Parts,
    body: Annotated[AddressIn, Body(examples=[{"address": "rtsp://viewer:password@192.0.2.11:554/1"}])],
) -> Response:
    """Try an address before a camera is added with it; nothing is kept."""
    result = tried(services, body.address, registered=False)
    return Response(json_bytes(result.model_dump()), media_type="application/json")


def camera_row(city: City, camera: Camera, owned: dict[str, list[str]]) -> dict[str, object]:
    """A camera as it is shown, its secrets masked."""
    view = city.get(("views", camera.id))
    drawn = view if isinstance(view, CameraView) else None
    return {
        "id": camera.id,
        "site": camera.site,
        "name": camera.name,
        "address": mask_address(camera.address),
        "note": camera.note,
        "view_version": drawn.view.version if drawn else None,
        "approaches": sorted(drawn.approaches) if drawn else [],
        "owns": owned.get(camera.id, []),
    }


def shown_camera(city: City, ref: Ref) -> bytes:
    """A camera's JSON, as reading it gives."""
    camera = city[ref]
    assert isinstance(camera, Camera)  # noqa: S101 - refs say what they name
    return json_bytes(camera_row(city, camera, _owned(city)))


def _owned(city: City) -> dict[str, list[str]]:
    owned: dict[str, list[str]] = {}
    for _, record in sorted(city.items(), key=lambda each: each[0]):
        if isinstance(record, Owner):
            owned.setdefault(record.camera, []).append(record.approach)
    return owned
