"""Colours: what a vehicle and its rider wear, drawn from a seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BASE = 0.62  # albedo of the repaintable materials in the sprites

_CARS = (
    ((0.80, 0.80, 0.79), 34),
    ((0.02, 0.02, 0.022), 17),
    ((0.42, 0.43, 0.44), 15),
    ((0.16, 0.17, 0.18), 11),
    ((0.33, 0.03, 0.03), 8),
    ((0.03, 0.085, 0.17), 6),
    ((0.16, 0.09, 0.05), 4),
    ((0.55, 0.50, 0.40), 5),
)
_MOTORCYCLES = (
    ((0.02, 0.02, 0.02), 30),
    ((0.42, 0.02, 0.02), 16),
    ((0.72, 0.72, 0.72), 16),
    ((0.03, 0.10, 0.35), 13),
    ((0.22, 0.22, 0.23), 12),
    ((0.05, 0.20, 0.22), 5),
    ((0.45, 0.25, 0.03), 4),
    ((0.20, 0.02, 0.05), 4),
)
_CLOTHES = (
    ((0.62, 0.62, 0.62), 18),
    ((0.05, 0.05, 0.06), 17),
    ((0.10, 0.18, 0.38), 14),
    ((0.30, 0.34, 0.40), 10),
    ((0.42, 0.05, 0.06), 8),
    ((0.45, 0.20, 0.25), 8),
    ((0.12, 0.28, 0.18), 6),
    ((0.48, 0.40, 0.22), 6),
    ((0.50, 0.15, 0.03), 4),
    ((0.25, 0.12, 0.28), 5),
    ((0.30, 0.22, 0.15), 5),
    ((0.10, 0.30, 0.40), 6),
)
_HELMETS = (
    ((0.70, 0.70, 0.70), 20),
    ((0.03, 0.03, 0.03), 24),
    ((0.40, 0.03, 0.03), 12),
    ((0.05, 0.12, 0.35), 13),
    ((0.30, 0.30, 0.30), 10),
    ((0.50, 0.25, 0.28), 8),
    ((0.05, 0.22, 0.10), 6),
    ((0.50, 0.36, 0.05), 5),
)
_BUSES = (
    ((0.65, 0.50, 0.10), (0.70, 0.70, 0.68)),
    ((0.70, 0.70, 0.70), (0.05, 0.22, 0.12)),
    ((0.45, 0.05, 0.05), (0.60, 0.50, 0.10)),
    ((0.10, 0.30, 0.20), (0.65, 0.60, 0.10)),
    ((0.62, 0.62, 0.62), (0.08, 0.15, 0.40)),
)
_CABS = (
    ((0.55, 0.55, 0.54), 26),
    ((0.05, 0.12, 0.26), 22),
    ((0.07, 0.20, 0.19), 14),
    ((0.33, 0.05, 0.04), 14),
    ((0.40, 0.28, 0.05), 8),
    ((0.14, 0.14, 0.15), 16),
)
_LOADS = (  # painted boxes, tarpaulins, rusty steel: few are white, and those are dusty
    ((0.50, 0.50, 0.48), 22),
    ((0.22, 0.22, 0.22), 20),
    ((0.06, 0.10, 0.17), 15),
    ((0.05, 0.11, 0.07), 17),
    ((0.22, 0.085, 0.035), 14),
    ((0.06, 0.06, 0.06), 12),
)
_TAXIS = (
    ((0.03, 0.32, 0.14), (0.65, 0.65, 0.65)),
    ((0.70, 0.70, 0.70), (0.05, 0.35, 0.12)),
    ((0.50, 0.38, 0.08), (0.05, 0.05, 0.05)),
    ((0.70, 0.70, 0.70), (0.45, 0.05, 0.05)),
)


def _pick(
    rng: np.random.Generator, table: tuple[tuple[tuple[float, float, float], int], ...]
) -> NDArray[np.float64]:
    weights = np.array([w for _, w in table], float)
    colour = np.array(table[int(rng.choice(len(table), p=weights / weights.sum()))][0])
    colour = colour.mean() + (colour - colour.mean()) * 0.82
    return np.clip(colour * rng.uniform(0.8, 1.2) + rng.normal(0, 0.012, 3), 0.012, 0.85)


def tints(model: str, class_id: int, look: int) -> NDArray[np.float32]:
    """Factors (linear RGB) for body, clothes or second colour, and helmet: array [3, 3]."""
    rng = np.random.default_rng(look)
    if model == "taxi":
        pair = _TAXIS[int(rng.integers(len(_TAXIS)))]
        body, second, helmet = np.array(pair[0]), np.array(pair[1]), np.array(pair[1])
    elif class_id == 3:
        pair = _BUSES[int(rng.integers(len(_BUSES)))]
        body, second, helmet = np.array(pair[0]), np.array(pair[1]), np.array(pair[1])
    elif class_id == 4:
        body, second, helmet = _pick(rng, _CABS), _pick(rng, _LOADS), np.full(3, 0.5)
        if model == "truck_tipper":
            second = body * 0.9
    elif class_id == 2:
        body, second, helmet = _pick(rng, _CARS), np.full(3, 0.6), np.full(3, 0.6)
    else:
        body, second, helmet = _pick(rng, _MOTORCYCLES), _pick(rng, _CLOTHES), _pick(rng, _HELMETS)
    return np.asarray(np.stack([body, second, helmet]) / _BASE, np.float32)
