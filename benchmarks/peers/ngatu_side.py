"""Our own side of the benchmarks, asked as the peers are: from the clip to counts."""

import sys
from typing import Any

import av
import cv2
from protocol import serve

from benchmarks.records import machine
from vision import Pipeline, load_detector, load_view, open_source
from vision.sparing import Sparing

Crossings = list[tuple[float, int, str, int]]


class Clip:
    """A clip from its first frame to its last."""

    def __init__(self, ask: dict[str, Any]) -> None:
        settings = ask["settings"]
        threads = settings.get("threads", 1)
        provider = settings.get("provider", "cpu")
        detector = load_detector(settings["model"], provider=provider, threads=threads)
        self.source = open_source(ask["clip"], fps=settings.get("fps"), threads=threads)
        view = load_view(ask["view"])
        self.gates = [gate.id for gate in view.gates]
        sparing = Sparing(**settings["sparing"]) if "sparing" in settings else None
        self.pipeline = Pipeline(detector, self.source.size, view, sparing=sparing)
        self.frames = iter(self.source)

    def step(self) -> Crossings | None:
        """The next frame."""
        frame = next(self.frames, None)
        return None if frame is None else self._told(self.pipeline.step(frame).crossings)

    def finish(self) -> Crossings:
        """What was still open."""
        return self._told(self.pipeline.finish())

    def _told(self, crossings: list[Any]) -> Crossings:
        start = self.source.start
        return [
            (each.time - start, self.gates.index(each.gate), each.direction, int(each.vehicle_class))
            for each in crossings
        ]


def main() -> None:
    if sys.argv[1:] != ["serve"]:
        sys.exit("ngatu_side.py is started by end_to_end.py: serve")
    cv2.setNumThreads(1)
    av.logging.set_level(None)
    serve({"versions": machine()["versions"]}, Clip)


if __name__ == "__main__":
    main()
