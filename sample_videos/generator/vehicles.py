"""The vehicles of the town, by name: class, share of their class, mesh and lamps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from . import cars, heavy, two_wheelers
from .fittings import Lamp
from .shapes import Mesh
from .two_wheelers import bicycle, motorcycle

BICYCLE, MOTORCYCLE, CAR, BUS, TRUCK = range(5)


@dataclass(frozen=True, slots=True)
class Model:
    """A vehicle model: its mesh stands on z = 0 with the centre of its footprint at the origin."""

    name: str
    class_id: int
    mesh: Mesh
    lamps: tuple[Lamp, ...]
    share: float  # within its class


@dataclass(frozen=True, slots=True)
class _Entry:
    """How a model is made."""

    class_id: int
    share: float
    make: Callable[[], Mesh]
    lamps: tuple[Lamp, ...] = ()


_SEDAN = cars.Shape(4.45, 1.74, 1.47, belt=0.95, hood=0.86, cabin=(1.12, 0.28, -0.98, -1.72), tail=1.00)
_SUV = cars.Shape(
    4.55,
    1.85,
    1.70,
    belt=1.08,
    hood=1.02,
    cabin=(1.18, 0.45, -1.72, -2.12),
    tail=1.10,
    wheel=0.36,
    ground=0.24,
    rails=True,
)
_HATCH = cars.Shape(
    3.75, 1.66, 1.50, belt=0.96, hood=0.92, cabin=(1.05, 0.32, -1.28, -1.72), tail=1.02, wheel=0.29
)
_MPV = cars.Shape(
    4.70, 1.80, 1.76, belt=1.02, hood=0.98, cabin=(1.50, 0.62, -1.92, -2.22), tail=1.08, wheel=0.32
)


def _rider(share: float, kind: str, riders: int, cargo: str = "", **look: object) -> _Entry:
    return _Entry(
        MOTORCYCLE,
        share,
        lambda: motorcycle(kind, riders, cargo, **look),
        two_wheelers.LAMPS if riders else (),
    )


def _car(share: float, shape: cars.Shape) -> _Entry:
    return _Entry(CAR, share, lambda: cars.car(shape), cars.lamps(shape))


_CATALOGUE = {
    "wave_man": _rider(0.24, "underbone", 1),
    "scooter_woman": _rider(0.22, "scooter", 1, mask=True, hair=True, coat=True, size=0.94),
    "wave_two": _rider(0.17, "underbone", 2),
    "scooter_man": _rider(0.16, "scooter", 1, legs="cloth_c", hat="full"),
    "scooter_box": _rider(0.12, "scooter", 1, "box", mask=True),
    "wave_sacks": _rider(0.09, "underbone", 1, "sacks"),
    "bike_cone": _Entry(BICYCLE, 0.5, lambda: bicycle("cone", 0.94)),
    "bike_student": _Entry(BICYCLE, 0.5, lambda: bicycle("", 0.90)),
    "sedan": _car(0.26, _SEDAN),
    "taxi": _car(0.14, replace(_SEDAN, taxi=True)),
    "suv": _car(0.22, _SUV),
    "hatch": _car(0.18, _HATCH),
    "mpv": _car(0.20, _MPV),
    "city_bus": _Entry(BUS, 0.7, lambda: heavy.bus(10.6, 2.46, 3.05, True), heavy.lamps(10.6, 2.46, 0.74)),
    "coach": _Entry(BUS, 0.3, lambda: heavy.bus(7.4, 2.18, 2.75, False), heavy.lamps(7.4, 2.18, 0.74)),
    "truck_box": _Entry(TRUCK, 0.45, lambda: heavy.truck("box"), heavy.lamps(6.3, 2.0, 0.66)),
    "truck_bed": _Entry(TRUCK, 0.35, lambda: heavy.truck("bed"), heavy.lamps(5.6, 1.85, 0.66)),
    "truck_tipper": _Entry(TRUCK, 0.20, lambda: heavy.truck("tipper"), heavy.lamps(7.4, 2.4, 0.8)),
    "parked_wave": _rider(0.0, "underbone", 0),
    "parked_scooter": _rider(0.0, "scooter", 0),
}

NAMES = tuple(_CATALOGUE)


def build(name: str) -> Model:
    """Build one model by name."""
    entry = _CATALOGUE[name]
    return Model(name, entry.class_id, entry.make(), entry.lamps, entry.share)


def catalogue() -> dict[str, tuple[int, float]]:
    """Return class and share of every model, without building the meshes."""
    return {name: (entry.class_id, entry.share) for name, entry in _CATALOGUE.items()}
