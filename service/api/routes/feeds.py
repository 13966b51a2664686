"""How the receivers of feeds are doing: what waits for them, and why."""

from datetime import UTC, datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from service.api.answers import json_bytes, respond
from service.api.documents import given
from service.api.services import Operator
from service.api.shapes import Page, Shape
from service.feeds.sender import SenderState

router = APIRouter(prefix="/feeds", tags=["feeds"])

FEED = {
    "name": "operations",
    "kind": "mqtt",
    "state": "waiting",
    "problem": "the broker mqtt.example.vn:8883 cannot be reached: Connection refused",
    "since": "2026-03-10T02:31:07Z",
    "waiting": 240,
    "oldest": "2026-03-10T02:31:05Z",
    "refused": 0,
    "full": False,
    "delivered": 18250,
}


class FeedOut(Shape):
    """A receiver now."""

    name: str = Field(description="its name in feeds.yaml")
    kind: str = Field(description="what it is")
    state: Literal["starting", "telling", "waiting"] = Field(
        description="waiting: it cannot be told, and is tried again"
    )
    problem: str | None = Field(description="why it cannot be told; null if it can")
    since: datetime | None = Field(description="since when that is so")
    waiting: int | None = Field(description="items that it does not have yet; null just after a start")
    oldest: datetime | None = Field(description="since when the first of them has been waiting")
    refused: int | None = Field(description="items that it did not take; they are kept in its queue's file")
    full: bool | None = Field(description="whether its queue takes nothing more")
    delivered: int = Field(description="items that it was told since the service started")


@router.get("", response_model=Page[FeedOut], responses=given({"items": [FEED], "next": None}))
def list_feeds(request: Request, _caller: Operator) -> Response:
    """The receivers of `feeds.yaml`, in its order; how they are reached stays in that file."""
    feeds = getattr(request.app.state, "feeds", None)
    rows = [_row(each) for each in (feeds.states if feeds is not None else ())]
    return respond(request, json_bytes({"items": rows, "next": None}))


def _row(state: SenderState) -> dict[str, Any]:
    queue = state.queue
    return {
        "name": state.name,
        "kind": state.kind,
        "state": "waiting" if state.problem else "telling" if queue else "starting",
        "problem": state.problem,
        "since": _moment(state.since),
        "waiting": queue.waiting if queue else None,
        "oldest": _moment(queue.oldest) if queue else None,
        "refused": queue.refused if queue else None,
        "full": queue.full if queue else None,
        "delivered": state.delivered,
    }


def _moment(time: float | None) -> datetime | None:
    return None if time is None else datetime.fromtimestamp(time, UTC)
