"""Changes of the registry over HTTP: who may still change what they saw, and what is refused in words."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import Header, Request, Response
from sqlalchemy import Connection, select

from service.api.answers import etag, json_bytes, matches, respond
from service.api.services import Services, missing
from service.auth.access import Caller
from service.auth.problems import Problem
from service.registry import City, History, Record, Ref, city_at
from service.registry.editing import MisfitError, plan_edit
from service.registry.store import load_history, revision, save_changes
from service.storage.connect import writing
from service.storage.tables import RegistryRevision

IfMatch = Annotated[
    str | None,
    Header(description="ETag of the record that is changed; needed where it exists", max_length=500),
]


def at_or_now(services: Services, moment: datetime | None) -> float:
    """Seconds since the epoch of a moment, by default of the present."""
    return services.clock() if moment is None else moment.timestamp()


def lock_registry(connection: Connection) -> None:
    """Nobody else changes the registry until this transaction is over."""
    connection.execute(select(RegistryRevision.revision).with_for_update())


def change_registry(
    services: Services,
    connection: Connection,
    caller: Caller,
    edits: Mapping[Ref, Record | None],
    time: float,
    history: History,
) -> History:
    """Write what records say from a moment on, in the caller's transaction.

    Raises:
        Problem: they do not fit together, 422.
    """
    try:
        changes = plan_edit(history, edits, time)
    except MisfitError as error:
        misfit = error.misfit
        own = misfit.ref in edits
        field = ".".join(str(step) for step in ("body", *misfit.fields)) if own else None
        what = "" if own else f"{' '.join(misfit.ref)}: "
        raise Problem(422, "does not fit", f"{what}{misfit.problem}", field=field) from None
    seen = revision(connection)
    if not changes:
        return history
    return save_changes(
        connection, history, changes, time, seen_revision=seen, now=services.clock(), actor=caller.login
    )


def edit(
    services: Services,
    caller: Caller,
    request: Request,
    ref: Ref,
    record: Record | None,
    time: float,
    shown: Callable[[City, Ref], bytes],
) -> tuple[bool, City]:
    """Put or end one record, if the caller saw what it says now.

    ``shown`` gives the content by whose ETag a record is known.

    Returns:
        Whether it is new, and the city from then on.

    Raises:
        Problem: it was changed meanwhile (412), the header is missing (428), or see :func:`change_registry`.
    """
    with writing(services.engine) as connection:
        lock_registry(connection)
        history = load_history(connection)
        city = city_at(history, time)
        if record is None and ref not in city:
            raise missing(ref)
        check_match(request, shown(city, ref) if ref in city else None)
        after = change_registry(services, connection, caller, {ref: record}, time, history)
    return ref not in city, city_at(after, time)


def put(
    request: Request, caller: Caller, services: Services, record: Record, valid_from: datetime | None
) -> Response:
    """Answer a PUT of a record that is shown as it is: 201 where it is new."""
    time = at_or_now(services, valid_from)
    new, city = edit(services, caller, request, record.ref, record, time, shown_plainly)
    return respond(request, shown_plainly(city, record.ref), status=201 if new else 200)


def end(
    request: Request,
    caller: Caller,
    services: Services,
    ref: Ref,
    valid_from: datetime | None,
    shown: Callable[[City, Ref], bytes] | None = None,
) -> Response:
    """Answer a DELETE of a record: it ends, and what hung on it."""
    time = at_or_now(services, valid_from)
    edit(services, caller, request, ref, None, time, shown or shown_plainly)
    return Response(status_code=204)


def same_id(told: str, path: str, field: str) -> None:
    """See that a body is about what its path names.

    Raises:
        Problem: it is not, 422.
    """
    if told != path:
        raise Problem(
            422, "not valid", f"{field}: it says {told!r}, the path {path!r}; make them equal", field
        )


def shown_plainly(city: City, ref: Ref) -> bytes:
    """A record's JSON, as the route that reads it gives it."""
    return json_bytes(city[ref].model_dump(by_alias=True))


def check_match(request: Request, current: bytes | None) -> None:
    """See that the caller changes what it saw.

    Raises:
        Problem: 412 if it is another by now, 428 if the header is missing.
    """
    wanted, unwanted = request.headers.get("if-match"), request.headers.get("if-none-match")
    if current is None:
        if wanted is not None:
            raise Problem(412, "changed meanwhile", "it does not exist (any more); read it anew")
        return
    tag = etag(current)
    if matches(unwanted, tag):
        raise Problem(412, "exists already", "it exists already; read it, then change it with If-Match")
    if wanted is None:
        raise Problem(
            428,
            "If-Match is needed",
            "send the header If-Match with the ETag that reading it gave",
            "If-Match",
        )
    if not matches(wanted, tag):
        raise Problem(412, "changed meanwhile", "somebody changed it since you read it; read it anew")
