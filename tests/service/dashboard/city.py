"""The city behind the pages under test: the illustrative one, whose sample junction has traffic."""

import math
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from sqlalchemy import Engine, insert

from service.alarms.store import insert_alarm
from service.auth.roles import ROLES
from service.coverage import figures_at, site_facts
from service.coverage.store import load_evidence, save_snapshot
from service.live.messages import WorkerReport
from service.registry import CameraView, plan_import, read_files
from service.registry.store import load_history, save_changes
from service.registry.writing import view_data
from service.serve_demo import CAMERAS, demo_city
from service.storage.connect import writing
from service.storage.drain import drain
from service.storage.ids import content_sha256
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.tables import Account, CameraHealth, Incident, ViewPicture
from tests.service.storage.traffic import interval, segment
from vision import Crossing, VehicleClass
from vision.density import ApproachInterval

NOW = datetime(2026, 3, 10, 11, tzinfo=UTC)
"""The present of the service and of the browser when the tests begin: a Tuesday, six in the evening there."""
SINCE = NOW - timedelta(days=60)
BUSY = NOW - timedelta(hours=2)
"""Since then there is traffic at the junction today, and on the Tuesdays before."""
SITE, CAMERA, CAMERA_2 = "hoa-ban", *CAMERAS
ARMS = ("north", "east", "south", "west")
TURNS = [f"{a}-{b}" for a in ARMS for b in ARMS]
SHARES = {"motorcycle": 0.72, "car": 0.2, "bus": 0.03, "truck": 0.03, "bicycle": 0.02}


def fill(engine: Engine, folder: Path, moment: datetime = NOW) -> None:
    """Registry, accounts of every role, and at one junction traffic, health, incidents and alarms."""
    add_accounts(engine)
    since = SINCE.timestamp()
    file = folder / "demo.city.yaml"
    file.write_text(yaml.safe_dump(demo_city(), allow_unicode=True, sort_keys=False), encoding="utf-8")
    changes = plan_import({}, read_files([file]), since).changes
    with writing(engine) as connection:
        save_changes(connection, {}, changes, since, seen_revision=0, now=since, actor="admin")
        history = load_history(connection)
    views = {ref[1]: rows[0].record for ref, rows in history.items() if ref[0] == "views"}
    sums = {
        name: content_sha256(view_data(record.view))
        for name, record in views.items()
        if isinstance(record, CameraView)
    }
    with Outbox(folder / "outbox.db") as outbox:
        for weeks in (0, 1, 2, 3):
            start = BUSY - timedelta(weeks=weeks)
            for camera in CAMERAS:
                _record(outbox, camera, sums[camera], start, 7200, intervals=not weeks)
        drain(outbox, engine)
    with writing(engine) as connection:
        _health(connection, moment)
        _incidents(connection, moment)
        _alarms(connection, moment)
        picture = street()
        for camera in CAMERAS:
            shown = {"camera_id": camera, "view_sha256": sums[camera], "picture": picture}
            connection.execute(insert(ViewPicture).values(**shown, made_at=SINCE))
        evidence = load_evidence(connection, since, moment.timestamp())
        facts = site_facts(history, evidence.health)
        for days in range(28, -1, -7):
            at = (moment - timedelta(days=days)).timestamp()
            save_snapshot(connection, figures_at(facts, evidence, history, at), at)


def add_accounts(engine: Engine) -> None:
    """One of each role, named like it."""
    with writing(engine) as connection:
        for role in ROLES:
            about = {"login": role, "name": role, "role": role, "language": "vi", "password_hash": ""}
            connection.execute(insert(Account).values(**about, created_at=SINCE, failures=0))


