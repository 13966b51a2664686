"""Whether the records of a city fit together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from service.registry.history import City
from service.registry.records import ADDRESSES, Approach, Camera, CameraView, Owner, Ref, Site


@dataclass(frozen=True, slots=True)
class Misfit:
    """A field of a record that does not fit with the others.

    Attributes:
        ref: the record.
        fields: path to the field in it.
        problem: what is wrong, and the fix.
    """

    ref: Ref
    fields: tuple[str | int, ...]
    problem: str


def find_fault(city: City) -> Misfit | None:
    """The first thing that does not fit, None where all does."""
    return next(_faults(city), None)


def _faults(city: City) -> Iterator[Misfit]:
    sources: dict[str, tuple[str, str]] = {}
    arms: dict[str, list[str]] = {}
    for record in city.values():
        if isinstance(record, Approach):
            arms.setdefault(record.site, []).append(record.id)
    for ref, record in city.items():
        if isinstance(record, Approach):
            yield from _approach_faults(city, record)
        elif isinstance(record, Camera):
            if ("sites", record.site) not in city:
                yield Misfit(ref, ("site",), f"there is no site {record.site!r}; add it or correct the name")
            yield from _source_faults(sources, record)
        elif isinstance(record, Owner):
            yield from _owner_faults(city, record)
        elif isinstance(record, CameraView):
            yield from _view_faults(city, record, arms)


def _approach_faults(city: City, record: Approach) -> Iterator[Misfit]:
    site = city.get(("sites", record.site))
    if not isinstance(site, Site):
        yield Misfit(record.ref, ("site",), f"there is no site {record.site!r}; add it or correct the name")
    elif site.kind != "junction":
        problem = f"{record.site!r} is a public area, which has no approaches; only junctions have"
        yield Misfit(record.ref, ("site",), problem)


def _source_faults(sources: dict[str, tuple[str, str]], record: Camera) -> Iterator[Misfit]:
    """What of a camera's addresses is there already, in ``sources``: camera and field by address."""
    for field in ADDRESSES:
        address = getattr(record, field)
        other, there = sources.setdefault(address, (record.id, field))
        if not address or (other, there) == (record.id, field):
            continue
        problem = f"camera {other!r} has the same address; one video source is one camera of one site"
        if other == record.id:
            problem = "it is the address once more; give that of the camera's smaller stream, or leave it out"
        yield Misfit(record.ref, (field,), problem)


def _owner_faults(city: City, record: Owner) -> Iterator[Misfit]:
    camera = city.get(("cameras", record.camera))
    if ("approaches", record.site, record.approach) not in city:
        problem = f"there is no approach {record.approach!r} at {record.site!r}; add it or correct the name"
        yield Misfit(record.ref, ("id",), problem)
    elif not isinstance(camera, Camera):
        problem = f"there is no camera {record.camera!r}; add it or correct the name"
        yield Misfit(record.ref, ("owner",), problem)
    elif camera.site != record.site:
        problem = (
            f"camera {record.camera!r} belongs to {camera.site!r}; an owner is a camera of the same site"
        )
        yield Misfit(record.ref, ("owner",), problem)


def _view_faults(city: City, record: CameraView, arms: Mapping[str, list[str]]) -> Iterator[Misfit]:
    camera = city.get(("cameras", record.camera))
    if not isinstance(camera, Camera):
        problem = f"there is no camera {record.camera!r}; add it or correct the name"
        yield Misfit(record.ref, ("view",), problem)
        return
    known = arms.get(camera.site, [])
    if missing := record.named - set(known):
        has = f"its approaches: {', '.join(sorted(known))}" if known else "it has none"
        problem = f"site {camera.site!r} has no approach {min(missing)!r}; {has}"
        yield Misfit(record.ref, ("view",), problem)
