"""Tracking: joins the detections of successive frames into vehicles, built for dense motorcycles.

A ByteTrack-style two-stage association (confident boxes first, then weak ones for the tracks that are
left) over a filter that follows the four edges of each box on their own. When a vehicle is partly hidden
one edge jumps while its opposite goes on; the filter trusts the edge that goes on, so that the point where
the vehicle meets the road does not jump with the box. Time steps are in seconds throughout, so that the
frame rate does not matter. All state lies in parallel arrays; nothing grows without bound.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from vision.geometry import box_containment, box_iou, box_middles, box_sizes, pair_iou
from vision.types import CLASS_COUNT, Detections, Tracks, most_likely_class, vehicle_kind, with_rows

OPPOSITE = [2, 3, 0, 1]
"""The edge across from each of left, top, right, bottom."""

OUTWARD = np.array([-1, -1, 1, 1])
"""The sign of each edge's motion when the box grows."""

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
Tables = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """How the tracker behaves. Lengths are in box sizes (square root of the area), times in seconds.

    Attributes:
        start_score: a detection at or above this may begin a track and is matched first.
        keep_score: detections below this are ignored.
        coast: how long a moving vehicle is kept without a detection.
        coast_standing: the same for a vehicle that stood still when last seen.
        weak_coast: how long after it was last seen a weak detection may continue a track.
        weak_steps: the same in steps from frame to frame; the longer of the two holds, so that at low rates
            missed frames are bridged too.
        weak_cost: highest cost at which it may.
        measurement_noise: standard deviation of a detected edge.
        acceleration_noise: how violently vehicles change speed, sizes/s^1.5.
        start_speed: standard deviation of the unknown speed of a new track, sizes/s.
        pace_unknown: greatest speed of a track seen fewer than three times, sizes/s.
        pace_known: greatest departure from the predicted place of an older one, sizes/s.
        surprise: greatest squared distance from the predicted middle in standard deviations.
        edge_slack: how far one edge may depart from its opposite's motion before it is doubted.
        yield_in: time constant with which a doubted edge gives way inward, s.
        yield_out: the same outward.
    """

    start_score: float = 0.2
    keep_score: float = 0.1
    coast: float = 0.6
    coast_standing: float = 6.0
    weak_coast: float = 0.4
    weak_steps: float = 2.5
    weak_cost: float = 1.3
    measurement_noise: float = 0.08
    acceleration_noise: float = 2.0
    start_speed: float = 5.0
    pace_unknown: float = 5.0
    pace_known: float = 1.5
    surprise: float = 16.0
    edge_slack: float = 0.14
    yield_in: float = 1.2
    yield_out: float = 0.3


