"""The routes of the interface, one module a subject; a new one is registered by one line here."""

from fastapi import APIRouter

from service.api.routes import (
    alarms,
    cameras,
    city_map,
    comparing,
    counts,
    coverage,
    crossings,
    doctor,
    drawing,
    exclusions,
    feeds,
    feeds_metrics,
    feeds_ngsi,
    feeds_public,
    gates,
    health,
    incidents,
    intervals,
    jobs,
    live,
    reports,
    sites,
    views,
    workers,
)

ROUTERS: tuple[APIRouter, ...] = (
    sites.router,
    cameras.router,
    views.router,
    gates.router,
    drawing.router,
    city_map.router,
    live.router,
    feeds_public.router,
    workers.router,
    crossings.router,
    intervals.router,
    counts.router,
    reports.router,
    comparing.router,
    coverage.router,
    health.router,
    incidents.router,
    exclusions.router,
    feeds.router,
    alarms.router,
    jobs.router,
    doctor.router,
)

AT_ROOT: tuple[APIRouter, ...] = (feeds_metrics.router, feeds_ngsi.router)
"""Routes whose address others fix: they stand beside /v1."""
