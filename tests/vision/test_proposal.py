"""Proposing a view from synthetic tracks: junctions, roads, and clips in which little or nothing moves."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from vision.counting import GateCounter
from vision.errors import ViewError
from vision.geometry import segments_cross
from vision.proposal import propose_view
from vision.types import Crossing, Tracks
from vision.views import View

Frames = list[tuple[float, Tracks]]
Route = list[tuple[float, float]]

SIZE = (640, 480)
ARMS: dict[str, tuple[Route, Route]] = {  # way in and way out, keeping right; 40 px boxes
    "top": ([(300, -40), (300, 180)], [(340, 180), (340, -40)]),
    "right": ([(680, 220), (400, 220)], [(400, 270), (680, 270)]),
    "bottom": ([(340, 560), (340, 310)], [(300, 310), (300, 560)]),
    "left": ([(-40, 270), (240, 270)], [(240, 220), (-40, 220)]),
}


class Traffic:
    """Vehicles on routes, and the frames in which a perfect tracker sees them."""

    def __init__(self, size: tuple[int, int] = SIZE, fps: float = 10.0) -> None:
        self.size = size
        self.fps = fps
        self.seen: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}

    def drive(self, route: Route, start: float, speed: float = 120.0, box: float = 40.0) -> None:
        """One vehicle along a route of ground points, from ``start`` seconds, at ``speed`` px/s."""
        corners = np.array(route, float)
        along = np.append(0.0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T)))
        first = int(np.ceil(start * self.fps))
        track = len(self.seen) + 1
        for frame in range(first, first + int(along[-1] / speed * self.fps)):
            at = (frame / self.fps - start) * speed
            x, y = (np.interp(at, along, column) for column in corners.T)
            cut = np.clip([x - box / 2, y - box, x + box / 2, y], 0, [*self.size, *self.size])
            if cut[2] - cut[0] > 8 and cut[3] - cut[1] > 8:
                self.seen.setdefault(track, []).append((frame, cut))

    def park(self, x: float, y: float, seconds: float, box: float = 40.0) -> None:
        """A vehicle that stands; its box trembles."""
        random = np.random.default_rng(len(self.seen))
        track = len(self.seen) + 1
        for frame in range(int(seconds * self.fps)):
            trembling = np.array([x, y, x + box, y + box]) + random.normal(0, 2, 4)
            self.seen.setdefault(track, []).append((frame, trembling))

    def break_up(self, seconds: float, gap: float = 3.0) -> None:
        """Give every vehicle a new id every so often, and lose it for a while in between."""
        pieces: dict[int, list[tuple[int, NDArray[np.float64]]]] = {}
        for track, sightings in self.seen.items():
            for frame, box in sightings:
                piece, within = divmod(frame - sightings[0][0] + track * 7, round((seconds + gap) * self.fps))
                if within < seconds * self.fps:
                    pieces.setdefault(track * 100 + piece, []).append((frame, box))
        self.seen = pieces

    def frames(self, scale: float = 1.0) -> Frames:
        last = max((sightings[-1][0] for sightings in self.seen.values()), default=0)
        rows: list[list[tuple[int, NDArray[np.float64]]]] = [[] for _ in range(last + 1)]
        for track, sightings in sorted(self.seen.items()):
            for frame, box in sightings:
                rows[frame].append((track, box * scale))
        return [(frame / self.fps, tracks_of(row)) for frame, row in enumerate(rows)]


def tracks_of(row: list[tuple[int, NDArray[np.float64]]]) -> Tracks:
    if not row:
        return Tracks.empty()
    count = len(row)
    boxes = np.array([box for _, box in row], np.float32)
    ids = np.array([track for track, _ in row], np.int64)
    return Tracks(boxes, np.full(count, 0.8, np.float32), np.full(count, 2, np.int8), ids)


def junction() -> Traffic:
    """Every movement of a four-arm junction three times."""
    traffic = Traffic()
    start = 0.0
    for _ in range(3):
        for origin in ARMS:
            for destination in ARMS:
                if origin != destination:
                    traffic.drive([*ARMS[origin][0], *ARMS[destination][1]], start)
                    start += 1.5
    return traffic


def road(two_way: bool = True, vehicles: int = 12, fps: float = 10.0) -> Traffic:
    """A road down the picture, two lanes each way."""
    traffic = Traffic(fps=fps)
    for number in range(vehicles):
        shift = 40.0 * (number % 2)
        if two_way and number % 3 == 0:
            traffic.drive([(380 + shift, 560), (380 + shift, -40)], 2.0 * number)
        else:
            traffic.drive([(220 + shift, -40), (220 + shift, 560)], 2.0 * number)
    return traffic


def count(view: View, frames: Frames) -> list[Crossing]:
    counter = GateCounter(view, SIZE)
    return [
        crossing for time, tracks in frames for crossing in counter.update(time, tracks)
    ] + counter.finish()


SCENES: dict[str, Callable[[], Traffic]] = {
    "junction": junction,
    "two-way road": road,
    "one-way road": lambda: road(two_way=False),
    "few vehicles": lambda: road(vehicles=2),
    "six frames a second": lambda: road(fps=6.0),
}


def test_a_junction_gets_one_gate_an_arm() -> None:
    view = propose_view(junction().frames(), SIZE, name="crossing")
    assert {gate.id for gate in view.gates} == {"top", "right", "bottom", "left"}
    assert (view.proposed, view.version, view.name) == (True, 1, "crossing")


def test_a_junction_gets_its_movements_and_they_are_counted() -> None:
    frames = junction().frames()
    view = propose_view(frames, SIZE)
    turns = {(movement.origin, movement.destination): movement.turn for movement in view.movements}
    assert turns == {
        ("top", "bottom"): "through",
        ("bottom", "top"): "through",
        ("left", "right"): "through",
        ("right", "left"): "through",
        ("top", "right"): "left",
        ("right", "bottom"): "left",
        ("bottom", "left"): "left",
        ("left", "top"): "left",
        ("top", "left"): "right",
        ("left", "bottom"): "right",
        ("bottom", "right"): "right",
        ("right", "top"): "right",
    }
    made = [crossing.movement for crossing in count(view, frames) if crossing.movement]
    assert len(made) == 36
    assert all(made.count(movement.id) == 3 for movement in view.movements)


def test_in_is_towards_the_middle() -> None:
    view = propose_view(junction().frames(), SIZE)
    for start, end in view.gate_lines(SIZE):
        across = np.array([-(end - start)[1], (end - start)[0]])
        assert across @ (np.array([320, 245]) - start) > 0


def test_a_two_way_road_gets_through_movements_only() -> None:
    frames = road().frames()
    view = propose_view(frames, SIZE)
    assert len(view.gates) <= 4
    assert {movement.turn for movement in view.movements} == {"through"}
    assert len({crossing.vehicle for crossing in count(view, frames)}) == 12


def test_a_one_way_road_is_passed_from_one_end_to_the_other() -> None:
    frames = road(two_way=False).frames()
    view = propose_view(frames, SIZE)
    assert [(movement.origin, movement.destination) for movement in view.movements] == [
        ("top", "bottom")
    ] or [
        (movement.origin.split("-")[0], movement.destination.split("-")[0]) for movement in view.movements
    ] == [("top", "bottom")]
    made = [crossing for crossing in count(view, frames) if crossing.movement]
    assert len(made) == 12


def test_one_vehicle_is_enough() -> None:
    traffic = Traffic()
    traffic.drive([(-40, 240), (680, 240)], 0.0)
    view = propose_view(traffic.frames(), SIZE)
    assert count(view, traffic.frames())


def test_broken_tracks_still_show_the_road() -> None:
    traffic = road(vehicles=30)
    traffic.break_up(seconds=1.5)
    frames = traffic.frames()
    view = propose_view(frames, SIZE)
    for start, end in view.gate_lines(SIZE):
        assert abs((end - start)[0]) > 3 * abs((end - start)[1])  # across the road


def test_parked_vehicles_change_nothing() -> None:
    traffic = road()
    without = propose_view(traffic.frames(), SIZE)
    for place in range(4):
        traffic.park(500, 60 + 90 * place, seconds=20)
    assert [gate.id for gate in propose_view(traffic.frames(), SIZE).gates] == [
        gate.id for gate in without.gates
    ]


@pytest.mark.parametrize("parked", [0, 3])
def test_nothing_that_moves_is_an_error_that_says_what_to_do(parked: int) -> None:
    traffic = Traffic()
    for place in range(parked):
        traffic.park(100 + 100 * place, 200, seconds=20)
    with pytest.raises(ViewError, match="draw a view, or give a longer clip"):
        propose_view(traffic.frames() if parked else [], SIZE)


@pytest.mark.parametrize("scene", SCENES)
def test_gates_lie_inside_the_picture_and_do_not_cross(scene: str) -> None:
    view = propose_view(SCENES[scene]().frames(), SIZE)
    lines = np.array([gate.line for gate in view.gates])
    assert (lines > 0).all()
    assert (lines < 1).all()
    assert not any(segments_cross(a, b) for a in lines for b in lines)


@pytest.mark.parametrize("scene", SCENES)
def test_every_vehicle_passes_a_gate(scene: str) -> None:
    traffic = SCENES[scene]()
    frames = traffic.frames()
    crossings = count(propose_view(frames, SIZE), frames)
    assert len({crossing.vehicle for crossing in crossings}) == len(traffic.seen)


@pytest.mark.parametrize("scene", SCENES)
def test_movements_name_gates(scene: str) -> None:
    view = propose_view(SCENES[scene]().frames(), SIZE)
    ids = {gate.id for gate in view.gates}
    assert len(ids) == len(view.gates)
    assert all({movement.origin, movement.destination} <= ids for movement in view.movements)
    assert View.model_validate(view.model_dump(by_alias=True)) == view


def test_the_same_tracks_give_the_same_view() -> None:
    assert propose_view(junction().frames(), SIZE) == propose_view(junction().frames(), SIZE)


@pytest.mark.parametrize("scale", [0.5, 4.0])
def test_the_resolution_does_not_matter(scale: float) -> None:
    small = propose_view(junction().frames(), SIZE)
    large = propose_view(junction().frames(scale), (int(SIZE[0] * scale), int(SIZE[1] * scale)))
    assert large == small
