"""Turning-movement counts: crossings by interval, gate or movement, and class; who went where."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reports.bins import Bins
from service.reports.crossings import CLASSES, Crossings, Layout


@dataclass(frozen=True, slots=True)
class Counts:
    """Vehicles by interval.

    Attributes:
        bins: the B intervals.
        gates: ``int64[B, G, 2, C]`` crossings of each gate, in and out, by class (in the order of CLASSES).
            Their sum is the number of crossings.
        movements: ``int64[B, M, C]`` vehicles that completed each movement, in the interval of their exit.
    """

    bins: Bins
    gates: NDArray[np.int64]
    movements: NDArray[np.int64]


def count_by_bin(crossings: Crossings, bins: Bins, layout: Layout) -> Counts:
    """Count crossings by interval.

    Raises:
        ValueError: a crossing lies in none of the intervals.
    """
    number = bins.index(crossings.time)
    gates = np.zeros((len(bins), len(layout.gates), 2, len(CLASSES)), np.int64)
    np.add.at(gates, (number, crossings.gate, crossings.direction, crossings.class_id), 1)
    movements = np.zeros((len(bins), len(layout.movements), len(CLASSES)), np.int64)
    done = crossings.movement >= 0
    np.add.at(movements, (number[done], crossings.movement[done], crossings.class_id[done]), 1)
    return Counts(bins, gates, movements)


def site_volume(gates: NDArray[np.int64], layout: Layout) -> NDArray[np.int64]:
    """``int64[..., C]`` the site's volume, from ``[..., G, 2, C]``.

    With movements: vehicles that entered, each once. Without any: the crossings of all gates and directions.
    """
    entering = gates[..., layout.entries, 0, :].sum(axis=-2)
    volume: NDArray[np.int64] = entering if layout.entries else gates.sum(axis=(-3, -2))
    return volume


def approach_volumes(gates: NDArray[np.int64], layout: Layout) -> NDArray[np.int64]:
    """``int64[..., A, 2, C]`` vehicles that entered and that left by each approach."""
    return np.stack(
        [gates[..., layout.gates_of(approach), :, :].sum(axis=-3) for approach in layout.approaches], axis=-3
    )


def origin_destination(movements: NDArray[np.int64], layout: Layout) -> NDArray[np.int64]:
    """``int64[G, G, C]`` vehicles by entry and exit gate, from movements ``[M, C]`` of the whole time."""
    matrix = np.zeros((len(layout.gates), len(layout.gates), len(CLASSES)), np.int64)
    for movement, counted in zip(layout.movements, movements, strict=True):
        if movement.origin >= 0:
            matrix[movement.origin, movement.destination] += counted
    return matrix
