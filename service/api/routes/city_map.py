"""What a map of the city is drawn on: streets of a file or tiles of a server; nothing of either is needed."""

import json
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from service.api.answers import json_bytes, respond
from service.api.documents import given
from service.api.services import Parts, Viewer
from service.auth.problems import Problem, answers

router = APIRouter(tags=["registry"])


class CityMap(BaseModel):
    """What lies under the junctions."""

    model_config = ConfigDict(extra="forbid")

    tiles: str | None = Field(description="address of tiles with {z}, {x} and {y}; null: none")
    streets: dict[str, Any] | None = Field(description="GeoJSON of streets; null: none")


@router.get(
    "/map", response_model=CityMap, responses={**given({"tiles": None, "streets": None}), **answers(500)}
)
def read_map(request: Request, _caller: Viewer, services: Parts) -> Response:
    """What the map of the city is drawn on."""
    streets, file = None, services.settings.streets
    if file is not None:
        try:
            streets = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Problem(500, "no streets", f"{file}: it is no readable GeoJSON: {error}") from None
    return respond(request, json_bytes({"tiles": services.settings.tiles, "streets": streets}))
