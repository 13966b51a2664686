"""The level of each junction now as GeoJSON, for maps; its public form is in ``service.feeds.public``."""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.answers import json_bytes, respond
from service.api.documents import given
from service.api.services import Parts, Viewer
from service.feeds.geojson_levels import as_geojson, junction_levels

router = APIRouter(prefix="/live", tags=["live"])


class LevelsOut(BaseModel):
    """Junctions as points, each with its level and its approaches."""

    type: str = Field(description="always FeatureCollection")
    time: str = Field(description="the moment of this answer")
    features: list[dict[str, Any]] = Field(description="one a junction; level null where it is not known")


EXAMPLE: dict[str, Any] = {
    "type": "FeatureCollection",
    "time": "2026-03-10T02:30:00.500Z",
    "features": [
        {
            "type": "Feature",
            "id": "hoa-ban",
            "geometry": {"type": "Point", "coordinates": [106.2, 21.28]},
            "properties": {
                "site": "hoa-ban",
                "name": "Ngã tư Hoa Ban",
                "ward": "Phường Bắc Giang",
                "is_key": True,
                "illustrative": True,
                "level": "slow",
                "as_of": "2026-03-10T02:30:00.000Z",
                "approaches": [
                    {
                        "approach": "north",
                        "name": "Hoa Ban (bắc)",
                        "level": "slow",
                        "space_mean_speed_kmh": 14.2,
                        "density_per_km": 61.0,
                        "queue_m": 22.0,
                        "flow_per_h": 1260.0,
                        "start": "2026-03-10T02:29:50.000Z",
                        "end": "2026-03-10T02:30:00.000Z",
                    }
                ],
            },
        }
    ],
}


@router.get("/levels", response_model=LevelsOut, responses=given(EXAMPLE, "geojson"))
def map_levels(request: Request, _caller: Viewer, services: Parts) -> Response:
    """Each junction as a point of GeoJSON with its level now: free, busy, slow or jammed.

    A junction's level is the worst of its approaches, as the cameras that speak for them see them. It is null
    unless every required approach is known; one jammed approach is enough for jammed.
    """
    with services.reading() as connection:
        city = services.city(connection)
    now = services.hub.snapshot()
    body = json_bytes(as_geojson(junction_levels(city, now), now.time))
    return respond(request, body, "geojson")
