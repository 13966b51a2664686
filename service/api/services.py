"""What every route works with: the database, the registry as it is now, and the live state."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from sqlalchemy import Connection, Engine

from service.api.hub import LiveHub
from service.api.settings import ApiSettings
from service.api.streams import Places
from service.auth.access import Caller, require, worker_only
from service.auth.problems import Problem
from service.registry import Camera, City, History, Record, Ref, city_at
from service.registry.store import load_history, revision
from service.storage.connect import reading

R = TypeVar("R", bound=Record)


@dataclass(slots=True)
class Services:
    """One service's parts.

    Attributes:
        engine: the database.
        hub: the live state.
        settings: of the interface.
        clock: the present, seconds since the Unix epoch, UTC.
        followers: places for followers of live events.
        viewers: places for viewers of live pictures.
    """

    engine: Engine
    hub: LiveHub
    settings: ApiSettings
    clock: Callable[[], float] = time.time
    followers: Places = field(init=False)
    viewers: Places = field(init=False)
    _known: tuple[int, History] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Make the places of the settings."""
        self.followers = Places(self.settings.subscribers, self.settings.subscribers_per_caller)
        self.viewers = Places(self.settings.streams, self.settings.streams_per_caller)

    @property
    def last_revision(self) -> int:
        """The registry's revision as it was last seen."""
        return self._known[0] if self._known else 0

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads; see :func:`service.storage.connect.reading`."""
        with reading(self.engine) as connection:
            yield connection

    def registry(self, connection: Connection) -> tuple[int, History]:
        """The registry's revision and history; read anew only when the revision has changed."""
        now = revision(connection)
        known = self._known
        if known is None or known[0] != now:
            known = self._known = (now, load_history(connection))
            self.hub.expect(cameras_of(city_at(known[1], self.clock())))
        return known

    def city(self, connection: Connection, at: float | None = None) -> City:
        """The registry at a moment, by default now."""
        return city_at(self.registry(connection)[1], self.clock() if at is None else at)


def cameras_of(city: City) -> Mapping[str, str | None]:
    """Each camera's site."""
    return {record.id: record.site for record in city.values() if isinstance(record, Camera)}


def found(city: City, kind: type[R], *ids: str) -> R:
    """A record of the registry.

    Raises:
        Problem: there is none of that name, 404.
    """
    record = city.get((kind.SECTION, *ids))
    if not isinstance(record, kind):
        raise missing((kind.SECTION, *ids))
    return record


def missing(ref: Ref) -> Problem:
    """The answer where a record is not there."""
    what = {"sites": "site", "approaches": "approach", "cameras": "camera", "views": "view of the camera"}
    name = what.get(ref[0], ref[0].removesuffix("s"))
    return Problem(404, "not found", f"there is no {name} {' '.join(ref[1:])!r} at that moment")


def get_services(request: Request) -> Services:
    """The parts of the service that a request came to."""
    services: Services = request.app.state.services
    return services


Parts = Annotated[Services, Depends(get_services)]
Viewer = Annotated[Caller, Depends(require("viewer"))]
Operator = Annotated[Caller, Depends(require("operator"))]
Engineer = Annotated[Caller, Depends(require("engineer"))]
Administrator = Annotated[Caller, Depends(require("administrator"))]
Worker = Annotated[None, Depends(worker_only)]