def traffic(start: datetime, seconds: float, number: int, seed: int) -> Iterable[Crossing]:
    """Each vehicle comes in over one gate and goes out over another."""
    random = np.random.default_rng(seed)
    classes = {label: VehicleClass[label.upper()] for label in SHARES}
    for vehicle, at in enumerate(np.sort(random.uniform(0, seconds - 20, number))):
        origin, to = (
            random.choice(ARMS, p=(0.2, 0.35, 0.2, 0.25)),
            random.choice(ARMS, p=(0.2, 0.3, 0.2, 0.3)),
        )
        kind = classes[str(random.choice(list(SHARES), p=list(SHARES.values())))]
        movement = f"{origin}-{to}"
        for gate, direction, delay in ((str(origin), "in", 0.0), (str(to), "out", 8.0)):
            yield Crossing(
                time=start.timestamp() + round(float(at) + delay, 6),
                gate=gate,
                direction="in" if direction == "in" else "out",
                vehicle_class=kind,
                confidence=0.8,
                point=(round(float(random.random()), 4), 0.5),
                vehicle=vehicle,
                movement=movement if direction == "out" else None,
                origin=str(origin) if direction == "out" else None,
            )


def _record(outbox: Outbox, camera: str, sha256: str, start: datetime, seconds: int, intervals: bool) -> None:
    first = camera == CAMERA
    info: SegmentInfo = segment(camera, sha256, start, site=SITE, source=f"{camera}.mp4")
    recorder = Recorder(outbox, info, {arm: arm for arm in ARMS})
    if intervals:
        owned = ("north", "south") if first else ("east", "west")
        recorder.intervals(
            _interval(arm, start + timedelta(seconds=at), at // 10, number)
            for at in range(0, seconds, 10)
            for number, arm in enumerate(owned)
        )
    recorder.crossings(sorted(traffic(start, seconds, 700, start.day), key=lambda each: each.time))
    recorder.observe(start.timestamp(), start.timestamp() + seconds)
    recorder.close(start.timestamp() + seconds)


def _interval(arm: str, start: datetime, step: int, number: int) -> ApproachInterval:
    """Density and queue that come and go."""
    usual = interval(arm, start, entered=int((step + number) % 4 == 0))
    many = 1 + 0.6 * math.sin(step / 60 + 2 * number)
    queue = int(14 * many)
    return replace(
        usual,
        vehicle_seconds=usual.vehicle_seconds * many,
        spent_s={name: value * many for name, value in usual.spent_s.items()},
        queue_lengths={queue: usual.queue_samples},
        queue_sum_m=(queue + 0.5) * usual.queue_samples,
        queue_now_m=queue + 0.5,
        queue_max_m=queue + 0.5,
    )


def _health(connection: Any, moment: datetime) -> None:
    for camera in CAMERAS:
        row = {"camera_id": camera, "started_at": BUSY, "seen_at": moment, "state": "ok", "reason": ""}
        connection.execute(insert(CameraHealth).values(**row, detail={}))
    lost = {
        "camera_id": "hung-vuong-ly-thai-to-cam1",
        "state": "offline",
        "reason": "no answer",
        "detail": {},
    }
    connection.execute(insert(CameraHealth).values(**lost, started_at=BUSY, seen_at=moment))


def _incidents(connection: Any, moment: datetime) -> None:
    kinds = (("wrong_way", 50, 49), ("standing", 40, 31), ("blocked_junction", 12, None))
    for number, (kind, began, ended) in enumerate(kinds):
        connection.execute(
            insert(Incident).values(
                id=segment(f"incident-{number}").id,
                site_id=SITE,
                approach_id=ARMS[number],
                camera_id=CAMERA,
                kind=kind,
                severity="warning",
                started_at=moment - timedelta(minutes=began),
                ended_at=None if ended is None else moment - timedelta(minutes=ended),
                details={"metres": 12.5},
            )
        )


def _alarms(connection: Any, moment: datetime) -> None:
    rows: tuple[tuple[str, str, str, str | None, str | None, int, dict[str, Any]], ...] = (
        ("camera_lost", "critical", "hung-vuong-ly-thai-to", None, "hung-vuong-ly-thai-to-cam1", 120, {}),
        ("jam", "warning", SITE, "east", CAMERA, 7, {"level": "jammed", "space_mean_speed_kmh": 4.2}),
    )
    for kind, severity, site, approach, camera, minutes, details in rows:
        insert_alarm(
            connection,
            {
                "subject": f"{kind}:{site}:{approach or ''}:{camera or ''}",
                "kind": kind,
                "severity": severity,
                "site_id": site,
                "approach_id": approach,
                "camera_id": camera,
                "raised_at": moment - timedelta(minutes=minutes),
                "details": details,
            },
        )


def report(now: float, number: int = 0, lost: Iterable[str] = ()) -> WorkerReport:
    """What a worker says now, ``number`` reports after it began: counts that grow, one camera perhaps lost.

    Vehicles come in over the north gate mostly; each report has one more than the last.
    """
    gone = set(lost)
    cameras = []
    for camera in CAMERAS:
        if camera in gone:
            why = "no picture arrives although the connection is open"
            about: dict[str, Any] = {"state": "offline", "since": now - 12, "reason": why}
        else:
            about = {"state": "live", "since": BUSY.timestamp(), **_live(now, number, camera)}
        cameras.append({"camera": camera, "site": SITE, **about})
    message = {"worker": "worker-1", "host": "here", "pid": 1, "started": BUSY.timestamp(), "time": now}
    return WorkerReport.model_validate({**message, "revision": 1, "cameras": cameras})


def _live(now: float, number: int, camera: str) -> dict[str, Any]:
    base = {label: round(1000 * share) for label, share in SHARES.items()}
    grown = {**base, "motorcycle": base["motorcycle"] + number}
    owned = ("north", "south") if camera == CAMERA else ("east", "west")
    levels = dict(zip(ARMS, ("free", "jammed", "busy", "slow"), strict=True))
    return {
        "frame_time": now - 0.2,
        "age_s": 0.2,
        "source_fps": 25.0,
        "analysed_fps": 10.0,
        "received": 5000 + 5 * number,
        "dropped": 2,
        "counts": {
            arm: {"in": grown if arm == "north" else base, "out": base, } for arm in ARMS
        },
        "counts_since": BUSY.timestamp(),
        "last_minute": {"motorcycle": 40, "car": 9, "bus": 1},
        "movements": {
            turn: {label: round(count * (0.02 + (index * 7 % 11) / 20)) for label, count in base.items()}
            for index, turn in enumerate(TURNS)
        },
        "approaches": [
            {
                "approach": arm,
                "level": levels[arm],
                "density_per_km": 40.0 + 30 * ARMS.index(arm),
                "space_mean_speed_kmh": 32.5 - 9 * ARMS.index(arm),
                "queue_m": 12.0 * ARMS.index(arm),
                "area_occupancy": 0.12,
                "flow_per_h": 900.0 + 120 * ARMS.index(arm),
                "start": math.floor(now / 10) * 10 - 10,
                "end": math.floor(now / 10) * 10,
            }
            for arm in owned
        ],
        "width": 1280,
        "height": 720,
    }  # fmt: skip


def street(moment: float | None = None) -> bytes:
    """A drawn street as a JPEG; with a moment a vehicle moves over it."""
    image = np.full((360, 640, 3), (70, 76, 70), np.uint8)
    cv2.rectangle(image, (0, 140), (640, 230), (92, 92, 92), -1)
    cv2.rectangle(image, (270, 0), (370, 360), (92, 92, 92), -1)
    if moment is not None:
        x = int(moment * 90) % 640
        cv2.rectangle(image, (x, 160), (x + 46, 184), (233, 180, 86), -1)
    return bytes(cv2.imencode(".jpg", image)[1])


class Clock:
    """The present of the service under test: it begins at a set moment, and goes on as time does."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.offset = moment.timestamp() - time.time()

    def __call__(self) -> float:
        return time.time() + self.offset
