"""Recorded jobs: hand in a recording, follow it, fetch what was counted."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from service.api.answers import json_bytes, respond
from service.api.cursors import decode_row, encode_row
from service.api.documents import given
from service.api.parameters import Cursor, Limit
from service.api.services import Operator, Parts, Services, Viewer, found
from service.api.shapes import Page, Shape
from service.auth.access import Caller, audit
from service.auth.language import told
from service.auth.problems import Problem, answers
from service.auth.uploads import shown_name
from service.jobs import FILES, JobError, JobOptions, JobSettings, folder_of, read_options, store
from service.jobs.form import UploadForm
from service.jobs.store import JobState
from service.jobs.uploads import allowed_path, look_at, require_space, sha256_of
from service.registry import Camera
from service.storage.base import EPOCH
from service.storage.connect import writing

router = APIRouter(tags=["jobs"])

FileName = Literal[
    "summary.json",
    "crossings.csv",
    "counts.csv",
    "metrics.csv",
    "incidents.csv",
    "view.yaml",
    "annotated.mp4",
]
_MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "mp4": "video/mp4"}
_STATUS = {"size": 413, "content-type": 415, "space": 507}


class JobOut(Shape):
    """A recording that was handed in, and what became of it."""

    id: str = Field(description="its id")
    name: str = Field(description="what its file was called")
    state: JobState = Field(description="queued, running, done, failed or cancelled")
    progress: float = Field(description="share that is counted, 0 to 1")
    message: str = Field(description="why it failed, or what was done, in a sentence")
    options: JobOptions = Field(description="how it is counted")
    counts: dict[str, dict[str, dict[str, int]]] | None = Field(
        description="crossings by gate, direction and class; null until it is done"
    )
    summary: dict[str, Any] | None = Field(description="start, end, size and speed; null until it is done")
    notes: list[str] = Field(description="what one should know of the result")
    files: list[str] = Field(description="files to fetch")
    sha256: str = Field(description="checksum of the recording")
    created_by: str = Field(description="who handed it in")
    created_at: datetime = Field(description="when")
    started_at: datetime | None = Field(description="when counting began; null while it waits")
    ended_at: datetime | None = Field(description="when it ended")


class PathJob(BaseModel):
    """A recording that lies on the service's machine already."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(max_length=1000, description="path within one of the allowed folders")
    options: JobOptions = Field(default_factory=lambda: JobOptions(), description="how it shall be counted")


OPTIONS = {
    "camera": "hoa-ban-cam1",
    "record": True,
    "start": None,
    "tz": "Asia/Ho_Chi_Minh",
    "fps": 10.0,
    "annotate": False,
}
JOB = {
    "id": "6f0c7d2e-8f1b-4a53-9a55-1f3d2f1c8b77",
    "name": "cam1_20260310-093000.mp4",
    "state": "done",
    "progress": 1.0,
    "message": "recorded for camera hoa-ban-cam1",
    "options": OPTIONS,
    "counts": {"north": {"in": {"motorcycle": 41, "car": 9}}},
    "summary": {"start": "2026-03-10T02:30:00.000Z", "crossings": 50},
    "notes": [],
    "files": ["summary.json", "crossings.csv", "counts.csv"],
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "created_by": "an",
    "created_at": "2026-03-11T01:00:00Z",
    "started_at": "2026-03-11T01:00:01Z",
    "ended_at": "2026-03-11T01:02:40Z",
}
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "the recording"},
                        "options": {
                            "type": "string",
                            "contentMediaType": "application/json",
                            "description": "how it shall be counted, a JSON object of the shape JobOptions",
                        },
                    },
                },
                "encoding": {"options": {"contentType": "application/json"}},
            }
        },
    }
}

JobPath = Annotated[UUID, Path(description="Id of a job.", examples=[JOB["id"]])]


def job_settings(request: Request) -> JobSettings:
    """The settings of jobs: those of the app, else of the environment."""
    settings: JobSettings | None = getattr(request.app.state, "jobs", None)
    if settings is None:
        settings = request.app.state.jobs = JobSettings.from_environment()
    return settings


