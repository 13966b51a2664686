"""Reads the city from YAML, CSV and GeoJSON: which records there are, and where each stands in its file."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

from service.registry.entries import (
    Draft,
    Entry,
    Location,
    Place,
    approach_entries,
    camera_entries,
    make_entry,
    site_entry,
)
from service.registry.records import RECORDS, Ref, RegistryError, Site

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_MAKERS: dict[str, Callable[[Mapping[str, Any], Place], list[Entry]]] = {
    "sites": lambda data, place: [site_entry(data, place)],
    "approaches": approach_entries,
    "cameras": camera_entries,
    "targets": lambda data, place: [make_entry("targets", data, place)],
}
"""The lists that a file may hold."""

_HEADING = ("city", "note", "at")
"""Fields at the top of a YAML file that are for people."""


def read_files(paths: Sequence[Path]) -> Draft:
    """Read files that describe the city together.

    Raises:
        RegistryError: a file cannot be read or understood, or two entries are about the same record; the
            message names file, line and field.
    """
    entries: list[Entry] = []
    lists: set[Ref] = set()
    for path in paths:
        entries += _reader(path)(path, _text(path), lists)
    first: dict[Ref, Entry] = {}
    for entry in entries:
        if entry.ref in first:
            there = first[entry.ref].place
            name = " ".join(entry.ids)
            also = "; a camera belongs to one site" if entry.section == "cameras" else ""
            raise entry.place.fault(
                f"{name} is there twice, first in {there.file} line {there.line}: keep one{also}",
                RECORDS[entry.section].IDS[-1],
            )
        first[entry.ref] = entry
    return Draft(tuple(entries), frozenset(lists))


Reader = Callable[[Path, str, set[Ref]], Iterator[Entry]]
"""Reads the entries of a file from its text, and adds what the file lists to a set."""


def _reader(path: Path) -> Reader:
    readers = {
        ".yaml": _read_yaml,
        ".yml": _read_yaml,
        ".csv": _read_csv,
        ".geojson": _read_geojson,
        ".json": _read_geojson,
    }
    if path.suffix.lower() not in readers:
        raise RegistryError(f"{path}: its name does not end in .yaml, .csv or .geojson; give one that does")
    return readers[path.suffix.lower()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RegistryError(f"{path}: it is not UTF-8 text; save it as UTF-8 (in Excel: CSV UTF-8)") from None
    except OSError as error:
        raise RegistryError(f"cannot read {path}: {error.strerror}; give the path of a file") from None


# YAML


def _read_yaml(path: Path, text: str, lists: set[Ref]) -> Iterator[Entry]:
    lines: dict[Location, int] = {}
    try:
        _refuse_aliases(path, text)
        data = _plain(path, yaml.compose(text, Loader=Loader), (), lines)
    except RecursionError:
        raise RegistryError(f"{path}: lists are nested too deeply; write the file anew") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ""
        problem = getattr(error, "problem", None) or "not valid YAML"
        raise RegistryError(f"{path}:{where} {problem}; correct the YAML there") from None
    top = Place(path, (), lambda location: _nearest(lines, location))
    if not isinstance(data, dict) or not data.keys() & _MAKERS.keys() - {"approaches"}:
        raise top.fault("there is no list of sites, cameras or targets; begin with one of them")
    for section, rows in data.items():
        if section in _HEADING:
            continue
        if section not in _MAKERS or section == "approaches":
            raise top.fault("there is no such list; lists are sites, cameras and targets", section)
        lists.add((section,))
        for number, row in enumerate(_list(top, rows, section)):
            place = Place(path, (section, number), top.line_of)
            yield from _yaml_entries(section, _mapping(place, row), place, lists)


def _yaml_entries(section: str, row: dict[str, Any], place: Place, lists: set[Ref]) -> Iterator[Entry]:
    approaches = row.pop("approaches", None) if section == "sites" else None
    yield from _MAKERS[section](row, place)
    if approaches is not None:
        lists.add(("approaches", str(row["id"])))
    for number, approach in enumerate(_list(place, approaches, "approaches") if approaches else []):
        inner = Place(place.file, (*place.location, "approaches", number), place.line_of)
        yield from approach_entries({"site": row["id"], **_mapping(inner, approach)}, inner)


def _refuse_aliases(path: Path, text: str) -> None:
    """A part that stands for another, or for itself, can make a small file endless."""
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise RegistryError(f"{path}: line {line}: *{event.anchor}: write it out; aliases are not taken")


def _plain(path: Path, node: yaml.Node | None, at: Location, lines: dict[Location, int]) -> Any:
    """Mappings, lists, text and None of a YAML tree; notes the line of each.

    Numbers stay text until a record takes them, so that an id such as 07210 is not read as an octal number.
    """
    if node is None:
        return None
    lines.setdefault(at, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        data: dict[str, Any] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in data:
                raise RegistryError(f"{path}: line {line}: {name}: it is there twice; keep one")
            lines[(*at, name)] = line
            data[name] = _plain(path, value, (*at, name), lines)
        return data
    if isinstance(node, yaml.SequenceNode):
        return [_plain(path, item, (*at, number), lines) for number, item in enumerate(node.value)]
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _nearest(lines: Mapping[Location, int], location: Location) -> int:
    """The line of a path of keys or of its nearest parent."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _list(place: Place, value: Any, field: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise place.fault("it is not a list; write each entry with a dash before it", field)
    return value


