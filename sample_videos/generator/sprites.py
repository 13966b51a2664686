"""Bakes the vehicle sprites in Blender: each model from 19 directions at five elevations (needs bpy).

A view is kept as a colour picture with alpha and a mask that says what may be repainted (red: body,
green: clothes or second colour, blue: helmet). The sun stands behind the camera, so that a view can be
mirrored for the other side.
Run it again after an interruption: views already on disk are kept.
"""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import ConvexHull

from . import blender, vehicles
from .bank import ELEVATIONS, FOCAL, view_camera
from .shapes import Mesh

AZIMUTHS = tuple(range(0, 181, 10))
_SIZE = (2000, 1600)


def hull_points(mesh: Mesh) -> np.ndarray:
    """The vertices of the convex hull: enough to find the box of a vehicle in any picture."""
    vertices, _ = mesh.triangles()
    vertices = np.maximum(vertices, [-99, -99, 0])
    return np.asarray(vertices[ConvexHull(np.round(vertices, 2), qhull_options="QJ").vertices])


def bake(
    cache: Path, names: list[str], samples: int, threads: int, azimuth_step: int, log: bool = True
) -> None:
    """Render the views that `cache` lacks."""
    for name in names:
        model = vehicles.build(name)
        folder = cache / name
        folder.mkdir(parents=True, exist_ok=True)
        steep = (
            ELEVATIONS[:-1] if model.class_id in (vehicles.BUS, vehicles.TRUCK) else ELEVATIONS
        )  # large and dear
        todo = [
            (e, a)
            for a in AZIMUTHS
            for e in steep
            if a % azimuth_step == 0 and not (folder / f"{a:03d}_{e:02d}.png").exists()
        ]
        if todo:
            _bake_model(model, folder, todo, samples, threads, log)


