"""What vehicles have in common: lamps, number plates, wheel arches, spokes."""

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


def arch(m: Mesh, x: float, y: float, radius: float, gap: float, lowest: float = -np.inf) -> None:
    """The dark arch about a wheel of this radius, on the side at y; cut off below `lowest`."""
    a = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    outline = [
        x + (radius + gap) * np.cos(a),
        np.full(len(a), y),
        np.maximum(radius + 0.02 + (radius + gap) * np.sin(a), lowest),
    ]
    m.add(np.stack(outline, 1), [tuple(range(len(a)))], "black", smooth=False)


def spokes(
    m: Mesh, x: float, radius: float, count: int, length: float, thick: tuple[float, float], material: str
) -> None:
    """Spokes of a wheel that stands on the ground at x, as thick at hub and rim as given."""
    for k in range(count):
        a = 2 * np.pi * k / count
        end = (x + np.cos(a) * length, 0, radius + np.sin(a) * length)
        m.limb((x, 0, radius), end, *thick, material, n=4)
