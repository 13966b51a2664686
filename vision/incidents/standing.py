"""Who stands where nobody may, and whether the junction is blocked."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vision.incidents.followed import Followed, bottom_middles
from vision.incidents.places import Area, Places
from vision.incidents.records import Incident
from vision.incidents.settings import IncidentSettings
from vision.types import VehicleClass

Indices = NDArray[np.intp]


class StandingWatch:
    """Vehicles that stand in no-stop zones.

    Args:
        followed: the vehicles.
        places: the zones.
        size: width and height of the picture in pixels.
        settings: thresholds.
        numbers: gives each incident its number.
    """

    def __init__(
        self,
        followed: Followed,
        places: Places,
        size: tuple[int, int],
        settings: IncidentSettings,
        numbers: Iterator[int],
    ) -> None:
        self._followed = followed
        self._places = places
        self._size = size
        self._settings = settings
        self._numbers = numbers
        self._open: dict[int, tuple[Incident, int]] = {}
        """By stand: the incident as if it ended now, and the vehicle's present number."""

    def update(self, row: Indices, blocked: str | None) -> list[Incident]:
        """Take the rows seen in a frame; ``blocked`` names a zone where all stand, so none is named alone."""
        begun = [self._begin(int(each), blocked) for each in self._overdue(row)]
        told = [incident for incident in begun if incident is not None]
        self._follow(row)
        return self._ended() + told

    def close(self) -> list[Incident]:
        """End all: the frames stop here."""
        ended = [now for now, _ in self._open.values()]
        self._open = {}
        return ended

    def _overdue(self, row: Indices) -> Indices:
        """Those that have stood for long and are not told yet."""
        if not self._places.no_stop:
            return row[:0]
        vehicles, settings = self._followed.vehicles, self._settings
        stood = self._followed.stood(row)
        least = min(settings.standing_s, settings.standing_signal_s)
        seen = stood >= settings.seen_share * (vehicles["held"][row] - vehicles["since"][row])
        row = row[(stood >= least) & seen & np.isnan(vehicles["away"][row])]
        sure = vehicles["score"][row] >= settings.least_score * vehicles["sightings"][row]
        row = row[sure & ~np.isin(vehicles["stand"][row], list(self._open))]
        points = bottom_middles(vehicles["anchor"][row])
        return row[np.any([zone.holds(points) for zone in self._places.no_stop], axis=0)]

    def _begin(self, row: int, blocked: str | None) -> Incident | None:
        vehicle = self._followed.vehicles[row]
        point = bottom_middles(vehicle["anchor"][None])
        zones = [zone.name for zone in self._places.no_stop if zone.holds(point)[0]]
        signal = bool(self._places.at_signal(point)[0])
        threshold = "standing_signal_s" if signal else "standing_s"
        stood = float(self._followed.stood(np.array([row]))[0])
        if zones[0] == blocked or stood < getattr(self._settings, threshold):
            return None
        x, y = (point[0] / self._size).tolist()
        incident = Incident(
            number=next(self._numbers),
            kind="standing",
            start=float(vehicle["since"]),
            end=None,
            cut=False,
            place=zones[0],
            point=(x, y),
            vehicle=int(vehicle["first_number"]),
            vehicle_class=VehicleClass(int(vehicle["class_id"])),
            evidence=self._evidence(row),
            thresholds=self._settings.of(
                threshold, *self._drift(row), "hidden_s", "seen_share", "least_score"
            ),
        )
        self._open[int(vehicle["stand"])] = (incident, int(vehicle["number"]))
        return incident

    def _drift(self, row: int) -> tuple[str, ...]:
        known = np.isfinite(self._followed.vehicles["anchor_ground"][row]).all()
        return ("drift_m", "still_boxes") if known else ("drift_boxes",)

    def _evidence(self, row: int) -> dict[str, float]:
        vehicle = self._followed.vehicles[row]
        return {
            "stood_s": float(self._followed.stood(np.array([row]))[0]),
            "unseen_s": float(vehicle["unseen"]),
            "mean_score": float(vehicle["score"] / vehicle["sightings"]),
        }

    def _follow(self, row: Indices) -> None:
        """Keep what would be told if each open incident ended now."""
        vehicles = self._followed.vehicles
        for each in row[np.isin(vehicles["stand"][row], list(self._open))]:
            incident, _ = self._open[int(vehicles["stand"][each])]
            now = incident.closed(float(vehicles["held"][each]), cut=True, **self._evidence(int(each)))
            self._open[int(vehicles["stand"][each])] = (now, int(vehicles["number"][each]))

    def _ended(self) -> list[Incident]:
        if not self._open:
            return []
        standing = set(self._followed.vehicles["stand"].tolist())
        ended = []
        for stand in [stand for stand in self._open if stand not in standing]:
            now, number = self._open.pop(stand)
            drove_off = self._followed.row_of(number) is not None
            ended.append(now.closed(now.end or now.start, cut=not drove_off))
        return ended


