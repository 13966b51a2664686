"""Crossings in order of time: one that is told late leaves the mean headway what it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision import Crossing, VehicleClass
from vision.density.passages import Passages


def entering(time: float) -> Crossing:
    return Crossing(time, "north", "in", VehicleClass.MOTORCYCLE, 0.9, (0.5, 0.5), 1)


@given(
    times=st.lists(st.floats(0.0, 60.0), min_size=2, max_size=20, unique=True),
    late=st.sets(st.integers(1, 18)),
)
def test_the_mean_headway_does_not_depend_on_when_a_crossing_is_told(
    times: list[float], late: set[int]
) -> None:
    times = sorted(times)
    passages = Passages({"north": 0})
    told = [entering(time) for n, time in enumerate(times) if n not in late or n in (0, len(times) - 1)]
    passages.report(told)
    found = [each.headway for each in passages.until(61.0)]
    passages.report([entering(time) for n, time in enumerate(times) if entering(time) not in told])
    found += [each.headway for each in passages.until(61.0)]
    known = [headway for headway in found if headway is not None]
    assert len(known) == len(times) - 1
    assert np.mean(known) == pytest.approx((times[-1] - times[0]) / (len(times) - 1))
