"""The peers' side of the benchmarks: ByteTrack of ``trackers`` and LineZone of ``supervision``.

Runs in an environment of its own (supervision.txt), started by counting.py and others; imports nothing of
ngatu. Everything of the peers is used by its public interface.
"""

import inspect
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import supervision as sv
import trackers
from trackers.eval import evaluate_mot_sequence
from trackers.utils import iou

Settings = dict[str, Any]


class Peer:
    """A tracker and one line zone a gate.

    Args:
        lines: ``[G, 2, 2]``, the gates in pixels.
        rate: frames per second of the clip.
        settings: ``tracker`` and ``zone`` are arguments of the peers' classes; ``kind`` is another tracker
            class than ByteTrack; ``iou`` another measure of overlap, with its arguments; ``timed`` tells the
            tracker the clip's rate and the time of each frame. What is not named stays at its default.
    """

    def __init__(self, lines: Any, rate: float, settings: Settings) -> None:
        options = dict(settings.get("tracker", {}))
        self.timed = bool(settings.get("timed"))
        if self.timed:
            options["frame_rate"] = rate
        if "iou" in settings:
            name, arguments = settings["iou"]
            options["iou"] = getattr(iou, name)(**arguments)
        zone = dict(settings.get("zone", {}))
        if "triggering_anchors" in zone:
            zone["triggering_anchors"] = [sv.Position[anchor] for anchor in zone["triggering_anchors"]]
        self.tracker = getattr(trackers, settings.get("kind", "ByteTrackTracker"))(**options)
        # Drawn from a gate's second end to its first, a line zone's "in" is the gate's "in".
        self.zones = [sv.LineZone(sv.Point(*line[1]), sv.Point(*line[0]), **zone) for line in lines]

    def track(self, moment: float, detections: sv.Detections) -> sv.Detections:
        if self.timed:
            return self.tracker.update(detections, timestamp=moment)
        return self.tracker.update(detections)

    def count(self, tracked: sv.Detections) -> list[tuple[int, str, int]]:
        """Gate, direction and class of what crossed in this frame."""
        crossed = []
        for gate, zone in enumerate(self.zones):
            for direction, mask in zip(("in", "out"), zone.trigger(tracked), strict=True):
                crossed += [(gate, direction, int(kind)) for kind in tracked.class_id[mask]]
        return crossed


def frames(recorded: Any) -> list[tuple[float, sv.Detections]]:
    """Times and boxes of a clip or scene, as counting.py and tracking_speed.py store them."""
    times, starts = recorded["times"], recorded["starts"]
    xyxy, score, kind = recorded["xyxy"], recorded["score"], recorded["class_id"].astype(int)
    return [
        (float(moment), sv.Detections(xyxy[a:b].copy(), confidence=score[a:b], class_id=kind[a:b]))
        for moment, a, b in zip(times, starts, starts[1:], strict=False)
    ]


