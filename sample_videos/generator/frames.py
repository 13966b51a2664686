"""Training frames: many streets, poses, lights and moments, each with exact YOLO labels."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from . import bank, clip, compose, traffic
from .camera import Camera

log = logging.getLogger("generator")
_LIGHTS = ("day", "day", "overcast", "overcast", "rain", "dusk")


def random_camera(rng: np.random.Generator) -> Camera:
    """A pole camera somewhere on a kerb near the junction, looking over it."""
    arm = float(rng.integers(4)) * 90.0
    distance, offset = rng.uniform(20, 38), rng.uniform(-8, 8)
    a = np.radians(arm)
    x, y = np.cos(a) * distance - np.sin(a) * offset, np.sin(a) * distance + np.cos(a) * offset
    aim = np.array([rng.uniform(-9, 9), rng.uniform(-9, 9)])
    yaw = float(np.degrees(np.arctan2(aim[1] - y, aim[0] - x)))
    return Camera(
        (float(x), float(y), float(rng.uniform(5.5, 9.0))),
        yaw,
        float(rng.uniform(-22, -12)),
        focal=float(rng.uniform(700, 1150)),
        k1=float(rng.uniform(-0.05, 0.0)),
        roll=float(rng.normal(0, 1.0)),
    )


def write(
    target: Path, work: Path, sprites: Path, count: int, streets: int, seed: int, samples: int, threads: int
) -> None:
    """Write `images/` and `labels/` (our class numbers); resumable: finished frames and streets are kept."""
    (target / "images").mkdir(parents=True, exist_ok=True)
    (target / "labels").mkdir(parents=True, exist_ok=True)
    models = bank.load(sprites)
    for s in range(streets):
        rng = np.random.default_rng([seed, s])
        camera = random_camera(rng)
        light = _LIGHTS[int(rng.integers(len(_LIGHTS)))]
        mine = range(s, count, streets)
        # Each street is a camera of its own, as the names of training pictures have it.
        stems = {k: f"street{seed}-{s}__{k:05d}" for k in mine}
        if all((target / "labels" / f"{stem}.txt").exists() for stem in stems.values()):
            continue
        folder = work / f"street_{seed}_{s}"
        graded = replace(compose.LIGHTS[light], sun_azimuth=camera.yaw + float(rng.uniform(110, 250)))
        if not (folder / "plate.webp").exists():
            from . import street

            street.render_plate(camera, light, graded.sun_azimuth, folder, samples, threads, seed=100 + s)
        if not (folder / "steps.parquet").exists():
            demand = traffic.Demand(float(rng.uniform(3000, 8000)))
            traffic.simulate(folder / "sumo", demand, 120.0, 240.0, 2.0, seed * 1000 + s).save(folder)
        run = traffic.Trajectories.read(folder)
        every = clip.per_frame(run)
        composer = compose.Composer(
            camera, graded, compose.load_plate(folder, camera), models, seed * 1000 + s
        )
        for k, stem in stems.items():
            label = target / "labels" / f"{stem}.txt"
            if label.exists():
                continue
            index = int(np.random.default_rng([seed, k, 3]).integers(len(every)))
            picture, shown = composer.frame(index, run.start + index / run.fps, every[index])
            quality = int(np.random.default_rng([seed, k, 4]).integers(55, 92))
            cv2.imwrite(str(target / "images" / f"{stem}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
            lines = []
            for v in shown:
                if v.visible is None or v.share < 0.2:
                    continue
                x1, y1, x2, y2 = v.visible
                if (x2 - x1) * (y2 - y1) < 60:
                    continue
                lines.append(
                    f"{models[v.vehicle.model].class_id} {(x1 + x2) / 2 / camera.width:.5f} "
                    f"{(y1 + y2) / 2 / camera.height:.5f} {(x2 - x1) / camera.width:.5f} "
                    f"{(y2 - y1) / camera.height:.5f}"
                )
            label.write_text("\n".join(lines) + "\n")
        log.info("street %d of %d done (%s)", s + 1, streets, light)
