"""Renders the empty street of a camera in one light, and the depth of what hides vehicles (needs bpy)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
from numpy.typing import NDArray

from . import blender, furniture, town
from .built import Sign
from .camera import Camera
from .shapes import Mesh


@dataclass(frozen=True, slots=True)
class Sky:
    """The light of a plate."""

    sun: tuple[float, float, float]  # elevation, strength, size in degrees
    sun_colour: tuple[float, float, float]
    zenith: tuple[float, float, float]
    horizon: tuple[float, float, float]
    strength: float
    wet: float = 0.0
    night: float = 0.0
    exposure: float = 0.0


_GRID, _CELL = 240, 0.5  # the map of sunlight: cells of half a metre about the centre

SKIES = {
    "day": Sky(
        (55, 2.9, 0.6), (1.0, 0.96, 0.90), (0.34, 0.46, 0.66), (0.60, 0.68, 0.78), 1.30, exposure=0.28
    ),
    "overcast": Sky((52, 0.25, 40), (1, 1, 1), (0.62, 0.66, 0.70), (0.75, 0.77, 0.78), 1.15),
    "rain": Sky((52, 0.1, 40), (1, 1, 1), (0.42, 0.45, 0.48), (0.52, 0.54, 0.55), 0.95, wet=1.0, night=0.12),
    "dusk": Sky(
        (4, 0.10, 20), (1, 0.6, 0.4), (0.15, 0.19, 0.32), (0.50, 0.37, 0.32), 1.0, night=1.0, exposure=0.55
    ),
}


def render_plate(
    camera: Camera,
    light: str,
    sun_azimuth: float,
    folder: Path,
    samples: int,
    threads: int = 2,
    seed: int = 3,
) -> None:
    """Write `plate.webp` (pinhole), `occluders.png` (pinhole, twice the size) and `lit.png` to a folder."""
    sky = SKIES[light]
    folder.mkdir(parents=True, exist_ok=True)
    scene = blender.reset(samples, threads)
    scene.cycles.max_bounces = 6
    built = town.build(seed)
    wet, night = sky.wet, sky.night
    cache: dict[str, Any] = {}

    def material(name: str) -> Any:
        if name not in cache:
            cache[name] = _material(name, wet, night)
        return cache[name]

    blender.to_object(built.ground, "ground", material)
    hiding = [
        blender.to_object(built.houses, "houses", material),
        blender.to_object(built.furniture, "furniture", material),
    ]
    for kind in range(3):
        wood, leaves = furniture.tree(kind)
        first = blender.to_object(_joined(wood, leaves), f"tree{kind}", material)
        px, py, _ = camera.position  # no crown right before the lens
        places = [t for t in built.trees if t[4] == kind and np.hypot(t[0] - px, t[1] - py) > 13]
        for i, (x, y, scale, turn, _) in enumerate(places):
            item = first if i == 0 else bpy.data.objects.new(f"tree{kind}_{i}", first.data)
            if i:
                scene.collection.objects.link(item)
            item.location, item.rotation_euler, item.scale = (x, y, 0.1), (0, 0, turn), (scale, scale, scale)
            hiding.append(item)
    for sign in built.signs:
        _lettering(sign, night)
    elevation, strength, size = sky.sun
    blender.sun(elevation, sun_azimuth, strength, size, sky.sun_colour)
    blender.sky(sky.zenith, sky.horizon, (0.15, 0.15, 0.15), sky.strength)
    if night > 0.5:
        for x, y, z in built.lamps:
            _spot((x, y, z), (1.0, 0.78, 0.5), 900.0)
        for x, y, z, facing in built.shops:
            if np.hypot(x, y) < 95:
                _area((x, y, z), facing, (1.0, 0.85, 0.65), 55.0)
    wide, high = camera.pinhole_size()
    eye = blender.camera(wide, high, camera.focal)
    _aim(eye, camera)
    scene.render.image_settings.color_mode = "RGB"
    scene.view_settings.exposure = sky.exposure
    blender.render(folder / "part.png")
    lit = _sunlight(scene, elevation, sun_azimuth) if strength > 1 else np.ones((_GRID, _GRID), np.float32)
    depth = _depth(scene, hiding, wide * 2, high * 2, folder)
    cv2.imwrite(str(folder / "occluders.png"), _packed(depth))
    cv2.imwrite(str(folder / "lit.png"), np.round(lit * 255).astype(np.uint8))
    picture = cv2.imread(str(folder / "part.png"))
    cv2.imwrite(str(folder / "part.webp"), picture, [cv2.IMWRITE_WEBP_QUALITY, 96])
    (folder / "part.png").unlink()
    (folder / "part.webp").rename(folder / "plate.webp")


def _packed(depth: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Depth in a byte, finer near by: 255 is nothing, else 40 log2(1 + metres / 4)."""
    with np.errstate(invalid="ignore"):
        code = np.round(40.0 * np.log2(1.0 + depth / 4.0))
    return np.where(np.isfinite(depth), np.minimum(code, 254), 255).astype(np.uint8)


