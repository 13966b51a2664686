"""Whether the views of a junction's cameras show what the junction needs: approaches, owners, metres."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from service.registry.calibrated import calibration_problem
from service.registry.history import City
from service.registry.records import Approach, Camera, CameraView, Owner, Site

Code = Literal["unknown_approach", "not_in_view", "owner_blind", "no_owner", "no_metres"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something in which views and junction do not agree.

    Attributes:
        code: ``unknown_approach``: the camera's view names approaches that the junction does not have;
            ``not_in_view``: required approaches that no view shows, though there are views;
            ``owner_blind``: the camera owns approaches that its view does not show, so nothing is measured;
            ``no_owner``: required approaches that a view shows, but no camera speaks for;
            ``no_metres``: the view's calibration gives none.
        site: the junction.
        camera: the camera it is about, "" where it is about none.
        approaches: the approaches.
        problem: of ``no_metres``: why.
    """

    code: Code
    site: str
    camera: str = ""
    approaches: tuple[str, ...] = ()
    problem: str = ""

    @property
    def text(self) -> str:
        """It and what to do, in one sentence without a point."""
        names = ", ".join(self.approaches)
        match self.code:
            case "unknown_approach":
                return (
                    f"the view of {self.camera} names {names}, which {self.site} does not have; "
                    "correct the name in the view or add the approach"
                )
            case "not_in_view":
                return f"{self.site}: no view shows {names}; draw it, or say that it need not be seen"
            case "owner_blind":
                return (
                    f"{self.camera} owns {names} of {self.site}, which its view does not show; "
                    "draw it there or let another camera own it"
                )
            case "no_owner":
                return f"{self.site}: no camera owns {names}, so it has no figures; name one in owner"
            case "no_metres":
                return f"the view of {self.camera} gives no speed and density: {self.problem}"


def mismatches(city: City) -> list[Mismatch]:
    """All that does not agree, by junction; junctions without any view have none."""
    known: dict[str, list[Approach]] = {}
    drawn: dict[str, list[CameraView]] = {}
    owners: dict[str, list[Owner]] = {}
    for _, record in sorted(city.items()):
        if isinstance(record, Approach):
            known.setdefault(record.site, []).append(record)
        elif isinstance(record, Owner):
            owners.setdefault(record.site, []).append(record)
        elif isinstance(record, CameraView):
            camera = city.get(("cameras", record.camera))
            site = city.get(("sites", camera.site)) if isinstance(camera, Camera) else None
            if isinstance(site, Site) and site.kind == "junction":
                drawn.setdefault(site.id, []).append(record)
    return [
        each
        for site, views in sorted(drawn.items())
        for each in _of_junction(site, known.get(site, []), views, owners.get(site, []))
    ]


def _of_junction(
    site: str, arms: list[Approach], views: list[CameraView], owners: list[Owner]
) -> Iterator[Mismatch]:
    known = {arm.id for arm in arms}
    required = {arm.id for arm in arms if arm.required}
    shown = {view.camera: view.approaches for view in views}
    anywhere = frozenset[str]().union(*shown.values())
    for view in views:
        if wrong := view.named - known:
            yield Mismatch("unknown_approach", site, view.camera, tuple(sorted(wrong)))
        if problem := calibration_problem(view.view):
            yield Mismatch("no_metres", site, view.camera, problem=problem)
    if missing := required - anywhere:
        yield Mismatch("not_in_view", site, "", tuple(sorted(missing)))
    for camera in sorted({owner.camera for owner in owners}):
        own = {owner.approach for owner in owners if owner.camera == camera}
        # What no view shows is told above already.
        if blind := (own & anywhere) - shown.get(camera, frozenset()):
            yield Mismatch("owner_blind", site, camera, tuple(sorted(blind)))
    if unowned := (required & anywhere) - {owner.approach for owner in owners}:
        yield Mismatch("no_owner", site, "", tuple(sorted(unowned)))
