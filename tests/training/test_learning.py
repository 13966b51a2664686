"""What a network learns from: labels read, teachers' boxes joined, pictures augmented with their boxes."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from models.training.augment import Example, augment
from models.training.follow import fill
from models.training.gather import SETS, clips_in, frames_of, pictures_of, read_yolo
from models.training.splits import load_split
from models.training.teach import join_riders
from vision.detection.decoders import Size
from vision.errors import TrainingError
from vision.types import Detections

SIZE: Size = (448, 256)
SAMPLE = next((Path(__file__).parents[2] / "sample_videos").glob("*_cam1_day_*.mp4"))


def found(*rows: tuple[float, float, float, float, float, int]) -> Detections:
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int8))


def test_yolo_labels_become_our_classes_and_corners(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("1 0.5 0.5 0.2 0.4\n\n0 0.1 0.1 0.1 0.1\n")
    labels = read_yolo(path, (2, 1))
    np.testing.assert_allclose(labels, [[1, 0.4, 0.3, 0.6, 0.7], [2, 0.05, 0.05, 0.15, 0.15]], atol=1e-6)


@pytest.mark.parametrize("line", ["7 0.5 0.5 0.1 0.1", "1 0.5 0.5", "car 0.5 0.5 0.1 0.1"])
def test_a_wrong_label_is_told_with_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(TrainingError, match=r"a\.txt: line 2: "):
        read_yolo(path)


def test_unlabelled_pictures_are_not_empty_ones(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for name in ("camA__1", "camA__2"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.jpg"), np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "labels" / "camA__1.txt").write_text("")
    first, second = pictures_of(tmp_path, SETS[0])
    assert first.labels is not None
    assert len(first.labels) == 0
    assert second.labels is None
    assert first.camera == second.camera == "camA"


def test_a_folder_without_pictures_or_clips_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no pictures"):
        list(pictures_of(tmp_path, SETS[0]))
    with pytest.raises(TrainingError, match="no clip"):
        clips_in([tmp_path])


def test_frames_are_spread_over_a_clip_and_taken_once(tmp_path: Path) -> None:
    pictures = frames_of(SAMPLE, tmp_path, 5)
    assert len(pictures) == 5
    numbers = [int(picture.path.stem.split("__")[1]) for picture in pictures]
    assert numbers[0] == 0
    assert numbers[-1] > 500
    before = pictures[0].path.stat().st_mtime_ns
    assert frames_of(SAMPLE, tmp_path, 5) == pictures
    assert pictures[0].path.stat().st_mtime_ns == before


def test_frames_come_with_their_neighbours_and_missing_ones_are_taken_again(tmp_path: Path) -> None:
    first, middle, last = frames_of(SAMPLE, tmp_path, 3)
    assert (len(first.around), len(middle.around), len(last.around)) == (
        0,
        2,
        0,
    )  # none beyond the clip's ends
    here = cv2.imread(str(middle.path)).astype(int)
    (near, _), (far, _) = ([cv2.imread(str(path)).astype(int) for path in pair] for pair in middle.around)
    assert 0 < np.abs(near - here).mean() < np.abs(far - here).mean()
    middle.path.unlink()
    assert frames_of(SAMPLE, tmp_path, 3) == [first, middle, last]


def taught(*rows: tuple[float, ...]) -> np.ndarray:
    """Boxes of a picture 1000 x 500: class, left, top, right, bottom in pixels, sure or not."""
    return np.array(rows, np.float32).reshape(-1, 6) / [1, 1000, 500, 1000, 500, 1]


BEFORE, AFTER = (1, 100, 100, 140, 180, 1), (1, 120, 100, 160, 180, 1)
BETWEEN = (1, 110, 100, 150, 180)


@pytest.mark.parametrize(
    ("here", "before", "after", "vehicles", "filled"),
    [
        pytest.param([(*BETWEEN, 0)], [BEFORE], [AFTER], 1, 1, id="suspected"),
        pytest.param([], [BEFORE], [AFTER], 0, 1, id="nothing seen, which only near frames may fill"),
        pytest.param([(*BETWEEN, 1)], [BEFORE], [AFTER], 1, 1, id="seen already"),
        pytest.param([(*BETWEEN, 0)], [BEFORE], [], 0, 0, id="gone afterwards"),
        pytest.param([(*BETWEEN, 0)], [(*BEFORE[:5], 0)], [AFTER], 0, 0, id="only suspected before"),
        pytest.param([(*BETWEEN, 0)], [BEFORE], [(2, *AFTER[1:])], 0, 0, id="another class"),
        pytest.param([], [BEFORE], [(1, 500, 100, 540, 180, 1)], 0, 0, id="too far to be the same"),
        pytest.param([], [BEFORE], [(1, 100, 100, 200, 300, 1)], 0, 0, id="grown too much"),
    ],
)
def test_a_vehicle_missed_between_two_frames_that_show_it_is_filled(
    here, before, after, vehicles, filled
) -> None:
    boxes = [taught(*rows) for rows in (here, before, after)]
    for unseen, number in ((False, vehicles), (True, filled)):
        result = fill(*boxes, (1000, 500), unseen=unseen)
        sure = result[result[:, 5] == 1]
        assert len(sure) == number
        if number:
            np.testing.assert_allclose(sure[0], taught((*BETWEEN, 1))[0], atol=1e-6)


def test_the_split_holds_cameras_out_whole() -> None:
    split = load_split()
    held_out = [f"cameras-sea/vn_station__{number:04d}" for number in range(40)]
    assert {split.test_of(key).name for key in held_out if split.test_of(key)} == {"sea"}
    assert all(split.test_of(key) for key in held_out)
    assert split.test_of("clips/hanoi-giang-vo-lang-ha__000001") is not None
    assert split.test_of("cameras-sea/th_junction__0001") is None


def test_a_rider_is_joined_to_the_motorcycle_below() -> None:
    person, motorcycle, car = -1, 1, 2
    joined = join_riders(
        found(
            (100, 100, 140, 160, 0.8, motorcycle),
            (105, 60, 135, 130, 0.9, person),  # rides it
            (300, 60, 330, 150, 0.9, person),  # walks
            (200, 100, 280, 160, 0.9, car),
        )
    )
    boxes = {int(c): box.tolist() for c, box in zip(joined.class_id, joined.xyxy, strict=True)}
    assert boxes == {motorcycle: [100, 60, 140, 160], car: [200, 100, 280, 160]}


@pytest.mark.parametrize("pictures", [1, 4], ids=["one", "mosaic"])
def test_boxes_go_where_their_vehicles_go(pictures: int) -> None:
    """A vehicle painted in a colour that survives: its pixels stay inside its box, and fill it."""
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(40):
        image = np.full((360, 640, 3), 40, np.uint8)
        image[120:220, 200:360] = 255
        box = np.array([[2, 200 / 640, 120 / 360, 360 / 640, 220 / 360, 1]], np.float32)
        examples = [Example(image, box.copy(), np.ones(5, np.bool_)) for _ in range(pictures)]
        made = augment(examples, SIZE, rng)
        assert made.image.shape == (SIZE[1], SIZE[0], 3)
        bright = cv2.GaussianBlur(made.image, (0, 0), 2).max(axis=2)
        for _, left, top, right, bottom, sure in made.boxes:
            assert 0 <= left < right <= SIZE[0]
            assert 0 <= top < bottom <= SIZE[1]
            if sure and right - left > 40 and bottom - top > 30:
                middle = bright[int(top) + 8 : int(bottom) - 8, int(left) + 8 : int(right) - 8]
                outside = bright.min()
                assert np.median(middle) > outside + 15
                seen += 1
    assert seen > 15
