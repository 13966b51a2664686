"""Finding vehicles in one picture: detectors from ONNX weights described by cards, and one from motion."""

from vision.detection.cards import Card, find_card, list_cards
from vision.detection.motion import MotionDetector
from vision.detection.onnx import OnnxDetector, load_detector
from vision.detection.tiles import TiledDetector

__all__ = [
    "Card",
    "MotionDetector",
    "OnnxDetector",
    "TiledDetector",
    "find_card",
    "list_cards",
    "load_detector",
]