def _sunlight(scene: Any, elevation: float, azimuth: float) -> NDArray[np.float32]:
    """Which cells of the ground (1 m up) the sun reaches."""
    from mathutils import Vector  # type: ignore[import-not-found,unused-ignore]

    e, a = np.radians([elevation, azimuth])
    direction = Vector((np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)))
    graph = bpy.context.evaluated_depsgraph_get()
    lit = np.ones((_GRID, _GRID), np.float32)
    for i in range(_GRID):
        for j in range(_GRID):
            at = Vector(((j - _GRID / 2 + 0.5) * _CELL, (i - _GRID / 2 + 0.5) * _CELL, 1.0))
            if scene.ray_cast(graph, at, direction)[0]:
                lit[i, j] = 0.0
    return np.asarray(cv2.GaussianBlur(lit, (0, 0), 1.0), np.float32)


def _joined(*meshes: Mesh) -> Mesh:
    m = Mesh()
    for other in meshes:
        m.parts.extend(other.parts)
    return m


def _aim(eye: Any, camera: Camera) -> None:
    from mathutils import Matrix  # type: ignore[import-not-found,unused-ignore]

    right, down, forward = camera.axes()
    rotation = Matrix(np.column_stack([right, -down, -forward]).tolist()).to_4x4()
    eye.matrix_world = Matrix.Translation(camera.position) @ rotation