class VehicleTracker:
    """Follows the vehicles of one camera; implements :class:`vision.types.Tracker`.

    Args:
        size: width and height of the picture in pixels.
        settings: thresholds and noises; the defaults suit our own detector.
        bounds: left, top, right, bottom of the part of the picture that is looked at; None is all of it.
    """

    def __init__(
        self,
        size: tuple[int, int],
        settings: TrackerSettings | None = None,
        bounds: tuple[int, int, int, int] | None = None,
    ) -> None:
        self.size = size
        self.settings = settings or TrackerSettings()
        self._bounds = np.array(bounds or (0, 0, *size))
        margin = 0.004 * max(size)
        self._border = self._bounds * OUTWARD - margin  # of what is looked at, a little inside
        self._time = -np.inf
        self._step = 0.0  # usual seconds between frames
        self._next_id = 1
        self._kind = np.zeros(0, np.int8)  # of each track, as of the frame before
        # One row a track.
        self._tracks = np.zeros(
            0,
            [
                ("id", np.int64),
                ("edges", np.float64, 4),  # left, top, right, bottom; px
                ("speed", np.float64, 4),  # of each edge, px/s
                ("variance", np.float64, 4),  # of each edge, px²
                ("covariance", np.float64, 4),  # of each edge and its speed
                ("speed_variance", np.float64, 4),
                ("seen", np.float64),  # when last
                ("hits", np.int64),  # how often
                ("score", np.float32),  # when last seen
                ("evidence", np.float64, CLASS_COUNT),  # sum of scores by class
            ],
        )

    def update(self, time: float, detections: Detections) -> Tracks:
        """Take one frame's detections and return the tracks seen in it.

        Args:
            time: seconds, later than that of the frame before.
            detections: boxes in pixels of the picture.

        Raises:
            ValueError: ``time`` does not advance.
        """
        if time <= self._time:
            raise ValueError(f"time must advance: {time} after {self._time}")
        if np.isfinite(self._time):
            step = min(time - self._time, self.settings.coast)
            self._step += 0.1 * (step - self._step) if self._step else step
        self._predict(time)
        self._kind = vehicle_kind(most_likely_class(self._tracks["evidence"]))
        boxes = np.asarray(detections.xyxy, np.float64)
        strong = np.flatnonzero(detections.score >= self.settings.start_score)
        weak = np.flatnonzero(
            (detections.score >= self.settings.keep_score) & (detections.score < self.settings.start_score)
        )
        cost = self._costs(boxes, detections.class_id, time)
        everyone = np.arange(len(self._tracks))
        rows, found = _assign(cost, everyone, strong)
        rest = _others(len(self._tracks), rows)
        # A weak box continues a vehicle that was there a moment ago; it revives nothing long lost.
        weak_coast = max(self.settings.weak_coast, self.settings.weak_steps * self._step)
        recent = rest[time - self._tracks["seen"][rest] < weak_coast]
        weak_rows, weak_found = _assign(cost, recent, weak, self.settings.weak_cost)
        rows, found = np.append(rows, weak_rows), np.append(found, weak_found)
        self._correct(rows, boxes[found], time)
        taken = np.zeros(len(boxes), np.bool_)
        taken[found] = True
        fresh = strong[~taken[strong]]
        fresh = self._worth_starting(fresh, boxes, detections.class_id, rows)
        started = self._start(boxes[fresh], time)

        shown, used = np.append(rows, started), np.append(found, fresh)
        class_id, score = detections.class_id[used], detections.score[used]
        known = class_id >= 0
        self._tracks["evidence"][shown[known], class_id[known]] += score[known]
        order = np.argsort(self._tracks["id"][shown])
        shown, score = shown[order], score[order]
        self._tracks["score"][shown] = score
        seen = _as_tracks(self._tracks[shown], self._tracks["edges"][shown])
        self._forget(time)
        self._time = time
        return seen

    def predicted(self, time: float) -> Tracks:
        """Where the vehicles of the last frame are by now, without looking; changes nothing.

        Args:
            time: seconds, later than that of the last frame.
        """
        seen = self._tracks[self._tracks["seen"] == self._time]
        return _as_tracks(seen, seen["edges"] + seen["speed"] * (time - self._time))

    def held(self, time: float) -> Tracks:
        """Take a frame in which nothing has changed: what stood stands, however long it lasts.

        Args:
            time: seconds, later than that of the frame before.
        """
        tracks = self._tracks
        latest = tracks["seen"] == self._time
        # What was seen when all came to rest has come to rest as well, whatever the filter thinks.
        standing = self._standing() | latest
        tracks["speed"][standing] = 0
        tracks["seen"] += np.where(standing, time - self._time, 0)
        tracks["seen"][latest] = time  # to the last bit: what was seen last still is
        kept = tracks[standing & (tracks["hits"] >= 3)]
        self._forget(time)
        self._time = time
        return _as_tracks(kept, kept["edges"])

    def _predict(self, time: float) -> None:
        tracks, dt = self._tracks, time - self._time
        if not len(tracks):
            return
        noise = (self.settings.acceleration_noise * box_sizes(tracks["edges"])[:, None]) ** 2
        tracks["variance"] += dt * (2 * tracks["covariance"] + dt * tracks["speed_variance"])
        tracks["variance"] += noise * dt**3 / 3
        tracks["covariance"] += dt * tracks["speed_variance"] + noise * dt**2 / 2
        tracks["speed_variance"] += noise * dt
        tracks["edges"] = _the_right_way_round(tracks["edges"] + tracks["speed"] * dt)
        # A hidden vehicle is not assumed to keep its speed for long.
        tracks["speed"] *= np.where(tracks["seen"] < self._time, np.exp(-dt / 1.5), 1.0)[:, None]

    def _costs(self, boxes: Floats, class_id: NDArray[np.int8], time: float) -> Floats:
        """Cost ``[tracks, boxes]`` of giving a box to a track; infinite where it cannot be."""
        tracks = self._tracks
        if not len(tracks) or not len(boxes):
            return np.full((len(tracks), len(boxes)), np.inf)
        edges = tracks["edges"]
        size, middle = box_sizes(edges), box_middles(edges)
        pace = np.where(tracks["hits"] < 3, self.settings.pace_unknown, self.settings.pace_known)
        reach = size * (0.4 + pace * (time - tracks["seen"]))
        # Most pairs are far apart: everything else is computed for those that are near or overlap.
        span = np.maximum(reach[:, None], (edges[:, 2:] - edges[:, :2]) / 2)
        box_middle, box_half = box_middles(boxes), (boxes[:, 2:] - boxes[:, :2]) / 2
        x = np.abs(box_middle[:, 0] - middle[:, 0, None]) < span[:, 0, None] + box_half[:, 0]
        y = np.abs(box_middle[:, 1] - middle[:, 1, None]) < span[:, 1, None] + box_half[:, 1]
        i, j = np.nonzero(x & y)
        dx, dy = (box_middle[j] - middle[i]).T
        noise = (self.settings.measurement_noise * size)[:, None] ** 2
        variance = ((tracks["variance"][:, :2] + tracks["variance"][:, 2:]) / 2 + noise)[i]
        surprise = dx**2 / variance[:, 0] + dy**2 / variance[:, 1]
        overlap = pair_iou(edges[i], boxes[j])
        log_size = np.log(box_sizes(boxes)[j] / size[i])
        kind, box_kind = self._kind[i], vehicle_kind(class_id)[j]
        mismatch = (kind != box_kind) & (kind >= 0) & (box_kind >= 0)
        cost = (1 - overlap) + 0.1 * np.minimum(surprise, 16) + 0.5 * log_size**2 + 0.4 * mismatch
        # Beyond the reach of any road vehicle, whatever the filter thinks is possible.
        near = (np.maximum(np.abs(dx), np.abs(dy)) < reach[i]) & (surprise < self.settings.surprise)
        possible = (near | (overlap > 0.3)) & (np.abs(log_size) < 0.7)
        matrix = np.full((len(tracks), len(boxes)), np.inf)
        matrix[i[possible], j[possible]] = cost[possible]
        return matrix

    def _correct(self, rows: Indices, boxes: Floats, time: float) -> None:
        """Kalman update of each edge; see the module's first lines for the distrust of one edge."""
        track = self._tracks[rows]
        size = box_sizes(track["edges"])[:, None]
        innovation = boxes - track["edges"]
        opposite = innovation[:, OPPOSITE]
        change = np.abs(innovation)
        common = np.where(innovation * opposite > 0, np.minimum(change, change[:, OPPOSITE]), 0)
        excess = (change - common) / (self.settings.edge_slack * size)
        # An edge that grows outward comes out of hiding and is believed sooner than one that shrinks.
        outward = innovation * OUTWARD > 0
        excess *= np.where(outward, 0.6, 1.0)
        # A young track has no size yet to hold against its boxes.
        settled = (track["hits"] >= 4)[:, None]
        cut = self._cut_edges(boxes)
        blind = settled & ((excess > 1.5) | cut)
        blind &= ~blind[:, OPPOSITE]

        doubt = np.where(settled, 1 + excess**2, 1.0)
        total = track["variance"] + (self.settings.measurement_noise * size) ** 2 * doubt
        gain = np.where(blind, 0, track["variance"] / total)
        speed_gain = np.where(blind, 0, track["covariance"] / total)
        track["edges"] += gain * innovation
        track["speed"] += speed_gain * innovation
        track["variance"] *= 1 - gain
        track["speed_variance"] -= speed_gain * track["covariance"]
        track["covariance"] *= 1 - gain
        led = np.flatnonzero(blind.any(axis=1))
        if len(led):
            elapsed = time - track["seen"][led]
            track[led] = self._lead(track[led], boxes[led], blind[led], cut[led], elapsed)
        track["edges"] = _the_right_way_round(track["edges"])
        track["seen"] = time
        track["hits"] += 1
        self._tracks[rows] = track

    def _lead(self, track: Tables, boxes: Floats, blind: Bools, cut: Bools, elapsed: Floats) -> Tables:
        """Tracks whose blind edges, ``bool[N, 4]``, are moved along with their opposites."""
        # They give way slowly, in case the vehicle itself has changed.
        innovation = boxes - track["edges"]
        constant = np.where(innovation * OUTWARD > 0, self.settings.yield_out, self.settings.yield_in)
        yielding = np.minimum(elapsed[:, None] / constant, 0.5) * (blind & ~cut)
        track["edges"] += yielding * innovation
        # What is cut lies on the border of the picture or beyond.
        beyond = np.where(OUTWARD < 0, np.minimum(track["edges"], boxes), np.maximum(track["edges"], boxes))
        track["edges"] = np.where(blind & cut, beyond, track["edges"])
        # What is led by its opposite is known as well as that.
        for field in ("speed", "variance", "covariance", "speed_variance"):
            track[field] = np.where(blind, track[field][:, OPPOSITE], track[field])
        return track

    def _cut_edges(self, boxes: Floats) -> NDArray[np.bool_]:
        """Edges that lie on the border of the picture and so are not the vehicle's own, ``bool[N, 4]``."""
        return np.asarray(boxes * OUTWARD >= self._border)

    def _worth_starting(
        self, fresh: Indices, boxes: Floats, class_id: NDArray[np.int8], rows: Indices
    ) -> Indices:
        """Of the unmatched boxes, those that are not part of a vehicle already followed in this frame."""
        if not len(fresh) or not len(rows):
            return fresh
        followed = self._tracks["edges"][rows]
        twin = box_iou(boxes[fresh], followed) > 0.5
        inside = box_containment(boxes[fresh], followed) > 0.75
        large, large_followed = vehicle_kind(class_id[fresh]) == 0, self._kind[rows] == 0
        twin |= inside & large[:, None] & large_followed
        return fresh[~twin.any(axis=1)]

    def _start(self, boxes: Floats, time: float) -> Indices:
        """Begin a track at each box; returns their rows."""
        if not len(boxes):
            return np.zeros(0, np.intp)
        tracks = with_rows(self._tracks, len(boxes))
        added = tracks[len(self._tracks) :]
        size = box_sizes(boxes)[:, None]
        added["id"] = np.arange(self._next_id, self._next_id + len(boxes))
        added["edges"] = boxes
        added["variance"] = (self.settings.measurement_noise * size) ** 2
        added["speed_variance"] = (self.settings.start_speed * size) ** 2
        added["seen"], added["hits"] = time, 1
        self._next_id += len(boxes)
        self._tracks = tracks
        return np.arange(len(self._tracks) - len(boxes), len(self._tracks))

    def _standing(self) -> Bools:
        """Which tracks stand still, ``bool[N]``."""
        fastest = np.maximum.reduce(np.abs(self._tracks["speed"]).T)
        return np.asarray(fastest < 0.15 * box_sizes(self._tracks["edges"]))

    def _forget(self, time: float) -> None:
        tracks = self._tracks
        missing = time - tracks["seen"]
        limit = np.where(self._standing(), self.settings.coast_standing, self.settings.coast)
        limit = np.where(tracks["hits"] < 3, self.settings.coast / 3, limit)
        middle = box_middles(tracks["edges"])
        beyond = (middle < self._bounds[:2]) | (middle > self._bounds[2:])
        outside = (beyond[:, 0] | beyond[:, 1]) & (missing > 0)
        gone = (missing >= limit) | outside
        if gone.any():
            self._tracks = tracks[~gone]


