"""``ngatu models``: list, check and add, and the one sentence on every mistake."""

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.models_cli import app
from vision.detection import OnnxDetector, find_card, load_detector
from vision.errors import ModelError

OURS = Path(__file__).resolve().parents[2] / "models" / "ngatu-n.onnx"
OUR_CLASSES = "0=bicycle,1=motorcycle,2=car,3=bus,4=truck"


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, empty, and no other."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("NGATU_MODELS", raising=False)
    monkeypatch.setenv("COLUMNS", "240")
    return tmp_path / "data" / "ngatu" / "models"


ANY = (OURS, "--size", "448x256")
"""Our weights take pictures of any size: who adds them says which."""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def fault(*arguments: str | Path) -> str:
    """The sentence of the error that the main command prints."""
    result = run(*arguments)
    assert isinstance(result.exception, ModelError)
    sentence = str(result.exception)
    assert "\n" not in sentence
    return sentence


def test_list_shows_ours_and_motion() -> None:
    result = run("list")
    assert result.exit_code == 0
    for word in ("ngatu-n", "448x256", "bicycle, motorcycle, car, bus, truck", "4.6", "motion"):
        assert word in result.stdout


def test_list_shows_the_others_beside_a_broken_card(user: Path) -> None:
    user.mkdir(parents=True)
    (user / "broken.toml").write_text("name = 3\n")
    result = run("list")
    assert result.exit_code == 0
    assert "ngatu-n" in result.stdout
    assert "broken.toml, line 1: name: " in result.stderr


def test_check_tells_checksum_provider_and_time() -> None:
    result = run("check", "ngatu-n")
    assert result.exit_code == 0
    assert hashlib.sha256(OURS.read_bytes()).hexdigest() in result.stdout
    assert "runs on cpu at 448x256: " in result.stdout
    assert " ms for one picture" in result.stdout


def test_check_of_what_has_no_weights() -> None:
    assert "has no weights to check" in run("check", "motion").stdout


def test_check_of_an_unknown_name() -> None:
    assert "'ours'; known are" in fault("check", "ours")


def test_add_copies_weights_and_writes_a_card_that_loads(user: Path) -> None:
    more = ("--classes", OUR_CLASSES, "--licence", 'The "X" licence')
    result = run("add", OURS, "--name", "mine", "--size", "640x352", *more)
    assert result.exit_code == 0, result.exception
    assert sorted(path.name for path in user.iterdir()) == ["mine.onnx", "mine.toml"]
    card = find_card("mine")
    assert (card.decoder, card.input.scaling, card.licence) == ("ngatu", "uint8", 'The "X" licence')
    assert card.sha256 == hashlib.sha256(OURS.read_bytes()).hexdigest()
    assert (card.input.width, card.input.height, card.input.multiple_of) == (640, 352, 32)
    assert isinstance(load_detector("mine"), OnnxDetector)
    assert "mine" in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(["absent.onnx"], "absent.onnx: there is no such file", id="no file"),
        pytest.param(["best.pt"], "This needs the package", id="Ultralytics weights without the extra"),
        pytest.param(["renamed.onnx"], "renamed.onnx: ONNX Runtime cannot load it", id="renamed pickle"),
        pytest.param([*ANY], "already a detector called 'ngatu-n'", id="name taken"),
        pytest.param([*ANY, "--name", "motion"], "already a detector called 'motion'", id="built-in name"),
        pytest.param([*ANY, "--name", "../x"], "'../x' is no name for a detector", id="name is a path"),
        pytest.param([*ANY, "--name", "x"], "say which of its classes", id="classes unknown"),
        pytest.param(
            [*ANY, "--name", "x", "--classes", "0=tram"], "No class is called 'tram'", id="bad class"
        ),
        pytest.param([*ANY, "--name", "x", "--classes", "car"], "'car' is not understood", id="bad pair"),
        pytest.param([*ANY, "--name", "x", "--classes", "9=car"], "it has 5 classes", id="class too high"),
        pytest.param([*ANY, "--name", "x", "--decoder", "ssd"], "No decoder is called 'ssd'", id="decoder"),
        pytest.param([OURS, "--name", "x", "--size", "640"], "'640' is not understood", id="size unreadable"),
        pytest.param([OURS, "--name", "x"], "leaves the size open; give one", id="size is open"),
    ],
)
def test_add_refuses(
    arguments: list[str | Path], sentence: str, tmp_path: Path, user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("best.pt", "renamed.onnx"):
        Path(name).write_bytes(b"\x80\x04\x95pickle")
    assert sentence in fault("add", *arguments)
    assert list(user.glob("*")) == []


@pytest.mark.data
@pytest.mark.parametrize(
    ("file", "decoder", "options"),
    [
        ("yolov8s_736x1280", "yolo", []),
        ("yolo11n_dyn", "yolo", ["--size", "640x384"]),
        ("yolo26n", "yolo_end2end", ["--classes", "coco"]),
        ("yolox_nano", "yolox", []),
        ("deimv2_atto", "deimv2", ["--classes", "coco"]),
    ],
)
def test_add_guesses_the_family(file: str, decoder: str, options: list[str], testdata: Path) -> None:
    result = run("add", testdata / "models" / f"{file}.onnx", "--name", "guessed", *options)
    assert result.exit_code == 0, result.exception
    card, known = find_card("guessed"), find_card(file)
    assert card.decoder == known.decoder == decoder
    assert (card.input, card.classes, card.sha256) == (known.input, known.classes, known.sha256)


@pytest.mark.data
def test_add_does_not_change_a_size_that_is_fixed(testdata: Path) -> None:
    weights = testdata / "models" / "yolo26n.onnx"
    assert "cannot be changed" in fault("add", weights, "--name", "x", "--size", "320x192")


@pytest.mark.data
def test_add_asks_for_what_the_network_leaves_open(testdata: Path) -> None:
    assert "leaves the size open" in fault("add", testdata / "models" / "yolo11n_dyn.onnx", "--name", "x")
