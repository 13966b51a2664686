"""What most receivers want to know: closed intervals, movements by the hour, alarms, the state of cameras."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select

from service.feeds.receiver import Item, Look
from service.registry import Approach, Camera, CameraView, City, Site
from service.storage.base import Base
from service.storage.counts import CountBin, counts
from service.storage.intervals import FIGURES
from service.storage.reads import approach_intervals

GRACE = 300.0
"""An interval that nobody closed counts as closed so long after its end, s: its recording ended within it."""
HOUR = 3600

ALARMS = Base.metadata.tables["alarms"]
Values = dict[str, Any]


def rfc3339(moment: datetime) -> str:
    """A moment as JSON says it, in UTC."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def interval_items(look: Look, length: int = 900, sites: Sequence[str] | None = None) -> Iterator[Item]:
    """The closed intervals of approaches that a look is about."""
    start, end = look.period
    start -= timedelta(seconds=length)
    return closed_intervals(look.connection, look.city, start, end, look.now, length, sites)


def closed_intervals(
    connection: Connection,
    city: City,
    start: datetime,
    end: datetime,
    now: float,
    length: int = 900,
    sites: Sequence[str] | None = None,
) -> Iterator[Item]:
    """Each closed interval of each approach that begins in a period, as its owner saw it.

    A figure that was not observed or cannot be known is null. One that comes late or was revised has another
    version; ``revision`` grows where the same analysis revised it.
    """
    names = (*FIGURES, "sums")
    for row in approach_intervals(connection, start, end, length, sites=sites, figures=names):
        over = row["start"] + timedelta(seconds=length)
        if row["site_id"] is None or not (row["final"] or over.timestamp() + GRACE <= now):
            continue
        content = interval_content(row, city)
        key = f"approach/{row['site_id']}/{row['approach_id']}/{length}/{content['start']}"
        yield Item(key, f"{row['revision']}-{_digest(content)}", content)


def interval_content(row: Values, city: City) -> Values:
    """What is told of an interval; its figures are those of ``/v1/intervals/approaches``."""
    sums = row["sums"]
    over = row["start"] + timedelta(seconds=row["length"])
    site = city.get(("sites", row["site_id"]))
    arm = city.get(("approaches", row["site_id"], row["approach_id"]))
    counted = row["count"] is not None
    speeds = _speeds(sums)
    classes = sorted({*(sums.get("entered") or {}), *speeds})
    return {
        "site": row["site_id"],
        "site_name": site.name if isinstance(site, Site) else "",
        "approach": row["approach_id"],
        "approach_name": arm.name if isinstance(arm, Approach) else "",
        "bearing": arm.bearing if isinstance(arm, Approach) else None,
        "lat": site.lat if isinstance(site, Site) else None,
        "lon": site.lon if isinstance(site, Site) else None,
        "camera": row["camera_id"],
        "start": rfc3339(row["start"]),
        "end": rfc3339(over),
        **{
            name: row[name]
            for name in (
                *("length", "status", "observed_seconds", "expected_seconds", "revision", "final"),
                *FIGURES,
            )
        },
        "by_class": {
            label: {
                "count": round((sums.get("entered") or {}).get(label, 0)) if counted else None,
                "space_mean_speed_kmh": speeds.get(label),
            }
            for label in classes
        },
    }


def _speeds(sums: Mapping[str, Any]) -> dict[str, float]:
    """Space-mean speed by class, km/h, by Edie: distance ÷ time; backwards on the whole is no speed."""
    driven, spent = sums.get("driven_m") or {}, sums.get("spent_s") or {}
    found = {label: 3.6 * driven.get(label, 0.0) / seconds for label, seconds in spent.items() if seconds > 0}
    return {label: round(speed, 2) for label, speed in found.items() if speed >= 0}


def movement_items(look: Look, sites: Sequence[str] | None = None) -> Iterator[Item]:
    """The closed hours of movements that a look is about."""
    start, end = look.period
    return closed_hours(look.connection, look.city, start - timedelta(seconds=HOUR), end, look.now, sites)


def closed_hours(
    connection: Connection,
    city: City,
    start: datetime,
    end: datetime,
    now: float,
    sites: Sequence[str] | None = None,
) -> Iterator[Item]:
    """Each movement in each closed hour that begins in a period; null unless the hour was wholly observed."""
    first, last = _hour(start, up=True), min(_hour(end, up=True), _hour_of(now - GRACE))
    for ref in sorted(city):
        if ref[0] != "sites" or (sites is not None and ref[1] not in sites) or last <= first:
            continue
        hours: dict[tuple[str, str, datetime], list[CountBin]] = defaultdict(list)
        for each in counts(connection, first, last, kind="movement", site=ref[1]):
            hours[each.camera, each.item, _hour(each.start)].append(each)
        for (camera, movement, hour), bins in hours.items():
            if any(each.observed_seconds > 0 or each.by_class for each in bins):
                content = movement_content(city, ref[1], camera, movement, hour, bins)
                key = f"movement/{ref[1]}/{camera}/{movement}/{HOUR}/{content['start']}"
                yield Item(key, _digest(content), content)


