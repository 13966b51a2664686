"""NGSI-LD: our figures as entities of the Smart Data Models; what no model has stands in our own context."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Entity = dict[str, Any]
Content = Mapping[str, Any]

CORE_CONTEXT = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
MODELS = "https://smartdatamodels.org"
OURS = "https://ngatu.org/ns#"
"""Namespace of what no model has; nothing is fetched from there."""

TYPES = ("TrafficFlowObserved", "OriginDestinationFlow", "Device")
MODEL_VERSIONS = {"TrafficFlowObserved": "0.0.1", "OriginDestinationFlow": "0.0.1", "Device": "0.0.9"}
"""Versions of the models (``$schemaVersion``) that entities are checked against."""

VEHICLES = {"bicycle": "bicycle", "motorcycle": "motorcycle", "car": "car", "bus": "bus", "truck": "lorry"}
"""Our classes in their words; vehicles whose class is not known are in the entity of all of them only."""

ALL = "all"
DURATION = {60: "PT1M", 900: "PT15M", 3600: "PT1H"}

_TRANSPORT = (
    *("vehicleType", "intensity", "averageVehicleSpeed", "occupancy", "averageHeadwayTime", "congested"),
    *("dateObservedFrom", "dateObservedTo", "aggregationDateType", "hour", "flowCount"),
    *("originLocationCode", "originLocationName", "destinationLocationCode", "destinationLocationName"),
)
_DEVICE = ("category", "controlledProperty", "controlledAsset", "deviceState", "deviceCategory")
_SHARED = ("address", "dateObserved", "name", "dataProvider", "source", "areaServed")


def context() -> dict[str, Any]:
    """Our ``@context``: the models' terms as the models name them, and our own in our namespace."""
    terms: dict[str, str] = {"ngatu": OURS}
    terms |= {"TrafficFlowObserved": f"{MODELS}/dataModel.Transportation/TrafficFlowObserved"}
    terms |= {"OriginDestinationFlow": f"{MODELS}/dataModel.Transportation/OriginDestinationFlow"}
    terms |= {"Device": f"{MODELS}/dataModel.Device/Device"}
    terms |= {name: f"{MODELS}/dataModel.Transportation/{name}" for name in _TRANSPORT}
    terms |= {name: f"{MODELS}/dataModel.Device/{name}" for name in _DEVICE}
    terms |= {name: f"{MODELS}/{name}" for name in _SHARED}
    return {"@context": terms}


def flow_entities(content: Content, provider: str | None = None) -> Iterator[Entity]:
    """One closed interval of an approach: an entity of all its vehicles, and one for each class seen.

    ``intensity`` is the number of vehicles that entered in the interval; it is there only if the whole
    interval was observed. So is the speed. What is not known is left out: NGSI-LD has no null.
    """
    yield _flow(content, ALL, provider)
    for label in VEHICLES:
        if label in content["by_class"]:
            yield _flow(content, label, provider)


def flow_id(site: str, approach: str, label: str, start: str, length: int) -> str:
    """The id of an approach's entity of a class (or all) in an interval."""
    name = VEHICLES.get(label, label)
    return f"urn:ngsi-ld:TrafficFlowObserved:{site}:{approach}:{name}:{_compact(start)}:{DURATION[length]}"


def _flow(content: Content, label: str, provider: str | None) -> Entity:
    whole = content["status"] == "observed"
    figures = content if label == ALL else content["by_class"][label]
    entity: Entity = {
        "id": flow_id(content["site"], content["approach"], label, content["start"], content["length"]),
        "type": "TrafficFlowObserved",
    }
    _period(entity, content)
    if label != ALL:
        _put(entity, "vehicleType", VEHICLES[label])
    if whole:
        _put(entity, "intensity", figures["count"])
        _put(entity, "averageVehicleSpeed", figures["space_mean_speed_kmh"], unit="KMH")
    if label == ALL and whole:
        _put(entity, "occupancy", _share(content["time_occupancy"]))
        level = content["level"]
        _put(entity, "congested", None if level is None else level in ("slow", "jammed"))
    _place(entity, content, content["approach_name"])
    _put(entity, "dataProvider", provider)
    if label == ALL:
        for name, value, unit in (
            ("flowPerHour", content["flow_per_h"], None),
            ("flowPcuPerHour", content["flow_pcu_per_h"], None),
            ("densityPerKm", content["density_per_km"], None),
            ("speed85Percentile", content["speed_p85_kmh"], "KMH"),
            ("areaOccupancy", content["area_occupancy"], None),
            ("areaOccupancyBasis", content["area_occupancy_basis"], None),
            ("queueLength", content["queue_max_m"], "MTR"),
            ("queueLengthAtLeast", content["queue_max_at_least"], None),
            ("queueLength95Percentile", content["queue_p95_m"], "MTR"),
            ("delaySeconds", content["delay_s"], "SEC"),
            ("level", content["level"], None),
            ("leavingVehicles", content["count_out"], None),
        ):
            _put(entity, f"ngatu:{name}", value, unit=unit)
    _put(entity, "ngatu:site", content["site"])
    _put(entity, "ngatu:approach", content["approach"])
    _put(entity, "ngatu:camera", content["camera"])
    _put(entity, "ngatu:bearing", content["bearing"])
    _put(entity, "ngatu:light", content["light"])
    _put(entity, "ngatu:revision", content["revision"])
    _put(entity, "ngatu:final", content["final"])
    _quality(entity, content)
    _put(entity, "ngatu:expectedSeconds", content["expected_seconds"], unit="SEC")
    return entity


