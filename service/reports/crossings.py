"""What a report is made from: crossings as parallel arrays, their gates and movements, the observed time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vision import VehicleClass, View

CLASSES: tuple[VehicleClass, ...] = (
    *sorted(kind for kind in VehicleClass if kind >= 0),
    VehicleClass.UNKNOWN,
)
"""The classes in the order of the last axis of every array of counts; unknown (-1) is the last."""

DIRECTIONS = ("in", "out")
"""The directions in the order of their axis in arrays of counts."""

TURNS = ("right", "through", "left", "u_turn")
"""The turns in the order in which a table shows them."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate as reports need it.

    Attributes:
        id: name in tables and files.
        name: what it is, in words.
        approach: the arm of the junction it closes off; its own id where none is given.
    """

    id: str
    name: str
    approach: str


@dataclass(frozen=True, slots=True)
class Movement:
    """A way through the junction.

    Attributes:
        id: name in tables and files.
        origin: index of the gate entered by; -1 if not known.
        destination: index of the gate left by.
        turn: one of TURNS; empty if not known.
    """

    id: str
    origin: int
    destination: int
    turn: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Gates ``[G]``, movements ``[M]`` and approaches ``[A]``; arrays of counts follow their order."""

    gates: tuple[Gate, ...]
    movements: tuple[Movement, ...] = ()

    @classmethod
    def of(cls, view: View) -> "Layout":
        """The layout that a view draws; movements by entry gate and turn."""
        index = {gate.id: number for number, gate in enumerate(view.gates)}
        gates = tuple(Gate(gate.id, gate.name, gate.approach or gate.id) for gate in view.gates)
        movements = [Movement(m.id, index[m.origin], index[m.destination], m.turn) for m in view.movements]
        return cls(gates, tuple(sorted(movements, key=lambda m: (m.origin, TURNS.index(m.turn)))))

    @property
    def approaches(self) -> tuple[str, ...]:
        """Ids of the approaches, in the order of their gates."""
        return tuple(dict.fromkeys(gate.approach for gate in self.gates))

    def gates_of(self, approach: str) -> list[int]:
        """Indices of an approach's gates."""
        return [number for number, gate in enumerate(self.gates) if gate.approach == approach]

    def name_of(self, approach: str) -> str:
        """An approach in words: its gate's name where it has one gate with a name, else its id."""
        gates = self.gates_of(approach)
        return (self.gates[gates[0]].name if len(gates) == 1 else "") or approach

    @property
    def entries(self) -> list[int]:
        """Indices of the gates by which vehicles enter: where a movement begins."""
        return sorted({movement.origin for movement in self.movements if movement.origin >= 0})


@dataclass(frozen=True, slots=True)
class Crossings:
    """N crossings.

    Attributes:
        time: ``float64[N]`` seconds since the Unix epoch, UTC.
        gate: ``intp[N]`` index of the gate.
        direction: ``int8[N]`` 0 for in, 1 for out.
        class_id: ``int8[N]`` a VehicleClass each.
        movement: ``intp[N]`` index of the movement that the crossing completes; -1 for none.
    """

    time: NDArray[np.float64]
    gate: NDArray[np.intp]
    direction: NDArray[np.int8]
    class_id: NDArray[np.int8]
    movement: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "Crossings":
        return Crossings(
            self.time[chosen],
            self.gate[chosen],
            self.direction[chosen],
            self.class_id[chosen],
            self.movement[chosen],
        )

    @classmethod
    def join(cls, parts: "Sequence[Crossings]") -> "Crossings":
        """One after the other; they share a layout."""
        return cls(
            np.concatenate([part.time for part in parts]),
            np.concatenate([part.gate for part in parts]),
            np.concatenate([part.direction for part in parts]),
            np.concatenate([part.class_id for part in parts]),
            np.concatenate([part.movement for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader must know: a key of the words in :mod:`service.reports.words`, and its values."""

    key: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted at one site, wherever it was read from.

    Attributes:
        site: the junction or camera, in words.
        time_zone: of the site's clock.
        layout: gates and movements.
        crossings: all crossings, in any order.
        spans: ``float64[S, 2]`` observed stretches (from, to), seconds since the epoch, in order and apart.
        notes: what is to be known of the data.
    """

    site: str
    time_zone: str
    layout: Layout
    crossings: Crossings
    spans: NDArray[np.float64]
    notes: tuple[Note, ...] = ()
