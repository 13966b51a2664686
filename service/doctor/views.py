"""Checks of the views: whether they show what the junctions need, and give metres where calibrated."""

from collections.abc import Iterator

from sqlalchemy import Connection

from service.doctor import Finding, State
from service.registry import CameraView, city_at
from service.registry.sight import Mismatch, mismatches
from service.registry.store import load_history

MOST = 6
"""Mismatches of one kind that are told one by one."""

FAULTS = frozenset({"unknown_approach", "owner_blind", "no_metres"})
"""What keeps figures away that somebody meant to have; the rest may be on purpose."""


def check_views(connection: Connection, now: float) -> Iterator[Finding]:
    """Compare the views that are drawn now with the approaches and owners of their junctions."""
    city = city_at(load_history(connection), now)
    views = sum(isinstance(record, CameraView) for record in city.values())
    if not views:
        yield Finding("view", "ok", "view_none")
        return
    by_code: dict[str, list[Mismatch]] = {}
    for mismatch in mismatches(city):
        by_code.setdefault(mismatch.code, []).append(mismatch)
    if not by_code:
        yield Finding("view", "ok", "view_ok", {"views": views})
    for code, found in by_code.items():
        state: State = "fault" if code in FAULTS else "attention"
        for each in found[:MOST]:
            values = {
                "site": each.site,
                "camera": each.camera,
                "approaches": ", ".join(each.approaches),
                "problem": each.problem,
            }
            yield Finding("view", state, f"view_{code}", values)
        if len(found) > MOST:
            yield Finding("view", state, "view_more", {"count": len(found) - MOST, "code": code})
