"""Exact boxes of the sample junction against the simulator's truth; all of it: ``benchmarks/density.py``."""

import pytest

from benchmarks.density import ROOT, SIZE, compare, estimate, exact_frames, start_of, surveyed, truth_of
from vision import load_view

CLIP = ROOT / "sample_videos" / "hoa-ban_cam1_day_20260310-093000.mp4"
TOLERANCE = {"density": 0.03, "speed": 0.05, "occupancy": 0.10}


@pytest.fixture(scope="module")
def found():
    view = surveyed(load_view(CLIP.parent / "hoa-ban_cam1.view.yaml"), "cam1")
    minutes = CLIP.with_suffix(".minutes.csv")
    frames = exact_frames(CLIP.with_suffix(".truth.parquet"), start_of(minutes), view, SIZE, every=2)
    records, _ = estimate(frames, view, SIZE)
    return {row["approach"]: row for row in compare(records, truth_of(minutes, 60.0), 60.0)}


@pytest.mark.parametrize("approach", ["north", "east"])
def test_the_sample_minute(found, approach):
    row = found[approach]
    assert row["count"][0] == pytest.approx(row["count"][1], abs=1)
    for name, most in TOLERANCE.items():
        assert row[name][0] == pytest.approx(row[name][1], rel=most), name
    for name in ("queue_max", "queue_mean"):
        assert row[name][0] == pytest.approx(row[name][1], abs=3.0), name


def test_a_queue_that_the_view_cuts_is_at_least_so_long(found):
    assert found["south"]["cut"] is True
    assert found["south"]["queue_max"][0] < found["south"]["queue_max"][1]
