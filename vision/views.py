"""Views: the gates, zones and movements drawn on one camera's image, read from and written to YAML."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vision.errors import ViewError
from vision.geometry import is_simple_polygon

Fraction = Annotated[float, Field(ge=-0.5, le=1.5, description="share of the picture's width or height")]
Point = tuple[Fraction, Fraction]
Identifier = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
        description="letters, digits, _ and -",
    ),
]
Turn = Literal["left", "through", "right", "u_turn"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gate(_Part):
    """A directed line on the image; passing it from its left to its right is ``in``."""

    id: Identifier = Field(description="name used in tables and files")
    name: str = Field("", description="what it is, in words")
    line: tuple[Point, Point] = Field(description="first and second end")
    approach: str | None = Field(None, description="the approach (arm of the junction) that it closes off")

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.line[0] == self.line[1]:
            raise ValueError("the two ends of the line are the same point")
        return self


class Zone(_Part):
    """A polygon on the image."""

    id: Identifier = Field(description="name used in tables and files")
    kind: Literal["roi", "approach", "no_stop"] = Field(
        description="roi: what is inside is followed; approach: its visible stretch; no_stop: no standing"
    )
    polygon: Annotated[list[Point], Field(min_length=3, description="corners in order, not closed")]
    approach: str | None = Field(None, description="the approach (arm of the junction) it belongs to")

    @model_validator(mode="after")
    def _is_simple(self) -> Self:
        if not is_simple_polygon(np.asarray(self.polygon)):
            raise ValueError("the polygon crosses itself or has no area; give its corners in order around it")
        return self


class Movement(_Part):
    """An ordered pair of gates: entered by one, left by another."""

    id: Identifier = Field(description="name used in tables and files")
    origin: Identifier = Field(alias="from", description="gate crossed `in`")
    destination: Identifier = Field(alias="to", description="gate crossed `out`")
    turn: Turn = Field(description="left, through, right or u_turn")

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class CalibrationPoint(_Part):
    """One point of the road known both on the image and on the ground."""

    image: Point = Field(description="fractions of width and height")
    ground: tuple[float, float] = Field(description="metres east and north of a local origin")


class Calibration(_Part):
    """What is known of the ground; optional."""

    points: Annotated[list[CalibrationPoint], Field(min_length=4, description="four or more")]


class View(_Part):
    """Everything drawn on one camera's image.

    Coordinates are fractions of the picture's width and height, so that a substream or another
    resolution of the same camera uses the same view.
    """

    version: int = Field(1, ge=1, description="grows with every edit of this view")
    name: str = Field("", description="the camera or place")
    proposed: bool = Field(False, description="true while nobody has confirmed a proposal")
    gates: list[Gate] = Field(min_length=1, description="at least one directed line")
    zones: list[Zone] = Field(default_factory=list, description="polygons")
    movements: list[Movement] = Field(default_factory=list, description="ordered pairs of gates")
    calibration: Calibration | None = Field(None, description="ground points, for speed and density")

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        for kind, ids in (
            ("gate", [gate.id for gate in self.gates]),
            ("zone", [zone.id for zone in self.zones]),
            ("movement", [movement.id for movement in self.movements]),
        ):
            twice = {name for name in ids if ids.count(name) > 1}
            if twice:
                raise ValueError(f"two {kind}s are called {sorted(twice)[0]!r}; rename one")
        gate_ids = {gate.id for gate in self.gates}
        for movement in self.movements:
            for end in (movement.origin, movement.destination):
                if end not in gate_ids:
                    known = ", ".join(sorted(gate_ids))
                    raise ValueError(
                        f"movement {movement.id!r} names a gate {end!r} that is not there; gates: {known}"
                    )
        pairs = [(movement.origin, movement.destination) for movement in self.movements]
        if len(set(pairs)) < len(pairs):
            raise ValueError("two movements have the same pair of gates; keep one")
        return self

    def gate_lines(self, size: tuple[int, int]) -> NDArray[np.float64]:
        """The gates in pixels, ``float64[G, 2, 2]``, for a picture of ``size`` (width, height)."""
        return np.asarray([gate.line for gate in self.gates], np.float64) * np.asarray(size, np.float64)

    def polygons(self, kind: str, size: tuple[int, int]) -> list[NDArray[np.float64]]:
        """The zones of one kind in pixels, each ``float64[K, 2]``."""
        scale = np.asarray(size, np.float64)
        return [np.asarray(zone.polygon, np.float64) * scale for zone in self.zones if zone.kind == kind]


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
    try:
        return View.model_validate(data)
    except ValidationError as error:
        raise ViewError(_explain(path, node, error)) from None


def save_view(view: View, path: str | Path, heading: str = "") -> None:
    """Write a view as YAML, points on one line each, with an optional comment at the top."""
    data = view.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    data = {"version": view.version, **data}
    text = yaml.dump(data, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=110)
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    Path(path).write_text(comment + text, encoding="utf-8")


class _PlainDumper(yaml.SafeDumper):
    """Writes lists of numbers in one line, everything else in blocks."""


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    def flat(value: Any) -> bool:
        return isinstance(value, int | float) or (isinstance(value, list) and all(map(flat, value)))

    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=all(map(flat, data)))


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{value:.4f}".rstrip("0").ljust(3, "0"))


_PlainDumper.add_representer(list, _represent_list)
_PlainDumper.add_representer(float, _represent_float)


def _explain(path: Path, root: yaml.Node | None, error: ValidationError) -> str:
    """The first fault of a view as one sentence with file, line and field."""
    fault = error.errors()[0]
    location = fault["loc"]
    field = ".".join(str(step) for step in location) or "view"
    problem = str(fault["msg"]).removeprefix("Value error, ")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    return f"{path}: line {_line_of(root, location)}: {field}: {problem}{more}"


def _line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line of the YAML node that a path of keys leads to, or of its nearest parent."""
    line = 1 if node is None else node.start_mark.line + 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line
