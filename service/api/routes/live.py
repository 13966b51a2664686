"""What happens now: a snapshot, events as they come, and live pictures."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service.api.answers import json_bytes
from service.api.documents import bare, given
from service.api.hub import beat
from service.api.live_state import moment
from service.api.parameters import CameraPath, CameraQuery, SiteQuery
from service.api.services import Parts, Services, Viewer, missing
from service.api.shapes import LiveCamera, LiveState
from service.api.streams import going_on
from service.auth.problems import Problem, answers
from service.storage.connect import StorageError

router = APIRouter(prefix="/live", tags=["live"])

PATIENCE_S = 5.0
"""An event ``beat`` is sent when nothing happened for so long: the line is alive, and nobody closes it."""
FRESH_S = 3.0
"""The age that a single picture may have, and the time it may take to come."""

CAMERA = {
    "camera": "hoa-ban-cam1",
    "site": "hoa-ban",
    "state": "live",
    "since": "2026-03-10T02:00:00.000Z",
    "reason": "",
    "reason_vi": "",
    "stream": "main",
    "stale": False,
    "age_s": 0.4,
    "frame_time": "2026-03-10T02:30:00.100Z",
    "heard_at": "2026-03-10T02:30:00.300Z",
    "worker": "w1",
    "source_fps": 25.0,
    "analysed_fps": 10.0,
    "received": 45000,
    "dropped": 12,
    "width": 1280,
    "height": 720,
    "counts": {"north-line": {"in": {"motorcycle": 812, "car": 120}, "out": {"motorcycle": 790}}},
    "counts_since": "2026-03-09T17:00:00.000Z",
    "movements": {"north-south": {"motorcycle": 301}},
    "last_minute": {"motorcycle": 14, "car": 2},
    "approaches": [],
    "crossings": [],
}
_EVENTS = {
    "schema": {
        "type": "object",
        "properties": {
            "event": {"enum": ["snapshot", "cameras", "alarm", "beat"], "description": "what it is about"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
    },
    "example": 'event: cameras\ndata: {"time": "2026-03-10T02:30:00.500Z", "cameras": []}\n\n',
}
STATE = {"time": "2026-03-10T02:30:00.500Z", "cameras": [CAMERA], "workers": []}


@router.get("", response_model=LiveState, responses=given(STATE))
def read_live(_caller: Viewer, services: Parts, site: SiteQuery = None) -> Response:
    """Every camera and worker as they are now. A camera that nobody reports is offline, never at zero."""
    _known(services)
    now = services.hub.snapshot()
    cameras = [each.as_dict() for each in now.cameras if site in (None, each.site)]
    data = {
        "time": moment(now.time),
        "cameras": cameras,
        "workers": [each.as_dict() for each in now.workers],
    }
    return Response(json_bytes(data), media_type="application/json")


@router.get("/cameras/{camera}", response_model=LiveCamera, responses={**given(CAMERA), **answers(404)})
def read_live_camera(_caller: Viewer, services: Parts, camera: CameraPath) -> Response:
    """One camera as it is now."""
    _known(services)
    for each in services.hub.snapshot().cameras:
        if each.camera == camera:
            return Response(json_bytes(each.as_dict()), media_type="application/json")
    raise missing(("cameras", camera))


@router.get(
    "/events",
    response_class=Response,
    responses={200: {"description": "Server-Sent Events", "content": {"text/event-stream": _EVENTS}}},
)
async def live_events(
    request: Request,
    caller: Viewer,
    services: Parts,
    site: SiteQuery = None,
    camera: CameraQuery = None,
) -> Response:
    """Follow the city: first an event `snapshot`, then `cameras` with those that changed, and `alarm`.

    When nothing happened for five seconds, a `beat` tells that the line is alive. Each event's data is
    `{"time": …, "cameras": […]}` as in the snapshot of `/v1/live`. The line ends now and then, so that access
    is looked at anew; an EventSource connects again by itself.
    """
    wanted = await run_in_threadpool(_wanted, services, site, camera)
    services.followers.check(caller)
    hub, seconds = services.hub, services.settings.stream_seconds
    patience = min(PATIENCE_S, seconds)

    async def events() -> AsyncIterator[bytes]:
        with services.followers.taken(caller), hub.subscribe(wanted) as subscription:
            yield b"retry: 1000\n\n"
            async for _ in going_on(request, caller, seconds):
                yield await hub.next_events(subscription, patience) or beat(services.clock())

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(), media_type="text/event-stream", headers=headers)


@router.get(
    "/cameras/{camera}/picture",
    response_class=Response,
    responses={**bare("image/jpeg", "The newest picture, masked, at most 640 pixels wide"), **answers(404)},
)
async def live_picture(
    caller: Viewer,
    services: Parts,
    camera: CameraPath,
    after: Annotated[
        int, Query(ge=0, le=2**53, description="Wait for a picture newer than this X-Picture-Number.")
    ] = 0,
) -> Response:
    """A camera's newest picture, if it is fresh. Asking for it tells the worker to send some."""
    await run_in_threadpool(_check_camera, services, camera)
    services.viewers.check(caller)
    with services.viewers.taken(caller):
        picture = await services.hub.picture(camera, after, min(FRESH_S, services.settings.picture_seconds))
    if picture is None:
        later = {"Retry-After": "2"}
        raise Problem(404, "no picture", f"no fresh picture of {camera} came; see its state", headers=later)
    headers = {"Cache-Control": "no-store", "X-Picture-Number": str(picture.number)}
    headers["X-Picture-Time"] = moment(picture.time) or ""
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)


@router.get(
    "/cameras/{camera}/stream",
    response_class=Response,
    responses={
        **bare("multipart/x-mixed-replace", "JPEG after JPEG, as an <img> shows them"),
        **answers(404),
    },
)
async def live_stream(request: Request, caller: Viewer, services: Parts, camera: CameraPath) -> Response:
    """A camera's pictures as they come, at most 5 a second; a slow viewer gets fewer, never old ones."""
    await run_in_threadpool(_check_camera, services, camera)
    services.viewers.check(caller)
    hub, seconds = services.hub, services.settings.stream_seconds
    patience = min(services.settings.picture_seconds, seconds)

    async def pictures() -> AsyncIterator[bytes]:
        number = 0
        with services.viewers.taken(caller), hub.watch(camera):
            async for _ in going_on(request, caller, seconds):
                picture = await hub.picture(camera, number, patience)
                if picture is None:
                    return
                number = picture.number
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
                yield head.encode() + picture.jpeg + b"\r\n"

    media = "multipart/x-mixed-replace; boundary=frame"
    return StreamingResponse(pictures(), media_type=media, headers={"Cache-Control": "no-store"})


def _known(services: Services) -> None:
    """Tell the hub which cameras there are; with the database away it goes on with those it knows."""
    try:
        with services.reading() as connection:
            services.registry(connection)
    except StorageError:
        pass


def _check_camera(services: Services, camera: str) -> None:
    _known(services)
    if all(each.camera != camera for each in services.hub.snapshot().cameras):
        raise missing(("cameras", camera))


def _wanted(services: Services, site: str | None, camera: str | None) -> frozenset[str] | None:
    _known(services)
    if site is None and camera is None:
        return None
    return frozenset(
        each.camera
        for each in services.hub.snapshot().cameras
        if site in (None, each.site) and camera in (None, each.camera)
    )