Settings = Annotated[JobSettings, Depends(job_settings)]


@router.post(
    "/jobs",
    status_code=201,
    response_model=JobOut,
    openapi_extra=FORM,
    responses={
        **given(JOB, status=201, about="It waits for its turn"),
        200: {
            "description": "The same recording was handed in before with the same options",
            "model": JobOut,
        },
        **answers(409, 413, 415, 507),
    },
)
async def upload_job(request: Request, caller: Operator, services: Parts, settings: Settings) -> Response:
    """Upload a recording to be counted. It is looked at at once, and refused if it is none."""
    try:
        form = UploadForm(request.headers.get("content-type", ""), settings)
    except JobError as error:
        raise _problem(error) from None
    try:
        async for chunk in request.stream():
            await run_in_threadpool(form.write, chunk)
        row, is_new = await run_in_threadpool(_take_upload, form, caller, services, settings)
    except JobError as error:
        raise _problem(error) from None
    except ClientDisconnect:
        raise Problem(422, "not valid", "the upload broke off: send it again", "body") from None
    finally:
        await run_in_threadpool(form.discard)
    return respond(request, json_bytes(job_out(request, row)), status=201 if is_new else 200)


@router.post(
    "/jobs/from-path",
    status_code=201,
    response_model=JobOut,
    responses={
        **given(JOB, status=201, about="It waits for its turn"),
        200: {
            "description": "The same recording was handed in before with the same options",
            "model": JobOut,
        },
        **answers(409, 507),
    },
)
def path_job(
    request: Request,
    caller: Operator,
    services: Parts,
    settings: Settings,
    body: Annotated[
        PathJob, Body(examples=[{"path": "/srv/recordings/cam1_20260310-093000.mp4", "options": OPTIONS}])
    ],
) -> Response:
    """Count a recording on the service's machine, in a folder that its administrator allows."""
    try:
        require_space(settings)
        path = allowed_path(body.path, settings)
        _check(services, settings, body.options)
        look_at(path, path.name, settings)
        sha256 = sha256_of(path)
    except JobError as error:
        raise _problem(error) from None
    with writing(services.engine) as connection:
        row, is_new = store.submit(
            connection,
            name=shown_name(path.name),
            path=path,
            sha256=sha256,
            options=body.options,
            login=caller.login,
        )
        if is_new:
            audit(connection, caller, "job.submit", f"job {row['id']}", after={"name": row["name"]})
    return respond(request, json_bytes(job_out(request, row)), status=201 if is_new else 200)


