"""What an import would change, checked against the past and against what is recorded for the future."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.registry.checks import find_fault
from service.registry.entries import Draft
from service.registry.history import Change, City, History, apply_changes, boundaries, city_at, difference
from service.registry.merging import merge, not_mentioned
from service.registry.records import RECORDS, CameraView, Ref, RegistryError, Site
from service.registry.sight import mismatches

REORGANISED = datetime(2025, 7, 1, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).timestamp()
"""Since then Viet Nam has no districts (Law 72/2025/QH15) and 34 provinces (Resolution 202/2025/QH15)."""

MOST_NOTES = 3
"""Notes of one kind that an import tells one by one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do.

    Attributes:
        time: moment from which it holds, seconds since the Unix epoch, UTC.
        changes: in order of the records' names; none where the registry says it all already.
        not_mentioned: records that could stand in the lists of the files, do not, and stay.
        notes: what is allowed but may be meant otherwise, in words.
    """

    time: float
    changes: tuple[Change, ...]
    not_mentioned: tuple[Ref, ...]
    notes: tuple[str, ...]


def plan_import(history: History, draft: Draft, time: float, end_missing: bool = False) -> Plan:
    """Compare what files say with what the registry says at a moment.

    Raises:
        RegistryError: see :func:`service.registry.merging.merge`; or a changed view keeps its version, or a
            change does not fit with one that is recorded for later.
    """
    now = city_at(history, time)
    wanted = merge(now, draft, end_missing)
    changes = difference(history, wanted, time)
    for change in changes:
        _refuse_reused_version(history, change, draft)
    later = apply_changes(history, changes, time)
    for moment in boundaries(later, time):
        if fault := find_fault(city_at(later, moment)):
            day = datetime.fromtimestamp(moment, ZoneInfo("UTC")).isoformat(timespec="minutes")
            raise RegistryError(
                f"the change does not fit with what is recorded for {day} on: {' '.join(fault.ref)}: "
                f"{fault.problem}"
            )
    left = () if end_missing else tuple(not_mentioned(now, draft))
    return Plan(time, tuple(changes), left, tuple(_notes(wanted, time)))


def _refuse_reused_version(history: History, change: Change, draft: Draft) -> None:
    after = change.after
    if not isinstance(after, CameraView):
        return
    earlier = [
        version.record.view
        for version in history.get(change.ref, ())
        if isinstance(version.record, CameraView)
    ]
    if any(view.version == after.view.version and view != after.view for view in earlier):
        problem = (
            f"the view of {after.camera} was edited but keeps its version {after.view.version}; "
            f"raise it to {max(view.version for view in earlier) + 1}"
        )
        entry = next((entry for entry in draft.entries if entry.ref == change.ref), None)
        raise entry.place.fault(problem, "view") if entry else RegistryError(problem)


def _notes(wanted: City, time: float) -> list[str]:
    sites = [record for record in wanted.values() if isinstance(record, Site)]
    unreal = sum(site.illustrative for site in sites)
    notes = [f"ILLUSTRATIVE: {unreal} of {len(sites)} sites are marked as not real"] if unreal else []
    notes += [] if time < REORGANISED else _reorganisation_notes(sites)
    return notes + _sight_notes(wanted)


def _sight_notes(wanted: City) -> list[str]:
    """What of views and junctions does not agree, the first few of each kind."""
    found: dict[str, list[str]] = {}
    for mismatch in mismatches(wanted):
        found.setdefault(mismatch.code, []).append(mismatch.text)
    notes = []
    for texts in found.values():
        more = [f"{len(texts) - MOST_NOTES} more like this, see: ngatu doctor"]
        notes += texts[:MOST_NOTES] + (more if len(texts) > MOST_NOTES else [])
    return notes


def _reorganisation_notes(sites: list[Site]) -> list[str]:
    with_district = [site.id for site in sites if site.district]
    former = [site.id for site in sites if site.province.casefold().endswith("bắc giang")]
    notes = []
    if with_district:
        notes.append(f"{_some(with_district)}: a district is named, but that level ended on 2025-07-01")
    if former:
        notes.append(f"{_some(former)}: Bắc Giang province became part of Bắc Ninh province on 2025-07-01")
    return notes


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def summary(changes: Iterable[Change]) -> dict[str, tuple[int, int, int]]:
    """Number of records added, changed and ended in each section, in the usual order of sections."""
    counted = Counter(
        (change.ref[0], 0 if change.before is None else 2 if change.after is None else 1)
        for change in changes
    )
    tallies = {
        section: (counted[section, 0], counted[section, 1], counted[section, 2]) for section in RECORDS
    }
    return {section: tally for section, tally in tallies.items() if any(tally)}
