"""How long the network takes reaches /metrics as a histogram."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.api.hub import LiveHub
from service.live.messages import WorkerReport
from service.live.timing import Timing
from tests.service.api.conftest import Clock
from tests.service.feeds.test_prometheus import report, scraped, value


def test_the_worker_times_its_detector_and_leaves_all_else_of_it() -> None:
    timing = Timing()
    plain = SimpleNamespace(name="mine", sha256="abc", detect=lambda image: image.shape)
    timed: Any = timing.around(lambda: cast(Any, plain))()
    assert (timed.name, timed.sha256) == ("mine", "abc")
    assert timed.detect(np.zeros((2, 3, 3), np.uint8)) == (2, 3, 3)
    assert sum(timing.so_far().counts) == 1


def test_it_is_told_as_a_histogram(app: FastAPI, hub: LiveHub, clock: Clock) -> None:
    timing = Timing()
    for seconds in (0.004, 0.005, 0.03, 7.0):
        timing.note(seconds)
    told = report(clock.now).model_copy(update={"inference": timing.so_far()})
    hub.take(WorkerReport.model_validate_json(told.model_dump_json()), 1)
    found = scraped(TestClient(app, base_url="http://localhost", client=("127.0.0.1", 40000)))
    assert value(found, "ngatu_inference_seconds_bucket", worker="w1", le="0.005") == 2
    assert value(found, "ngatu_inference_seconds_bucket", worker="w1", le="0.05") == 3
    assert value(found, "ngatu_inference_seconds_bucket", worker="w1", le="+Inf") == 4
    assert value(found, "ngatu_inference_seconds_count", worker="w1") == 4
    assert value(found, "ngatu_inference_seconds_sum", worker="w1") == 7.039
