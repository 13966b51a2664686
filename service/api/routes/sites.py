"""Sites, their approaches, the owners of these, and the targets of coverage."""

from datetime import datetime
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Body, Path, Query, Request, Response

from service.api.answers import chosen_format, page, respond
from service.api.cursors import sliced
from service.api.documents import CREATED, ENDED, given
from service.api.parameters import (
    ApproachPath,
    At,
    Cursor,
    Limit,
    SitePath,
    SiteQuery,
    TableFormat,
    ValidFrom,
)
from service.api.registry import IfMatch, at_or_now, end, put, same_id, shown_plainly
from service.api.services import Engineer, Parts, Services, Viewer, found
from service.api.shapes import Page
from service.auth.problems import answers
from service.registry import Approach, Owner, Record, Site, SiteKind, Target
from service.registry.writing import geojson_text

R = TypeVar("R", bound=Record)

router = APIRouter(tags=["registry"])

SITE = {
    "id": "hoa-ban",
    "kind": "junction",
    "name": "Ngã tư Hoa Ban – Suối Trong",
    "is_key": True,
    "lat": 21.2829,
    "lon": 106.2044,
    "ward": "Phường Bắc Giang",
    "district": "",
    "province": "Bắc Ninh",
    "note": "",
}
APPROACH = {
    "site": "hoa-ban",
    "id": "north",
    "name": "Hoa Ban, phía bắc",
    "bearing": 180.0,
    "lanes": 2,
    "width_m": 7.0,
    "required": True,
}
OWNER = {"site": "hoa-ban", "approach": "north", "camera": "hoa-ban-cam1"}
TARGET = {"kind": "junction", "share": 1.0}

CHANGED = {**CREATED, **answers(404, 409, 412, 428)}
KindPath = Annotated[SiteKind, Path(description="Kind of site.", examples=["junction"])]


@router.get(
    "/sites",
    response_model=Page[Site],
    responses=given({"items": [SITE], "next": None}, "csv", "geojson", "parquet"),
)
def list_sites(
    request: Request,
    _caller: Viewer,
    services: Parts,
    kind: Annotated[SiteKind | None, Query(description="Of this kind only.")] = None,
    is_key: Annotated[bool | None, Query(description="Key sites only, or the others.")] = None,
    at: At = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
    format_: Annotated[
        Literal["json", "csv", "geojson", "parquet"] | None,
        Query(alias="format", description="Format, for a browser; else by the header Accept."),
    ] = None,
) -> Response:
    """The city's sites at a moment, in order of ids."""
    chosen = chosen_format(request, format_, ("json", "csv", "geojson", "parquet"))
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    wanted = {
        ref: record
        for ref, record in city.items()
        if isinstance(record, Site) and kind in (None, record.kind) and is_key in (None, record.is_key)
    }
    records, following = sliced(wanted, limit, cursor)
    if chosen == "geojson":
        body = geojson_text({record.ref: record for record in records}).encode()
        return respond(request, body, chosen, name="sites", following=following)
    rows = [record.model_dump() for record in records]
    return page(request, rows, Site, chosen, name="sites", following=following)


@router.get("/sites/{site}", response_model=Site, responses={**given(SITE), **answers(404)})
def read_site(request: Request, _caller: Viewer, services: Parts, site: SitePath, at: At = None) -> Response:
    """One site; its ETag is what a change must name."""
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    return respond(request, shown_plainly(city, found(city, Site, site).ref))


