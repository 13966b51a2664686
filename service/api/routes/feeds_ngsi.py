"""NGSI-LD, pull: what a context consumer asks, at the addresses and in the forms of ETSI GS CIM 009."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from service.api.answers import json_bytes
from service.api.parameters import EARLIEST, LATEST, Moment
from service.api.services import Parts, Services, Viewer
from service.auth.access import Caller, door_of, public
from service.auth.problems import Problem, answers
from service.feeds.changes import camera_items, closed_hours, closed_intervals
from service.feeds.ngsi_ld import (
    CORE_CONTEXT,
    TYPES,
    Entity,
    context,
    device_entity,
    flow_entities,
    movement_entity,
    simplified,
    with_context,
)
from service.feeds.receiver import Look

router = APIRouter(prefix="/ngsi-ld/v1", tags=["feeds"])

LD = "application/ld+json"
LONGEST, LONGEST_OF_SITE = timedelta(hours=6), timedelta(days=7)
"""Longest period of one request, for the city and for one site: all of it is read for each page."""
NEWEST = timedelta(hours=2, minutes=15)
"""Entities of so long a time are given where no period is asked for: the last closed hour is in it."""
CONTEXT_PATH = "/ngsi-ld/v1/context.jsonld"

EXAMPLE: Entity = {
    "id": "urn:ngsi-ld:TrafficFlowObserved:hoa-ban:north:motorcycle:20260310T023000Z:PT15M",
    "type": "TrafficFlowObserved",
    "dateObserved": {"type": "Property", "value": "2026-03-10T02:30:00Z/2026-03-10T02:45:00Z"},
    "vehicleType": {"type": "Property", "value": "motorcycle"},
    "intensity": {"type": "Property", "value": 160},
    "averageVehicleSpeed": {"type": "Property", "value": 20.8, "unitCode": "KMH"},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [106.2, 21.28]}},
    "ngatu:revision": {"type": "Property", "value": 1},
}

Options = Annotated[
    str | None, Query(max_length=60, description="`keyValues` for attributes without types, `count`.")
]
Form = Annotated[
    Literal["normalized", "simplified"] | None,
    Query(alias="format", description="The same, as newer clients ask."),
]


def given(example: Any) -> dict[int | str, Any]:
    """What a route says of its answer: JSON, or JSON-LD where that is accepted."""
    linked = {"schema": {"type": "object" if isinstance(example, dict) else "array"}}
    content = {"application/json": {"example": example}, LD: linked}
    return {200: {"description": "As asked for", "content": content}}


@router.get(
    "/context.jsonld",
    response_class=Response,
    responses={
        200: {"description": "It", "content": {LD: {"schema": {"type": "object"}, "example": context()}}}
    },
)
def read_context(_caller: Annotated[Caller, Depends(public)]) -> Response:
    """Our JSON-LD context: brokers fetch it, so that it is open to everybody."""
    return Response(json_bytes(context()), media_type=LD, headers={"Cache-Control": "public, max-age=3600"})


@router.get("/types", responses=given({"type": "EntityTypeList", "typeList": list(TYPES)}))
def list_entity_types(request: Request, _caller: Viewer) -> Response:
    """Types of entities that there are."""
    told = {"id": "urn:ngsi-ld:EntityTypeList:ngatu", "type": "EntityTypeList", "typeList": list(TYPES)}
    return _answer(request, told, LD in request.headers.get("accept", ""))


@router.get("/entities", responses=given([EXAMPLE]))
def list_entities(
    request: Request,
    _caller: Viewer,
    services: Parts,
    type_: Annotated[
        str | None, Query(alias="type", max_length=200, description="Types, with commas between them.")
    ] = None,
    id_: Annotated[
        str | None, Query(alias="id", max_length=8000, description="Ids, with commas between them.")
    ] = None,
    attrs: Annotated[
        str | None,
        Query(max_length=1000, description="These attributes only; entities without any are left out."),
    ] = None,
    q: Annotated[
        str | None,
        Query(
            max_length=1000,
            description="Conditions `attribute==value`, `;` between them.",
            examples=['ngatu:site=="hoa-ban";vehicleType=="motorcycle"'],
        ),
    ] = None,
    timerel: Annotated[
        Literal["before", "after", "between"] | None,
        Query(description="Observations that began then; of the last two hours if left out."),
    ] = None,
    time_at: Annotated[Moment | None, Query(alias="timeAt", description="The moment of `timerel`.")] = None,
    end_time_at: Annotated[
        Moment | None, Query(alias="endTimeAt", description="The end, with `between`.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most entities of one page.")] = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Entities to leave out before it.")] = 0,
    count: Annotated[bool, Query(description="Tell how many there are in NGSILD-Results-Count.")] = False,
    options: Options = None,
    format_: Form = None,
) -> Response:
    """Entities by type or id: closed quarters of an hour of approaches, hours of movements, cameras.

    They are in order of their ids. Beyond the standard, the parameters of temporal queries choose the period.
    """
    types = _types(type_)
    if type_ is None and id_ is None:
        raise Problem(422, "not valid", "query.type: name a type, or an id", "query.type")
    conditions = _conditions(q)
    site = conditions.get("ngatu:site")
    if id_ is not None:
        wanted = sorted({each for each in id_.split(",") if each})[:200]
        found = [each for name in wanted for each in _by_id(services, name) if each["type"] in types]
    else:
        period = _period(services, timerel, time_at, end_time_at, LONGEST_OF_SITE if site else LONGEST)
        found = _all(services, types, *period, site)
    found = [each for each in found if all(_says(each, name, value) for name, value in conditions.items())]
    if attrs is not None:
        found = _projected(found, set(attrs.split(",")))
    found.sort(key=lambda each: str(each["id"]))
    chosen = [name.strip() for name in (options or "").split(",") if name.strip()]
    if unknown := set(chosen) - {"keyValues", "simplified", "normalized", "count"}:
        raise Problem(422, "not valid", f"query.options: {min(unknown)[:20]!r} is not known", "query.options")
    plain = format_ == "simplified" or "keyValues" in chosen or "simplified" in chosen
    headers = {"NGSILD-Results-Count": str(len(found))} if count or "count" in chosen else {}
    told = found[offset : offset + limit]
    linked = LD in request.headers.get("accept", "")
    shown = [simplified(each) if plain else each for each in told]
    if linked:
        shown = [with_context(each, [_context_url(request), CORE_CONTEXT]) for each in shown]
    return _answer(request, shown, linked, headers)


@router.get("/entities/{entity}", responses={**given(EXAMPLE), **answers(404)})
def read_entity(
    request: Request,
    _caller: Viewer,
    services: Parts,
    entity: Annotated[
        str, Path(min_length=1, max_length=300, description="Its id.", examples=[EXAMPLE["id"]])
    ],
    options: Options = None,
    format_: Form = None,
) -> Response:
    """One entity."""
    found = _by_id(services, entity)
    if not found:
        raise Problem(404, "not found", f"there is no entity {entity[:200]!r}")
    plain = format_ == "simplified" or (options or "") in ("keyValues", "simplified")
    linked = LD in request.headers.get("accept", "")
    shown = simplified(found[0]) if plain else found[0]
    if linked:
        shown = with_context(shown, [_context_url(request), CORE_CONTEXT])
    return _answer(request, shown, linked)


def _answer(request: Request, told: Any, linked: bool, more: dict[str, str] | None = None) -> Response:
    """JSON with a Link to our context, or JSON-LD that carries it."""
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie", **(more or {})}
    if not linked:
        link = f'<{_context_url(request)}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD}"'
        headers["Link"] = link
    return Response(json_bytes(told), media_type=LD if linked else "application/json", headers=headers)


def _context_url(request: Request) -> str:
    base = door_of(request).settings.public_url or str(request.base_url).rstrip("/")
    return base + CONTEXT_PATH


def _types(told: str | None) -> set[str]:
    """The types asked for, by their short names or whole."""
    if told is None:
        return set(TYPES)
    names = {each.rpartition("/")[2] for each in told.split(",") if each}
    return names & set(TYPES)


def _conditions(q: str | None) -> dict[str, str]:
    found = {}
    for each in (q or "").split(";"):
        if not each.strip():
            continue
        name, equals, value = each.partition("==")
        if not equals or any(sign in name for sign in "|()<>!~"):
            raise Problem(
                422, "not valid", 'query.q: write attribute=="value", with ; between conditions', "query.q"
            )
        found[name.strip()] = value.strip().strip('"')
    return found


def _says(entity: Entity, name: str, value: str) -> bool:
    told = entity.get(name)
    said = told.get("value") if isinstance(told, dict) else None
    return said is not None and (str(said).lower() if isinstance(said, bool) else str(said)) == value


def _projected(entities: list[Entity], names: set[str]) -> list[Entity]:
    kept = [
        {name: value for name, value in each.items() if name in names | {"id", "type"}} for each in entities
    ]
    return [each for each in kept if len(each) > 2]


def _period(
    services: Services, timerel: str | None, at: datetime | None, end: datetime | None, longest: timedelta
) -> tuple[datetime, datetime]:
    """The period asked for.

    Raises:
        Problem: it is not whole, or too long.
    """
    now = datetime.fromtimestamp(services.clock(), UTC)
    if timerel is None:
        if at is not None or end is not None:
            raise Problem(422, "not valid", "query.timerel: say before, after or between", "query.timerel")
        return now - NEWEST, now
    if at is None or (timerel == "between") != (end is not None):
        missing = "timeAt" if at is None else "endTimeAt"
        raise Problem(
            422, "not valid", f"query.{missing}: between has both, the others timeAt only", f"query.{missing}"
        )
    if timerel == "before":
        return at - NEWEST, at
    until = end if end is not None else now
    if until <= at or until - at > longest:
        hours, days = LONGEST // timedelta(hours=1), LONGEST_OF_SITE.days
        detail = (
            f"query.timeAt: a period ends later than it begins, and has at most {hours} hours, "
            f'or {days} days of one site (q=ngatu:site=="...")'
        )
        raise Problem(422, "not valid", detail, "query.timeAt")
    return at, until


def _all(
    services: Services, types: set[str], start: datetime, end: datetime, site: str | None
) -> list[Entity]:
    sites = None if site is None else [site]
    now, tz = services.clock(), services.settings.tz
    found: list[Entity] = []
    with services.reading() as connection:
        city = services.city(connection)
        if "Device" in types:
            look = Look(connection, city, services.hub.snapshot(), now, now, now, True, tz)
            found += [device_entity(each.content) for each in camera_items(look, sites)]
        if "TrafficFlowObserved" in types:
            for each in closed_intervals(connection, city, start, end, now, sites=sites):
                found += flow_entities(each.content)
        if "OriginDestinationFlow" in types:
            hours = closed_hours(connection, city, start, end, now, sites)
            found += [movement_entity(each.content, tz) for each in hours]
    return found


def _by_id(services: Services, name: str) -> list[Entity]:
    """The entity of an id, looked up by what the id says; none or one."""
    parts = name.split(":")
    if parts[:2] != ["urn", "ngsi-ld"] or len(parts) < 4:
        return []
    if parts[2] == "Device":
        found = _all(services, {"Device"}, EARLIEST, EARLIEST, None)
    elif parts[2] in TYPES and len(parts) == 8:
        try:
            start = datetime.strptime(parts[6], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return []
        if not EARLIEST <= start < LATEST:
            return []
        found = _all(services, {parts[2]}, start, start + timedelta(seconds=1), parts[3])
    else:
        return []
    return [each for each in found if each["id"] == name]
