"""The local web server of a hand count: the page, the clip's frames, and the marks."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from service.tally.pictures import Pictures
from service.tally.sheet import MAX_NOTE, Mark, Sheet
from vision import NgatuError, VehicleClass, View
from vision.sources import Clip
from vision.types import Direction

PAGE = Path(__file__).parent / "page"
HOSTS = ("127.0.0.1", "localhost")
ONLY_GATE = "count"
"""The gate of a count without a view."""

ClassName = Literal["motorcycle", "car", "bus", "truck", "bicycle", "unknown"]
FrameNumber = Annotated[int, Field(ge=0, description="number of the frame shown, from 0")]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",  # frames of a camera stay out of the browser's files
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class NewMark(_Body):
    """A vehicle that the person saw pass a gate."""

    frame: FrameNumber
    gate: str = Field(description="id of the gate")
    direction: Direction = Field(description="in or out")
    vehicle_class: ClassName = Field(alias="class", description="what it was")
    origin: str | None = Field(None, description="gate by which it entered, where the movement was seen")


class Edit(_Body):
    """What is to change of a mark; what is left out stays."""

    frame: FrameNumber | None = None
    vehicle_class: ClassName | None = Field(None, alias="class", description="what it was")
    sure: bool | None = Field(None, description="whether the person was sure")
    note: str | None = Field(None, max_length=MAX_NOTE, description="a word on it")


class Stretch(_Body):
    """The stretch of the clip that was looked at."""

    begin: float = Field(ge=0, allow_inf_nan=False, description="seconds from the first frame")
    end: float = Field(ge=0, allow_inf_nan=False, description="seconds from the first frame")


@dataclass(frozen=True, slots=True)
class Tally:
    """What a running hand count works on.

    Attributes:
        clip: used by ``pictures`` alone once the server runs, but for what never changes.
        view: None where one gate is counted without a line.
        sheet: the marks.
        pictures: the frames.
        tz: time zone in which the page shows the clock.
    """

    clip: Clip
    view: View | None
    sheet: Sheet
    pictures: Pictures
    tz: str

    @property
    def gates(self) -> list[str]:
        """Ids of the gates that may be marked."""
        return [gate.id for gate in self.view.gates] if self.view else [ONLY_GATE]


def create_app(tally: Tally, token: str) -> FastAPI:
    """The server's application; every request for data must carry ``Authorization: Bearer <token>``."""

    def allowed(authorization: Annotated[str, Header()] = "") -> None:
        if not secrets.compare_digest(authorization.encode(), f"Bearer {token}".encode()):
            raise HTTPException(401, "open the address that ngatu printed, with its token")

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # A page from elsewhere whose name was made to lead here still says its own name.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS))

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await call_next(request)
        response.headers.update(_HEADERS)
        return response

    @app.exception_handler(NgatuError)
    def told(_: Request, error: NgatuError) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 409)

    app.include_router(_routes(tally), prefix="/api", dependencies=[Depends(allowed)])
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


def _routes(tally: Tally) -> APIRouter:
    api = APIRouter()
    clip, view, sheet = tally.clip, tally.view, tally.sheet

    def check_frame(number: int | None) -> None:
        if number is not None and not 0 <= number < len(clip.times):
            raise HTTPException(404, f"the clip has {len(clip.times)} frames")

    @api.get("/clip")
    def facts() -> dict[str, Any]:
        drawn = view.model_dump(mode="json", by_alias=True, include={"gates", "movements"}) if view else {}
        return {
            "name": Path(clip.name).name,
            "size": clip.size,
            "start": clip.start,
            "tz": tally.tz,
            "file": str(sheet.path),
            "gates": drawn.get("gates", [{"id": ONLY_GATE, "name": "", "line": None}]),
            "movements": drawn.get("movements", []),
        }

    @api.get("/times")
    def times() -> Response:
        """Little-endian float64: an hour of frames is ready at once in the page."""
        return Response(np.asarray(clip.times, "<f8").tobytes(), media_type="application/octet-stream")

    @api.get("/frames/{number}")
    def frame(number: int) -> Response:
        check_frame(number)
        return Response(tally.pictures.jpeg(number), media_type="image/jpeg")

    @api.get("/tally")
    def state() -> dict[str, Any]:
        return {"marks": [_shown(mark) for mark in sheet.marks], "counted": sheet.counted}

    @api.post("/marks", status_code=201)
    def add(new: NewMark) -> dict[str, Any]:
        check_frame(new.frame)
        kind = VehicleClass[new.vehicle_class.upper()]
        return _shown(sheet.add(new.frame, new.gate, new.direction, kind, _movement(tally, new)))

    @api.patch("/marks/{number}")
    def edit(number: int, change: Edit) -> dict[str, Any]:
        check_frame(change.frame)
        kind = VehicleClass[change.vehicle_class.upper()] if change.vehicle_class else None
        try:
            return _shown(
                sheet.edit(number, frame=change.frame, vehicle_class=kind, sure=change.sure, note=change.note)
            )
        except KeyError:
            raise HTTPException(404, "this mark is gone; load the page anew") from None

    @api.delete("/marks/{number}", status_code=204)
    def remove(number: int) -> None:
        try:
            sheet.remove(number)
        except KeyError:
            raise HTTPException(404, "this mark is gone; load the page anew") from None

    @api.post("/undo")
    def undo() -> dict[str, Any]:
        return {"undone": sheet.undo(), **state()}

    @api.put("/counted", status_code=204)
    def counted(stretch: Stretch) -> None:
        sheet.set_counted(stretch.begin, max(stretch.begin, stretch.end))

    return api


def _movement(tally: Tally, new: NewMark) -> str:
    """The id of the movement that a mark completes, "" for none.

    Raises:
        HTTPException: a gate is not there, or the mark is not one of leaving.
    """
    for gate in (new.gate, new.origin):
        if gate is not None and gate not in tally.gates:
            raise HTTPException(422, f"there is no gate {gate!r}; gates: {', '.join(tally.gates)}")
    if new.origin is None:
        return ""
    if new.direction != "out":
        raise HTTPException(422, "a movement ends where the vehicle leaves: choose the direction out")
    known = tally.view.movements if tally.view else []
    pair = (new.origin, new.gate)
    return next((m.id for m in known if (m.origin, m.destination) == pair), "-".join(pair))


def _shown(mark: Mark) -> dict[str, Any]:
    return {
        "id": mark.id,
        "frame": mark.frame,
        "time": mark.time,
        "gate": mark.gate,
        "direction": mark.direction,
        "class": mark.vehicle_class.label,
        "sure": mark.sure,
        "note": mark.note,
        "movement": mark.movement,
    }
