"""What a town is built of: its groups of meshes, its lettering, its materials.

Materials are named `c:red,green,blue:roughness` for a plain colour, or by a word that street.py knows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .shapes import Mesh

SIGNS = (
    (0.45, 0.03, 0.03),
    (0.03, 0.10, 0.40),
    (0.02, 0.25, 0.10),
    (0.60, 0.40, 0.02),
    (0.60, 0.60, 0.58),
    (0.05, 0.05, 0.06),
    (0.50, 0.16, 0.02),
    (0.02, 0.22, 0.35),
    (0.35, 0.05, 0.20),
)
"""Colours of sign boards, goods and clothes."""


@dataclass(slots=True)
class Sign:
    """A line of lettering: text, centre, direction it faces, letter height, colour, greatest width."""

    text: str
    at: tuple[float, float, float]
    facing: float
    height: float
    colour: tuple[float, float, float]
    width: float


@dataclass(slots=True)
class Town:
    """What has been built, in groups that the renderer treats differently."""

    ground: Mesh = field(default_factory=Mesh)
    houses: Mesh = field(default_factory=Mesh)
    furniture: Mesh = field(default_factory=Mesh)
    signs: list[Sign] = field(default_factory=list)
    trees: list[tuple[float, float, float, float, int]] = field(
        default_factory=list
    )  # x, y, scale, turn, kind
    lamps: list[tuple[float, float, float]] = field(default_factory=list)
    shops: list[tuple[float, float, float, float]] = field(
        default_factory=list
    )  # lit fronts at night: x, y, z, facing


def colour(rgb: tuple[float, float, float] | NDArray[np.float64], roughness: float = 0.8) -> str:
    """Name of a plain material."""
    return f"c:{rgb[0]:.2f},{rgb[1]:.2f},{rgb[2]:.2f}:{roughness:.2f}"
