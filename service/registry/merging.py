"""From what files say to what the registry is to say: filled in, checked one by one and together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from service.registry.checks import find_fault
from service.registry.entries import Draft, Entry
from service.registry.history import City
from service.registry.records import RECORDS, Camera, Fault, Owner, Record, Ref, RegistryError, Site
from vision.views import load_view

_PROBLEMS = {
    "extra_forbidden": "there is no such field; correct its name or remove it",
    "missing": "it is missing; add it",
    "string_pattern_mismatch": "write a short name of letters, digits, _ and -",
    "float_parsing": "write a number, with a point before the decimals",
    "int_parsing": "write a whole number",
    "bool_parsing": "write true or false",
}
"""Plainer words for some of pydantic's."""


def merge(city: City, draft: Draft, end_missing: bool = False) -> dict[Ref, Record]:
    """What the registry is to say once the files are applied.

    A field that is not written stays as it is, or has its default in a new record. A record that is not in
    the files stays, unless ``end_missing``: then it ends if it could stand in one of their lists.

    Raises:
        RegistryError: a field is wrong, or the records do not fit together; the message names file, line
            and field.
    """
    wanted = dict(city)
    written = {entry.ref: entry for entry in draft.entries}
    if end_missing:
        for ref in city.keys() - written.keys():
            if draft.lists_its_kind(ref):
                del wanted[ref]
    for ref, entry in written.items():
        if entry.data is None:
            wanted.pop(ref, None)
        else:
            wanted[ref] = _record(city.get(ref), entry)
    let_go(city, wanted, written)
    fault = find_fault(wanted)
    if fault is None:
        return wanted
    if fault.ref in written:
        raise written[fault.ref].place.fault(fault.problem, *fault.fields)
    raise RegistryError(f"{' '.join(fault.ref)}: {'.'.join(map(str, fault.fields))}: {fault.problem}")


def not_mentioned(city: City, draft: Draft) -> list[Ref]:
    """Records that could stand in the lists of the files, but do not."""
    written = {entry.ref for entry in draft.entries}
    return sorted(ref for ref in city if draft.lists_its_kind(ref) and ref not in written)


def _record(before: Record | None, entry: Entry) -> Record:
    data: dict[str, Any] = before.model_dump(by_alias=True) if before else {}
    for field, value in (entry.data or {}).items():
        data.pop(field, None)
        if isinstance(value, Path):
            data[field] = load_view(value)
        elif value is not None and value != "":
            data[field] = value
    try:
        return RECORDS[entry.section].model_validate(data)
    except ValidationError as error:
        raise _explain(entry, error) from None


def _explain(entry: Entry, error: ValidationError) -> RegistryError:
    """The first fault of an entry."""
    # A misspelt field is told as that, not as the missing one it was meant to be.
    found = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    cause = found.get("ctx", {}).get("error")
    fields: tuple[str | int, ...] = tuple(step for step in found["loc"] if step != "[key]")
    fields += (cause.field,) if isinstance(cause, Fault) else getattr(cause, "location", ())
    problem = _PROBLEMS.get(found["type"], str(found["msg"]).removeprefix("Value error, "))
    if fields[:1] in (("lat",), ("lon",)) and "than_equal" in found["type"]:
        problem = "latitudes lie between -90 and 90, longitudes between -180 and 180; are the two swapped?"
    if fields == ("share",):
        problem = "write a share from 0 to 1, such as 0.9"
    return entry.place.fault(problem, *fields)


def let_go(city: City, wanted: dict[Ref, Record], written: Mapping[Ref, object]) -> None:
    """End what hung on records that ended, and what was drawn or decided for a camera's former site."""
    moved = {
        ref[1]
        for ref, record in wanted.items()
        if isinstance(record, Camera) and ref in city and record.site != _site_of(city, record.id)
    }
    for ref, record in list(wanted.items()):
        if ref in written:
            continue
        section, *ids = ref
        owner = record.camera if isinstance(record, Owner) else ids[0]
        lost = (
            (section == "approaches" and not _is_junction(wanted, ids[0]))
            or (section == "owners" and ("approaches", *ids) not in wanted)
            or (section in ("owners", "views") and (("cameras", owner) not in wanted or owner in moved))
        )
        if lost:
            del wanted[ref]


def _is_junction(city: City, site: str) -> bool:
    record = city.get(("sites", site))
    return isinstance(record, Site) and record.kind == "junction"


def _site_of(city: City, camera: str) -> str | None:
    record = city.get(("cameras", camera))
    return record.site if isinstance(record, Camera) else None
