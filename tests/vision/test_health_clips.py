"""Health of real cameras' clips: no false alarm on good ones, faults laid over them found in time."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.vision import faults

CLIPS = [
    "beijing-detrac-crossroad",
    "corner-crossroad-vertical",
    "delhi-divided-road-cam04",
    "dhaka-arterial-congestion-day",
    "divided-road-8fps",
    "hanoi-giang-vo-lang-ha",
    "nl-motorway-line-count",
    "us-crossroad-turning-oblique",
    "us-residential-street-line-count",
    "us-signal-crossroad-cyclist",
    "vn-motorbike-swarm-crossroad",
    "vn-ptz-signal-approach",
    "vn-redlight-approach-phonecam",
    "vn-signal-queue-sai-gon-label",
    "vn-street-level-dang-huy-tru",
]
"""Left out: hcmc-underpass-mixed, held by hand, which really moves, and clips under 5 s."""

SPOILED = ["hanoi-giang-vo-lang-ha", "vn-redlight-approach-phonecam"]
"""Dense motorcycles beneath a burnt-in clock; a soft picture of a low rate of bits."""


@cache
def pictures(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Of one clip, and their median."""
    taken = faults.pictures(path)
    return taken, faults.median_of(taken)


@pytest.mark.data
@pytest.mark.parametrize("name", CLIPS)
def test_no_false_alarm(testdata, name):
    taken, reference = pictures(testdata / "videos" / f"{name}.mp4")
    told = faults.watch(faults.endless(taken, 70), reference)
    assert {health.state for health in told} == {"ok"}
    assert told[-1].measures["position_checked"] == 1


@pytest.mark.data
@pytest.mark.parametrize("fault", ["frozen", "frozen-with-clock", *faults.FAULTS])
@pytest.mark.parametrize("name", SPOILED)
def test_a_fault_over_a_real_clip_is_found(testdata, name, fault):
    taken, reference = pictures(testdata / "videos" / f"{name}.mp4")
    faults.check_fault(taken, reference, fault)
