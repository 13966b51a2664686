"""Views: the gates, zones and movements drawn on one camera's image, read from and written to YAML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from vision.errors import ViewError
from vision.view_parts import (
    Approach,
    Calibration,
    CalibrationPoint,
    Distortion,
    Fault,
    Gate,
    Movement,
    Part,
    Rectangle,
    Turn,
    Zone,
)

__all__ = [
    "Approach",
    "Calibration",
    "CalibrationPoint",
    "Distortion",
    "Gate",
    "Movement",
    "Rectangle",
    "Turn",
    "View",
    "Zone",
    "load_view",
    "save_view",
]


class View(Part):
    """Everything drawn on one camera's image.

    Coordinates are fractions of the picture's width and height, so that a substream or another
    resolution of the same camera uses the same view.
    """

    version: int = Field(1, ge=1, description="grows with every edit of this view")
    name: str = Field("", description="the camera or place")
    proposed: bool = Field(False, description="true while nobody has confirmed a proposal")
    approaches: list[Approach] = Field(
        default_factory=list, description="arms of the junction; where given, gates and zones name no other"
    )
    gates: list[Gate] = Field(min_length=1, description="at least one directed line")
    zones: list[Zone] = Field(default_factory=list, description="polygons")
    movements: list[Movement] = Field(default_factory=list, description="ordered pairs of gates")
    calibration: Calibration | None = Field(None, description="ground points, for speed and density")

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        for field, ids in (
            ("approaches", [approach.id for approach in self.approaches]),
            ("gates", [gate.id for gate in self.gates]),
            ("zones", [zone.id for zone in self.zones]),
            ("movements", [movement.id for movement in self.movements]),
        ):
            if (number := _repeated(ids)) is not None:
                raise Fault(f"two {field} are called {ids[number]!r}; rename one", field, number, "id")
        gate_ids = [gate.id for gate in self.gates]
        for number, movement in enumerate(self.movements):
            for key, end in (("from", movement.origin), ("to", movement.destination)):
                if end not in gate_ids:
                    known = ", ".join(gate_ids)
                    raise Fault(f"there is no gate {end!r}; gates: {known}", "movements", number, key)
        number = _repeated([(movement.origin, movement.destination) for movement in self.movements])
        if number is not None:
            raise Fault("two movements have the same pair of gates; keep one", "movements", number)
        for number, zone in enumerate(self.zones):
            if zone.stop_line is not None and zone.stop_line not in gate_ids:
                known = ", ".join(gate_ids)
                raise Fault(
                    f"there is no gate {zone.stop_line!r}; gates: {known}", "zones", number, "stop_line"
                )
        if self.approaches:
            self._refuse_unknown_approaches()
        return self

    def _refuse_unknown_approaches(self) -> None:
        known = [approach.id for approach in self.approaches]
        parts: tuple[tuple[str, Sequence[Gate | Zone]], ...] = (("gates", self.gates), ("zones", self.zones))
        for field, items in parts:
            for number, item in enumerate(items):
                if item.approach is not None and item.approach not in known:
                    raise Fault(
                        f"there is no approach {item.approach!r}; approaches: {', '.join(known)}",
                        *(field, number, "approach"),
                    )

    def stop_line(self, zone: Zone) -> Gate | None:
        """The gate where an approach zone's queue begins: the one it names, or its approach's only one."""
        if zone.stop_line is not None:
            return next(gate for gate in self.gates if gate.id == zone.stop_line)
        gates = [gate for gate in self.gates if zone.approach is not None and gate.approach == zone.approach]
        return gates[0] if len(gates) == 1 else None

    def gate_lines(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """The gates in pixels, ``float64[G, 2, 2]``, for a picture of ``size`` (width, height)."""
        return np.asarray([gate.line for gate in self.gates], np.float64) * np.asarray(size, np.float64)

    def polygons(self, kind: str, size: tuple[int, int]) -> list[NDArray[np.float64]]:
        """The zones of one kind in pixels, each ``float64[K, 2]``."""
        scale = np.asarray(size, np.float64)
        return [np.asarray(zone.polygon, np.float64) * scale for zone in self.zones if zone.kind == kind]


def _repeated(values: list[Any]) -> int | None:
    """Index of the first value that was there before."""
    return next((number for number, value in enumerate(values) if value in values[:number]), None)


def load_view(path: str | Path) -> View:
    """Read a view from a YAML file.

    Raises:
        ViewError: the file is missing, is not YAML, or a field is wrong; the message names file,
            line and field.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise ViewError(
            f"cannot read the view {path}: {reason}; give the path of a view's YAML file"
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}:" if mark else ""
        problem = getattr(error, "problem", None) or "not valid YAML"
        raise ViewError(f"{path}:{where} {problem}; correct the YAML there") from None
    except RecursionError:
        raise ViewError(f"{path}: lists are nested too deeply; write the view anew") from None
    if not isinstance(node, yaml.MappingNode):
        raise ViewError(f"{path}: line 1: gates: they are missing; a view begins with a list of gates")
    try:
        _refuse_repeated_fields(path, node)
        return View.model_validate(data)
    except RecursionError:
        raise ViewError(f"{path}: a part of the view contains itself; write it out instead") from None
    except ValidationError as error:
        raise ViewError(_explain(path, node, error)) from None


