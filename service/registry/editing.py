"""One edit of the registry by a person at a page or a program: checked like an import, then planned."""

from collections.abc import Mapping

from service.registry.checks import Misfit, find_fault
from service.registry.history import Change, History, apply_changes, boundaries, city_at, difference
from service.registry.merging import let_go
from service.registry.records import CameraView, Record, Ref


class MisfitError(ValueError):
    """The record does not fit with the others; ``misfit`` says which field, and the fix."""

    def __init__(self, misfit: Misfit, since: float | None = None) -> None:
        super().__init__(misfit.problem)
        self.misfit = misfit
        self.since = since


def plan_edit(history: History, edits: Mapping[Ref, Record | None], time: float) -> list[Change]:
    """The changes by which records say something else from a moment on; None ends a record.

    What hung on a record that ends, ends with it: a camera's view, an approach's owner.

    Raises:
        MisfitError: the records would not fit together then, or with what is recorded for later.
    """
    now = city_at(history, time)
    wanted = dict(now)
    for ref, record in edits.items():
        if record is None:
            wanted.pop(ref, None)
        else:
            wanted[ref] = record
    let_go(now, wanted, edits)
    if misfit := find_fault(wanted):
        raise MisfitError(misfit)
    changes = difference(history, wanted, time)
    later = apply_changes(history, changes, time)
    for moment in boundaries(later, time):
        if misfit := find_fault(city_at(later, moment)):
            raise MisfitError(misfit, moment)
    return changes


def next_version(history: History, camera: str) -> int:
    """The number of a camera's next view: one more than the highest it ever had."""
    versions = [
        version.record.view.version
        for version in history.get(("views", camera), ())
        if isinstance(version.record, CameraView)
    ]
    return max(versions, default=0) + 1
