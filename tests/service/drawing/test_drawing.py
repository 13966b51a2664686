"""What passed a camera is kept for a while: proposed from, drawn over, counted again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from service.drawing.again import count_archive, propose_from_archive, record_archive
from service.drawing.archive import FILE_SECONDS, TrackArchive, archived, archived_frames
from service.drawing.preview import check_calibration, check_view, vehicle_paths
from service.storage.connect import open_database, reading
from service.storage.tables import Authority, CrossingRow
from tests.vision.scenes import SIZE, Car, count_tracks, follow, gate, straight
from vision import load_view
from vision.errors import TracksError
from vision.view_parts import Calibration

VIEW = gate()
BEGIN = 1_800_000_000.0 + FILE_SECONDS - 30  # a file ends in the middle


def passing(count: int = 12) -> list[Car]:
    return [Car(straight((300 + 60 * n, 100 - 400 * n), (0, 100)), begin=4 * n) for n in range(count)]


@pytest.fixture(scope="module")
def frames():
    found = list(follow(passing(), 60.0, fps=10))
    return [(BEGIN + time - 1000.0, tracks) for time, tracks in found]


@pytest.fixture
def folder(tmp_path: Path, frames) -> Path:
    archive = TrackArchive(tmp_path, "cam", SIZE, {"model": "exact"})
    for index, (time, tracks) in enumerate(frames):
        archive.append(index, time, tracks)
    archive.close()
    return tmp_path


def test_what_is_read_is_what_was_written(folder: Path, frames) -> None:
    files = archived(folder, "cam", BEGIN, BEGIN + 60)
    assert len(files) == 2, "one file a stretch of the clock"
    read = [(time, len(tracks)) for _, time, tracks in archived_frames(files, BEGIN, BEGIN + 60)]
    assert read == [(pytest.approx(time), len(tracks)) for time, tracks in frames]


def test_a_part_of_it_is_found_by_the_clock(folder: Path) -> None:
    files = archived(folder, "cam", BEGIN + 40, BEGIN + 50)
    assert len(files) == 1
    times = [time for _, time, _ in archived_frames(files, BEGIN + 40, BEGIN + 50)]
    assert times[0] >= BEGIN + 40
    assert times[-1] < BEGIN + 50


def test_old_files_go_and_half_a_file_of_a_killed_worker_too(tmp_path: Path, frames) -> None:
    first = TrackArchive(tmp_path, "cam", SIZE)
    first.append(0, BEGIN - 7200, frames[0][1])
    first.close()
    killed = TrackArchive(tmp_path, "cam", SIZE)
    killed.append(0, BEGIN, frames[0][1])
    assert list((tmp_path / "cam").glob("*.part"))
    again = TrackArchive(tmp_path, "cam", SIZE, kept_hours=1)
    assert not list((tmp_path / "cam").glob("*.part"))
    again.append(0, BEGIN, frames[0][1])
    again.close()
    assert len(list((tmp_path / "cam").glob("*.parquet"))) == 1


def test_counting_again_gives_what_counting_then_gave(folder: Path, frames) -> None:
    again = count_archive(folder, "cam", BEGIN, BEGIN + 60, VIEW)
    then = count_tracks(frames, VIEW)
    assert [c.time for c in again.crossings] == pytest.approx([c.time for c in then], abs=1e-3)
    assert len(again.crossings) > 5
    assert again.observed_s == pytest.approx(60.0, abs=0.2)


def test_an_edited_view_speaks_for_what_has_passed(folder: Path, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path}/ngatu.db")
    first = record_archive(engine, folder, "cam", "square", BEGIN, BEGIN + 60, VIEW)
    assert record_archive(engine, folder, "cam", "square", BEGIN, BEGIN + 60, VIEW) == first
    first = len(first.crossings)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(CrossingRow)) == first
    narrow = gate(line=((0.1, 0.5), (0.4, 0.5)))
    fewer = record_archive(engine, folder, "cam", "square", BEGIN, BEGIN + 60, narrow)
    fewer = len(fewer.crossings)
    assert 0 < fewer < first
    with reading(engine) as connection:
        assert connection.scalar(select(func.count(Authority.segment_id.distinct()))) >= 1
    assert not list((folder / "cam").glob("again-*")), "nothing is left behind"


def test_a_view_is_proposed_from_what_has_passed(folder: Path) -> None:
    view = propose_from_archive(folder, "cam", BEGIN, BEGIN + 60)
    assert view.proposed
    assert view.gates


def test_where_nothing_is_kept_it_says_so(folder: Path) -> None:
    with pytest.raises(TracksError, match="no tracks of camera other are kept"):
        count_archive(folder, "other", BEGIN, BEGIN + 60, VIEW)


def test_faults_of_a_drawing_name_their_field() -> None:
    view, faults = check_view({"gates": [{"id": "a", "line": [[0.1, 0.1], [0.1, 0.1]]}, {"id": "b"}]})
    assert view is None
    assert {fault.field for fault in faults} == {"gates.0.line", "gates.1.line"}
    good, none = check_view(VIEW.model_dump(by_alias=True))
    assert good == VIEW
    assert none == []


def test_a_calibration_is_judged_while_it_is_drawn() -> None:
    view = load_view(Path(__file__).parents[3] / "sample_videos" / "hoa-ban_cam1.view.yaml")
    assert view.calibration is not None
    good = check_calibration(view.calibration)
    assert good.usable
    assert good.error_m is not None
    assert good.error_m < 0.5
    assert good.grid
    points = [point.model_dump() for point in view.calibration.points or []]
    points[3] = points[3] | {"ground": (60.0, 60.0)}
    wrong = check_calibration(Calibration.model_validate({"points": points}))
    assert not wrong.usable
    assert wrong.problem


def test_paths_are_drawn_longest_first(frames) -> None:
    paths = vehicle_paths([(0, time, tracks) for time, tracks in frames], SIZE)
    assert paths
    assert paths[0]["class"] == "car"
    first = paths[0]["points"]
    assert isinstance(first, list)
    assert all(0 <= x <= 1 for x, _ in first)


def test_a_picture_of_another_size_is_the_same_street(tmp_path: Path, frames) -> None:
    half = len(frames) // 2
    for part, factor in ((frames[:half], 0.5), (frames[half:], 1.0)):
        archive = TrackArchive(tmp_path, "cam", (round(SIZE[0] * factor), round(SIZE[1] * factor)))
        for index, (time, tracks) in enumerate(part):
            archive.append(index, time, replace(tracks, xyxy=tracks.xyxy * np.float32(factor)))
        archive.close()
    again = count_archive(tmp_path, "cam", BEGIN, BEGIN + 60, VIEW)
    assert len(again.crossings) == len(count_tracks(frames, VIEW))


def test_the_same_number_after_a_new_start_is_another_vehicle(frames) -> None:
    twice = [
        *((0, time, tracks) for time, tracks in frames),
        *((0, time + 3600, tracks) for time, tracks in frames),
    ]
    once = vehicle_paths(twice[: len(frames)], SIZE)
    assert len(vehicle_paths(twice, SIZE)) == 2 * len(once) > 0