@router.put("/sites/{site}", response_model=Site, responses={**given(SITE), **CHANGED})
def put_site(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    body: Annotated[Site, Body(examples=[SITE])],
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Add a site, or say what it is from a moment on; the past keeps what it was."""
    same_id(body.id, site, "body.id")
    return put(request, caller, services, body, valid_from)


@router.delete("/sites/{site}", status_code=204, responses={**ENDED, **answers(404, 409, 412, 428)})
def end_site(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """End a site. It must have no cameras any more; its approaches end with it."""
    return end(request, caller, services, ("sites", site), valid_from)


@router.get(
    "/approaches",
    response_model=Page[Approach],
    responses=given({"items": [APPROACH], "next": None}, "csv", "parquet"),
)
def list_approaches(
    request: Request,
    _caller: Viewer,
    services: Parts,
    site: SiteQuery = None,
    at: At = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """The approaches of junctions at a moment."""
    return _listed(request, services, Approach, "approaches", site, at, limit, cursor, format_)


@router.get(
    "/sites/{site}/approaches/{approach}",
    response_model=Approach,
    responses={**given(APPROACH), **answers(404)},
)
def read_approach(
    request: Request, _caller: Viewer, services: Parts, site: SitePath, approach: ApproachPath, at: At = None
) -> Response:
    """One approach."""
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    return respond(request, shown_plainly(city, found(city, Approach, site, approach).ref))


@router.put(
    "/sites/{site}/approaches/{approach}",
    response_model=Approach,
    responses={**given(APPROACH), **CHANGED},
)
def put_approach(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    approach: ApproachPath,
    body: Annotated[Approach, Body(examples=[APPROACH])],
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Add an approach to a junction, or say what it is from a moment on."""
    same_id(body.site, site, "body.site")
    same_id(body.id, approach, "body.id")
    return put(request, caller, services, body, valid_from)


@router.delete(
    "/sites/{site}/approaches/{approach}", status_code=204, responses={**ENDED, **answers(404, 409, 412, 428)}
)
def end_approach(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    approach: ApproachPath,
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """End an approach, and its owner with it."""
    return end(request, caller, services, ("approaches", site, approach), valid_from)


@router.get(
    "/owners", response_model=Page[Owner], responses=given({"items": [OWNER], "next": None}, "csv", "parquet")
)
def list_owners(
    request: Request,
    _caller: Viewer,
    services: Parts,
    site: SiteQuery = None,
    at: At = None,
    limit: Limit = 1000,
    cursor: Cursor = None,
    format_: TableFormat = None,
) -> Response:
    """Which camera speaks for which approach."""
    return _listed(request, services, Owner, "owners", site, at, limit, cursor, format_)


@router.get(
    "/sites/{site}/approaches/{approach}/owner",
    response_model=Owner,
    responses={**given(OWNER), **answers(404)},
)
def read_owner(
    request: Request, _caller: Viewer, services: Parts, site: SitePath, approach: ApproachPath, at: At = None
) -> Response:
    """The camera that speaks for an approach."""
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    return respond(request, shown_plainly(city, found(city, Owner, site, approach).ref))


@router.put(
    "/sites/{site}/approaches/{approach}/owner",
    response_model=Owner,
    responses={**given(OWNER), **CHANGED},
)
def put_owner(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    approach: ApproachPath,
    body: Annotated[Owner, Body(examples=[OWNER])],
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Name the camera that speaks for an approach from a moment on."""
    same_id(body.site, site, "body.site")
    same_id(body.approach, approach, "body.approach")
    return put(request, caller, services, body, valid_from)


@router.delete(
    "/sites/{site}/approaches/{approach}/owner",
    status_code=204,
    responses={**ENDED, **answers(404, 409, 412, 428)},
)
def end_owner(
    request: Request,
    caller: Engineer,
    services: Parts,
    site: SitePath,
    approach: ApproachPath,
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Let no camera speak for an approach from a moment on."""
    return end(request, caller, services, ("owners", site, approach), valid_from)


@router.get("/targets", response_model=Page[Target], responses=given({"items": [TARGET], "next": None}))
def list_targets(request: Request, _caller: Viewer, services: Parts, at: At = None) -> Response:
    """The targets of coverage that somebody set; one that is not here is 1, every key site."""
    return _listed(request, services, Target, "targets", None, at, 1000, None, "json")


@router.get("/targets/{kind}", response_model=Target, responses={**given(TARGET), **answers(404)})
def read_target(
    request: Request, _caller: Viewer, services: Parts, kind: KindPath, at: At = None
) -> Response:
    """The target of one kind of site."""
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    return respond(request, shown_plainly(city, found(city, Target, kind).ref))


@router.put("/targets/{kind}", response_model=Target, responses={**given(TARGET), **CHANGED})
def put_target(
    request: Request,
    caller: Engineer,
    services: Parts,
    kind: KindPath,
    body: Annotated[Target, Body(examples=[TARGET])],
    valid_from: ValidFrom = None,
    _match: IfMatch = None,
) -> Response:
    """Set the share of key sites of a kind that shall be covered effectively."""
    same_id(body.kind, kind, "body.kind")
    return put(request, caller, services, body, valid_from)


def _listed(
    request: Request,
    services: Services,
    kind: type[R],
    name: str,
    site: str | None,
    at: datetime | None,
    limit: int,
    cursor: str | None,
    format_: str | None,
) -> Response:
    """A page of one kind of record."""
    chosen = chosen_format(request, format_, ("json", "csv", "parquet") if name != "targets" else ("json",))
    with services.reading() as connection:
        city = services.city(connection, at_or_now(services, at))
    wanted = {
        ref: record
        for ref, record in city.items()
        if isinstance(record, kind) and (site is None or ref[1] == site)
    }
    records, following = sliced(wanted, limit, cursor)
    rows = [record.model_dump() for record in records]
    return page(request, rows, kind, chosen, name=name, following=following)
