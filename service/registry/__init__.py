"""The city's registry: sites, approaches, cameras, owners, views and targets, each dated."""

from service.registry.addresses import resolve_address
from service.registry.history import (
    Change,
    City,
    History,
    Version,
    apply_changes,
    boundaries,
    city_at,
    difference,
)
from service.registry.planning import Plan, plan_import, summary
from service.registry.reading import read_files
from service.registry.records import (
    Approach,
    Camera,
    CameraView,
    Owner,
    Record,
    Ref,
    RegistryError,
    Site,
    SiteKind,
    Target,
)

__all__ = [
    "Approach",
    "Camera",
    "CameraView",
    "Change",
    "City",
    "History",
    "Owner",
    "Plan",
    "Record",
    "Ref",
    "RegistryError",
    "Site",
    "SiteKind",
    "Target",
    "Version",
    "apply_changes",
    "boundaries",
    "city_at",
    "difference",
    "plan_import",
    "read_files",
    "resolve_address",
    "summary",
]
