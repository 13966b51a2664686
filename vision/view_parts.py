"""The parts of a view: approaches, gates, zones, movements and what is known of the ground."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from vision.geometry import is_simple_polygon


def _as_saved(share: float) -> float:
    """Five decimals, 0.02 pixels of a wide picture: what is in memory is what a file holds."""
    return round(share, 5)


Fraction = Annotated[
    float,
    Field(ge=-0.5, le=1.5, description="share of the picture's width or height"),
    AfterValidator(_as_saved),
]
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
Longitude = Annotated[float, Field(ge=-180, le=180, description="degrees east")]
Latitude = Annotated[float, Field(ge=-90, le=90, description="degrees north")]
Turn = Literal["left", "through", "right", "u_turn"]


class Fault(ValueError):
    """Something wrong that only several fields together show, and the path of keys to where it is."""

    def __init__(self, problem: str, *location: str | int) -> None:
        super().__init__(problem)
        self.location = location


class Part(BaseModel):
    """Base of all parts: refuses unknown fields and numbers that are none."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _refuse_crossing_edges(polygon: list[Point], *location: str | int) -> None:
    if not is_simple_polygon(np.asarray(polygon)):
        raise Fault("it crosses itself or has no area; give its corners in order around it", *location)


class Approach(Part):
    """One arm of the junction; gates and zones name it in their field ``approach``."""

    id: Identifier = Field(description="name used in tables and files")
    name: str = Field("", description="what it is, in words")
    lanes: int | None = Field(None, ge=1, le=20, description="lanes of traffic that enters the junction")
    width_m: float | None = Field(None, gt=0, le=100, description="metres of road for traffic that enters")
    bearing_deg: float | None = Field(
        None, ge=0, lt=360, description="where entering traffic heads, degrees clockwise from north"
    )
    free_speed_kmh: float | None = Field(None, gt=0, le=200, description="speed of a lone vehicle")


class Gate(Part):
    """A directed line on the image; passing it from its left to its right is ``in``."""

    id: Identifier = Field(description="name used in tables and files")
    name: str = Field("", description="what it is, in words")
    line: tuple[Point, Point] = Field(description="first and second end")
    approach: str | None = Field(None, description="the approach (arm of the junction) that it closes off")
    one_way: Literal["in", "out"] | None = Field(
        None, description="the only direction that is allowed; passing the other way is told as an incident"
    )

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.line[0] == self.line[1]:
            raise Fault("its two ends are the same point; move one", "line")
        return self


class Zone(Part):
    """A polygon on the image."""

    id: Identifier = Field(description="name used in tables and files")
    kind: Literal["roi", "approach", "no_stop"] = Field(
        description="roi: what is inside is followed; approach: its visible stretch; no_stop: no standing"
    )
    polygon: Annotated[list[Point], Field(min_length=3, description="corners in order, not closed")]
    approach: str | None = Field(None, description="the approach (arm of the junction) it belongs to")
    stop_line: Identifier | None = Field(
        None,
        description="of an approach zone: the gate where its queue begins, when its approach has several",
    )

    @model_validator(mode="after")
    def _is_simple(self) -> Self:
        _refuse_crossing_edges(self.polygon, "polygon")
        if self.stop_line is not None and self.kind != "approach":
            raise Fault("only a zone of the kind approach has a stop line; remove it", "stop_line")
        return self


class Movement(Part):
    """An ordered pair of gates: entered by one, left by another."""

    id: Identifier = Field(description="name used in tables and files")
    origin: Identifier = Field(alias="from", description="gate crossed `in`")
    destination: Identifier = Field(alias="to", description="gate crossed `out`")
    turn: Turn = Field(description="left, through, right or u_turn")

    model_config = ConfigDict(populate_by_name=True)


class CalibrationPoint(Part):
    """One point of the road known both on the image and on the ground, by exactly one of two ways."""

    image: Point = Field(description="fractions of width and height")
    ground: tuple[float, float] | None = Field(None, description="metres east and north of any origin")
    lonlat: tuple[Longitude, Latitude] | None = Field(None, description="WGS 84 longitude and latitude")

    @model_validator(mode="after")
    def _is_known_once(self) -> Self:
        if (self.ground is None) == (self.lonlat is None):
            raise Fault("give either ground: [x, y] in metres or lonlat: [longitude, latitude]")
        return self


class Rectangle(Part):
    """A rectangle painted on the road whose sides were measured, such as a crossing."""

    corners: Annotated[list[Point], Field(min_length=4, max_length=4)] = Field(
        description="its four corners on the image, in order around it"
    )
    length_m: float = Field(gt=0, le=1000, description="metres from the first corner to the second")
    width_m: float = Field(gt=0, le=1000, description="metres from the second corner to the third")


class Distortion(Part):
    """How the lens bends straight lines; lengths are in widths of the picture, from its middle.

    A point at the distance r from the middle of an undistorted picture is seen at
    r · (1 + k1·r² + k2·r⁴) (Brown, "Close-range camera calibration", 1971; radial terms only).
    Coefficients of OpenCV are in focal lengths f (in widths of the picture): k1 here is theirs / f²,
    k2 theirs / f⁴.
    """

    k1: float = Field(ge=-2, le=2, description="below 0 where straight lines bulge outwards (barrel)")
    k2: float = Field(0.0, ge=-4, le=4, description="second coefficient, seldom needed")
    aspect: float = Field(16 / 9, ge=0.3, le=4, description="width over height of the camera's own picture")


class Calibration(Part):
    """What is known of the ground: measured points, or one rectangle."""

    points: list[CalibrationPoint] | None = Field(None, description="four or more measured points")
    rectangle: Rectangle | None = Field(None, description="one measured rectangle, instead of points")
    distortion: Distortion | None = Field(None, description="of the lens; none: straight lines stay straight")
    valid: Annotated[list[Point], Field(min_length=3)] | None = Field(
        None, description="polygon on the image where positions may be used; default: around the points"
    )

    @model_validator(mode="after")
    def _is_known_once(self) -> Self:
        if (self.points is None) == (self.rectangle is None):
            raise Fault("give either points or a rectangle")
        if self.points is not None:
            if len(self.points) < 4:
                raise Fault(f"{len(self.points)} points are too few; measure four or more", "points")
            first = self.points[0]
            for number, point in enumerate(self.points):
                if (point.lonlat is None) != (first.lonlat is None):
                    raise Fault("some points have ground and others lonlat; use one", "points", number)
        if self.valid is not None:
            _refuse_crossing_edges(self.valid, "valid")
        return self
