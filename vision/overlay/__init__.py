"""Drawing over pictures: what is seen and counted frame by frame, and a view to be checked by eye."""

from vision.overlay.running import CLASS_COLOURS, Overlay, RunningCounts, class_bgr, draw_boxes, gate_label
from vision.overlay.view_picture import draw_view

__all__ = [
    "CLASS_COLOURS",
    "Overlay",
    "RunningCounts",
    "class_bgr",
    "draw_boxes",
    "draw_view",
    "gate_label",
]
