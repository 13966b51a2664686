"""The shape of the code: imports point one way, and each file says what it is for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("vision", "service", "tests", "benchmarks", "sample_videos")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

# Each stage of vision/ may import itself and what stands above it, never what stands below.
STAGES = (
    ("vision.errors", "vision.geometry", "vision.types"),
    ("vision.view_parts",),
    ("vision.views", "vision.lens"),
    ("vision.calibration",),
    ("vision.sources", "vision.detection", "vision.health"),
    ("vision.tracking", "vision.stitching", "vision.origins"),
    ("vision.track_store",),
    ("vision.density",),
    ("vision.counting",),
    ("vision.proposal", "vision.accuracy", "vision.incidents", "vision.sparing"),
    ("vision.overlay", "vision.ground_grid", "vision.video_writer"),
    ("vision.pipeline", "vision.privacy"),
    ("vision",),
)
APART = ("vision.sources", "vision.detection", "vision.tracking", "vision.overlay")
"""Parts that know nothing of each other, so that each can be replaced on its own."""

HEAVY = ("torch", "ultralytics", "fastapi", "sqlalchemy")
"""What the library must run without."""


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            assert node.module is not None
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if module_exists(name) else node.module for name in names)


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str | None:
    """The part of the chain that a module belongs to: the longest of the names above that it begins with."""
    known = [part for stage in STAGES for part in stage if module == part or module.startswith(f"{part}.")]
    return max(known, key=len, default=None)


def files_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported_parts(path: Path) -> set[str]:
    """The parts of vision/ that a file imports."""
    return {part for name in imports(path) if (part := part_of(name))}


def module_exists(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", files_of("vision"), ids=module_of)
def test_the_library_knows_nothing_of_the_service(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"service", "tests", "benchmarks", "sample_videos", *HEAVY}


@pytest.mark.parametrize("path", files_of("vision"), ids=module_of)
def test_a_stage_imports_earlier_ones_only(path: Path) -> None:
    own = part_of(module_of(path))
    number = {part: number for number, stage in enumerate(STAGES) for part in stage}
    assert own is not None
    assert own != "vision" or path.name == "__init__.py", f"{path.name} has no place in STAGES yet"
    later = {part for part in imported_parts(path) if number[part] > number[own]}
    assert not later, f"{module_of(path)} imports {', '.join(sorted(later))}, which come after it"


@pytest.mark.parametrize("part", APART)
def test_parts_that_know_nothing_of_each_other(part: str) -> None:
    others = set(APART) - {part}
    for path in files_of("vision"):
        if part_of(module_of(path)) == part:
            assert not imported_parts(path) & others, module_of(path)


@pytest.mark.parametrize("path", files_of("service"), ids=module_of)
def test_the_service_leaves_decoding_and_networks_to_the_library(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert not roots & {"tests", "benchmarks", "sample_videos", "onnxruntime", "av", "torch"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_begins_with_what_it_is_for(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text))
    if said is None:
        assert text.strip() == "", "an empty file alone needs no words"
        assert path.name == "__init__.py"
    else:
        assert len(said.splitlines()[0]) > 15, "say it in the first line"


def test_the_stages_exist() -> None:
    for part in (part for stage in STAGES for part in stage):
        assert module_exists(part), part


def test_both_files_of_constraints_pin_the_same_versions() -> None:
    """They are given together where a detector is trained: pins that clash leave nothing to install."""
    pins = [
        dict(line.lower().split("==") for line in (ROOT / path).read_text(encoding="utf-8").split())
        for path in ("constraints.txt", "models/training/constraints.txt")
    ]
    shared = pins[0].keys() & pins[1].keys()
    assert len(shared) > 10
    assert {name: pins[0][name] for name in shared} == {name: pins[1][name] for name in shared}
