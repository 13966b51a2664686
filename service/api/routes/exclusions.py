"""Periods that reports leave out: add one with its reason, list them, withdraw one."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.answers import chosen_format, json_bytes, page, respond
from service.api.cursors import decode_number, encode
from service.api.documents import given
from service.api.parameters import (
    CameraQuery,
    Cursor,
    Identifier,
    Limit,
    Moment,
    SiteQuery,
    TableFormat,
)
from service.api.periods import check_period
from service.api.services import Operator, Parts, Viewer, found
from service.api.shapes import ExclusionOut, Page
from service.auth.problems import Problem, answers
from service.registry import Approach, Camera, Site
from service.storage.connect import writing
from service.storage.exclusions import exclude, withdraw
from service.storage.looks import exclusion, exclusions

router = APIRouter(prefix="/exclusions", tags=["exclusions"])

LONGEST = timedelta(days=400)
EXCLUSION: dict[str, Any] = {
    "id": 7,
    "site": "hoa-ban",
    "approach": None,
    "camera": None,
    "start": "2026-03-10T00:00:00Z",
    "end": "2026-03-11T00:00:00Z",
    "reason": "roadworks",
    "author": "an",
    "created_at": "2026-03-11T01:00:00Z",
    "withdrawn_at": None,
    "withdrawn_by": None,
}
BODY = {
    "site": "hoa-ban",
    "start": "2026-03-10T07:00:00+07:00",
    "end": "2026-03-11T07:00:00+07:00",
    "reason": "roadworks",
}
NumberPath = Annotated[int, Path(ge=1, le=2**53, description="Its number.", examples=[7])]


class ExclusionIn(BaseModel):
    """A period to be left out."""

    model_config = ConfigDict(extra="forbid")

    site: Identifier | None = Field(None, description="the site; needed unless a camera is named")
    approach: Identifier | None = Field(None, description="one approach of it; all if left out")
    camera: Identifier | None = Field(None, description="one camera; all of the site if left out")
    start: Moment = Field(description="beginning")
    end: Moment = Field(description="the first moment that counts again")
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")] = Field(
        description="why, for those who read the report"
    )


@router.get(
    "",
    response_model=Page[ExclusionOut],
    responses=given({"items": [EXCLUSION], "next": None}, "csv", "parquet"),
)
def list_exclusions(
    request: Request,
    _caller: Viewer,
    services: Parts,
    start: Annotated[Moment | None, Query(description="Those that end behind this moment only.")] = None,
    end: Annotated[Moment | None, Query(description="Those that begin before this moment only.")] = None,
    site: SiteQuery = None,
    camera: CameraQuery = None,
    withdrawn: Annotated[bool, Query(description="Those that were withdrawn too.")] = False,
    limit: Limit = 1000,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Excluded periods, in the order in which they were added."""
    chosen = chosen_format(request, format_, ("json", "csv", "parquet"))
    after = decode_number(cursor) if cursor else 0
    with services.reading() as connection:
        rows = exclusions(
            connection,
            (start, end),
            site=site,
            camera=camera,
            withdrawn=withdrawn,
            after=after,
            limit=limit + 1,
        )
    following = encode(rows[limit - 1].pk) if len(rows) > limit else None
    told = [_row(row) for row in rows[:limit]]
    return page(request, told, ExclusionOut, chosen, name="exclusions", following=following)


@router.post(
    "",
    response_model=ExclusionOut,
    status_code=201,
    responses={**given(EXCLUSION, status=201, about="It is left out from now on"), **answers(404)},
)
def add_exclusion(
    request: Request,
    caller: Operator,
    services: Parts,
    body: Annotated[ExclusionIn, Body(examples=[BODY])],
) -> Response:
    """Leave a period out of reports. It is kept and marked, with its author, and can be withdrawn."""
    check_period(body.start, body.end, LONGEST)
    if body.site is None and (body.camera is None or body.approach is not None):
        raise Problem(422, "not valid", "body.site: name a site or a camera", "body.site")
    with writing(services.engine) as connection:
        city = services.city(connection, body.start.timestamp())
        if body.site is not None:
            found(city, Site, body.site)
        if body.site is not None and body.approach is not None:
            found(city, Approach, body.site, body.approach)
        if body.camera is not None:
            found(city, Camera, body.camera)
        number = exclude(
            connection,
            body.start,
            body.end,
            reason=body.reason,
            author=caller.login,
            site=body.site,
            approach=body.approach,
            camera=body.camera,
        )
        row = exclusion(connection, number)
    return respond(request, json_bytes(_row(row)), status=201)


@router.get("/{number}", response_model=ExclusionOut, responses={**given(EXCLUSION), **answers(404)})
def read_exclusion(request: Request, _caller: Viewer, services: Parts, number: NumberPath) -> Response:
    """One excluded period."""
    with services.reading() as connection:
        row = exclusion(connection, number)
    if row is None:
        raise _none(number)
    return respond(request, json_bytes(_row(row)))


@router.post(
    "/{number}/withdraw", response_model=ExclusionOut, responses={**given(EXCLUSION), **answers(404, 409)}
)
def withdraw_exclusion(request: Request, caller: Operator, services: Parts, number: NumberPath) -> Response:
    """Let an excluded period count again."""
    with writing(services.engine) as connection:
        row = exclusion(connection, number)
        if row is None:
            raise _none(number)
        if row.withdrawn_at is not None:
            raise Problem(409, "withdrawn already", f"{row.withdrawn_by} withdrew it before")
        withdraw(connection, number, caller.login)
        row = exclusion(connection, number)
    return respond(request, json_bytes(_row(row)))


def _none(number: int) -> Problem:
    return Problem(404, "not found", f"there is no excluded period {number}")


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "site": row.site_id,
        "approach": row.approach_id,
        "camera": row.camera_id,
        "start": row.started_at,
        "end": row.ended_at,
        "reason": row.reason,
        "author": row.author,
        "created_at": row.created_at,
        "withdrawn_at": row.withdrawn_at,
        "withdrawn_by": row.withdrawn_by or None,
    }