def _hour(moment: datetime, *, up: bool = False) -> datetime:
    """The hour that a moment lies in, or the first that begins no earlier."""
    return _hour_of(moment.timestamp() + (HOUR - 1e-3 if up else 0.0))


def _hour_of(time: float) -> datetime:
    return datetime.fromtimestamp(time // HOUR * HOUR, UTC)


def movement_content(
    city: City, site: str, camera: str, movement: str, hour: datetime, bins: list[CountBin]
) -> Values:
    """What is told of a movement in an hour: its quarters, added."""
    whole = len(bins) == 4 and all(each.status == "observed" for each in bins)
    by_class: dict[str, int] = defaultdict(int)
    for each in bins:
        for label, number in (each.by_class or {}).items():
            by_class[label] += number
    at = city.get(("sites", site))
    place = at if isinstance(at, Site) else None
    return {
        "site": site,
        "site_name": place.name if place else "",
        "lat": place.lat if place else None,
        "lon": place.lon if place else None,
        "camera": camera,
        "movement": movement,
        **_ends(city, site, camera, movement),
        "start": rfc3339(hour),
        "end": rfc3339(hour + timedelta(seconds=HOUR)),
        "length": HOUR,
        "status": "observed" if whole else "partial",
        "observed_seconds": sum(each.observed_seconds for each in bins),
        "count": sum(by_class.values()) if whole else None,
        "by_class": dict(sorted(by_class.items())) if whole else {},
    }


def _ends(city: City, site: str, camera: str, movement: str) -> Values:
    """Where a movement comes from and goes to: gates, and the approaches that they belong to."""
    ends: Values = {"turn": None}
    drawn = city.get(("views", camera))
    view = drawn.view if isinstance(drawn, CameraView) else None
    found = next((each for each in view.movements if each.id == movement), None) if view else None
    gates = {gate.id: gate.approach for gate in view.gates} if view else {}
    for end, gate in (
        ("from", found.origin if found else None),
        ("to", found.destination if found else None),
    ):
        approach = gates.get(gate) if gate else None
        arm = city.get(("approaches", site, approach)) if approach else None
        ends[f"{end}_gate"], ends[f"{end}_approach"] = gate, approach
        ends[f"{end}_name"] = arm.name if isinstance(arm, Approach) else ""
    ends["turn"] = found.turn if found else None
    return ends


def alarm_items(look: Look, sites: Sequence[str] | None = None) -> Iterator[Item]:
    """Each alarm that is open or was cleared lately: ``event`` is new, update or end, ``id`` always the same.

    Each tells the whole alarm, so that one who missed the beginning understands its end.
    """
    query = select(ALARMS).where(or_(ALARMS.c.cleared_at.is_(None), ALARMS.c.cleared_at >= look.period[0]))
    if sites is not None:
        query = query.where(or_(ALARMS.c.site_id.is_(None), ALARMS.c.site_id.in_(sites)))
    for row in look.connection.execute(query.order_by(ALARMS.c.raised_at, ALARMS.c.id)):
        yield alarm_item(row._asdict())


def alarm_item(row: Values) -> Item:
    """A row of the table ``alarms`` as it is told."""
    event = "end" if row["cleared_at"] else "new" if row["revision"] == 1 else "update"
    moments = ("raised_at", "cleared_at", "acknowledged_at")
    content = {
        "id": str(row["id"]),
        "event": event,
        "revision": row["revision"],
        "kind": row["kind"],
        "severity": row["severity"],
        "site": row["site_id"],
        "approach": row["approach_id"],
        "camera": row["camera_id"],
        **{name: rfc3339(row[name]) if row[name] else None for name in moments},
        "acknowledged_by": row["acknowledged_by"],
        "details": row["details"],
    }
    return Item(f"alarm/{row['id']}", str(row["revision"]), content)


def camera_items(look: Look, sites: Sequence[str] | None = None) -> Iterator[Item]:
    """Each camera and its state, told when it changes; never its address."""
    for each in look.snapshot.cameras:
        record = look.city.get(("cameras", each.camera))
        if not isinstance(record, Camera) or (sites is not None and record.site not in sites):
            continue
        site = look.city.get(("sites", record.site))
        place = site if isinstance(site, Site) else None
        since = datetime.fromtimestamp(each.since, UTC) if each.since else None
        content = {
            "camera": each.camera,
            "name": record.name,
            "site": record.site,
            "lat": place.lat if place else None,
            "lon": place.lon if place else None,
            "state": each.state,
            "since": rfc3339(since) if since else None,
            "reason": each.reason,
        }
        yield Item(f"camera/{each.camera}", _digest({**content, "since": None, "reason": None}), content)


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