def save_view(view: View, path: str | Path, heading: str = "") -> None:
    """Write a view as YAML, points on one line each, with an optional comment at the top.

    Raises:
        ViewError: the file cannot be written.
    """
    data = view.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    data = {"version": view.version, **data}
    text = yaml.dump(data, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=110)
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    try:
        Path(path).write_text(comment + text, encoding="utf-8")
    except OSError as error:
        raise ViewError(f"cannot write {path}: {error.strerror}; choose another folder") from None


_PROBLEMS = {
    "extra_forbidden": "there is no such field; correct its name or remove it",
    "missing": "it is missing; add it",
}
"""Plainer words for some of pydantic's."""


class _PlainDumper(yaml.SafeDumper):
    """Writes lists of numbers in one line, everything else in blocks."""


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    def flat(value: Any) -> bool:
        return isinstance(value, int | float) or (isinstance(value, list) and all(map(flat, value)))

    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=all(map(flat, data)))


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{value:.9f}".rstrip("0").ljust(3, "0"))


_PlainDumper.add_representer(list, _represent_list)
_PlainDumper.add_representer(float, _represent_float)


def _explain(path: Path, root: yaml.Node | None, error: ValidationError) -> str:
    """The first fault of a view as one sentence with file, line and field."""
    # A misspelt field is told as that, not as the missing one it was meant to be.
    fault = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
    cause = fault.get("ctx", {}).get("error")
    location = tuple(step for step in fault["loc"] if step != "[key]")
    location += cause.location if isinstance(cause, Fault) else ()
    field = ".".join(str(step) for step in location) or "view"
    problem = _PROBLEMS.get(fault["type"], str(fault["msg"]).removeprefix("Value error, "))
    if fault.get("ctx", {}).get("ge") == -0.5 or fault.get("ctx", {}).get("le") == 1.5:
        problem = "coordinates are shares of the picture's width or height, 0 to 1, not pixels"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{path}: line {_line_of(root, location)}: {field}: {problem}{more}"


def _refuse_repeated_fields(path: Path, node: yaml.Node) -> None:
    """YAML itself would keep the last of two lists of gates and drop the first without a word."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_fields(path, item)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                raise ViewError(
                    f"{path}: line {key.start_mark.line + 1}: {key.value}: it is there twice; keep one"
                )
            seen.add(key.value)
            _refuse_repeated_fields(path, value)


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the YAML node that a path of keys leads to, or of its nearest parent."""
    line = 1 if node is None else node.start_mark.line + 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == str(step)]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
