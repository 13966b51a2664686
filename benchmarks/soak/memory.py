"""Memory of live analysis: after 100,000 frames within 5 MB of that after 20,000.

    python -m benchmarks.soak.memory [--frames 100000] [--model ngatu-n] [--json out/memory.json]

One camera is fed by hand as a worker feeds it, 10 frames a second of its own time, so that 100,000 are 2.8
hours: health, tracking, counting, density, incidents, recording, outbox, database (SQLite), reports. A
stand-in for the network says where up to a dozen vehicles are in a made-up junction of 640×360; with
``--model`` every frame goes through that network too, which takes longer.
"""

import argparse
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import psutil
from numpy.typing import NDArray

from service.live.camera import Around, LiveCamera
from service.live.frames import WaitingFrames
from service.live.gathering import GatheringOutbox
from service.live.plan import Entry
from service.storage.connect import open_database
from service.storage.drain import drain
from vision import Detections, Frame, SourceError, load_detector, load_view
from vision.detection.cards import Thresholds

SAMPLE = Path(__file__).parents[2] / "sample_videos"
SIZE = (640, 360)
ALLOWED_MB = 5.0


class Traffic:
    """A stand-in for the network: vehicles that drive through the picture, each on a line of its own.

    Args:
        model: a network that looks at each picture too; its findings are thrown away.
    """

    name = "traffic"
    thresholds = Thresholds(keep=0.1, start=0.25, suppress_iou=0.5)

    def __init__(self, model: Any = None) -> None:
        self.time = 0.0
        self._model = model
        self._random = np.random.default_rng(1)
        self._vehicles: list[tuple[float, NDArray[np.float64], NDArray[np.float64], int]] = []

    def detect(self, image: NDArray[np.uint8]) -> Detections:
        """The vehicles at ``self.time``."""
        if self._model is not None:
            self._model.detect(image)
        random = self._random
        if len(self._vehicles) < 12 and random.random() < 0.15:
            angle = random.uniform(0, 2 * np.pi)
            way = np.array([np.cos(angle), np.sin(angle)])
            start = np.array([320.0, 200.0]) - way * 330 + random.uniform(-60, 60, 2)
            self._vehicles.append(
                (self.time, start, way * random.uniform(40, 110), int(random.integers(0, 5)))
            )
        self._vehicles = [each for each in self._vehicles if self.time - each[0] < 14]
        points = np.array([start + speed * (self.time - began) for began, start, speed, _ in self._vehicles])
        if not len(points):
            return Detections.empty()
        points += random.normal(0, 1.0, points.shape)
        boxes = np.concatenate((points - np.array([18, 26]), points + np.array([18, 0])), axis=1).astype(
            np.float32
        )
        inside = (boxes[:, 2] > 0) & (boxes[:, 0] < 640) & (boxes[:, 3] > 0) & (boxes[:, 1] < 360)
        inside &= random.random(len(boxes)) > 0.08
        kinds = np.array([kind for *_, kind in self._vehicles], np.int8)
        scores = random.uniform(0.3, 0.95, len(boxes)).astype(np.float32)
        return Detections(np.clip(boxes, 0, 640), scores, kinds)[inside]


def nobody(*_args: Any, **_options: Any) -> Any:
    raise SourceError("frames are given by hand")


def pictures() -> list[NDArray[np.uint8]]:
    """Some pictures of one street, with noise, as a camera gives them."""
    random = np.random.default_rng(0)
    street = np.kron(random.integers(30, 140, (45, 80, 3)), np.ones((8, 8, 1))).astype(np.int16)
    return [
        np.clip(street + random.integers(-7, 8, street.shape), 0, 255).astype(np.uint8) for _ in range(60)
    ]


def rss_mb() -> float:
    """Memory of the process, MB."""
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


def main() -> int:
    """Run it; exit status 1 where memory grew by more than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--model", default="", help="a network that looks at every picture too")
    parser.add_argument("--json", type=Path, default=Path("out/soak_memory.json"))
    options = parser.parse_args()
    began = time.monotonic()
    measured: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        traffic = Traffic(load_detector(options.model, threads=1) if options.model else None)
        now = [time.time() - options.frames / 10 - 60]
        engine = open_database(f"sqlite:///{folder}/ngatu.db")
        with GatheringOutbox(Path(folder) / "outbox.db") as outbox:
            around = Around(
                waiting=WaitingFrames(lambda: now[0]),
                detector=lambda: traffic,
                outbox=outbox,
                zone=ZoneInfo("Asia/Ho_Chi_Minh"),
                save=lambda _reference: None,
                opens=nobody,
                now=lambda: now[0],
            )
            entry = Entry("cam1", "hoa-ban", "rtsp://x/", load_view(SAMPLE / "hoa-ban_cam1.view.yaml"), "sha")
            camera = LiveCamera(entry, lambda _stream: "", around)
            seen = pictures()
            order = np.random.default_rng(2).integers(0, len(seen), 9973)  # in turn they would look frozen
            for number in range(1, options.frames + 1):
                now[0] += 0.1
                traffic.time = now[0]
                camera.take(
                    Frame(seen[order[number % len(order)]], now[0], number),
                    recording=True,
                    watched=number % 7 == 0,
                )
                if number % 10 == 0:
                    camera.tick(now[0], recording=True)
                    camera.report(now[0])
                    camera.tally.fresh.clear()
                    camera.flush(now[0])
                if number % 100 == 0:
                    outbox.flush()
                    drain(outbox, engine)
                if number % (options.frames // 10) == 0:
                    measured[number] = round(rss_mb(), 1)
                    print(f"{number} frames: {measured[number]} MB", flush=True)
            crossings = sum(
                sum(by.values())
                for ways in camera.tally.report(now[0])["counts"].values()
                for by in ways.values()
            )
            camera.close()
            outbox.flush()
            drain(outbox, engine)
            rejected = outbox.state().rejected
        engine.dispose()
    first, last = measured[options.frames // 5], measured[max(measured)]
    result = {
        "frames": options.frames,
        "seconds": round(time.monotonic() - began, 1),
        "rss_mb": measured,
        "growth_mb": round(last - first, 1),
        "allowed_mb": ALLOWED_MB,
        "crossings_today": crossings,
        "rejected": rejected,
        "model": options.model or "stand-in",
    }
    print(json.dumps(result, indent=1))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 1 if last - first > ALLOWED_MB or rejected else 0


if __name__ == "__main__":
    sys.exit(main())
