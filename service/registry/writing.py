"""Writes the city as YAML, CSV or GeoJSON, such that reading it again gives the same city."""

import csv
import io
import json
from typing import Any, TypeVar

import yaml

from service.registry.history import City
from service.registry.records import Approach, Camera, CameraView, Owner, Record, Site, Target
from vision.views import View

Files = dict[str, str]
"""Text of each file by its name."""

_R = TypeVar("_R", bound=Record)


class _Row(dict[str, Any]):
    """A mapping that YAML writes in one line."""


class _Dumper(yaml.SafeDumper):
    """Writes rows and lists of numbers in one line, the rest in blocks."""


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    def flat(value: Any) -> bool:
        return isinstance(value, int | float) or (isinstance(value, list) and all(map(flat, value)))

    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=all(map(flat, data)))


_Dumper.add_representer(list, _represent_list)
_Dumper.add_representer(
    _Row,
    lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True),
)


def yaml_text(city: City, heading: str) -> str:
    """The whole city in one YAML file, views included; ``heading`` becomes a comment at its top."""
    data = {
        "sites": [_site_block(city, site) for site in _of(city, Site)],
        "cameras": [_camera_fields(camera, _view_data(city, camera)) for camera in _of(city, Camera)],
        "targets": [target.model_dump() for target in _of(city, Target)],
    }
    return _comment(heading) + _dump(data)


def csv_files(city: City, heading: str) -> Files:
    """The city as tables, and a file for each view; ``heading`` stands at the top of the views."""
    cameras, files = [], {}
    for camera in _of(city, Camera):
        view = _view_data(city, camera)
        name = f"views/{camera.id}.view.yaml"
        if view is not None:
            files[name] = _comment(heading) + _dump(view)
        cameras.append(_camera_fields(camera, name if view is not None else None))
    approaches = [_approach_fields(city, approach) for approach in _of(city, Approach)]
    return {
        "sites.csv": _table([*Site.model_fields], [site.model_dump() for site in _of(city, Site)]),
        "approaches.csv": _table([*Approach.model_fields, "owner"], approaches),
        "cameras.csv": _table([*Camera.model_fields, "view"], cameras),
        "targets.csv": _table([*Target.model_fields], [target.model_dump() for target in _of(city, Target)]),
    } | files


def geojson_text(city: City) -> str:
    """The sites as points. Cameras stay away: a map needs no addresses."""
    features = []
    for site in _of(city, Site):
        fields = site.model_dump(exclude={"lat", "lon"})
        point = None if site.lat is None else {"type": "Point", "coordinates": [site.lon, site.lat]}
        features.append({"type": "Feature", "id": site.id, "geometry": point, "properties": fields})
    rows = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection", "features": [\n{rows}\n]}}\n'


def _of(city: City, kind: type[_R]) -> list[_R]:
    return [record for _, record in sorted(city.items()) if isinstance(record, kind)]


def _site_block(city: City, site: Site) -> dict[str, Any]:
    approaches = [each for each in _of(city, Approach) if each.site == site.id]
    rows = [
        _Row({k: v for k, v in _approach_fields(city, each).items() if k != "site"}) for each in approaches
    ]
    return site.model_dump() | ({"approaches": rows} if site.kind == "junction" else {})


def _approach_fields(city: City, approach: Approach) -> dict[str, Any]:
    owner = city.get(("owners", approach.site, approach.id))
    return approach.model_dump() | {"owner": owner.camera if isinstance(owner, Owner) else None}


def _camera_fields(camera: Camera, view: Any) -> dict[str, Any]:
    return camera.model_dump() | {"view": view}


def _view_data(city: City, camera: Camera) -> dict[str, Any] | None:
    record = city.get(("views", camera.id))
    return view_data(record.view) if isinstance(record, CameraView) else None


def view_data(view: View) -> dict[str, Any]:
    """A view as plain data, without what it leaves at its defaults."""
    data = view.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    for name in ("approaches", "gates", "zones", "movements"):
        if name in data:
            data[name] = [_Row(part) for part in data[name]]
    if data.get("calibration", {}).get("points"):
        data["calibration"]["points"] = [_Row(point) for point in data["calibration"]["points"]]
    return {"version": view.version, **data}


def _dump(data: dict[str, Any]) -> str:
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _comment(heading: str) -> str:
    return "".join(f"# {line}\n" for line in heading.splitlines())


def _table(columns: list[str], rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value