def count(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Count each clip with each settings; a crossing's time is that of the frame it was reported in."""
    results = []
    for clip in job["clips"]:
        with np.load(clip["boxes"]) as recorded:
            seen = frames(recorded)
        for name, settings in job["settings"].items():
            peer = Peer(clip["lines"], clip["rate"], settings)
            crossed = [
                (moment, *crossing)
                for moment, detections in seen
                for crossing in peer.count(peer.track(moment, detections))
            ]
            results.append({"clip": clip["name"], "settings": name, "crossings": crossed})
    return results


def scenes(job: dict[str, Any]) -> list[list[tuple[float, int, str, int]]]:
    """Count given tracks: for each scene a line, and frames of time, boxes, ids and classes."""
    results = []
    for scene in job["scenes"]:
        peer = Peer([scene["line"]], 25.0, {"zone": job["settings"]})
        found = []
        for moment, boxes, ids, kinds in scene["frames"]:
            seen = sv.Detections(
                np.array(boxes, np.float32).reshape(-1, 4),
                class_id=np.array(kinds, int),
                tracker_id=np.array(ids, int),
            )
            found += [(moment, *crossing) for crossing in peer.count(seen)]
        results.append(found)
    return results


def judge(job: dict[str, Any]) -> dict[str, dict[str, float]]:
    """HOTA, IDF1 and MOTA of tracks beside the truth, both as files of the MOT Challenge."""
    return {
        name: flat(
            evaluate_mot_sequence(files["truth"], files["tracks"], metrics=["CLEAR", "HOTA", "Identity"])
        )
        for name, files in job["sequences"].items()
    }


def flat(result: Any) -> dict[str, float]:
    """The figures that are quoted."""
    return {
        "HOTA": float(result.HOTA.HOTA),
        "DetA": float(result.HOTA.DetA),
        "AssA": float(result.HOTA.AssA),
        "IDF1": float(result.Identity.IDF1),
        "MOTA": float(result.CLEAR.MOTA),
        "switches": float(result.CLEAR.IDSW),
    }


def track(job: dict[str, Any]) -> None:
    """Follow a clip's boxes with each settings and write the tracks as files of the MOT Challenge."""
    for clip in job["clips"]:
        with np.load(clip["boxes"]) as recorded:
            seen = frames(recorded)
        for name, settings in job["settings"].items():
            peer = Peer([], clip["rate"], settings)
            lines = []
            for number, (moment, detections) in enumerate(seen, 1):
                tracked = peer.track(moment, detections)
                for (x1, y1, x2, y2), which in zip(tracked.xyxy, tracked.tracker_id, strict=True):
                    if which >= 0:
                        box = f"{x1:.1f},{y1:.1f},{x2 - x1:.1f},{y2 - y1:.1f}"
                        lines.append(f"{number},{which},{box},1,-1,-1,-1")
            Path(clip["folder"], f"{clip['name']}.{name}.txt").write_text("\n".join(lines), encoding="utf-8")


def serve() -> None:
    """Say what this is, then do as asked, one JSON a line: ``scene`` opens one, ``run`` times frames."""
    print(json.dumps(about()), flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        if "scene" in ask:
            with np.load(ask["scene"]) as recorded:
                seen = iter(frames(recorded))
            peer = Peer(ask["lines"], ask["rate"], ask["settings"])
            answer: Any = "ready"
        else:
            answer = [time_frame(peer, *next(seen)) for _ in range(ask["run"])]
        print(json.dumps(answer), flush=True)


def time_frame(peer: Peer, moment: float, detections: sv.Detections) -> tuple[int, int]:
    """Nanoseconds of this thread for the tracker, and for tracker and line zones."""
    start = time.thread_time_ns()
    tracked = peer.track(moment, detections)
    half = time.thread_time_ns()
    peer.count(tracked)
    return half - start, time.thread_time_ns() - start


def about() -> dict[str, Any]:
    """Versions, and the defaults that were left as they are."""

    def defaults(kind: Any) -> dict[str, str]:
        parameters = inspect.signature(kind).parameters.values()
        return {p.name: str(p.default) for p in parameters if p.default is not inspect.Parameter.empty}

    return {
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in ("trackers", "supervision", "numpy", "scipy")},
        "defaults": {
            "ByteTrackTracker": defaults(trackers.ByteTrackTracker),
            "LineZone": defaults(sv.LineZone),
        },
    }


def main() -> None:
    match sys.argv[1:]:
        case ["about"]:
            print(json.dumps(about()))
        case ["count", job]:
            print(json.dumps(count(json.loads(Path(job).read_text(encoding="utf-8")))))
        case ["scenes", job]:
            print(json.dumps(scenes(json.loads(Path(job).read_text(encoding="utf-8")))))
        case ["judge", job]:
            print(json.dumps(judge(json.loads(Path(job).read_text(encoding="utf-8")))))
        case ["track", job]:
            track(json.loads(Path(job).read_text(encoding="utf-8")))
            print("{}")
        case ["serve"]:
            serve()
        case _:
            sys.exit(
                "started by the benchmarks: about, count JOB, scenes JOB, track JOB, judge JOB, or serve"
            )


if __name__ == "__main__":
    main()
