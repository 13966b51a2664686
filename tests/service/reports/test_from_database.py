"""``ngatu report --site``: the same as from files, of owners alone, and honest about what nobody watched."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from service.registry import Approach, Camera, CameraView, Owner, Record, Site, difference
from service.registry.store import load_history, revision, save_changes
from service.reports.crossings import CLASSES, Counted
from service.reports.from_database import load_site
from service.reports.load import load_counted
from service.reports.report import make_report
from service.storage import tables
from service.storage.connect import open_database, reading, writing
from service.storage.drain import drain
from service.storage.exclusions import exclude, withdraw
from service.storage.messages import SegmentInfo
from service.storage.outbox import Outbox
from service.storage.record import Recorder
from service.storage.retention import Retention, run_retention
from tests.service.reports.conftest import Ngatu
from tests.service.reports.junctions import (
    ARMS,
    HALF_PAST_SIX,
    VIEW,
    ZONE,
    Passing,
    quarters,
    write_folder,
)
from vision import Crossing, NgatuError, VehicleClass, View

SITE = "thu"
SINCE = HALF_PAST_SIX - 40 * 86400
TRAFFIC: list[Passing] = sorted(
    [
        *quarters([9, 10, 12, 8, 3]),
        (100.0, "south", "in", "car", ""),
        (108.0, "west", "out", "car", "south-west"),
        (1000.0, "east", "in", "bus", ""),
        (4795.0, "north", "out", "unknown", ""),
    ]
)
END = 4800.0
PERIOD = ["--from", "2026-03-10T06:30", "--to", "2026-03-10T07:50"]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path}/ngatu.db")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ngatu.db"


def register(engine: Engine, owners: dict[str, str], since: float = SINCE, view: View | None = VIEW) -> None:
    """A junction whose approaches have these owners; each camera has the same view."""
    records: list[Record] = [Site(id=SITE, kind="junction", name="Ngã tư thử")]
    records += [Approach(site=SITE, id=arm) for arm in ARMS]
    for camera in sorted(set(owners.values())):
        records.append(Camera(id=camera, site=SITE))
        records += [CameraView(camera=camera, view=view)] if view else []
    records += [Owner(site=SITE, approach=arm, camera=camera) for arm, camera in owners.items()]
    with writing(engine) as connection:
        history, seen = load_history(connection), revision(connection)
        changes = difference(history, {record.ref: record for record in records}, since)
        save_changes(connection, history, changes, since, seen_revision=seen, now=SINCE, actor="test")


def record(
    engine: Engine,
    folder: Path,
    passings: Sequence[Passing],
    spans: Sequence[tuple[float, float]] = ((0, END),),
    camera: str = "cam1",
    model: str = "a",
) -> None:
    """Put a count of a camera into the database, by the way that every count takes."""
    segment = SegmentInfo(camera, "recording", HALF_PAST_SIX + spans[0][0], site=SITE, model=model)
    with Outbox(folder / "outbox.db") as outbox:
        recorder = Recorder(outbox, segment, {gate.id: gate.approach for gate in VIEW.gates})
        recorder.crossings(
            Crossing(
                time=HALF_PAST_SIX + time,
                gate=gate,
                direction="in" if direction == "in" else "out",
                vehicle_class=VehicleClass[kind.upper()],
                confidence=0.9,
                point=(0.5, 0.5),
                vehicle=number,
                movement=movement or None,
                origin=movement.split("-")[0] or None,
            )
            for number, (time, gate, direction, kind, movement) in enumerate(passings)
        )
        for begin, end in spans:
            recorder.observe(HALF_PAST_SIX + begin, HALF_PAST_SIX + end)
        recorder.close(HALF_PAST_SIX + spans[-1][1])
        drain(outbox, engine)


def load(engine: Engine, begin: float = 0.0, end: float = END) -> Counted:
    with reading(engine) as connection:
        return load_site(connection, SITE, HALF_PAST_SIX + begin, HALF_PAST_SIX + end, ZONE)


def all_by(camera: str) -> dict[str, str]:
    return dict.fromkeys(ARMS, camera)


def keys(counted: Counted) -> list[str]:
    return [note.key for note in counted.notes]


# --- The same as from files -----------------------------------------------------------------------------


@pytest.mark.parametrize("interval", ["5min", "15min", "1h"])
def test_the_same_crossings_give_the_same_report(
    engine: Engine, url: str, tmp_path: Path, ngatu: Ngatu, interval: str
) -> None:
    gaps = [(1810.0, 1870.5)]
    folder = write_folder(tmp_path / "count", TRAFFIC, end=END, gaps=gaps)
    register(engine, all_by("cam1"))
    record(engine, tmp_path, TRAFFIC, [(0, 1810.0), (1870.5, END)])
    how = [*PERIOD, "--interval", interval, "--format", "json"]
    by_file = ngatu("report", folder, *how)
    by_database = ngatu("report", "--db", url, "--site", SITE, *how)
    assert (by_file.code, by_database.code, by_database.err) == (0, 0, "")
    assert json.loads(by_database.out) == json.loads(by_file.out)


def test_recordings_that_begin_within_a_minute(engine: Engine, tmp_path: Path) -> None:
    """Where in a minute it was watched is not kept, but follows where the minutes beside it were watched."""
    register(engine, all_by("cam1"))
    record(engine, tmp_path, TRAFFIC, [(30.0, 400.0)])
    assert load(engine).spans.tolist() == [[HALF_PAST_SIX + 30, HALF_PAST_SIX + 400]]


def test_without_a_view_in_the_registry_gates_are_those_of_the_crossings(
    engine: Engine, tmp_path: Path
) -> None:
    register(engine, all_by("cam1"), view=None)
    record(engine, tmp_path, TRAFFIC)
    counted = load(engine)
    assert [gate.id for gate in counted.layout.gates] == ["north", "south", "west", "east"]
    (way,) = counted.layout.movements
    assert (way.id, way.origin, way.destination, way.turn) == ("south-west", 1, 2, "")
    assert len(counted.crossings) == len(TRAFFIC)


# --- Who speaks -----------------------------------------------------------------------------------------


def test_two_cameras_on_an_approach_are_never_added(engine: Engine, tmp_path: Path) -> None:
    """Each approach is its owner's; a movement is told by the camera at its exit."""
    register(engine, {**all_by("cam1"), "west": "cam2"})
    for camera in ("cam1", "cam2"):
        record(engine, tmp_path, TRAFFIC, camera=camera)
    counted = load(engine)
    assert len(counted.crossings) == len(TRAFFIC)
    report = make_report(counted)
    assert report.matrix.sum() == 1
    south, west = ([gate.id for gate in counted.layout.gates].index(arm) for arm in ("south", "west"))
    assert report.matrix[south, west, CLASSES.index(VehicleClass.CAR)] == 1
    assert keys(counted) == []