def _as_tracks(rows: Tables, edges: Floats) -> Tracks:
    """Some rows, in order of their ids, with their edges, as others see them."""
    return Tracks(
        # An eighth of a pixel is finer than any detector, and keeps stored tracks small.
        xyxy=(np.round(edges * 8) / 8).astype(np.float32),
        score=rows["score"],
        class_id=most_likely_class(rows["evidence"]),
        track_id=rows["id"],
    )


def _the_right_way_round(edges: Floats) -> Floats:
    """Edges move on their own: keep boxes ``[N, 4]`` from turning inside out."""
    middle, half = box_middles(edges), np.maximum((edges[:, 2:] - edges[:, :2]) / 2, 1.0)
    return np.concatenate((middle - half, middle + half), axis=1)


def _others(count: int, rows: Indices) -> Indices:
    """The indices below ``count`` that are not among ``rows``."""
    free = np.ones(count, np.bool_)
    free[rows] = False
    return np.flatnonzero(free)


def _assign(cost: Floats, rows: Indices, columns: Indices, limit: float = np.inf) -> tuple[Indices, Indices]:
    """The cheapest one-to-one pairing of some rows with some columns; impossible pairs are left out."""
    if not len(rows) or not len(columns):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    part = cost[rows][:, columns]
    possible = part < limit
    row, column = linear_sum_assignment(np.where(possible, part, 1e3))
    real = possible[row, column]
    return rows[row[real]], columns[column[real]]
