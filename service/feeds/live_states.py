"""The present of a camera and of a junction, as it is told to others: small, and null where nobody knows."""

from typing import Any

from service.api.hub import Snapshot
from service.api.live_state import CameraNow, moment
from service.live.messages import ApproachLive
from service.registry import Approach, City, Owner, Site

LEVELS = ("free", "busy", "slow", "jammed")
"""The worst last."""

Told = tuple[str, dict[str, Any]]
"""What makes a difference worth telling at once, and all that is told."""


def camera_state(camera: CameraNow) -> Told:
    """A camera now; figures are null while what is known of it is late."""
    whole = camera.as_dict()
    names = (
        *("camera", "site", "state", "since", "reason", "stale", "age_s", "frame_time", "analysed_fps"),
        *("counts", "counts_since", "last_minute"),
    )
    return f"{camera.state} {camera.stale}", {name: whole[name] for name in names}


def junction_states(snapshot: Snapshot, city: City) -> dict[str, Told]:
    """Each junction now, made of its approaches as their owners see them.

    Its ``level`` is the worst of its required approaches, null unless that of each of them is known.
    """
    live: dict[tuple[str, str], tuple[CameraNow, ApproachLive]] = {}
    for camera in snapshot.cameras:
        if camera.report is not None and not camera.stale:
            for each in camera.report.approaches:
                live[camera.camera, each.approach] = (camera, each)
    owners = {(r.site, r.approach): r.camera for r in city.values() if isinstance(r, Owner)}
    cameras: dict[str | None, dict[str, str]] = {}
    for camera in snapshot.cameras:
        cameras.setdefault(camera.site, {})[camera.camera] = camera.state
    arms: dict[str, list[Approach]] = {}
    for record in city.values():
        if isinstance(record, Approach):
            arms.setdefault(record.site, []).append(record)
    found = {}
    for record in city.values():
        if isinstance(record, Site) and record.kind == "junction":
            own = sorted(arms.get(record.id, []), key=lambda arm: arm.id)
            told = [_approach(arm, owners.get((record.id, arm.id)), live) for arm in own]
            levels = [each["level"] for arm, each in zip(own, told, strict=True) if arm.required]
            known = bool(levels) and all(level in LEVELS for level in levels)
            level = max(levels, key=LEVELS.index) if known else None
            states = cameras.get(record.id, {})
            state = {
                "site": record.id,
                "name": record.name,
                "time": moment(snapshot.time),
                "lat": record.lat,
                "lon": record.lon,
                "level": level,
                "cameras": states,
                "approaches": told,
            }
            found[record.id] = (f"{level} {states} {[each['level'] for each in told]}", state)
    return found


def _approach(
    arm: Approach, owner: str | None, live: dict[tuple[str, str], tuple[CameraNow, ApproachLive]]
) -> dict[str, Any]:
    seen = live.get((owner, arm.id)) if owner else None
    figures = seen[1] if seen else ApproachLive(approach=arm.id)
    told = figures.model_dump()
    return {
        **told,
        "name": arm.name,
        "camera": owner,
        "start": moment(figures.start),
        "end": moment(figures.end),
    }
