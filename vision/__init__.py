"""ngatu's library: frames in, crossings out. No database and no HTTP in here.

>>> from vision import count_crossings, load_detector, load_view, open_source
>>> with open_source("junction.mp4") as source:  # doctest: +SKIP
...     for crossing in count_crossings(source, load_detector(), source.size, load_view("junction.yaml")):
...         print(crossing.gate, crossing.direction, crossing.vehicle_class.label)
"""

from vision.calibration import GroundMap, fit_calibration
from vision.counting import CounterSettings, GateCounter
from vision.detection import load_detector
from vision.errors import CalibrationError, ModelError, NgatuError, SourceError, TracksError, ViewError
from vision.health import BackgroundMaker, Health, HealthSettings, HealthWatch
from vision.pipeline import Pipeline, Step, count_crossings
from vision.privacy import background_with_boxes, masked
from vision.proposal import propose_view
from vision.sources import open_source
from vision.track_store import TrackFile, TrackWriter
from vision.tracking import TrackerSettings, VehicleTracker
from vision.types import Crossing, Detections, Detector, Frame, FrameSource, Tracker, Tracks, VehicleClass
from vision.views import View, load_view, save_view

__all__ = [
    "BackgroundMaker",
    "CalibrationError",
    "CounterSettings",
    "Crossing",
    "Detections",
    "Detector",
    "Frame",
    "FrameSource",
    "GateCounter",
    "GroundMap",
    "Health",
    "HealthSettings",
    "HealthWatch",
    "ModelError",
    "NgatuError",
    "Pipeline",
    "SourceError",
    "Step",
    "TrackFile",
    "TrackWriter",
    "Tracker",
    "TrackerSettings",
    "Tracks",
    "TracksError",
    "VehicleClass",
    "VehicleTracker",
    "View",
    "ViewError",
    "background_with_boxes",
    "count_crossings",
    "fit_calibration",
    "load_detector",
    "load_view",
    "masked",
    "open_source",
    "propose_view",
    "save_view",
]
