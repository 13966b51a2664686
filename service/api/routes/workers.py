"""What workers send: their cameras' state twice a second, and pictures while somebody watches."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api.answers import json_bytes
from service.api.documents import given
from service.api.parameters import CameraPath
from service.api.services import Parts, Services, Worker
from service.auth.problems import Problem, answers
from service.live.messages import Answer, WorkerReport
from service.storage.connect import StorageError

router = APIRouter(prefix="/live", tags=["workers"])

REPORT: dict[str, Any] = {
    "worker": "w1",
    "started": 1773108000.0,
    "time": 1773109800.3,
    "revision": 3,
    "cameras": [{"camera": "hoa-ban-cam1", "state": "live", "since": 1773108000.0}],
}
_JPEG = {
    "requestBody": {
        "required": True,
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/reports", response_model=Answer, responses=given({"revision": 3, "pictures": []}))
async def report_live(
    _worker: Worker, services: Parts, body: Annotated[WorkerReport, Body(examples=[REPORT])]
) -> Response:
    """Take a worker's report; the answer says which revision of the registry holds, and whose pictures are
    wanted."""
    # The database is not asked for each report: one that hangs would make cameras look late. Upkeep looks.
    revision = services.last_revision or await run_in_threadpool(_revision, services)
    answer = services.hub.take(body, revision)
    return Response(json_bytes(answer.model_dump()), media_type="application/json")


@router.post(
    "/pictures/{camera}",
    status_code=204,
    openapi_extra=_JPEG,
    responses={204: {"description": "Taken"}, **answers(413, 415)},
)
async def report_picture(request: Request, _worker: Worker, services: Parts, camera: CameraPath) -> Response:
    """Take a picture of a camera: JPEG, masked, at most 640 pixels wide. It is kept in memory only."""
    limit = services.settings.picture_bytes
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "image/jpeg":
        raise Problem(415, "not a JPEG", "send Content-Type: image/jpeg", "Content-Type")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise Problem(413, "too large", f"a picture has at most {limit} bytes")
    if body[:3] != b"\xff\xd8\xff":
        raise Problem(415, "not a JPEG", "the body is no JPEG", "body")
    services.hub.put_picture(camera, bytes(body))
    return Response(status_code=204)


def _revision(services: Services) -> int:
    """The registry's revision; with the database away the last that was seen, so that workers go on."""
    try:
        with services.reading() as connection:
            return services.registry(connection)[0]
    except StorageError:
        return services.last_revision
