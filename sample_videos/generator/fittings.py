"""What every vehicle carries: lamps and number plates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .shapes import Mesh


@dataclass(frozen=True, slots=True)
class Lamp:
    """A lamp in the vehicle's frame (metres); it shines forward when `head`, else backward."""

    x: float
    y: float
    z: float
    head: bool


def plate(m: Mesh, x: float, z: float, size: tuple[float, float], name: str = "plate") -> None:
    """A number plate at x facing forward or backward, with what stands on it."""
    w, h = size
    m.box((x, 0, z), (0.012, w, h), name)
    m.box((x - 0.004 * np.sign(-x), 0, z), (0.016, w * 0.7, h * 0.16), "black")