def _depth(scene: Any, hiding: list[Any], wide: int, high: int, folder: Path) -> NDArray[np.float32]:
    for item in scene.objects:
        if item.type in ("MESH", "FONT"):
            item.hide_render = item not in hiding
    scene.render.resolution_x, scene.render.resolution_y = wide, high
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.max_bounces = 1, False, 0
    scene.cycles.use_adaptive_sampling = False
    scene.view_layers[0].use_pass_z = True
    scene.render.film_transparent = True
    scene.use_nodes = True
    tree = scene.node_tree
    tree.nodes.clear()
    source = tree.nodes.new("CompositorNodeRLayers")
    out = tree.nodes.new("CompositorNodeOutputFile")
    out.base_path = str(folder)
    out.format.file_format = "OPEN_EXR"
    out.format.color_depth = "32"
    out.file_slots[0].path = "depth_"
    tree.links.new(source.outputs["Depth"], out.inputs[0])
    bpy.ops.render.render(write_still=False)
    path = folder / "depth_0001.exr"
    image = bpy.data.images.load(str(path))
    pixels = np.empty(wide * high * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    depth = pixels.reshape(high, wide, image.channels)[::-1, :, 0]
    path.unlink()
    return np.where(depth > 5000, np.inf, depth).astype(np.float32)


# ------------------------------------------------------------------ materials and lights

_PLAIN = {
    "kerb": ((0.33, 0.32, 0.30), 0.8),
    "kerb_red": ((0.42, 0.06, 0.05), 0.7),
    "kerb_white": ((0.55, 0.55, 0.53), 0.7),
    "concrete": ((0.36, 0.35, 0.33), 0.85),
    "steel": ((0.45, 0.46, 0.47), 0.45),
    "wire": ((0.012, 0.012, 0.012), 0.7),
    "signal_pole": ((0.38, 0.38, 0.36), 0.6),
    "black": ((0.012, 0.012, 0.012), 0.6),
    "lens": ((0.02, 0.015, 0.012), 0.25),
    "manhole": ((0.05, 0.045, 0.04), 0.6),
    "earth_bed": ((0.12, 0.08, 0.05), 1.0),
    "plant": ((0.04, 0.11, 0.03), 0.8),
    "bark": ((0.12, 0.09, 0.065), 0.95),
    "leaf0": ((0.055, 0.12, 0.025), 0.7),
    "leaf1": ((0.045, 0.10, 0.03), 0.7),
    "leaf2": ((0.085, 0.14, 0.025), 0.7),
    "patch_dark": ((0.095, 0.094, 0.093), 0.85),
    "patch_light": ((0.165, 0.16, 0.152), 0.9),
}


def _material(name: str, wet: float, night: float) -> Any:
    if name.startswith("c:"):
        _, rgb, roughness = name.split(":")
        r, g, b = (float(v) for v in rgb.split(","))
        return _noisy(name, (r, g, b), float(roughness), 0.35, 0.22, wet=0.0)
    if name == "asphalt":
        return _asphalt(wet)
    if name in ("mark_white", "mark_yellow"):
        base = (0.58, 0.58, 0.56) if name == "mark_white" else (0.55, 0.38, 0.06)
        return _worn(name, base, wet)
    if name == "pavement":
        return _tiles(wet)
    if name == "window":
        material = blender.principled(name, (0.02, 0.028, 0.032), 0.08, 0.0, 0.5)
        if night > 0.5:
            shader = material.node_tree.nodes["Principled BSDF"]
            shader.inputs["Emission Color"].default_value = (1.0, 0.72, 0.4, 1)
            shader.inputs["Emission Strength"].default_value = 0.10
        return material
    if name == "shop_dark":
        material = blender.principled(name, (0.035, 0.032, 0.03), 0.8)
        if night > 0:
            shader = material.node_tree.nodes["Principled BSDF"]
            shader.inputs["Emission Color"].default_value = (1.0, 0.82, 0.58, 1)
            shader.inputs["Emission Strength"].default_value = 0.9 * night
        return material
    if name == "lamp_head":
        material = blender.principled(name, (0.6, 0.6, 0.6), 0.4)
        if night > 0.5:
            shader = material.node_tree.nodes["Principled BSDF"]
            shader.inputs["Emission Color"].default_value = (1.0, 0.8, 0.5, 1)
            shader.inputs["Emission Strength"].default_value = 14.0
        return material
    rgb3, rough = _PLAIN[name]
    if name.startswith(("leaf", "plant")):
        material = blender.principled(name, rgb3, rough)
        shader = material.node_tree.nodes["Principled BSDF"]
        shader.inputs["Subsurface Weight"].default_value = 0.0
        return material
    return _noisy(name, rgb3, rough, 0.3, 0.5, wet if name.startswith(("patch", "kerb", "manhole")) else 0.0)


def _nodes(material: Any) -> tuple[Any, Any, Any]:
    tree = material.node_tree
    return tree.nodes, tree.links, tree.nodes["Principled BSDF"]


def _noise(
    nodes: Any, links: Any, scale: float, detail: float = 6.0, stretch: tuple[float, float, float] = (1, 1, 1)
) -> Any:
    geometry = nodes.new("ShaderNodeNewGeometry")
    mapping = nodes.new("ShaderNodeMapping")
    mapping.inputs["Scale"].default_value = stretch
    texture = nodes.new("ShaderNodeTexNoise")
    texture.inputs["Scale"].default_value = scale
    texture.inputs["Detail"].default_value = detail
    links.new(geometry.outputs["Position"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    return texture


def _ramp(
    nodes: Any, links: Any, source: Any, low: float, high: float, a: tuple[float, ...], b: tuple[float, ...]
) -> Any:
    ramp = nodes.new("ShaderNodeValToRGB")
    e = ramp.color_ramp.elements
    e[0].position, e[0].color = low, (*a, 1)
    e[1].position, e[1].color = high, (*b, 1)
    links.new(source, ramp.inputs["Fac"])
    return ramp


def _multiply(nodes: Any, links: Any, a: Any, b: Any) -> Any:
    mix = nodes.new("ShaderNodeMix")
    mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
    mix.inputs["Factor"].default_value = 1.0
    links.new(a, mix.inputs["A"])
    links.new(b, mix.inputs["B"])
    return mix.outputs["Result"]


def _noisy(
    name: str, rgb: tuple[float, float, float], roughness: float, scale: float, depth: float, wet: float
) -> Any:
    material = blender.principled(name, rgb, roughness * (1 - 0.6 * wet))
    nodes, links, shader = _nodes(material)
    dark = tuple(v * (1 - depth) * (1 - 0.35 * wet) for v in rgb)
    light = tuple(min(1.0, v * (1 + depth * 0.5)) * (1 - 0.35 * wet) for v in rgb)
    big = _noise(nodes, links, scale, 5.0, (1, 1, 0.35))
    ramp = _ramp(nodes, links, big.outputs["Fac"], 0.3, 0.7, dark, light)
    fine = _noise(nodes, links, scale * 14, 4.0)
    grain = _ramp(nodes, links, fine.outputs["Fac"], 0.25, 0.75, (0.86, 0.86, 0.86), (1.0, 1.0, 1.0))
    links.new(
        _multiply(nodes, links, ramp.outputs["Color"], grain.outputs["Color"]), shader.inputs["Base Color"]
    )
    return material


def _asphalt(wet: float) -> Any:
    material = blender.principled("asphalt", (0.12, 0.12, 0.12), 0.9)
    nodes, links, shader = _nodes(material)
    k = 1 - 0.45 * wet
    big = _noise(nodes, links, 0.06, 6.0)
    base = _ramp(
        nodes,
        links,
        big.outputs["Fac"],
        0.3,
        0.72,
        (0.115 * k, 0.113 * k, 0.110 * k),
        (0.190 * k, 0.186 * k, 0.178 * k),
    )
    stains = _noise(nodes, links, 0.45, 8.0)
    spots = _ramp(nodes, links, stains.outputs["Fac"], 0.36, 0.60, (0.62, 0.62, 0.62), (1, 1, 1))
    grain = _noise(nodes, links, 18.0, 3.0)
    fine = _ramp(nodes, links, grain.outputs["Fac"], 0.25, 0.8, (0.80, 0.80, 0.80), (1.06, 1.05, 1.04))
    colour = _multiply(nodes, links, base.outputs["Color"], spots.outputs["Color"])
    colour = _multiply(nodes, links, colour, fine.outputs["Color"])
    crack = nodes.new("ShaderNodeTexVoronoi")
    crack.feature = "DISTANCE_TO_EDGE"
    crack.inputs["Scale"].default_value = 0.45
    warp = _noise(nodes, links, 0.8, 5.0)
    geometry = nodes.new("ShaderNodeNewGeometry")
    add = nodes.new("ShaderNodeVectorMath")
    add.operation = "ADD"
    links.new(geometry.outputs["Position"], add.inputs[0])
    links.new(warp.outputs["Color"], add.inputs[1])
    links.new(add.outputs[0], crack.inputs["Vector"])
    lines = _ramp(nodes, links, crack.outputs["Distance"], 0.0, 0.006, (0.68, 0.68, 0.68), (1, 1, 1))
    where = _noise(nodes, links, 0.05, 2.0)
    some = _ramp(nodes, links, where.outputs["Fac"], 0.50, 0.60, (1, 1, 1), (0, 0, 0))
    light = nodes.new("ShaderNodeMix")
    light.data_type, light.blend_type = "RGBA", "LIGHTEN"
    light.inputs["Factor"].default_value = 1.0
    links.new(lines.outputs["Color"], light.inputs["A"])
    links.new(some.outputs["Color"], light.inputs["B"])
    colour = _multiply(nodes, links, colour, light.outputs["Result"])
    links.new(colour, shader.inputs["Base Color"])
    if wet:
        puddle = _noise(nodes, links, 0.16, 3.0)
        rough = _ramp(nodes, links, puddle.outputs["Fac"], 0.42, 0.66, (0.14, 0.14, 0.14), (0.42, 0.42, 0.42))
        links.new(rough.outputs["Color"], shader.inputs["Roughness"])
        shader.inputs["Specular IOR Level"].default_value = 0.6
    return material


def _worn(name: str, rgb: tuple[float, float, float], wet: float) -> Any:
    material = blender.principled(name, rgb, 0.7 - 0.3 * wet)
    nodes, links, shader = _nodes(material)
    noise = _noise(nodes, links, 2.6, 9.0)
    ramp = _ramp(
        nodes,
        links,
        noise.outputs["Fac"],
        0.34,
        0.52,
        (0.14, 0.14, 0.135),
        tuple(v * (1 - 0.25 * wet) for v in rgb),
    )
    dirt = _noise(nodes, links, 0.35, 4.0)
    soil = _ramp(nodes, links, dirt.outputs["Fac"], 0.3, 0.65, (0.62, 0.61, 0.60), (1, 1, 1))
    links.new(
        _multiply(nodes, links, ramp.outputs["Color"], soil.outputs["Color"]), shader.inputs["Base Color"]
    )
    return material


def _tiles(wet: float) -> Any:
    material = blender.principled("pavement", (0.3, 0.28, 0.26), 0.85 - 0.4 * wet)
    nodes, links, shader = _nodes(material)
    geometry = nodes.new("ShaderNodeNewGeometry")
    brick = nodes.new("ShaderNodeTexBrick")
    brick.inputs["Scale"].default_value = 1.0
    brick.inputs["Brick Width"].default_value, brick.inputs["Row Height"].default_value = 0.4, 0.4
    brick.inputs["Mortar Size"].default_value = 0.015
    k = 1 - 0.3 * wet
    brick.inputs["Color1"].default_value = (0.30 * k, 0.25 * k, 0.22 * k, 1)
    brick.inputs["Color2"].default_value = (0.24 * k, 0.21 * k, 0.19 * k, 1)
    brick.inputs["Mortar"].default_value = (0.16 * k, 0.15 * k, 0.14 * k, 1)
    links.new(geometry.outputs["Position"], brick.inputs["Vector"])
    stain = _noise(nodes, links, 0.3, 7.0)
    soil = _ramp(nodes, links, stain.outputs["Fac"], 0.32, 0.66, (0.62, 0.62, 0.61), (1.05, 1.05, 1.03))
    links.new(
        _multiply(nodes, links, brick.outputs["Color"], soil.outputs["Color"]), shader.inputs["Base Color"]
    )
    return material


def _font() -> Any:
    for path in ("/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",):
        if Path(path).exists():
            return bpy.data.fonts.load(path, check_existing=True)
    return None


def _lettering(sign: Sign, night: float) -> None:
    data = bpy.data.curves.new("sign", "FONT")
    data.body = sign.text
    font = _font()
    if font is not None:
        data.font = font
    data.align_x, data.align_y = "CENTER", "CENTER"
    data.size = min(sign.height * 1.3, 1.35 * sign.width / max(len(sign.text), 3))
    data.extrude = 0.01
    key = f"ink{sign.colour}"
    if key not in bpy.data.materials:
        material = blender.principled(key, sign.colour, 0.6)
        if night > 0.5:
            shader = material.node_tree.nodes["Principled BSDF"]
            shader.inputs["Emission Color"].default_value = (*sign.colour, 1)
            shader.inputs["Emission Strength"].default_value = 0.8
    data.materials.append(bpy.data.materials[key])
    item = bpy.data.objects.new("sign", data)
    item.location = sign.at
    item.rotation_euler = (np.pi / 2, 0, sign.facing + np.pi / 2)
    bpy.context.scene.collection.objects.link(item)


def _spot(at: tuple[float, float, float], rgb: tuple[float, float, float], power: float) -> None:
    light = bpy.data.lights.new("lamp", "SPOT")
    light.energy, light.color = power, rgb
    light.spot_size, light.spot_blend, light.shadow_soft_size = np.radians(150), 0.6, 0.15
    item = bpy.data.objects.new("lamp", light)
    item.location = at
    bpy.context.scene.collection.objects.link(item)


def _area(
    at: tuple[float, float, float], facing: float, rgb: tuple[float, float, float], power: float
) -> None:
    light = bpy.data.lights.new("shop", "AREA")
    light.energy, light.color, light.size = power, rgb, 2.5
    item = bpy.data.objects.new("shop", light)
    item.location = at
    item.rotation_euler = (np.radians(65), 0, facing + np.pi / 2)
    bpy.context.scene.collection.objects.link(item)
