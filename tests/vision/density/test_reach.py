"""A stretch ends where the detector no longer finds riders: figures of what it cannot see are unknown."""

import itertools
from pathlib import Path

import pytest

from service.metrics import too_far_to_see
from vision import Tracks, load_detector, load_view
from vision.calibration import fit_calibration
from vision.density import ApproachInterval, DensityEstimator, figures_of
from vision.density.stretches import Stretch, riders_at_gates, stretches_of
from vision.detection import OnnxDetector, TiledDetector
from vision.detection.cards import find_card

SIZE = (1280, 720)
VIEW = load_view(Path(__file__).parents[3] / "sample_videos" / "hoa-ban_cam1.view.yaml")
assert VIEW.calibration is not None
GROUND = fit_calibration(VIEW.calibration)


def stretches(least_rider: float | None) -> dict[str, Stretch]:
    return {each.approach: each for each in stretches_of(VIEW, GROUND, SIZE, least_rider)}


def length(stretch: Stretch) -> float:
    return 0.0 if stretch.road is None else stretch.road.length


def test_a_stretch_ends_where_riders_become_too_small() -> None:
    """The north arm leads away from the camera: riders are 28 pixels high at its stop line, 14 at 60 m."""
    whole = stretches(None)["north"]
    assert length(whole) > 50
    reached = [length(stretches(least)["north"]) for least in (12, 16, 20, 24, 40)]
    assert reached[0] == pytest.approx(length(whole))
    assert reached[-1] == 0
    assert all(first >= second for first, second in itertools.pairwise(reached))
    assert 5 < reached[2] < 40
    shortened = stretches(20)["north"].road
    assert shortened is not None
    assert whole.road is not None
    assert shortened.width == whole.road.width
    assert float(shortened.polygon[:, 0].max()) < float(whole.road.polygon[:, 0].max())


def test_what_is_near_stays_and_what_is_not_seen_says_so() -> None:
    found = stretches(45)
    assert [found[name].too_small for name in ("north", "east", "south")] == [True, True, False]
    assert length(found["south"]) == pytest.approx(length(stretches(None)["south"]))
    estimator = DensityEstimator(VIEW, SIZE, GROUND, least_rider=45.0)
    records = [each for n in range(200) for each in estimator.update(1000 + n / 10, Tracks.empty())]
    figures = {each.approach: figures_of(each) for each in records}
    for name in ("density_per_km", "space_mean_speed_kmh", "queue_max_m", "area_occupancy", "level"):
        assert getattr(figures["north"], name) is None
        assert figures["north"].reasons[name] == "too_small"
        assert figures["south"].reasons.get(name) != "too_small"
    assert figures["north"].count == 0  # the gate is counted all the same
    assert figures["south"].density_per_km == 0
    assert figures["west"].reasons["level"] == "no_zone"
    again = ApproachInterval.from_dict(records[0].as_dict())
    assert again == records[0]


def test_gates_that_are_too_far_are_told_with_a_remedy() -> None:
    heights = riders_at_gates(VIEW, GROUND, SIZE)
    assert heights == pytest.approx({"north": 31, "east": 44, "south": 62, "west": 49}, abs=1)
    live = load_detector("ngatu-n@448x256")
    assert too_far_to_see(VIEW, GROUND, load_detector("ngatu-n@640x352"), SIZE) == []
    assert too_far_to_see(VIEW, None, live, SIZE) == []
    (told,) = too_far_to_see(VIEW, GROUND, live, SIZE)
    assert told == (
        "riders at gate north are 31 pixels high, and below 39 most are missed: "
        "look closer with --model ngatu-n@640x352"
    )


@pytest.mark.parametrize(
    ("asked", "least", "advice"),
    [
        ("ngatu-n@640x352", 40, "look closer with --model ngatu-n@896x512"),
        ("ngatu-n@640x352", 59, "look closer with --model ngatu-n@1280x704"),
        ("ngatu-n@640x352", 65, "place the gate, or the camera, nearer"),
        ("ngatu-n@1280x704", 31, "place the gate, or the camera, nearer"),
        ("of one size", 40, "place the gate, or the camera, nearer"),
    ],
)
def test_the_remedy_looks_as_close_as_it_must(
    monkeypatch: pytest.MonkeyPatch, asked: str, least: float, advice: str
) -> None:
    detector = load_detector("ngatu-n")
    assert isinstance(detector, OnnxDetector)
    card = find_card(asked) if asked.startswith("ngatu-n@") else find_card("ngatu-n")
    if asked == "of one size":  # its network takes one size
        card = card.model_copy(update={"input": card.input.model_copy(update={"multiple_of": None})})
    monkeypatch.setattr(detector, "card", card)
    monkeypatch.setattr(detector, "least_rider", lambda size: least)
    (told,) = too_far_to_see(VIEW, GROUND, detector, SIZE)
    assert told.endswith(f"most are missed: {advice}"), told


def test_the_detector_knows_its_own_smallest_rider() -> None:
    detector = load_detector("ngatu-n")
    assert isinstance(detector, OnnxDetector)
    assert detector.least_rider((1280, 720)) == pytest.approx(39.4, abs=0.1)
    assert detector.least_rider((640, 360)) == pytest.approx(19.7, abs=0.1)
    tiled = TiledDetector(detector, 2, 2).least_rider((1280, 720))
    assert tiled is not None
    assert 19.7 < tiled < 26
