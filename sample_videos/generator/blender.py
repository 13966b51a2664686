"""What the two Blender steps share: scene, materials, numpy meshes as Blender objects (needs bpy)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .shapes import Mesh

# name: colour (linear RGB), roughness, metallic, coat, mask channel (0..2) or -1
MATERIALS: dict[str, tuple[tuple[float, float, float], float, float, float, int]] = {
    "paint1": ((0.62, 0.62, 0.62), 0.32, 0.0, 0.8, 0),
    "paint2": ((0.62, 0.62, 0.62), 0.75, 0.0, 0.0, 1),
    "paint3": ((0.62, 0.62, 0.62), 0.30, 0.0, 0.5, 2),
    "tyre": ((0.018, 0.018, 0.018), 0.85, 0.0, 0.0, -1),
    "rim": ((0.55, 0.55, 0.57), 0.30, 0.9, 0.0, -1),
    "rim_dark": ((0.05, 0.05, 0.05), 0.6, 0.0, 0.0, -1),
    "metal": ((0.22, 0.22, 0.23), 0.45, 0.7, 0.0, -1),
    "chrome": ((0.7, 0.7, 0.7), 0.15, 1.0, 0.0, -1),
    "black": ((0.016, 0.016, 0.017), 0.5, 0.0, 0.0, -1),
    "seat": ((0.02, 0.02, 0.022), 0.6, 0.0, 0.0, -1),
    "glass": ((0.012, 0.016, 0.018), 0.06, 0.0, 1.0, -1),
    "headlamp": ((0.80, 0.82, 0.85), 0.10, 0.3, 1.0, -1),
    "taillamp": ((0.42, 0.012, 0.010), 0.20, 0.0, 1.0, -1),
    "amber": ((0.8, 0.25, 0.02), 0.3, 0.0, 0.5, -1),
    "plate": ((0.80, 0.80, 0.78), 0.5, 0.0, 0.0, -1),
    "white": ((0.75, 0.75, 0.74), 0.4, 0.0, 0.0, -1),
    "led": ((0.10, 0.03, 0.01), 0.4, 0.0, 0.0, -1),
    "sign_yellow": ((0.85, 0.60, 0.05), 0.4, 0.0, 0.0, -1),
    "skin": ((0.42, 0.22, 0.14), 0.6, 0.0, 0.0, -1),
    "hair": ((0.012, 0.010, 0.010), 0.6, 0.0, 0.0, -1),
    "mask": ((0.45, 0.55, 0.65), 0.8, 0.0, 0.0, -1),
    "trousers": ((0.035, 0.04, 0.06), 0.9, 0.0, 0.0, -1),
    "shoe": ((0.06, 0.045, 0.04), 0.7, 0.0, 0.0, -1),
    "cloth_b": ((0.55, 0.22, 0.28), 0.9, 0.0, 0.0, -1),
    "cloth_c": ((0.10, 0.09, 0.08), 0.9, 0.0, 0.0, -1),
    "cloth_d": ((0.65, 0.5, 0.1), 0.9, 0.0, 0.0, -1),
    "canvas": ((0.10, 0.20, 0.14), 0.9, 0.0, 0.0, -1),
    "carton": ((0.42, 0.28, 0.15), 0.9, 0.0, 0.0, -1),
    "earth": ((0.22, 0.13, 0.07), 1.0, 0.0, 0.0, -1),
    "straw": ((0.62, 0.48, 0.25), 0.8, 0.0, 0.0, -1),
    "wicker": ((0.30, 0.20, 0.10), 0.9, 0.0, 0.0, -1),
}


def reset(samples: int, threads: int = 0) -> bpy.types.Scene:
    """Empty the file and set Cycles up."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = True
    scene.cycles.adaptive_threshold = 0.03
    scene.cycles.use_denoising = True
    scene.cycles.denoiser = "OPENIMAGEDENOISE"
    scene.cycles.max_bounces = 5
    scene.cycles.seed = 7
    scene.cycles.sample_clamp_indirect = 4.0
    scene.render.use_persistent_data = True
    if threads:
        scene.render.threads_mode = "FIXED"
        scene.render.threads = threads
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.resolution_percentage = 100
    return scene


