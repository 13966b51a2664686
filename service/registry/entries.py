"""What files say of the city, before it is checked: entries with the place of each field."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.registry.records import RECORDS, Ref, RegistryError

Location = tuple[str | int, ...]
"""The path of keys and numbers to a field, from the top of its file."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file an entry stands.

    Attributes:
        file: the file.
        location: path of keys to the entry; empty where a row is enough.
        line_of: the line of a path of keys, counted from 1.
    """

    file: Path
    location: Location
    line_of: Callable[[Location], int]

    @property
    def line(self) -> int:
        """The entry's line."""
        return self.line_of(self.location)

    def fault(self, problem: str, *fields: str | int) -> RegistryError:
        """An error that names file, line and field."""
        path = (*self.location, *fields)
        name = ".".join(str(step) for step in path)
        return RegistryError(
            f"{self.file}: line {self.line_of(path)}: {f'{name}: ' if name else ''}{problem}"
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """What a file says of one record.

    Attributes:
        section: the kind of record.
        data: the fields that are written; one that is None goes back to its default. None as a whole ends
            the record.
        ids: the values of the fields that name it.
        place: where it stands.
    """

    section: str
    ids: tuple[str, ...]
    data: Mapping[str, Any] | None
    place: Place

    @property
    def ref(self) -> Ref:
        """What the record is called."""
        return (self.section, *self.ids)


@dataclass(frozen=True, slots=True)
class Draft:
    """What one or more files say together.

    Attributes:
        entries: in the order of the files.
        lists: the lists that stand in the files: ``("sites",)``, ``("cameras",)``, ``("targets",)``,
            ``("approaches",)`` of a table of all, ``("approaches", SITE)`` of a site.
    """

    entries: tuple[Entry, ...]
    lists: frozenset[Ref]

    def lists_its_kind(self, ref: Ref) -> bool:
        """Whether a record could stand in one of the lists, so that its absence says something."""
        return ref[:1] in self.lists or ref[:2] in self.lists


def make_entry(section: str, data: Mapping[str, Any], place: Place) -> Entry:
    """An entry from the fields of one record.

    Raises:
        RegistryError: a field that names it is missing or is no text.
    """
    ids = []
    for field in RECORDS[section].IDS:
        value = data.get(field)
        if value in (None, ""):
            raise place.fault("it is missing; add it", field)
        if not isinstance(value, str | int | float):
            raise place.fault("write a short name of letters, digits, _ and -", field)
        ids.append(str(value))
    return Entry(section, tuple(ids), data, place)


def site_entry(data: Mapping[str, Any], place: Place) -> Entry:
    """An entry of a site."""
    return make_entry("sites", data, place)


def approach_entries(data: Mapping[str, Any], place: Place) -> list[Entry]:
    """An entry of an approach, and one of its owner where the field ``owner`` is written."""
    fields = dict(data)
    owner = fields.pop("owner", None)
    entries = [make_entry("approaches", fields, place)]
    if "owner" in data:
        ids = entries[0].ids
        ends = owner in (None, "")
        about = None if ends else {"site": ids[0], "approach": ids[1], "camera": owner}
        entries.append(Entry("owners", ids, about, place))
    return entries


def camera_entries(data: Mapping[str, Any], place: Place) -> list[Entry]:
    """An entry of a camera, and one of its view where the field ``view`` is written.

    The view is written out, or the path of its file, relative to the file that names it.
    """
    fields = dict(data)
    view = fields.pop("view", None)
    entries = [make_entry("cameras", fields, place)]
    if "view" in data:
        ids = entries[0].ids
        if isinstance(view, str) and view:
            view = place.file.parent / view
        about = None if view in (None, "") else {"camera": ids[0], "view": view}
        entries.append(Entry("views", ids, about, place))
    return entries
