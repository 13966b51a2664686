"""Recorded jobs in every state, as the page of recordings meets them, without counting anything."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from service.jobs import JobOptions, JobSettings, folder_of
from service.jobs.store import JOBS
from service.storage.connect import writing
from tests.service.dashboard.city import CAMERA, NOW
from tests.service.dashboard.conftest import Served

COUNTS = {
    "north": {"in": {"motorcycle": 41, "car": 9, "bus": 1}, "out": {"motorcycle": 30, "car": 6}},
    "south": {"in": {"motorcycle": 22, "truck": 2}, "out": {"motorcycle": 35, "car": 7, "truck": 2}},
}
TABLE = """\
start,end,kind,id,direction,class,count,observed_seconds
2026-03-10T02:30:00.000Z,2026-03-10T02:45:00.000Z,gate,north,in,motorcycle,41,40.00
2026-03-10T02:30:00.000Z,2026-03-10T02:45:00.000Z,movement,north-south,,motorcycle,28,40.00
2026-03-10T02:30:00.000Z,2026-03-10T02:45:00.000Z,movement,north-south,,car,6,40.00
2026-03-10T02:30:00.000Z,2026-03-10T02:45:00.000Z,movement,south-north,,motorcycle,19,40.00
2026-03-10T02:45:00.000Z,2026-03-10T03:00:00.000Z,movement,south-north,,motorcycle,,0.00
"""
BAD = "bai-giu-xe.mp4 ends in the middle of a picture; send the recording again, whole"


def add_jobs(city: Served, video: bytes = b"") -> dict[str, UUID]:
    """One job in each state; the one that is done has its files."""
    settings: JobSettings = city.app.state.jobs
    states: dict[str, dict[str, Any]] = {
        "done": {
            "name": "hoa-ban_cam1_20260310-093000.mp4",
            "progress": 1.0,
            "message": f"recorded for camera {CAMERA}",
            "result": {
                "counts": COUNTS,
                "summary": {
                    "start": "2026-03-10T02:30:00.000Z",
                    "end": "2026-03-10T02:30:40.000Z",
                    "elapsed_s": 16.0,
                },
                "notes": [],
                "files": ["summary.json", "counts.csv", *(["annotated.mp4"] if video else [])],
            },
        },
        "failed": {"name": "bai-giu-xe.mp4", "progress": 0.2, "message": BAD, "result": {}},
        "running": {
            "name": "hoa-ban_cam2_20260310-093000.mp4",
            "progress": 0.43,
            "message": "",
            "result": {},
        },
        "queued": {"name": "hoa-ban_cam1_20260310-100000.mp4", "progress": 0.0, "message": "", "result": {}},
        "cancelled": {"name": "nham-tep.mp4", "progress": 0.0, "message": "", "result": {}},
    }
    found = {}
    with writing(city.engine) as connection:
        for number, (state, about) in enumerate(states.items()):
            row = {
                "id": uuid4(),
                "path": "",
                "sha256": f"{number}" * 64,
                "state": state,
                "options": JobOptions(camera=CAMERA, annotate=True).model_dump(mode="json"),
                "created_by": "operator",
                "created_at": NOW - timedelta(minutes=30 - number),
                "started_at": None,
                "ended_at": None,
            }
            connection.execute(insert(JOBS).values(row | about))
            found[state] = row["id"]
    folder = folder_of(settings, found["done"])
    folder.mkdir(parents=True)
    (folder / "counts.csv").write_text(TABLE)
    (folder / "summary.json").write_text("{}")
    if video:
        (folder / "annotated.mp4").write_bytes(video)
    return found
