"""What the registry knows: sites, approaches, cameras, owners, views and targets, each a small record."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.registry.addresses import clear_secret
from vision.errors import NgatuError
from vision.views import View

Ref = tuple[str, ...]
"""What a record is called: its section and its ids, such as ``("approaches", "hoa-ban", "north")``."""

SiteKind = Literal["junction", "public_area"]

Identifier = Annotated[
    str,
    Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", coerce_numbers_to_str=True),
]
Words = Annotated[str, Field(max_length=500)]


ADDRESSES = ("address", "substream")
"""The fields of a camera that hold an address: never shown but masked, and sealed where they are kept."""


class RegistryError(NgatuError):
    """A file of the city, or a change to its registry, is not valid."""


class Fault(ValueError):
    """Something wrong in one field that only several fields together show."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field


class Record(BaseModel):
    """One thing the registry knows; two equal records say the same.

    Attributes:
        SECTION: the list it stands in.
        IDS: the fields that name it; they never change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, hide_input_in_errors=True)

    SECTION: ClassVar[str]
    IDS: ClassVar[tuple[str, ...]]

    @property
    def ref(self) -> Ref:
        """What it is called."""
        return (self.SECTION, *(str(getattr(self, field)) for field in self.IDS))


class Site(Record):
    """A junction or a public area.

    Its ward, district and province are those of the time for which the record holds: an administrative
    reorganisation is a dated change like any other.
    """

    SECTION = "sites"
    IDS = ("id",)

    id: Identifier = Field(description="short name used in files, tables and addresses")
    kind: SiteKind = Field(description="junction, or public_area (watched for health only)")
    name: Words = Field("", description="what people call it")
    is_key: bool = Field(False, description="whether coverage is measured on it")
    lat: float | None = Field(None, ge=-90, le=90, description="latitude, degrees north (WGS 84)")
    lon: float | None = Field(None, ge=-180, le=180, description="longitude, degrees east (WGS 84)")
    ward: Words = Field("", description="ward or commune")
    district: Words = Field("", description="district or city; empty from 2025-07-01, when that level ended")
    province: Words = Field("", description="province or centrally run city")
    note: Words = Field("", description="anything else")

    @property
    def illustrative(self) -> bool:
        """Whether its note begins with that word, as in the sample city: it is not real."""
        return self.note.casefold().startswith("illustrative")

    @model_validator(mode="after")
    def _has_a_whole_position(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            field = "lat" if self.lat is None else "lon"
            raise Fault(field, "it is missing; a position has both lat and lon")
        return self


class Approach(Record):
    """One arm of a junction."""

    SECTION = "approaches"
    IDS = ("site", "id")

    site: Identifier = Field(description="the junction")
    id: Identifier = Field(description="short name within the junction, such as north")
    name: Words = Field("", description="the street, in words")
    bearing: float | None = Field(
        None,
        ge=0,
        lt=360,
        description="where its entering traffic heads, degrees clockwise from north",
    )
    lanes: int | None = Field(None, ge=1, le=20, description="lanes that lead into the junction")
    width_m: float | None = Field(
        None, gt=0, le=100, description="width that leads into the junction, metres"
    )
    required: bool = Field(True, description="whether it must be seen for the junction to be covered")


class Camera(Record):
    """One video source; it belongs to one site at a time."""

    SECTION = "cameras"
    IDS = ("id",)

    id: Identifier = Field(description="short name used in files, tables and addresses")
    site: Identifier = Field(description="the site it belongs to")
    name: Words = Field("", description="where it stands and looks")
    address: Annotated[str, Field(max_length=2000)] = Field(
        "", description="rtsp:// address or file, secrets as ${NAME} of the vault or the environment"
    )
    substream: Annotated[str, Field(max_length=2000)] = Field(
        "", description="address of its smaller stream of the same picture, read while there is little time"
    )
    note: Words = Field("", description="anything else")

    @model_validator(mode="after")
    def _keeps_its_secrets(self) -> Self:
        for field in ADDRESSES:
            if secret := clear_secret(getattr(self, field)):
                raise Fault(
                    field,
                    f"it holds {secret} in clear; write ${{NAME}} in its place and set NAME in the "
                    "environment",
                )
        return self


class Owner(Record):
    """The one camera that speaks for an approach; others that see it are reserves."""

    SECTION = "owners"
    IDS = ("site", "approach")

    site: Identifier = Field(description="the junction")
    approach: Identifier = Field(description="the approach")
    camera: Identifier = Field(description="the camera that speaks for it")


class CameraView(Record):
    """What is drawn on a camera's picture."""

    SECTION = "views"
    IDS = ("camera",)

    camera: Identifier = Field(description="the camera")
    view: View = Field(description="gates, zones, movements and calibration")

    @property
    def approaches(self) -> frozenset[str]:
        """The approaches in the view: those that a gate or an approach zone is drawn for."""
        # A zone that names none is one of its own, as for the estimator of density.
        zones = [zone.approach or zone.id for zone in self.view.zones if zone.kind == "approach"]
        return frozenset(name for name in [*(gate.approach for gate in self.view.gates), *zones] if name)

    @property
    def named(self) -> frozenset[str]:
        """All approaches that the view speaks of, drawn or only described: each would get figures."""
        return self.approaches | {approach.id for approach in self.view.approaches}


class Target(Record):
    """The share of key sites of one kind that is to be covered effectively."""

    SECTION = "targets"
    IDS = ("kind",)

    kind: SiteKind = Field(description="junction or public_area")
    share: float = Field(1.0, ge=0, le=1, description="0 to 1; 1 is every key site")


RECORDS: dict[str, type[Record]] = {
    each.SECTION: each for each in (Site, Approach, Camera, Owner, CameraView, Target)
}
"""The sections, in the order in which a change is shown."""
