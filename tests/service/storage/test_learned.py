"""How full a zone is against its own past: kept in its column, and known again after a restart."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Engine, select

from service.storage.connect import reading
from service.storage.drain import drain
from service.storage.learned import learned_occupancy
from service.storage.outbox import Outbox
from service.storage.tables import ApproachInterval
from tests.service.storage.traffic import NINE, interval, record, segment
from vision import Tracks, View
from vision.density import ApproachInterval as DensityInterval
from vision.density import DensityEstimator
from vision.views import Gate, Zone

HOUR = timedelta(hours=1)
VIEW = View(
    gates=[Gate(id="n", approach="north", line=((0.1, 0.8), (0.9, 0.8)))],
    zones=[
        Zone(
            id="z",
            kind="approach",
            approach="north",
            polygon=[(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)],
        )
    ],
)


def filled(minutes: int, covered: float) -> list[DensityInterval]:
    """Minutes of a zone of which a share was covered."""
    return [
        replace(
            interval("north", NINE + timedelta(seconds=10 * number)),
            image_seconds=10.0,
            image_covered_s=10 * covered,
            band_seconds={"high": 10.0},
        )
        for number in range(6 * minutes)
    ]


def bands(estimator: DensityEstimator) -> set[str]:
    """The bands of two minutes in which nobody comes."""
    start = (NINE + HOUR).timestamp()
    records = [each for n in range(600) for each in estimator.update(start + n / 5, Tracks.empty())]
    return {band for each in records + estimator.finish() for band in each.band_seconds}


def test_a_band_that_is_known_has_its_column(engine: Engine, outbox: Outbox) -> None:
    record(outbox, segment(), [], 900, intervals=filled(15, 0.3))
    drain(outbox, engine)
    with reading(engine) as connection:
        rows = connection.execute(select(ApproachInterval.length, ApproachInterval.density_band)).all()
    assert {(10, "high"), (60, "high"), (900, "high")} == {tuple(row) for row in rows}


def test_a_restart_knows_what_is_usual(engine: Engine, outbox: Outbox) -> None:
    """An estimator that begins anew says nothing for an hour; with what is in the database it does."""
    record(outbox, segment(), [], 4200, intervals=filled(70, 0.3))
    drain(outbox, engine)
    with reading(engine) as connection:
        at = NINE + timedelta(minutes=70)
        learned = learned_occupancy(connection, "cam1", "view-1", ["north"], at)
        assert learned_occupancy(connection, "cam1", "another view", ["north"], at) is None
        assert learned_occupancy(connection, "cam2", "view-1", ["north"], at) is None
    assert learned is not None
    assert sum(learned[0]) > 4000
    assert learned[0].index(max(learned[0])) == 30
    assert bands(DensityEstimator(VIEW, (640, 360), None)) == set()
    assert bands(DensityEstimator(VIEW, (640, 360), None, learned=learned)) == {"low"}
