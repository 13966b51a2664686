"""What holds now of each subject that an alarm can be about: true, false, or not known."""

from collections.abc import Iterator, Mapping
from typing import Any

from service.alarms.facts import Condition, Facts, IncidentRow, OpenAlarm, is_heard, key_of
from service.alarms.machines import machine_conditions
from service.alarms.rules import AlarmKind, JamSettings, QueueSettings, Rules
from service.api.hub import Snapshot
from service.api.live_state import CameraNow
from service.live.messages import ApproachLive

INCIDENTS: Mapping[str, AlarmKind] = {
    "standing": "stopped_vehicle",
    "wrong_way": "wrong_way",
    "blocked_junction": "blocked_junction",
    "queue_beyond_view": "queue_spillback",
}
"""The alarm that an incident makes; a fall of speed is told as an incident only."""

MOMENTARY_S = 120.0
"""An incident that is over at once, such as a wrong way, holds for so long after it was told, s."""

FRESH_INTERVAL_S = 60.0
"""Figures of an approach older than this, against their own worker's clock, say nothing of now, s."""

NO_FRAMES = frozenset({"connecting", "stalled", "offline"})
BAD_PICTURE = frozenset({"dark", "blinded", "blocked", "blurred"})


def conditions(facts: Facts) -> dict[str, Condition]:
    """The condition of each subject of which something is known, by key."""
    found: dict[str, Condition] = {}
    sources = (_cameras(facts), _approaches(facts), _incidents(facts), machine_conditions(facts))
    for source in sources:
        for each in source:
            before = found.get(each.key)
            if before is None or _weight(each) > _weight(before):
                found[each.key] = each
    for alarm in facts.open:
        if alarm.key not in found and (over := _over(alarm, facts)):
            found[alarm.key] = over
    return found


def _weight(condition: Condition) -> int:
    return 2 if condition.holds else 1 if condition.holds is False else 0


def _cameras(facts: Facts) -> Iterator[Condition]:
    """Each camera's frames and picture."""
    snapshot = facts.snapshot
    working = any(worker.state == "live" for worker in snapshot.workers)
    for camera in snapshot.cameras:
        heard, state = is_heard(camera, snapshot.time), camera.state
        # A camera that nobody reports is lost; with its worker gone, that is the one alarm to raise.
        known = heard or (camera.heard_at is None and working)
        lost = state in NO_FRAMES if known else None
        good = heard and state == "live"
        told: tuple[tuple[AlarmKind, bool | None], ...] = (
            ("camera_lost", lost),
            ("camera_frozen", _sure(heard and state == "frozen", good)),
            ("camera_moved", _sure(heard and state == "moved", good)),
            ("camera_picture", _sure(heard and state in BAD_PICTURE, good)),
        )
        for kind, holds in told:
            yield Condition(
                key_of(kind, camera.camera),
                kind,
                holds,
                since=camera.since if holds else None,
                site=camera.site,
                camera=camera.camera,
                details={"state": state, "reason": camera.reason} if holds else {},
            )


def _sure(bad: bool, good: bool) -> bool | None:
    """One bad state hides the others: only a good picture says that none of them holds."""
    return True if bad else False if good else None


def _approaches(facts: Facts) -> Iterator[Condition]:
    """Level and queue of each approach, as its owner sees it."""
    for camera in facts.snapshot.cameras:
        report = camera.report
        if report is None:
            continue
        good = is_heard(camera, facts.snapshot.time) and camera.state == "live" and not camera.stale
        for approach in report.approaches:
            owner = facts.owners.get((camera.site or "", approach.approach), camera.camera)
            if owner != camera.camera:
                continue
            age = 0.0
            if approach.end is not None and report.frame_time is not None:
                age = report.frame_time - approach.end
            yield from _approach(facts.rules, camera, approach, good and age <= FRESH_INTERVAL_S)


def _approach(rules: Rules, camera: CameraNow, approach: ApproachLive, fresh: bool) -> Iterator[Condition]:
    name, figures = approach.approach, _figures(approach)
    jam = rules.settings("jam", camera.site, JamSettings)
    queue = rules.settings("queue_spillback", camera.site, QueueSettings)
    jammed = approach.level in jam.levels if fresh and approach.level is not None else None
    yield _of_approach("jam", camera.site, name, camera.camera, jammed, details=figures)
    if queue.queue_m is not None and fresh and approach.queue_m is not None:
        long, figures = approach.queue_m >= queue.queue_m, figures | {"threshold_m": queue.queue_m}
        yield _of_approach("queue_spillback", camera.site, name, camera.camera, long, details=figures)


def _of_approach(
    kind: AlarmKind,
    site: str | None,
    approach: str,
    camera: str | None,
    holds: bool | None,
    *,
    since: float | None = None,
    details: Mapping[str, Any],
) -> Condition:
    """An approach belongs to its site, whichever camera sees it; without a site, to the camera."""
    key = key_of(kind, site, approach) if site else key_of(kind, camera, approach)
    return Condition(key, kind, holds, since, site, approach, camera, details)


def _figures(approach: ApproachLive) -> dict[str, Any]:
    names = ("level", "space_mean_speed_kmh", "density_per_km", "queue_m", "area_occupancy")
    figures = {name: getattr(approach, name) for name in names}
    return {name: value for name, value in figures.items() if value is not None}


def _incidents(facts: Facts) -> Iterator[Condition]:
    """What the picture's own watch told: certain already when it comes."""
    now = facts.snapshot.time
    cameras = {camera.camera: camera for camera in facts.snapshot.cameras}
    started = _worker_starts(facts.snapshot)
    for row in facts.incidents:
        kind = INCIDENTS.get(row.kind)
        if kind is None or row.camera is None:
            continue
        camera = cameras.get(row.camera)
        heard = camera is not None and is_heard(camera, now) and camera.state == "live"
        if row.ended is None:
            # Nobody ends an incident of a worker that was killed; the next one tells anew what still holds.
            holds = row.started >= started.get(row.camera, row.started) if heard else None
        else:
            holds = True if now - row.ended < MOMENTARY_S and kind == "wrong_way" else None
        if holds is not None:
            yield _of_incident(kind, row, holds)


def _of_incident(kind: AlarmKind, row: IncidentRow, holds: bool) -> Condition:
    approach = row.approach or (str(row.details.get("place") or "") or None)
    if kind == "queue_spillback" and approach:
        details = {**row.details, "beyond_view": True}
        return _of_approach(
            kind, row.site, approach, row.camera, holds, since=row.started if holds else None, details=details
        )
    key = key_of(kind, row.camera, str(row.details.get("place") or ""))
    since = row.started if holds else None
    return Condition(key, kind, holds, since, row.site, row.approach, row.camera, row.details)


def _over(alarm: OpenAlarm, facts: Facts) -> Condition | None:
    """What nothing speaks for any more: an incident that ended, or a camera that was taken away."""
    cameras = {camera.camera: camera for camera in facts.snapshot.cameras}
    over = False
    if alarm.camera is not None and cameras:
        camera = cameras.get(alarm.camera)
        watched = camera is not None and is_heard(camera, facts.snapshot.time) and camera.state == "live"
        over = camera is None or (watched and alarm.kind in INCIDENTS.values())
    return (
        Condition(alarm.key, alarm.kind, False, None, alarm.site, alarm.approach, alarm.camera)
        if over
        else None
    )


def _worker_starts(snapshot: Snapshot) -> dict[str, float]:
    """When the worker started that now speaks for each camera."""
    starts = {worker.report.worker: worker.report.started for worker in snapshot.workers}
    return {each.camera: starts[each.worker] for each in snapshot.cameras if each.worker in starts}