def test_an_owner_that_saw_nothing_takes_its_approach_out(engine: Engine, tmp_path: Path) -> None:
    register(engine, {**all_by("cam1"), "south": "cam2"})
    record(engine, tmp_path, TRAFFIC)
    counted = load(engine)
    assert counted.layout.approaches == ("north", "east", "west")
    (note,) = counted.notes
    assert (note.key, note.values) == ("approaches_unseen", {"approaches": "south"})
    assert make_report(counted).matrix.sum() == 0, "the car came from where nobody counted"


def test_observed_is_what_all_owners_saw(engine: Engine, tmp_path: Path) -> None:
    register(engine, {**all_by("cam1"), "west": "cam2"})
    record(engine, tmp_path, TRAFFIC)
    record(engine, tmp_path, [], [(900, 2700)], camera="cam2")
    status = make_report(load(engine)).counts.bins.status
    assert status == ["not_observed", "complete", "complete", "not_observed", "not_observed", "not_observed"]


def test_the_owner_changes_within_the_period(engine: Engine, tmp_path: Path) -> None:
    register(engine, all_by("cam1"))
    register(engine, {**all_by("cam1"), "north": "cam2"}, since=HALF_PAST_SIX + 1800)
    for camera in ("cam1", "cam2"):
        record(engine, tmp_path, TRAFFIC, camera=camera)
    counted = load(engine)
    assert len(counted.crossings) == len(TRAFFIC)
    assert {"cam1:north", "cam2:north"} <= {gate.id for gate in counted.layout.gates}
    assert counted.layout.approaches.count("north") == 1
    assert make_report(counted).volume.sum() == sum(each[2] == "in" for each in TRAFFIC)


def test_an_analysis_that_was_replaced_is_not_read(engine: Engine, tmp_path: Path) -> None:
    register(engine, all_by("cam1"))
    record(engine, tmp_path, TRAFFIC, model="a")
    record(engine, tmp_path, TRAFFIC[:20], model="b")
    assert len(load(engine).crossings) == 20