@router.get("/jobs", response_model=Page[JobOut], responses=given({"items": [JOB], "next": None}))
def list_jobs(
    request: Request,
    _caller: Viewer,
    services: Parts,
    state: Annotated[JobState | None, Query(description="In this state only.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Jobs, the newest first."""
    with services.reading() as connection:
        before = decode_row(cursor) if cursor else None
        rows = store.listed(connection, state=state, before=before, limit=limit + 1)
    following = (
        encode_row(rows[limit - 1]["created_at"], rows[limit - 1]["id"]) if len(rows) > limit else None
    )
    items = [job_out(request, row) for row in rows[:limit]]
    return respond(request, json_bytes({"items": items, "next": following}), following=following)


@router.get("/jobs/{job}", response_model=JobOut, responses={**given(JOB), **answers(404)})
def read_job(request: Request, _caller: Viewer, services: Parts, job: JobPath) -> Response:
    """One job: how far it is, and its counts once it is done."""
    with services.reading() as connection:
        row = _found(store.job(connection, job))
    return respond(request, json_bytes(job_out(request, row)))


@router.delete(
    "/jobs/{job}",
    status_code=204,
    responses={204: {"description": "It is cancelled"}, **answers(404, 409)},
)
def cancel_job(caller: Operator, services: Parts, job: JobPath) -> Response:
    """Cancel a job that waits or runs."""
    with writing(services.engine) as connection:
        row = _found(store.job(connection, job))
        if not store.cancel(connection, job, caller.login):
            raise Problem(409, "has ended", f"this job is {row['state']}; there is nothing to cancel")
        audit(connection, caller, "job.cancel", f"job {job}", before={"state": row["state"]})
    return Response(status_code=204)


@router.get(
    "/jobs/{job}/files/{file}",
    response_class=FileResponse,
    responses={
        200: {
            "description": "The file",
            "content": {
                media: {"schema": {"type": "string", "format": "binary"}}
                for media in ("application/octet-stream", "text/csv", "application/json", "video/mp4")
            },
        },
        206: {"description": "The part of it that was asked for by Range"},
        416: {"description": "There is no such part"},
        **answers(404),
    },
)
def read_job_file(
    _caller: Operator,
    services: Parts,
    settings: Settings,
    job: JobPath,
    file: Annotated[FileName, Path(description="One of the job's files.", examples=["counts.csv"])],
) -> Response:
    """One file of a job's result."""
    with services.reading() as connection:
        row = _found(store.job(connection, job))
    path = folder_of(settings, job) / file
    if file not in FILES or file not in row["result"].get("files", []) or not path.is_file():
        raise Problem(404, "not found", f"this job has no file {file}; it may have had its time", "file")
    media = _MEDIA.get(file.rpartition(".")[2], "application/octet-stream")
    headers = {"Cache-Control": "private, no-cache"}
    return FileResponse(path, media_type=media, filename=file, headers=headers)


def job_out(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    """A job as it goes out, its sentences in the language that the request asks for."""
    result = row["result"]
    names = ("name", "state", "progress", "options", "sha256", "created_by")
    times = ("created_at", "started_at", "ended_at")
    return {
        "id": str(row["id"]),
        **{name: row[name] for name in (*names, *times)},
        "message": told(request, row["message"]),
        "counts": result.get("counts"),
        "summary": result.get("summary"),
        "notes": [told(request, note) for note in result.get("notes", [])],
        "files": result.get("files", []),
    }


def _take_upload(
    form: UploadForm, caller: Caller, services: Services, settings: JobSettings
) -> tuple[dict[str, Any], bool]:
    """Look at an upload that is complete and put it into the queue; what is not taken is deleted.

    Raises:
        JobError: it is not taken.
    """
    upload, given_options = form.end()
    options = read_options(given_options)
    _check(services, settings, options)
    path, sha256 = upload.keep()
    try:
        look_at(path, upload.name, settings)
    except JobError:
        with services.reading() as connection:
            known = str(path) in store.paths_in_use(connection, EPOCH)
        if not known:
            with suppress(OSError):
                path.unlink()
        raise
    with writing(services.engine) as connection:
        row, is_new = store.submit(
            connection, name=upload.name, path=path, sha256=sha256, options=options, login=caller.login
        )
        if is_new:
            audit(connection, caller, "job.submit", f"job {row['id']}", after={"name": row["name"]})
    return row, is_new


def _check(services: Services, settings: JobSettings, options: JobOptions) -> None:
    """See that the queue is not full and that the camera is known.

    Raises:
        Problem: it is, or it is not.
    """
    with services.reading() as connection:
        if store.waiting(connection) >= settings.waiting:
            raise Problem(409, "queue full", f"{settings.waiting} jobs wait already; try again later")
        if options.camera is not None:
            city = services.city(connection)
            try:
                found(city, Camera, options.camera)
            except Problem:
                raise JobError(
                    f"there is no camera {options.camera}; see /v1/cameras", "options.camera"
                ) from None


def _found(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        raise Problem(404, "not found", "there is no job of this id; see /v1/jobs", "job")
    return row


def _problem(error: JobError) -> Problem:
    titles = {413: "too large", 415: "not a form", 507: "the disk is nearly full"}
    status = _STATUS.get(error.field, 422)
    where = "body" if error.field == "body" else f"body.{error.field}"
    field = where if status == 422 and error.field else None
    return Problem(status, titles.get(status, "not valid"), str(error), field)