def _bake_model(
    model: vehicles.Model, folder: Path, todo: list[tuple[int, int]], samples: int, threads: int, log: bool
) -> None:
    scene = blender.reset(samples, threads)
    scene.render.film_transparent = True
    blender.sun(52, -90, 2.6, 4.0, (1.0, 0.96, 0.90))
    blender.sky((0.30, 0.45, 0.72), (0.85, 0.90, 0.95), (0.16, 0.155, 0.15), 1.0)
    item = blender.to_object(model.mesh, model.name)
    road = Mesh()
    road.quad([(-40, -40, 0), (40, -40, 0), (40, 40, 0), (-40, 40, 0)], "road")
    ground = blender.to_object(road, "road", lambda _: blender.principled("road", (0.13, 0.13, 0.13), 0.9))
    ground.visible_camera = False
    eye = blender.camera(*_SIZE, FOCAL)
    layer = scene.view_layers[0]
    layer.aovs.add().name = "repaint"
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    source = tree.nodes.new("CompositorNodeRLayers")
    final = tree.nodes.new("CompositorNodeComposite")
    tree.links.new(source.outputs["Image"], final.inputs["Image"])
    out = tree.nodes.new("CompositorNodeOutputFile")
    out.base_path = str(folder)
    out.format.file_format = "PNG"
    out.format.color_mode = "RGB"
    out.format.color_management = "OVERRIDE"
    out.format.view_settings.view_transform = "Standard"
    out.file_slots[0].path = "mask_"
    tree.links.new(source.outputs["repaint"], out.inputs[0])

    hull = hull_points(model.mesh)
    height = float(hull[:, 2].max())
    scene.render.use_border = scene.render.use_crop_to_border = True
    for elevation, azimuth in todo:
        started = time.time()
        item.rotation_euler = (0, 0, np.radians(-90 - azimuth))
        e = np.radians(elevation)
        view = view_camera(azimuth, elevation, height)
        eye.location = (0, -np.cos(e) * view.distance, height / 2 + np.sin(e) * view.distance)
        eye.rotation_euler = (np.pi / 2 - e, 0, 0)
        uv = view.project(hull)
        low, high = np.floor(uv.min(0)) - 3, np.ceil(uv.max(0)) + 3
        w, h = _SIZE
        x0, x1 = int(low[0] + w / 2), int(high[0] + w / 2)
        y0, y1 = int(low[1] + h / 2), int(high[1] + h / 2)
        scene.render.border_min_x, scene.render.border_max_x = (x0 + 0.25) / w, (x1 + 0.25) / w
        scene.render.border_min_y, scene.render.border_max_y = (h - y1 + 0.25) / h, (h - y0 + 0.25) / h
        stem = f"{azimuth:03d}_{elevation:02d}"
        scene.frame_set(1)
        blender.render(folder / "part.png")
        mask = cv2.imread(str(folder / "mask_0001.png"))
        picture = cv2.imread(str(folder / "part.png"), cv2.IMREAD_UNCHANGED)
        if picture.shape[:2] != (y1 - y0, x1 - x0):
            raise RuntimeError(f"{stem}: Blender cropped to {picture.shape[:2]}, not {(y1 - y0, x1 - x0)}")
        cv2.imwrite(str(folder / f"{stem}.mask.png"), mask)
        (folder / f"{stem}.json").write_text(json.dumps({"x": x0 - w // 2, "y": y0 - h // 2}))
        cv2.imwrite(str(folder / "done.png"), picture)
        (folder / "done.png").rename(folder / f"{stem}.png")
        if log:
            print(
                f"{model.name} {stem} {picture.shape[1]}x{picture.shape[0]} {time.time() - started:.2f} s",
                flush=True,
            )
    for rest in ("part.png", "mask_0001.png"):
        (folder / rest).unlink(missing_ok=True)


def pack(cache: Path, target: Path, names: list[str], quality: int = 90, only: str = "???_??") -> None:
    """Pack the views of each model (`only`: a pattern) into one zip of WebP pictures with its description."""
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        folder = cache / name
        model = vehicles.build(name)
        vertices, triangles = model.mesh.triangles()
        hull = hull_points(model.mesh)
        views = {}
        with zipfile.ZipFile(target / f"{name}.zip.part", "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(folder.glob(f"{only}.png")):
                stem = path.stem
                views[stem] = json.loads((folder / f"{stem}.json").read_text())
                picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
                mask = cv2.imread(str(folder / f"{stem}.mask.png"))
                for suffix, image, q in (("webp", picture, quality), ("mask.webp", mask, 70)):
                    data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, q])[1].tobytes()
                    _store(archive, f"{stem}.{suffix}", data)
            description = {
                "name": name,
                "class_id": model.class_id,
                "share": model.share,
                "hull": np.round(hull, 3).tolist(),
                "lamps": [[lamp.x, lamp.y, lamp.z, int(lamp.head)] for lamp in model.lamps],
                "views": views,
                "shadow": _shadow_cells(vertices, triangles),
            }
            _store(archive, "model.json", json.dumps(description).encode())
        (target / f"{name}.zip.part").rename(target / f"{name}.zip")


def _store(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), data)


def _shadow_cells(vertices: np.ndarray, triangles: np.ndarray, cell: float = 0.1) -> list[list[int]]:
    """The solid as occupied 10 cm cells: what is needed to cast its shadow from any sun."""
    points = [vertices]
    corner = vertices[triangles]
    area = np.linalg.norm(np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]), axis=1) / 2
    rng = np.random.default_rng(0)
    count = np.ceil(area / (cell * cell) * 6).astype(int)
    index = np.repeat(np.arange(len(corner)), count)
    r = np.sort(rng.random((len(index), 2)), axis=1)
    weight = np.stack([r[:, 0], r[:, 1] - r[:, 0], 1 - r[:, 1]], 1)
    points.append(np.einsum("nk,nkd->nd", weight, corner[index]))
    cells = np.unique(np.floor(np.concatenate(points) / cell).astype(int), axis=0)
    return [[int(v) for v in c] for c in cells]
