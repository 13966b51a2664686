"""The level of each junction now, as GeoJSON: made of its approaches as their owners see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from service.api.hub import Snapshot
from service.api.live_state import moment
from service.live.messages import ApproachLive
from service.registry import Approach, City, Owner, Site
from service.storage.junctions import LEVELS

FRESH_S = 120.0
"""A level whose interval ended longer ago is no level of the present, s."""


@dataclass(frozen=True, slots=True)
class ApproachLevel:
    """An approach now; what is not known is None.

    Attributes:
        id, name: which it is.
        required: whether its junction's level needs it.
        told: what the camera that speaks for it says, if that is fresh.
    """

    id: str
    name: str
    required: bool
    told: ApproachLive | None

    @property
    def level(self) -> str | None:
        """free, busy, slow or jammed."""
        return self.told.level if self.told is not None and self.told.level in LEVELS else None


@dataclass(frozen=True, slots=True)
class JunctionLevel:
    """A junction now."""

    site: Site
    approaches: tuple[ApproachLevel, ...]

    @property
    def level(self) -> str | None:
        """The worst of its approaches; None unless every required one is known, or one is jammed already."""
        needed = [each for each in self.approaches if each.required] or list(self.approaches)
        known = [each.level for each in self.approaches if each.level is not None]
        whole = bool(needed) and all(each.level is not None for each in needed)
        worst = max(known, key=LEVELS.index, default=None)
        return worst if whole or worst == LEVELS[-1] else None

    @property
    def as_of(self) -> float | None:
        """End of the oldest interval that it is made of, seconds since the epoch; None where nothing is."""
        ends = [each.told.end for each in self.approaches if each.told is not None and each.level is not None]
        return min((end for end in ends if end is not None), default=None)


def junction_levels(city: City, snapshot: Snapshot) -> list[JunctionLevel]:
    """Every junction of the registry in order of ids."""
    told = _told(city, snapshot)
    arms: dict[str, list[ApproachLevel]] = {}
    for record in city.values():
        if isinstance(record, Approach):
            about = told.get((record.site, record.id))
            arms.setdefault(record.site, []).append(
                ApproachLevel(record.id, record.name, record.required, about)
            )
    sites = sorted(
        (each for each in city.values() if isinstance(each, Site) and each.kind == "junction"),
        key=lambda site: site.id,
    )
    return [
        JunctionLevel(site, tuple(sorted(arms.get(site.id, ()), key=lambda arm: arm.id))) for site in sites
    ]


def as_geojson(levels: Iterable[JunctionLevel], now: float) -> dict[str, Any]:
    """All that is known of the levels; a junction without a position has no geometry."""
    return {
        "type": "FeatureCollection",
        "time": moment(now),
        "features": [
            {
                "type": "Feature",
                "id": each.site.id,
                "geometry": point(each.site),
                "properties": {
                    "site": each.site.id,
                    "name": each.site.name,
                    "ward": each.site.ward,
                    "is_key": each.site.is_key,
                    "illustrative": each.site.illustrative,
                    "level": each.level,
                    "as_of": moment(each.as_of),
                    "approaches": [_approach(arm) for arm in each.approaches],
                },
            }
            for each in levels
        ],
    }


def point(site: Site) -> dict[str, Any] | None:
    """Where a site is, as GeoJSON says it."""
    if site.lon is None or site.lat is None:
        return None
    return {"type": "Point", "coordinates": [site.lon, site.lat]}


def _told(city: City, snapshot: Snapshot) -> Mapping[tuple[str, str], ApproachLive]:
    """What the owner of each approach says of it, where it is fresh; reserves say nothing here."""
    owners = {(each.site, each.approach): each.camera for each in city.values() if isinstance(each, Owner)}
    found = {}
    for camera in snapshot.cameras:
        if camera.stale or camera.state != "live" or camera.report is None or camera.site is None:
            continue
        for told in camera.report.approaches:
            key = (camera.site, told.approach)
            fresh = told.end is not None and snapshot.time - told.end <= FRESH_S
            if owners.get(key) == camera.camera and fresh:
                found[key] = told
    return found


def _approach(arm: ApproachLevel) -> dict[str, Any]:
    told = arm.told
    return {
        "approach": arm.id,
        "name": arm.name,
        "level": arm.level,
        "space_mean_speed_kmh": told.space_mean_speed_kmh if told else None,
        "density_per_km": told.density_per_km if told else None,
        "queue_m": told.queue_m if told else None,
        "flow_per_h": told.flow_per_h if told else None,
        "start": moment(told.start) if told else None,
        "end": moment(told.end) if told else None,
    }
