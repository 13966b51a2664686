"""What a worker needs to know, and the detector that it gives its cameras."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vision import Detector
from vision.detection.grades import AUTO, choose_grade
from vision.detection.motion import MotionDetector


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know.

    Attributes:
        worker: its id, which also names its outbox.
        database: URL of the database.
        folder: where its outbox lies.
        cameras: ids of its cameras to begin with.
        service: URL of the service to report to; empty for none.
        token: the workers' token.
        model: name of the detector, or ``auto``.
        fps: frames a second to analyse, as long as there is time for so many.
        spare: whether the network is spared what counting can do without (:class:`vision.sparing.Sparing`).
        tracks: folder in which tracks are kept for a while, of all workers; empty for none.
        tracks_hours: for how long.
        tz: time zone of midnight, at which running counts begin anew.
    """

    worker: str
    database: str = field(repr=False)
    folder: str
    cameras: tuple[str, ...] = ()
    service: str = ""
    token: str = field(default="", repr=False)
    model: str = AUTO
    fps: float = 10.0
    spare: bool = True
    tracks: str = ""
    tracks_hours: float = 48.0
    tz: str = "Asia/Ho_Chi_Minh"


def detector_source(model: str) -> Callable[[], Detector]:
    """What gives each camera of a worker its detector: all share the network, which remembers nothing.

    Raises:
        ModelError: there is no such detector.
    """
    detector = choose_grade(model, threads=1).load(threads=1)
    if isinstance(detector, MotionDetector):
        return MotionDetector  # it learns one camera's street
    return lambda: detector
