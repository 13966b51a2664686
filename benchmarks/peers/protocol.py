"""How a side is asked: one JSON a line in, one out. Needs Python alone, so that every environment has it.

``{"open": {"clip", "lines", "settings"}}`` begins a clip, ``{"run": n}`` takes its next n frames; n = 0
ends it. What a run took is the process time of all threads, so that neighbours on a machine weigh little.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

BEGAN = time.perf_counter()


class Side(Protocol):
    """One clip under one program."""

    def step(self) -> list[tuple[float, int, str, int]] | None:
        """The next frame's crossings (seconds from the start, gate, direction, class); None at the end."""
        ...

    def finish(self) -> list[tuple[float, int, str, int]]:
        """Crossings that were still open."""
        ...


def serve(about: dict[str, Any], open_side: Callable[[dict[str, Any]], Side]) -> None:
    """Answer until the questions end."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    print(json.dumps(about), file=answer, flush=True)
    side: Side | None = None
    for line in sys.stdin:
        ask = json.loads(line)
        if "open" in ask:
            cpu, began = time.process_time(), time.perf_counter()
            side = open_side(ask["open"])
            told = {"open_s": time.perf_counter() - began, "open_cpu_s": time.process_time() - cpu}
        else:
            assert side
            told = run(side, ask["run"])
        told["rss_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told["since_start_s"] = time.perf_counter() - BEGAN
        print(json.dumps(told), file=answer, flush=True)


def run(side: Side, frames: int) -> dict[str, Any]:
    """The next frames: how many there were, what they took, and what crossed."""
    crossings, taken, ended = [], 0, False
    cpu, began = time.process_time(), time.perf_counter()
    if not frames:
        crossings, ended = side.finish(), True
    while taken < frames and not ended:
        crossed = side.step()
        if crossed is None:
            crossings += side.finish()
            ended = True
        else:
            crossings += crossed
            taken += 1
    return {
        "frames": taken,
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - began,
        "ended": ended,
        "crossings": crossings,
    }