class JunctionWatch:
    """Whether vehicles that stand block the junction.

    Args:
        followed: the vehicles.
        area: the inside of the junction.
        size: width and height of the picture in pixels.
        settings: thresholds.
        numbers: gives each incident its number.
    """

    def __init__(
        self,
        followed: Followed,
        area: Area,
        size: tuple[int, int],
        settings: IncidentSettings,
        numbers: Iterator[int],
    ) -> None:
        self._followed = followed
        self._area = area
        self._size = size
        self._settings = settings
        self._numbers = numbers
        self._open: Incident | None = None
        self._since: float | None = None  # when what may become an incident began
        self._last = 0.0  # when it was last seen blocked
        self._most = 0
        self._time = 0.0

    @property
    def blocked(self) -> str | None:
        """Name of the blocked junction; None while none is."""
        return self._open.place if self._open else None

    def update(self, time: float, row: Indices) -> list[Incident]:
        """Take the rows seen in a frame."""
        told: list[Incident] = []
        settings = self._settings
        if self._since is not None and time - self._last > settings.blocked_pause_s:
            told = self.close(cut=time - self._time > settings.blocked_pause_s)
        self._time = time
        standing, inside = self._count(row)
        if standing >= settings.blocked_vehicles and standing >= settings.blocked_share * inside:
            if self._since is None:
                self._since, self._most = time, 0
            self._last, self._most = time, max(self._most, standing)
            if self._open is None and time - self._since >= settings.blocked_s:
                told.append(self._begin(self._since, standing, inside))
        return told

    def close(self, *, cut: bool = True) -> list[Incident]:
        """End it, if there is one; the next one begins from nothing."""
        ended = []
        if self._open is not None:
            ended.append(self._open.closed(self._last, cut=cut, **self._evidence(self._open.start)))
        self._open, self._since = None, None
        return ended

    def _count(self, row: Indices) -> tuple[int, int]:
        """How many stand in the junction, and how many are in it."""
        inside = row[self._area.holds(self._followed.points(row))]
        stands = np.isnan(self._followed.vehicles["away"][inside])
        stands &= self._followed.stood(inside) >= self._settings.blocked_stand_s
        return int(stands.sum()), len(inside)

    def _evidence(self, since: float) -> dict[str, float]:
        return {"lasted_s": self._last - since, "most_standing": float(self._most)}

    def _begin(self, since: float, standing: int, inside: int) -> Incident:
        x, y = (self._area.polygon.mean(axis=0) / self._size).tolist()
        self._open = Incident(
            number=next(self._numbers),
            kind="blocked_junction",
            start=since,
            end=None,
            cut=False,
            place=self._area.name,
            point=(x, y),
            evidence={**self._evidence(since), "standing": float(standing), "inside": float(inside)},
            thresholds=self._settings.of(
                "blocked_s", "blocked_vehicles", "blocked_stand_s", "blocked_share", "blocked_pause_s"
            ),
        )
        return self._open
