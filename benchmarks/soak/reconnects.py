"""A thousand lost connections of live cameras, of four kinds, without a leaked thread or descriptor.

    python -m benchmarks.soak.reconnects [--reconnects 1000] [--json out/reconnects.json]

Needs GStreamer's RTSP server (Debian: gir1.2-gst-rtsp-server-1.0, python3-gi). Each kind is a camera with its
own reader, as in ``ngatu live``, whose waits between two tries are shortened:

    ended     the stream is closed by this side after three pictures
    cut       the camera closes connection and port, and comes back
    refused   the camera refuses the password
    nobody    nothing listens at the port
"""

import argparse
import gc
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import psutil

from service.live import reader as reader_module
from service.live.frames import WaitingFrames
from service.live.reader import Reader
from service.live.state import Backoff
from tests.conftest import _make_clip, start_cameras
from vision import Frame, open_source
from vision.sources import OpenedSource

KINDS = ("ended", "cut", "refused", "nobody")
WARM_UP = 0.1
"""Share of the reconnects before the first look at what is held."""


class Counted:
    """Opens addresses, and counts how often; a source may end after some pictures."""

    def __init__(self, pictures: int | None) -> None:
        self.tries = 0
        self._pictures = pictures

    def __call__(self, address: str, **options: Any) -> OpenedSource:
        self.tries += 1
        source = open_source(address, **options)
        if self._pictures is not None:
            source._frames = self._some(source._frames)  # type: ignore[attr-defined]
        return source

    def _some(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        yield from islice(frames, self._pictures)
        frames.close()  # type: ignore[attr-defined]


def held() -> dict[str, float]:
    """What the process holds now."""
    gc.collect()
    process = psutil.Process()
    return {
        "threads": process.num_threads(),
        "python_threads": threading.active_count(),
        "descriptors": process.num_fds(),
        "rss_mb": round(process.memory_info().rss / 1e6, 1),
    }


def main() -> int:
    """Run it; exit status 1 where anything leaked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--reconnects", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=900, help="give up after so long")
    parser.add_argument("--json", type=Path, default=Path("out/soak_reconnects.json"))
    options = parser.parse_args()
    reader_module.LOGIN_WAIT = 0.4
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        clip = _make_clip(Path(folder) / "a.mp4", 50, 25, options={"qp": "20", "bf": "0", "g": "5"})
        names = ("ended", "cut", "refused")
        with start_cameras(
            Path(folder), dict.fromkeys(names, clip), 25, {"refused": "viewer:right"}
        ) as cameras:
            addresses = {name: cameras.address(name) for name in ("ended", "cut")}
            addresses["refused"] = cameras.address("refused", "viewer:wrong")
            addresses["nobody"] = "rtsp://127.0.0.1:9/stream"
            waiting = WaitingFrames(time.time)
            opens = {name: Counted(3 if name == "ended" else None) for name in KINDS}
            idle = held()
            readers = {
                name: Reader(name, lambda _stream, name=name: addresses[name], waiting, 10.0, opens[name])
                for name in KINDS
            }
            # Nobody listening is told in a millisecond: without a longer wait it would be all there is.
            waits = {"ended": 0.01, "cut": 0.01, "refused": 0.4, "nobody": 0.4}
            for name, each in readers.items():
                each._backoff = Backoff(random.random, waits[name], waits[name])
                each.start()
            first: dict[str, float] | None = None
            while (tries := sum(each.tries for each in opens.values())) < options.reconnects:
                if time.monotonic() - began > options.seconds:
                    print(f"gave up after {options.seconds:.0f} s", file=sys.stderr)
                    break
                if first is None and tries >= WARM_UP * options.reconnects:
                    first = held()
                cameras.do("cut", "cut")
                time.sleep(0.05)
                cameras.do("cut", "back")
                while (waiting.take(0.0)) is not None:
                    pass
                time.sleep(0.6)
            running = held()
            for each in readers.values():
                each.stop()
            for each in readers.values():
                each.join(15)
            after = held()
    tries_by = {name: each.tries for name, each in opens.items()}
    first = first or idle
    leaked = [
        name
        for name in ("threads", "python_threads", "descriptors")
        if after[name] > idle[name] or running[name] > first[name] + 2
    ]
    result = {
        "seconds": round(time.monotonic() - began, 1),
        "connections": tries_by,
        "total": sum(tries_by.values()),
        "before": idle,
        "at_a_tenth": first,
        "at_the_end": running,
        "after_stopping": after,
        "leaked": leaked,
    }
    print(json.dumps(result, indent=1))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 1 if leaked or result["total"] < options.reconnects else 0


if __name__ == "__main__":
    sys.exit(main())
