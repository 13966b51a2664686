"""``/metrics`` for Prometheus: to this machine itself, and to whoever shows a token."""

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from service.api.documents import bare
from service.api.services import Parts
from service.auth.access import Caller, public
from service.auth.problems import Problem
from service.feeds.prometheus import Metrics
from service.feeds.running import Feeds
from service.feeds.sender import SenderState

router = APIRouter(tags=["feeds"])

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def scraper(request: Request) -> Caller:
    """A dependency that lets in who is on this machine, or has a token or login of any role.

    A scrape from this machine asks the database nothing: it must work when that is away.
    """
    if "authorization" not in request.headers and _is_here(request):
        return Caller("prometheus", "viewer", "anonymous", "en")
    caller = public(request)
    if not caller.may("viewer"):
        raise Problem(
            401,
            "not logged in",
            "metrics are for this machine alone; from another send a token of the scope viewer",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return caller


scraper.ngatu_access = "viewer"  # type: ignore[attr-defined]


@router.get(
    "/metrics", response_class=Response, responses=bare("text/plain", "Metrics as Prometheus reads them")
)
def read_metrics(request: Request, _caller: Annotated[Caller, Depends(scraper)], services: Parts) -> Response:
    """Coverage, cameras, workers and their outboxes as metrics, in the format that the scraper accepts."""
    state = request.app.state
    metrics: Metrics | None = getattr(state, "metrics", None)
    if metrics is None:
        metrics = state.metrics = Metrics(services, lambda: _feeds(state))
    body, kind = metrics.text(request.headers.get("accept", ""))
    return Response(body, headers={"Content-Type": kind})


def _feeds(state: Any) -> Sequence[SenderState]:
    """How each receiver is doing; nothing where the service tells nobody."""
    feeds: Feeds | None = getattr(state, "feeds", None)
    return feeds.states if feeds is not None else ()


def _is_here(request: Request) -> bool:
    """Whether the request comes from this machine, and from no proxy on it that speaks for others."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