def principled(
    name: str, colour: tuple[float, float, float], roughness: float, metallic: float = 0.0, coat: float = 0.0
) -> bpy.types.Material:
    """Make a plain material."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    shader.inputs["Coat Weight"].default_value = coat
    return material


def vehicle_material(name: str) -> bpy.types.Material:
    """Return (making it once) a vehicle material that also writes the repaint mask."""
    if name in bpy.data.materials:
        return bpy.data.materials[name]
    colour, roughness, metallic, coat, channel = MATERIALS[name]
    material = principled(name, colour, roughness, metallic, coat)
    tree = material.node_tree
    aov = tree.nodes.new("ShaderNodeOutputAOV")
    aov.aov_name = "repaint"
    mask = [0.0, 0.0, 0.0]
    if channel >= 0:
        mask[channel] = 1.0
    aov.inputs["Color"].default_value = (*mask, 1.0)
    return material


def to_object(mesh: Mesh, name: str, material: Any = vehicle_material) -> bpy.types.Object:
    """Turn a mesh of parts into one Blender object."""
    data = bpy.data.meshes.new(name)
    vertices: list[np.ndarray] = []
    faces: list[tuple[int, ...]] = []
    slots: dict[str, int] = {}
    index: list[int] = []
    smooth: list[bool] = []
    base = 0
    for part in mesh.parts:
        slot = slots.setdefault(part.material, len(slots))
        vertices.append(part.vertices)
        faces.extend(tuple(base + i for i in f) for f in part.faces)
        index.extend([slot] * len(part.faces))
        smooth.extend([part.smooth and len(f) <= 4 for f in part.faces])
        base += len(part.vertices)
    data.from_pydata(np.concatenate(vertices).tolist(), [], faces)
    for key in slots:
        data.materials.append(material(key))
    data.polygons.foreach_set("material_index", index)
    data.polygons.foreach_set("use_smooth", smooth)
    data.update()
    item = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(item)
    return item


def sun(
    elevation: float, azimuth: float, strength: float, size: float, colour: tuple[float, float, float]
) -> Any:
    """Add a sun that shines from `azimuth` (degrees, counter-clockwise from +x) and `elevation`."""
    light = bpy.data.lights.new("sun", "SUN")
    light.energy, light.angle, light.color = strength, np.radians(size), colour
    item = bpy.data.objects.new("sun", light)
    item.rotation_euler = (0.0, np.radians(90 - elevation), np.radians(azimuth))
    bpy.context.scene.collection.objects.link(item)
    return item


def sky(
    zenith: tuple[float, float, float],
    horizon: tuple[float, float, float],
    ground: tuple[float, float, float],
    strength: float,
) -> None:
    """Fill the world with a gradient sky."""
    world = bpy.data.worlds.new("sky")
    bpy.context.scene.world = world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    coordinates = nodes.new("ShaderNodeTexCoord")
    split = nodes.new("ShaderNodeSeparateXYZ")
    remap = nodes.new("ShaderNodeMapRange")
    remap.inputs["From Min"].default_value, remap.inputs["From Max"].default_value = -1.0, 1.0
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.elements[0].position, ramp.color_ramp.elements[0].color = 0.46, (*ground, 1)
    ramp.color_ramp.elements[1].position, ramp.color_ramp.elements[1].color = 1.0, (*zenith, 1)
    middle = ramp.color_ramp.elements.new(0.505)
    middle.color = (*horizon, 1)
    links.new(coordinates.outputs["Generated"], split.inputs[0])
    links.new(split.outputs["Z"], remap.inputs["Value"])
    links.new(remap.outputs["Result"], ramp.inputs["Fac"])
    links.new(ramp.outputs["Color"], nodes["Background"].inputs["Color"])
    nodes["Background"].inputs["Strength"].default_value = strength


def camera(width: int, height: int, focal: float, clip: float = 2000.0) -> bpy.types.Object:
    """Add a pinhole camera with the focal length in pixels and make it the active one."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = width, height
    data = bpy.data.cameras.new("camera")
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = 36.0
    data.lens = focal / width * 36.0
    data.clip_start, data.clip_end = 0.1, clip
    item = bpy.data.objects.new("camera", data)
    scene.collection.objects.link(item)
    scene.camera = item
    return item


def render(path: Path) -> None:
    """Render the scene to a PNG."""
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
