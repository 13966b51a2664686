"""The wheel: installed alone, away from the checkout and without a network, it counts."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from service.demo import CLIP, VIEW
from tests.conftest import MakeClip

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; its dependencies are those already here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps", wheel]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    # A path in a .pth file is searched, but the .pth files in it, which lead to the checkout, are not read.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def clean() -> dict[str, str]:
    """The environment's variables without those that lead to the checkout or to other models."""
    return {key: value for key, value in os.environ.items() if not key.startswith(("NGATU", "PYTHON", "XDG"))}


def in_environment(environment: Path, folder: Path, *command: str | Path) -> str:
    """What a command of the environment prints, run in a folder."""
    program, *arguments = command
    done = subprocess.run(
        [environment / "bin" / program, *arguments],
        cwd=folder,
        env={**clean(), "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_travels_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    here = {str(path.relative_to(ROOT)) for path in (ROOT / "vision").rglob("*.py")}
    here |= {str(path.relative_to(ROOT)) for path in (ROOT / "service").rglob("*.py")}
    here |= {str(path.relative_to(ROOT)) for path in (ROOT / "models").rglob("*.py")}
    here |= {str(path.relative_to(ROOT)) for path in (ROOT / "service/tally/page").rglob("*.*")}
    carried = {f"vision/models/ngatu-n{grade}.{kind}" for grade in ("", "-int8") for kind in ("onnx", "toml")}
    carried |= {f"vision/sample_videos/hoa-ban_cam2{part}" for part in (".view.yaml", CLIP[12:] + ".mp4")}
    carried |= {f"vision/sample_videos/{name}" for name in (f"{CLIP}.mp4", f"{CLIP}.crossings.csv", VIEW)}
    missing = (here | carried) - set(names)
    assert not missing
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"models", "service", "vision"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_importing_the_library_pulls_in_nothing_heavy(environment: Path, tmp_path: Path) -> None:
    script = (
        "import sys, vision; print(vision.__file__); print(*{name.split('.')[0] for name in sys.modules})"
    )
    file, modules = in_environment(environment, tmp_path, "python", "-c", script).splitlines()
    assert Path(file).is_relative_to(environment)
    assert not set(modules.split()) & {"torch", "ultralytics", "fastapi", "sqlalchemy", "service", "typer"}


def test_it_counts_from_any_folder(environment: Path, tmp_path: Path, make_clip: MakeClip) -> None:
    make_clip(tmp_path / "clip.mp4", 25)
    (tmp_path / "view.yaml").write_text("gates:\n- id: g\n  line: [[0, 0.5], [1, 0.5]]\n")
    said = in_environment(environment, tmp_path, "ngatu", "count", "clip.mp4", "--view", "view.yaml")
    out = Path("ngatu-out", "clip")
    assert f"results in {out}" in said
    written = {path.name for path in (tmp_path / out).iterdir()}
    assert written == {"crossings.csv", "counts.csv", "incidents.csv", "tracks.parquet", "summary.json"}
    models = in_environment(environment, tmp_path, "ngatu", "models", "list")
    assert "ngatu-n" in models


def test_the_sample_clip_is_found(environment: Path, tmp_path: Path) -> None:
    script = "from service.demo import sample_folder; print(sample_folder())"
    found = Path(in_environment(environment, tmp_path, "python", "-c", script).strip())
    assert found.is_relative_to(environment)
