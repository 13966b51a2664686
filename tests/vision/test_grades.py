"""Choosing the grade and what runs it: by one measurement, never 8 bits where sums of bytes saturate."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from vision.detection import find_card, grades
from vision.detection.grades import FLOAT, INT8, choose_grade, has_byte_products

CPUINFO = "flags : fpu sse4_2 avx2 avx512f {}\n"
OPENVINO = f"{INT8} by openvino"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(grades, "has_byte_products", lambda: True)
    return tmp_path / "ngatu" / "grade.json"


def remember(home: Path, *milliseconds: float) -> None:
    """Of the float grade, of the 8-bit one and, where it is told, of that by OpenVINO."""
    home.parent.mkdir(parents=True, exist_ok=True)
    times = dict(zip((FLOAT, INT8, OPENVINO), milliseconds, strict=False))
    of = {name: find_card(name).sha256 for name in (FLOAT, INT8)} | {"onnxruntime": version("onnxruntime")}
    if OPENVINO in times:
        of["openvino"] = version("openvino")
    home.write_text(json.dumps({"of": of, "milliseconds": times}))


@pytest.mark.parametrize(
    ("float_ms", "int8_ms", "taken"),
    [
        pytest.param(14.0, 8.0, INT8, id="much quicker"),
        pytest.param(14.0, 13.0, FLOAT, id="hardly quicker"),
        pytest.param(14.0, 20.0, FLOAT, id="slower"),
    ],
)
def test_what_was_measured_before_decides(
    home: Path, monkeypatch: pytest.MonkeyPatch, float_ms: float, int8_ms: float, taken: str
) -> None:
    monkeypatch.setattr(grades, "is_installed", lambda: False)
    remember(home, float_ms, int8_ms)
    choice = choose_grade()
    assert (choice.name, choice.provider, choice.remembered) == (taken, "cpu", True)
    assert "measured before" in str(choice)


@pytest.mark.parametrize(
    ("asked", "milliseconds", "taken"),
    [
        pytest.param({}, (14, 8, 6), (INT8, "openvino"), id="openvino is the quickest"),
        pytest.param({}, (14, 8, 9), (INT8, "cpu"), id="openvino is slower"),
        pytest.param({}, (9, 13, 8), (FLOAT, "cpu"), id="8 bits gain too little by either"),
        pytest.param({"provider": "cpu"}, (14, 8, 6), (INT8, "cpu"), id="asked by onnx runtime"),
        pytest.param({"provider": "openvino"}, (14, 8, 9), (INT8, "openvino"), id="asked by openvino"),
        pytest.param({"model": INT8}, (9, 13, 12), (INT8, "openvino"), id="8 bits asked for"),
        pytest.param({"model": FLOAT}, (14, 8, 6), (FLOAT, "cpu"), id="float asked for"),
        pytest.param({"model": "mine"}, (14, 8, 6), ("mine", "cpu"), id="another model"),
        pytest.param(
            {"model": "auto@896x512"}, (14, 8, 6), (f"{INT8}@896x512", "openvino"), id="a closer look"
        ),
        pytest.param({"model": "mine@640x640"}, (14, 8, 6), ("mine@640x640", "cpu"), id="of another model"),
        pytest.param({"provider": "cuda"}, (14, 8, 6), (FLOAT, "cuda"), id="a graphics card"),
    ],
)
def test_what_runs_it_is_chosen_too(
    home: Path, asked: dict[str, str], milliseconds: tuple[float, ...], taken: tuple[str, str]
) -> None:
    pytest.importorskip("openvino")
    remember(home, *milliseconds)
    choice = choose_grade(**asked)  # type: ignore[arg-type]
    assert (choice.name, choice.provider) == taken


def test_the_first_measurement_is_kept_and_the_second_run_takes_the_same(home: Path) -> None:
    first = choose_grade(threads=1)
    assert not first.remembered
    second = choose_grade(threads=1)
    assert second.remembered
    assert (second.name, second.provider) == (first.name, first.provider)
    assert second.milliseconds == first.milliseconds


def test_other_weights_are_measured_anew(home: Path) -> None:
    remember(home, 1.0, 0.1, 0.1)
    home.write_text(home.read_text().replace(find_card(INT8).sha256, "0" * 64))
    assert not choose_grade(threads=1).remembered


def test_another_runtime_is_measured_anew(home: Path) -> None:
    remember(home, 1.0, 0.1, 0.1)
    home.write_text(home.read_text().replace(version("onnxruntime"), "0.1"))
    assert not choose_grade(threads=1).remembered


def test_without_dot_products_of_bytes_it_is_the_float_grade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(grades, "has_byte_products", lambda: False)
    choice = choose_grade()
    assert (choice.name, choice.provider) == (FLOAT, "cpu")
    assert "no dot products" in str(choice)


@pytest.mark.parametrize(("flag", "has"), [("avx512_vnni", True), ("avx_vnni", True), ("", False)])
def test_the_processors_flags_tell(tmp_path: Path, flag: str, has: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(CPUINFO.format(flag))
    assert has_byte_products(cpuinfo) is has
