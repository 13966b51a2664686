"""``ngatu view``: what it says of a calibration, good, poor or impossible."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from service.view_cli import app
from vision import load_view
from vision.calibration import fit_calibration
from vision.errors import CalibrationError

SAMPLE = Path(__file__).parents[2] / "sample_videos" / "hoa-ban_cam1.view.yaml"
GATE = "gates:\n  - {id: a, line: [[0.1, 0.5], [0.9, 0.5]]}\n"
RECTANGLE = "{corners: [[0.3, 0.56], [0.5, 0.56], [0.6, 0.82], [0.2, 0.82]], length_m: 12, width_m: 8}"


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of a grey road."""
    path = tmp_path / "road.png"
    cv2.imwrite(str(path), np.full((360, 640, 3), 90, np.uint8))
    return path


def sample(folder: Path, old: str = "", new: str = "", extra: str = "") -> Path:
    """The view of the sample clip with something replaced, and more said in its calibration."""
    text = SAMPLE.read_text(encoding="utf-8")
    assert old in text
    lines = [
        line
        for line in text.replace(old, new, 1).splitlines(keepends=True)
        if not line.lstrip().startswith(("distortion:", "valid:"))
    ]
    path = folder / "sample.yaml"
    path.write_text("".join(lines) + extra, encoding="utf-8")
    return path


def write(folder: Path, text: str) -> Path:
    path = folder / "view.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def fault(result: Result) -> str:
    """The sentence of the error that the main command prints."""
    assert isinstance(result.exception, CalibrationError)
    sentence = str(result.exception)
    assert "\n" not in sentence
    return sentence


def test_calibrate_shows_the_errors_and_draws_metres(tmp_path: Path, picture: Path) -> None:
    view = sample(tmp_path)
    result = run("calibrate", view, picture)
    assert result.exit_code == 0
    known = load_view(view).calibration
    assert known is not None
    fitted = fit_calibration(known)
    for number, (error, left_out) in enumerate(
        zip(fitted.residuals_m, fitted.leave_one_out_m, strict=True), start=1
    ):
        cells = next(line for line in result.stdout.splitlines() if line.startswith(f"│{number:6d} │"))
        assert cells.split()[-4] == f"{error:.2f}"
        assert cells.split()[-2] == f"{left_out:.2f}"
    assert f"calibration {fitted.version}: {number} points over" in result.stdout
    assert "meshes of 5 m by 5 m" in result.stdout
    drawn = cv2.imread(str(tmp_path / "sample.ground.png"))
    assert drawn.shape == (360, 640, 3)
    assert (drawn[140:] != 90).any(axis=2).mean() > 0.02


def test_calibrate_names_the_lens_that_fits_better(tmp_path: Path) -> None:
    result = run("calibrate", sample(tmp_path))
    (advice,) = [line for line in result.stdout.splitlines() if "distortion: {k1: -0.04" in line]
    lens = advice[advice.index("distortion:") :]
    better = run("calibrate", sample(tmp_path, extra=f"  {lens}\n"))
    assert better.exit_code == 0
    assert "at most 0.00 m off" in better.stdout
    assert "distortion:" not in better.stdout


def test_calibrate_from_a_rectangle_says_what_it_cannot_tell(tmp_path: Path, picture: Path) -> None:
    view = write(tmp_path, f"{GATE}calibration:\n  rectangle: {RECTANGLE}\n")
    result = run("calibrate", view, picture, "--out", tmp_path / "new" / "grid.png")
    assert result.exit_code == 0
    assert "four points always fit" in result.stdout
    assert "4 points over 14.4 m" in result.stdout
    assert "put them" not in result.stdout, "nothing can be left out"
    assert (tmp_path / "new" / "grid.png").is_file()


def test_calibrate_shows_a_poor_one_before_it_refuses_it(tmp_path: Path, picture: Path) -> None:
    view = sample(tmp_path, "[-7.944, 8.660]", "[-7.944, 28.660]")
    result = run("calibrate", view, picture)
    assert result.exit_code == 1
    message = fault(result)
    assert message.startswith(f"{view}: calibration: the points contradict each other")
    assert "mark point 3 again" in message
    assert "│     3 │" in result.stdout
    assert (tmp_path / "sample.ground.png").is_file()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(GATE, "calibration: it is missing; add four or more points or a rectangle", id="none"),
        pytest.param(
            f"{GATE}calibration:\n  rectangle: {RECTANGLE}\n  valid: [[0, 0], [1, 0], [1, 1]]\n",
            "calibration: the horizon passes through",
            id="valid in the sky",
        ),
        pytest.param(
            f"{GATE}calibration:\n  rectangle: {RECTANGLE.replace('[0.6, 0.82]', '[0.35, 0.69]')}\n",
            "lie on a line",
            id="flat rectangle",
        ),
    ],
)
def test_calibrate_refuses_in_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    view = write(tmp_path, text)
    message = fault(run("calibrate", view))
    assert message.startswith(f"{view}: ")
    assert words in message


def test_check_tells_of_the_calibration_too(tmp_path: Path) -> None:
    result = run("check", sample(tmp_path))
    assert result.exit_code == 0
    assert "35 points over" in result.stdout
    assert "m from where the others put them" in result.stdout
    spoilt = sample(tmp_path, "[-7.944, 8.660]", "[-7.944, 28.660]")
    assert "point 3 again" in fault(run("check", spoilt))
    assert "calibration" not in run("check", write(tmp_path, GATE)).stdout