def movement_entity(content: Content, tz: str, provider: str | None = None) -> Entity:
    """One movement in an hour; ``flowCount`` is there only if the whole hour was observed."""
    entity: Entity = {
        "id": f"urn:ngsi-ld:OriginDestinationFlow:{content['site']}:{content['camera']}:"
        f"{content['movement']}:{_compact(content['start'])}:PT1H",
        "type": "OriginDestinationFlow",
    }
    start = datetime.fromisoformat(content["start"])
    _put(entity, "dateObserved", content["start"])
    _put(entity, "aggregationDateType", "hourly")
    _put(entity, "hour", start.astimezone(ZoneInfo(tz)).hour)
    for side, end in (("origin", "from"), ("destination", "to")):
        code = content[f"{end}_approach"] or content[f"{end}_gate"]
        _put(entity, f"{side}LocationCode", f"{content['site']}:{code}" if code else None)
        _put(entity, f"{side}LocationName", content[f"{end}_name"] or None)
    _put(entity, "flowCount", content["count"])
    _place(entity, content, "")
    _put(entity, "dataProvider", provider)
    _put(entity, "ngatu:site", content["site"])
    _put(entity, "ngatu:camera", content["camera"])
    _put(entity, "ngatu:movement", content["movement"])
    _put(entity, "ngatu:turn", content["turn"])
    if content["count"] is not None:
        counts = {VEHICLES.get(label, label): number for label, number in content["by_class"].items()}
        _put(entity, "ngatu:vehicleCounts", counts)
    _quality(entity, content)
    return entity


def device_entity(content: Content, provider: str | None = None) -> Entity:
    """A camera; what it watches is its site. Its address is never told."""
    entity: Entity = {"id": f"urn:ngsi-ld:Device:{content['camera']}", "type": "Device"}
    _put(entity, "category", ["sensor"])
    _put(entity, "deviceCategory", ["sensor"])
    _put(entity, "controlledProperty", ["trafficFlow", "speed", "occupancy"])
    _put(entity, "controlledAsset", [f"urn:ngsi-ld:ngatu:site:{content['site']}"])
    _put(entity, "deviceState", content["state"])
    _put(entity, "name", content["name"] or None)
    if content["lat"] is not None:
        entity["location"] = _point(content)
    _put(entity, "dataProvider", provider)
    _put(entity, "ngatu:site", content["site"])
    _put(entity, "ngatu:reason", content["reason"] or None)
    return entity


def simplified(entity: Entity) -> Entity:
    """The same without types of attributes: ``options=keyValues``."""
    return {
        name: value.get("value", value.get("object")) if isinstance(value, dict) else value
        for name, value in entity.items()
    }


def with_context(entity: Entity, contexts: Sequence[Any]) -> Entity:
    """An entity that carries its contexts, as ``application/ld+json`` does."""
    return {**entity, "@context": list(contexts)}


def _period(entity: Entity, content: Content) -> None:
    _put(entity, "dateObserved", f"{content['start']}/{content['end']}")
    _put(entity, "dateObservedFrom", content["start"])
    _put(entity, "dateObservedTo", content["end"])


def _place(entity: Entity, content: Content, street: str) -> None:
    """Where it is; the models want a position or an address."""
    if content["lat"] is not None:
        entity["location"] = _point(content)
    address = {"streetAddress": street or None, "addressLocality": content["site_name"] or content["site"]}
    _put(entity, "address", {name: value for name, value in address.items() if value})


def _point(content: Content) -> dict[str, Any]:
    return {
        "type": "GeoProperty",
        "value": {"type": "Point", "coordinates": [content["lon"], content["lat"]]},
    }


def _quality(entity: Entity, content: Content) -> None:
    _put(entity, "ngatu:status", content["status"])
    _put(entity, "ngatu:observedSeconds", content["observed_seconds"], unit="SEC")


def _put(entity: Entity, name: str, value: Any, unit: str | None = None) -> None:
    if value is not None:
        entity[name] = {"type": "Property", "value": value} | ({"unitCode": unit} if unit else {})


def _share(value: float | None) -> float | None:
    return None if value is None else min(1.0, max(0.0, value))


def _compact(moment: str) -> str:
    return moment.replace("-", "").replace(":", "")
