"""``ngatu count --db``: a finished count in the database, once, whatever happens in between."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from service.count import CountOptions, CountResult
from service.db_cli import app
from service.record_count import record_count
from service.storage.connect import StorageError, reading
from service.storage.tables import Observed, Run
from tests.service.storage.traffic import GATES, NINE, crossings, dump, interval
from vision import NgatuError, View
from vision.views import Gate

SECONDS = 300.0


@pytest.fixture
def options(tmp_path: Path) -> CountOptions:
    return CountOptions(source="clip.mp4", out=tmp_path)


@pytest.fixture
def result() -> CountResult:
    gates = [Gate(id=name, line=((0.1, 0.5), (0.9, 0.5)), approach=arm) for name, arm in GATES.items()]
    start = NINE.timestamp()
    summary: dict[str, Any] = {
        "source": "/videos/clip.mp4",
        "source_sha256": "abc",
        "model": "tiny",
        "model_sha256": "def",
        "start_epoch": start,
        "elapsed_s": 12.5,
        "versions": {"ngatu": "0.1.0"},
    }
    return CountResult(
        view=View(gates=gates),
        crossings=crossings(NINE, SECONDS, 100),
        records=[interval("north", NINE)],
        spans=[(start, start + 100), (start + 130, start + SECONDS)],
        summary=summary,
    )


def test_a_count_is_in_the_database_once(
    url: str, engine: Engine, options: CountOptions, result: CountResult
) -> None:
    assert record_count(result, options, url, "cam1").startswith("100 crossings of camera cam1 are in ")
    once = dump(engine)
    record_count(result, options, url, "cam1")
    assert dump(engine) == once
    assert len(once["crossings"]) == 100
    assert {row[2] for row in once["approach_intervals"]} == {10, 60, 900}
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(Run)) == 2


def test_while_the_database_is_away_the_count_waits_beside_the_results(
    url: str, engine: Engine, options: CountOptions, result: CountResult
) -> None:
    with pytest.raises(StorageError, match="cannot use the database"):
        record_count(result, options, "postgresql://me:secret@127.0.0.1:1/db", "cam1")
    done = CliRunner().invoke(app, ["drain", str(options.out / "outbox.db"), "--db", url])
    assert done.exit_code == 0, done.output
    assert len(dump(engine)["crossings"]) == 100


def test_a_count_that_was_stopped_is_not_written(
    url: str, options: CountOptions, result: CountResult
) -> None:
    result.stopped = True
    with pytest.raises(NgatuError, match="did not reach its end"):
        record_count(result, options, url, "cam1")


def test_what_was_observed_carries_its_light(
    url: str, engine: Engine, options: CountOptions, result: CountResult
) -> None:
    """Each minute has the light that most of it had; where nobody looked there is none."""
    start = NINE.timestamp()
    result.lights = [(start + 5, "day"), (start + 85, "dusk"), (start + 200, "night")]
    record_count(result, options, url, "cam1")
    record_count(without_lights(result), options, url, "cam2")
    query = select(Observed.start, Observed.light).where(Observed.length == 60).order_by(Observed.start)
    with reading(engine) as connection:
        lit = connection.execute(query.where(Observed.camera_id == "cam1")).all()
        dark = connection.execute(query.where(Observed.camera_id == "cam2")).all()
    assert [row.light for row in lit] == ["day", "day", "dusk", "night", "night"]
    assert {row.light for row in dark} == {None}


def without_lights(result: CountResult) -> CountResult:
    """The same count, of which nobody looked at the light."""
    return replace(result, lights=[])
