"""Cameras of the registry: list, read, add, change, end, and test an address. Secrets never come out."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Query, Request, Response
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
from service.auth.language import told
from service.auth.problems import Problem, answers
from service.registry import Camera, CameraView, City, Owner, Ref, city_at
from service.registry.addresses import names_in, with_login_of
from service.registry.store import load_history
from service.storage.connect import writing
from vision.sources import mask_address

router = APIRouter(tags=["registry"])

CAMERA = {
    "id": "hoa-ban-cam1",
    "site": "hoa-ban",
    "name": "Cột phía nam, nhìn về bắc",
    "address": "rtsp://***@192.0.2.11:554/Streaming/Channels/101",
    "substream": "rtsp://***@192.0.2.11:554/Streaming/Channels/102",
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
    substream: Words | None = Field(
        None,
        description="address of its smaller stream of the same picture and shape, read while there is too "
        "little time for the other; kept, masked and sealed like the address. Where it names no user and "
        "leads to the same host, it gets those of the address",
    )
    note: Words = Field("", description="anything else")


class AddressIn(BaseModel):
    """An address to be tried."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    address: Annotated[str, Field(min_length=1, max_length=500)] = Field(
        description="such as rtsp://user:password@10.0.0.5:554/stream; it is not kept"
    )
    camera: Identifier | None = Field(
        None,
        description="a camera whose user and password are taken where the address names none and leads to "
        "that camera's host",
    )


BODY = {
    "id": "hoa-ban-cam1",
    "site": "hoa-ban",
    "name": "Cột phía nam",
    "address": "rtsp://viewer:password@192.0.2.11:554/1",
    "substream": "rtsp://192.0.2.11:554/2",
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
        before = present if isinstance(present, Camera) else Camera(id=camera, site=body.site)
        address = kept_address(connection, services, caller, camera, body.address, before.address)
        substream = kept_address(
            connection, services, caller, camera, body.substream, before.substream, "sub"
        )
        record = Camera(
            id=camera,
            site=body.site,
            name=body.name,
            address=address,
            substream=with_login_of(substream, address),
            note=body.note,
        )
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
def try_camera(
    request: Request,
    _caller: Engineer,
    services: Parts,
    camera: CameraPath,
    stream: Annotated[Literal["main", "sub"], Query(description="Its address, or its substream.")] = "main",
) -> Response:
    """Open a camera's address once, in a process of its own, and say what came."""
    with services.reading() as connection:
        record = found(services.city(connection), Camera, camera)
    address = record.substream if stream == "sub" else record.address
    if not address:
        problem = f"camera {camera} has no address yet; give it one"
        if stream == "sub":
            problem = f"camera {camera} has no substream yet; give it one"
        raise Problem(422, "not valid", problem, "camera")
    result = tried(services, address, registered=True)
    return _tested(request, result)


@router.post("/camera-tests", response_model=CameraTest, responses={**given(TESTED), **answers(404)})
def try_address(
    request: Request,
    _caller: Engineer,
    services: Parts,
    body: Annotated[AddressIn, Body(examples=[{"address": "rtsp://viewer:password@192.0.2.11:554/1"}])],
) -> Response:
    """Try an address before a camera is added with it; nothing is kept."""
    address = body.address
    if body.camera is not None and not names_in(address):
        with services.reading() as connection:
            record = found(services.city(connection), Camera, body.camera)
        address = with_login_of(address, record.address)
    # Only what the registry holds may name variables of the environment: the login, if it was taken.
    result = tried(services, address, registered=address != body.address)
    return _tested(request, result)


def _tested(request: Request, result: CameraTest) -> Response:
    problem = result.problem and told(request, result.problem)
    return Response(json_bytes(result.model_dump() | {"problem": problem}), media_type="application/json")


def camera_row(city: City, camera: Camera, owned: dict[str, list[str]]) -> dict[str, object]:
    """A camera as it is shown, its secrets masked."""
    view = city.get(("views", camera.id))
    drawn = view if isinstance(view, CameraView) else None
    return {
        "id": camera.id,
        "site": camera.site,
        "name": camera.name,
        "address": mask_address(camera.address),
        "substream": mask_address(camera.substream),
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
