"""Which gates count for the city: those of the camera that speaks for the gate's approach."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from service.api.answers import json_bytes, respond
from service.api.documents import given
from service.api.parameters import SiteQuery
from service.api.services import Parts, Viewer
from service.api.shapes import Page, Shape
from service.registry import Camera, CameraView, City, Owner

router = APIRouter(tags=["views"])


class GateOut(Shape):
    """A gate of a camera's present view."""

    camera: str = Field(description="the camera")
    site: str = Field(description="its site")
    gate: str = Field(description="id of the gate in the camera's view")
    approach: str = Field(description="the approach that it is drawn for")
    speaks: bool = Field(
        description="whether its camera speaks for the approach; others see the same vehicles once more"
    )


GATE = {
    "camera": "hoa-ban-cam1",
    "site": "hoa-ban",
    "gate": "north-line",
    "approach": "north",
    "speaks": True,
}


@router.get("/gates", response_model=Page[GateOut], responses=given({"items": [GATE], "next": None}))
def list_gates(request: Request, _caller: Viewer, services: Parts, site: SiteQuery = None) -> Response:
    """Every gate that is drawn for an approach now, all in one page.

    Add up those that speak, or vehicles that two cameras see count twice. Where an approach has no owner, the
    camera that comes first by its id speaks for it.
    """
    with services.reading() as connection:
        city = services.city(connection)
    rows = [row for row in _gates(city) if site in (None, row["site"])]
    return respond(request, json_bytes({"items": rows, "next": None}))


def _gates(city: City) -> Iterator[dict[str, Any]]:
    sites = {each.id: each.site for each in city.values() if isinstance(each, Camera)}
    owners = {(each.site, each.approach): each.camera for each in city.values() if isinstance(each, Owner)}
    views = [each for each in city.values() if isinstance(each, CameraView) and each.camera in sites]
    for drawn in sorted(views, key=lambda each: each.camera):
        site = sites[drawn.camera]
        for gate in drawn.view.gates:
            if gate.approach is None:
                continue
            owner = owners.setdefault((site, gate.approach), drawn.camera)
            yield {
                "camera": drawn.camera,
                "site": site,
                "gate": gate.id,
                "approach": gate.approach,
                "speaks": owner == drawn.camera,
            }
