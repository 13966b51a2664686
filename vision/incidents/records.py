"""What is told of an incident: kind, time, place, vehicle, and the numbers that speak for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from vision.types import VehicleClass

IncidentKind = Literal["standing", "wrong_way", "blocked_junction", "queue_beyond_view", "speed_drop"]
KINDS: tuple[IncidentKind, ...] = get_args(IncidentKind)

JUNCTION = "junction"
"""The place of an incident in the middle of the gates, where no zone is drawn over it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident, told when it is certain and told again when it is over.

    Attributes:
        number: 1, 2, 3 ... within this run, in the order in which they became certain; the first telling
            and the last carry the same.
        kind: what happened.
        start: when it began, seconds since the Unix epoch, UTC; earlier than it became certain.
        end: when it was over, seconds since the Unix epoch, UTC; None while it lasts.
        cut: whether it may have lasted longer than until ``end``: the frames stopped, or a standing vehicle
            was lost from sight.
        place: id of the no-stop zone (standing, blocked junction), gate (wrong way) or approach (queue,
            speed); ``JUNCTION`` where the junction is not a zone.
        point: where on the picture, as fractions of width and height.
        vehicle: number of the vehicle within this run, the same as that of its crossings; None where several
            are meant. A vehicle that got a new number while standing keeps its first one.
        vehicle_class: its class; None where several are meant.
        evidence: what was measured, by name; the unit is the end of the name (``_s``, ``_m``, ``_kmh``,
            ``_boxes``, ``_share``; counts have none).
        thresholds: the settings that it passed, by name.
    """

    number: int
    kind: IncidentKind
    start: float
    end: float | None
    cut: bool
    place: str
    point: tuple[float, float]
    vehicle: int | None = None
    vehicle_class: VehicleClass | None = None
    evidence: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def closed(self, end: float, *, cut: bool = False, **evidence: float) -> "Incident":
        """The same incident when it is over, with evidence added."""
        return replace(self, end=max(end, self.start), cut=cut, evidence={**self.evidence, **evidence})