def _mapping(place: Place, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise place.fault("it has no fields; write them as name: value")
    return dict(value)


# CSV


def _read_csv(path: Path, text: str, lists: set[Ref]) -> Iterator[Entry]:
    words = re.split(r"[^a-z]+", path.stem.lower())
    section = next((name for name in _MAKERS if name in words), None)
    if section is None:
        raise RegistryError(
            f"{path}: its name does not say what it lists; call it sites.csv, approaches.csv, "
            "cameras.csv or targets.csv"
        )
    lists.add((section,))
    head = text.split("\n", 1)[0]
    rows = csv.reader(io.StringIO(text), delimiter=max(",;\t", key=head.count), strict=True)
    try:
        header = [name.strip() for name in next(rows, [])]
        if not any(header):
            raise RegistryError(f"{path}: line 1: there are no column names; write them in the first line")
        if repeated := {name for name in header if header.count(name) > 1}:
            raise RegistryError(f"{path}: line 1: {min(repeated)}: the column is there twice; keep one")
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            line = rows.line_num
            if len(row) != len(header):
                raise RegistryError(
                    f"{path}: line {line}: it has {len(row)} cells, the first line has {len(header)}; "
                    'put text with commas into "quotes"'
                )
            data = {name: cell.strip() or None for name, cell in zip(header, row, strict=True) if name}
            yield from _MAKERS[section](data, Place(path, (), partial(_same_line, line)))
    except csv.Error as error:
        raise RegistryError(f"{path}: line {rows.line_num}: {error}; correct the row there") from None


def _same_line(line: int, _location: Location) -> int:
    return line


# GeoJSON


def _read_geojson(path: Path, text: str, lists: set[Ref]) -> Iterator[Entry]:
    try:
        data = json.loads(text)
    except RecursionError:
        raise RegistryError(f"{path}: lists are nested too deeply; write the file anew") from None
    except json.JSONDecodeError as error:
        raise RegistryError(f"{path}: line {error.lineno}: {error.msg}; correct the JSON there") from None

    @cache
    def lines() -> dict[Location, int]:
        found: dict[Location, int] = {}
        _plain(path, yaml.compose(text.replace("\t", " "), Loader=Loader), (), found)
        return found

    lists.add(("sites",))
    top = Place(path, (), lambda location: _nearest(lines(), location))
    if not isinstance(data, dict) or data.get("type") != "FeatureCollection":
        raise top.fault("it is not FeatureCollection; GeoJSON of sites is a collection of points", "type")
    for number, feature in enumerate(_list(top, data.get("features"), "features")):
        place = Place(path, ("features", number), top.line_of)
        yield _feature(_mapping(place, feature), place)


def _feature(feature: dict[str, Any], place: Place) -> Entry:
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        raise place.fault("it has no fields", "properties")
    fields = {name: value for name, value in properties.items() if name not in ("lat", "lon")}
    if "id" in feature:
        fields.setdefault("id", feature["id"])
    if "geometry" in feature:
        lon, lat = _point(feature["geometry"], place)
        fields |= {"lat": lat, "lon": lon}
    unknown = fields.keys() - Site.model_fields.keys()
    if unknown:
        raise place.fault("there is no such field; correct its name or remove it", "properties", min(unknown))
    return site_entry(fields, Place(place.file, place.location, _in_properties(place)))


def _point(geometry: Any, place: Place) -> tuple[Any, Any]:
    """Longitude and latitude; None for a site without a position."""
    if geometry is None:
        return None, None
    point = geometry.get("coordinates") if isinstance(geometry, dict) else None
    if not isinstance(point, list) or geometry.get("type") != "Point" or len(point) not in (2, 3):
        raise place.fault("a site is a Point with coordinates [longitude, latitude]", "geometry")
    return point[0], point[1]


def _in_properties(place: Place) -> Callable[[Location], int]:
    """Finds a site's field among a feature's properties."""
    depth = len(place.location)

    def line_of(location: Location) -> int:
        field = location[depth:]
        inside: Location = ("geometry",) if field[:1] in (("lat",), ("lon",)) else ("properties", *field)
        return place.line_of((*place.location, *inside) if field else location)

    return line_of