# --- What is left out -----------------------------------------------------------------------------------


def test_an_excluded_period_is_not_observed(engine: Engine, tmp_path: Path) -> None:
    register(engine, all_by("cam1"))
    record(engine, tmp_path, TRAFFIC)
    begin, end = (datetime.fromtimestamp(HALF_PAST_SIX + s, UTC) for s in (900, 1800))
    with writing(engine) as connection:
        about: dict[str, Any] = {"reason": "road works", "author": "an", "site": SITE}
        number = exclude(connection, begin, end, **about)
        exclude(connection, begin, end, reason="elsewhere", author="an", camera="another")
    counted = load(engine)
    assert len(counted.crossings) == len(TRAFFIC) - 11
    assert make_report(counted).counts.bins.status[:3] == ["complete", "not_observed", "complete"]
    (note,) = counted.notes
    assert note.values == {"count": 1, "reasons": "road works"}
    with writing(engine) as connection:
        withdraw(connection, number, "an")
    assert len(load(engine).crossings) == len(TRAFFIC)


def test_where_minutes_are_no_longer_kept_quarters_tell(engine: Engine, tmp_path: Path) -> None:
    register(engine, all_by("cam1"))
    record(engine, tmp_path, TRAFFIC)
    before = make_report(load(engine)).counts.bins
    run_retention(
        engine, Retention(minutes_days=1), datetime.fromtimestamp(HALF_PAST_SIX, UTC).replace(day=20)
    )
    with reading(engine) as connection:
        assert not connection.execute(
            tables.Observed.__table__.select().where(tables.Observed.length == 60)
        ).all()
    after = make_report(load(engine)).counts.bins
    assert after.observed.tolist() == before.observed.tolist()


def test_crossings_that_were_dropped_are_not_taken_for_none(engine: Engine, tmp_path: Path) -> None:
    register(engine, all_by("cam1"))
    record(engine, tmp_path, TRAFFIC)
    run_retention(engine, now=datetime(2028, 1, 1, tzinfo=UTC))
    with pytest.raises(NgatuError, match=r"single crossings before 2026-04-01 00:00 UTC were dropped"):
        load(engine)


def test_a_report_of_a_time_without_any_count(engine: Engine, url: str, ngatu: Ngatu) -> None:
    register(engine, all_by("cam1"))
    ran = ngatu("report", "--db", url, "--site", SITE, *PERIOD)
    assert ran.code == 1
    assert ran.err.startswith(f"ngatu: --site {SITE}: nothing of it was counted in that period")
    assert ran.err.count("\n") == 1


# --- Mistakes -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "say what to report on"),
        (["folder", "--site", SITE, *PERIOD], "say what to report on"),
        (["--site", SITE], "--site needs a period"),
        (["--site", SITE, "--from", "2026-03-10"], "give both --from and --to"),
        (["--site", SITE, "--from", "2026-03-10", "--to", "2026-03-10"], "does not lie before"),
        (["--site", SITE, "--from", "soon", "--to", "2026-03-10"], "--from 'soon'"),
        (["--site", "nowhere", *PERIOD], "--site nowhere: the registry has no such site in that period"),
        (["--site", SITE, *PERIOD, "--view", "x.yaml"], "--view is for folders"),
        (["--site", "alone", *PERIOD], "no camera owned an approach of it"),
    ],
)
def test_a_mistake_is_one_sentence(
    arguments: list[str], problem: str, engine: Engine, url: str, ngatu: Ngatu
) -> None:
    register(engine, all_by("cam1"))
    with writing(engine) as connection:
        about = {
            "kind": "junction",
            "name": "",
            "is_key": False,
            "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        }
        words = dict.fromkeys(("ward", "district", "province", "note"), "")
        connection.execute(insert(tables.Site).values(site_id="alone", **about, **words))
    ran = ngatu("report", "--db", url, *arguments)
    assert ran.code == 1
    assert ran.err.startswith("ngatu: ")
    assert ran.err.count("\n") == 1
    assert problem in ran.err


def test_a_period_of_files(tmp_path: Path, ngatu: Ngatu) -> None:
    folder = write_folder(tmp_path / "count", TRAFFIC, end=END)
    ran = ngatu(
        "report", folder, "--from", "2026-03-10T06:45", "--to", "2026-03-10T07:00", "--format", "json"
    )
    (row,) = json.loads(ran.out)["intervals"]
    assert row["volume"]["total"] == 11
    assert len(load_counted([folder]).crossings) == len(TRAFFIC)
