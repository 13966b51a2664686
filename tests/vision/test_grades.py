"""Choosing between the float and the 8-bit grade: by one measurement, never where sums of bytes saturate."""

import json
from pathlib import Path

import pytest

from vision.detection import find_card, grades
from vision.detection.grades import FLOAT, INT8, choose_grade, has_byte_products

CPUINFO = "flags : fpu sse4_2 avx2 avx512f {}\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(grades, "has_byte_products", lambda: True)
    return tmp_path / "ngatu" / "grade.json"


def remember(home: Path, float_ms: float, int8_ms: float) -> None:
    home.parent.mkdir(parents=True, exist_ok=True)
    weights = {name: find_card(name).sha256 for name in (FLOAT, INT8)}
    home.write_text(json.dumps({"weights": weights, "milliseconds": {FLOAT: float_ms, INT8: int8_ms}}))


@pytest.mark.parametrize(
    ("float_ms", "int8_ms", "taken"),
    [
        pytest.param(14.0, 8.0, INT8, id="much quicker"),
        pytest.param(14.0, 13.0, FLOAT, id="hardly quicker"),
        pytest.param(14.0, 20.0, FLOAT, id="slower"),
    ],
)
def test_what_was_measured_before_decides(home: Path, float_ms: float, int8_ms: float, taken: str) -> None:
    remember(home, float_ms, int8_ms)
    choice = choose_grade()
    assert (choice.name, choice.remembered) == (taken, True)
    assert "measured before" in str(choice)


def test_the_first_measurement_is_kept_and_the_second_run_takes_the_same(home: Path) -> None:
    first = choose_grade(threads=1)
    assert not first.remembered
    second = choose_grade(threads=1)
    assert second.remembered
    assert (second.name, second.milliseconds) == (first.name, first.milliseconds)


def test_other_weights_are_measured_anew(home: Path) -> None:
    remember(home, 1.0, 0.1)
    home.write_text(home.read_text().replace(find_card(INT8).sha256, "0" * 64))
    assert not choose_grade(threads=1).remembered


def test_without_dot_products_of_bytes_it_is_the_float_grade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(grades, "has_byte_products", lambda: False)
    choice = choose_grade()
    assert choice.name == FLOAT
    assert "no dot products" in str(choice)


@pytest.mark.parametrize(("flag", "has"), [("avx512_vnni", True), ("avx_vnni", True), ("", False)])
def test_the_processors_flags_tell(tmp_path: Path, flag: str, has: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(CPUINFO.format(flag))
    assert has_byte_products(cpuinfo) is has
