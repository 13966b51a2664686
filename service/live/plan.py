"""What the registry asks of live analysis now: which cameras, where they are, and what to do with each."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select, update

from service.auth.addresses_guard import check_address
from service.auth.vault import load_secrets
from service.live.messages import Stream
from service.registry import Camera, CameraView, History, Site, boundaries, city_at, resolve_address
from service.registry.addresses import names_in
from service.registry.store import load_history, revision
from service.registry.writing import view_data
from service.storage.base import Base, upsert_into
from service.storage.ids import content_sha256
from service.storage.sealing import SealingError
from service.storage.tables import CameraHealth
from vision import NgatuError, View

PICTURES = Base.metadata.tables["view_pictures"]
LOOKS_AS_BEFORE = "ngatu: it looks as before"
"""Who confirmed a view where the camera turned back by itself, and the picture shows it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One camera and what is asked of it.

    Attributes:
        camera: its id.
        site: its site.
        address: where its pictures come from; secrets stand in it as ``${NAME}``.
        view: what to count with; None where only its health is watched.
        view_sha256: checksum of the view, as the registry keeps it; empty without one.
        why: why only its health is watched; empty where it is counted.
        follow: whether its vehicles are followed although there is no view: one is proposed from them.
        substream: where its smaller stream comes from; empty where it has none.
    """

    camera: str
    site: str | None
    address: str
    view: View | None = None
    view_sha256: str = ""
    why: str = ""
    follow: bool = False
    substream: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of all cameras.

    Attributes:
        revision: of the registry.
        entries: by camera.
        until: when the registry says something else though nobody changes it; infinite where it does not.
        secrets: of the vault: what ``${NAME}`` in addresses stands for, beside the environment.
        locked: why the vault cannot be opened; empty where it can.
    """

    revision: int
    entries: Mapping[str, Entry]
    until: float = float("inf")
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    locked: str = ""

    def address(self, camera: str, stream: Stream = "main") -> str:
        """The address to open, secrets filled in and its host looked up. Never show or store it.

        Raises:
            NgatuError: a secret that it names is not known, the vault cannot be opened, or the address leads
                where no camera may be.
        """
        entry = self.entries[camera]
        address = entry.substream if stream == "sub" else entry.address
        if self.locked and names_in(address):
            raise NgatuError(self.locked)
        return check_address(resolve_address(address, os.environ, self.secrets)).address


@dataclass(frozen=True, slots=True)
class Reference:
    """The picture that a view was drawn on.

    Attributes:
        camera: the camera.
        view_sha256: the view.
        made_at: when it was made, seconds since the epoch.
        confirmed_at: when somebody last said that the view fits the picture; None since the camera moved.
        confirmed_by: who.
        picture: a JPEG.
    """

    camera: str
    view_sha256: str
    made_at: float
    confirmed_at: float | None
    confirmed_by: str
    picture: bytes = field(repr=False)


def load_plan(connection: Connection, now: float) -> Plan:
    """Read the registry as it holds at a moment, seconds since the epoch."""
    history = load_history(connection)
    until = min(boundaries(history, now), default=float("inf"))
    try:
        secrets, locked = load_secrets(connection), ""
    except SealingError as error:  # cameras that need none of them go on
        secrets, locked = {}, str(error)
    return Plan(revision(connection), entries_at(history, now), until, secrets, locked)


def entries_at(history: History, now: float) -> dict[str, Entry]:
    """What is asked of each camera at a moment, in the order of their names."""
    city = city_at(history, now)
    sites = {each.id: each for each in city.values() if isinstance(each, Site)}
    views = {each.camera: each.view for each in city.values() if isinstance(each, CameraView)}
    cameras = sorted((each for each in city.values() if isinstance(each, Camera)), key=lambda each: each.id)
    return {each.id: _entry(each, sites.get(each.site), views.get(each.id)) for each in cameras}


def read_revision(connection: Connection) -> int:
    """The registry's revision, which grows with every change."""
    return revision(connection)


def load_references(
    connection: Connection, wanted: Mapping[str, str], known: Mapping[str, Reference]
) -> list[Reference]:
    """The pictures of some cameras' views that are new or were confirmed meanwhile.

    Args:
        connection: of a transaction that reads.
        wanted: the view's checksum by camera.
        known: those that are known already, by camera.
    """
    query = select(
        PICTURES.c.camera_id, PICTURES.c.view_sha256, PICTURES.c.made_at, PICTURES.c.confirmed_at
    ).where(PICTURES.c.camera_id.in_(list(wanted)))
    found = []
    for row in connection.execute(query):
        have = known.get(row.camera_id)
        same = have is not None and (have.view_sha256, have.made_at, have.confirmed_at) == (
            row.view_sha256,
            row.made_at.timestamp(),
            _seconds(row.confirmed_at),
        )
        if wanted[row.camera_id] != row.view_sha256 or same:
            continue
        whole = connection.execute(
            select(PICTURES.c.picture, PICTURES.c.confirmed_by).where(
                PICTURES.c.camera_id == row.camera_id, PICTURES.c.view_sha256 == row.view_sha256
            )
        ).one()
        found.append(
            Reference(
                row.camera_id,
                row.view_sha256,
                row.made_at.timestamp(),
                _seconds(row.confirmed_at),
                whole.confirmed_by,
                whole.picture,
            )
        )
    return found


def save_reference(connection: Connection, reference: Reference) -> None:
    """Keep the picture of a view; one that is there already is replaced."""
    values = {
        "made_at": _moment(reference.made_at),
        "confirmed_at": None if reference.confirmed_at is None else _moment(reference.confirmed_at),
        "confirmed_by": reference.confirmed_by,
        "picture": reference.picture,
    }
    key = {"camera_id": reference.camera, "view_sha256": reference.view_sha256}
    statement = upsert_into(connection, PICTURES).values(**key, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def mark_confirmed(connection: Connection, camera: str, view_sha256: str, at: float | None, by: str) -> None:
    """Say that a view fits its picture since a moment, or (None) that it is not known to any more."""
    moment = None if at is None else _moment(at)
    connection.execute(
        update(PICTURES)
        .where(PICTURES.c.camera_id == camera, PICTURES.c.view_sha256 == view_sha256)
        .values(confirmed_at=moment, confirmed_by=by)
    )


def known_costs(connection: Connection, cameras: Iterable[str]) -> dict[str, float]:
    """What cameras cost, width × height × frames a second in millions, as they were when last seen well."""
    costs: dict[str, float] = {}
    query = (
        select(CameraHealth.camera_id, CameraHealth.detail)
        .where(CameraHealth.camera_id.in_(list(cameras)), CameraHealth.state == "ok")
        .order_by(CameraHealth.started_at)
    )
    for row in connection.execute(query):
        detail = row.detail or {}
        if all(detail.get(name) for name in ("width", "height", "fps")):
            costs[row.camera_id] = detail["width"] * detail["height"] * detail["fps"] / 1e6
    return costs


def _entry(camera: Camera, site: Site | None, view: View | None) -> Entry:
    entry = Entry(camera.id, camera.site, camera.address, substream=camera.substream)
    if site is not None and site.kind == "public_area":
        return replace(entry, why="a public area: only its health is watched")
    if view is None:
        return replace(entry, why="no view is drawn: nothing is counted yet", follow=True)
    return replace(entry, view=view, view_sha256=content_sha256(view_data(view)))


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
