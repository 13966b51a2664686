"""Keeps rendered streets: gives a plate's folder, rendering it first where it is lacking."""

from __future__ import annotations

from pathlib import Path

from .camera import CAMERAS
from .compose import LIGHTS


def ensure(folder: Path, camera: str, light: str, samples: int = 48, threads: int = 2) -> Path:
    """Return the folder of a camera's plate in a light; Blender is needed only where it is lacking."""
    target = folder / f"{camera}_{light}"
    if not (target / "plate.webp").exists():
        from . import street

        street.render_plate(CAMERAS[camera], light, LIGHTS[light].sun_azimuth, target, samples, threads)
    return target
