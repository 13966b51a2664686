"""The registry in the database: its history is loaded whole, and changes are written as dated rows."""

import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from service.registry.calibrated import calibration_fit
from service.registry.history import Change, History, Version, apply_changes
from service.registry.records import ADDRESSES, RECORDS, Approach, CameraView, Record, Ref, RegistryError
from service.registry.writing import view_data
from service.storage import tables
from service.storage.base import Base
from service.storage.ids import content_sha256
from service.storage.junctions import quarters_of, refresh_junctions
from vision.sources import mask_address

_TABLES: dict[str, tuple[type[Base], dict[str, str]]] = {
    "sites": (tables.Site, {"id": "site_id"}),
    "approaches": (tables.Approach, {"site": "site_id", "id": "approach_id"}),
    "cameras": (tables.Camera, {"id": "camera_id", "site": "site_id"}),
    "owners": (tables.Owner, {"site": "site_id", "approach": "approach_id", "camera": "camera_id"}),
    "views": (tables.CameraView, {"camera": "camera_id", "view": "definition"}),
    "targets": (tables.Target, {}),
}
"""Each section's table, and the columns that have other names than the fields."""


def load_history(connection: Connection) -> History:
    """Everything the registry ever said, with its periods."""
    found: dict[Ref, list[Version]] = {}
    for section, (table, names) in _TABLES.items():
        fields = {field: names.get(field, field) for field in RECORDS[section].model_fields}
        for row in connection.execute(select(table.__table__).order_by(table.__table__.c.valid_from)):
            values = row._mapping
            record = RECORDS[section].model_validate({field: values[name] for field, name in fields.items()})
            version = Version(record, values["valid_from"].timestamp(), _seconds(values["valid_to"]))
            found.setdefault(record.ref, []).append(version)
    return {ref: tuple(versions) for ref, versions in found.items()}


def revision(connection: Connection) -> int:
    """The number that grows with every change of the registry; 0 before the first."""
    return connection.scalar(select(tables.RegistryRevision.revision)) or 0


def save_changes(
    connection: Connection,
    history: History,
    changes: Sequence[Change],
    time: float,
    *,
    seen_revision: int,
    now: float,
    actor: str,
) -> History:
    """Write changes that hold from ``time`` on, with a line in the audit, in the caller's transaction.

    Args:
        connection: a transaction that writes.
        history: what the changes were made against.
        changes: see :func:`service.registry.difference`.
        time: moment from which they hold, seconds since the Unix epoch, UTC.
        seen_revision: revision of the registry that ``history`` was loaded with.
        now: the present.
        actor: who does it.

    Returns:
        The history with the changes.

    Raises:
        RegistryError: somebody else changed the registry meanwhile.
    """
    if revision(connection) != seen_revision:
        raise RegistryError(
            "the registry was changed by somebody else meanwhile; run it again and look at the changes"
        )
    changed = apply_changes(history, changes, time)
    for change in changes:
        _write(connection, change.ref, history.get(change.ref, ()), changed[change.ref])
        if change.ref[0] == "views":
            _write_calibrations(connection, change.ref[1], changed[change.ref])
    moment = _moment(now)
    if seen_revision:
        connection.execute(
            update(tables.RegistryRevision).values(revision=seen_revision + 1, changed_at=moment)
        )
    else:
        connection.execute(insert(tables.RegistryRevision).values(pk=1, revision=1, changed_at=moment))
    connection.execute(
        insert(tables.Audit).values(
            time=moment,
            actor=actor,
            action="registry.change",
            what=f"revision {seen_revision + 1}: {len(changes)} records",
            detail={"from": _moment(time).isoformat(), "changes": [_audited(change) for change in changes]},
        )
    )
    if time < now:
        _refresh_past(connection, changes, time, now)
    return changed


def _refresh_past(connection: Connection, changes: Iterable[Change], time: float, now: float) -> None:
    """Make the quarters of junctions anew whose approaches or owners are now said to have been others.

    Only of those junctions, and only from ``time`` until the next change that is recorded, or now.
    """
    until: dict[str, float] = {}
    for change in changes:
        if change.ref[0] == "owners" or _required_differs(change):
            site = change.ref[1]
            until[site] = max(until.get(site, time), min(change.until, now))
    for site, end in until.items():
        refresh_junctions(connection, quarters_of(connection, _moment(time), _moment(end), site=site))


def _required_differs(change: Change) -> bool:
    """Whether an approach must be seen that need not before, or the other way round."""
    before, after = (isinstance(each, Approach) and each.required for each in (change.before, change.after))
    return before != after


def _write(connection: Connection, ref: Ref, before: Iterable[Version], after: Iterable[Version]) -> None:
    table = _TABLES[ref[0]][0].__table__
    names = _TABLES[ref[0]][1]
    ids = zip(RECORDS[ref[0]].IDS, ref[1:], strict=True)
    this = [table.c[names.get(field, field)] == value for field, value in ids]
    old, new = ({version.start: version for version in versions} for versions in (before, after))
    for start in old.keys() - new.keys():
        connection.execute(delete(_TABLES[ref[0]][0]).where(*this, table.c.valid_from == _moment(start)))
    for start, version in new.items():
        if start not in old:
            values = _columns(version.record) | {"valid_from": _moment(start), "valid_to": _end(version)}
            connection.execute(insert(_TABLES[ref[0]][0]).values(values))
        elif version != old[start]:
            values = _columns(version.record) | {"valid_to": _end(version)}
            chosen = update(_TABLES[ref[0]][0]).where(*this, table.c.valid_from == _moment(start))
            connection.execute(chosen.values(values))


def _write_calibrations(connection: Connection, camera: str, views: Iterable[Version]) -> None:
    """Write how well the calibrations of a camera's views fit, in place of what was there."""
    connection.execute(delete(tables.Calibration).where(tables.Calibration.camera_id == camera))
    for version in views:
        if isinstance(version.record, CameraView) and (fit := calibration_fit(version.record.view)):
            about = {"camera_id": camera, "valid_from": _moment(version.start), "valid_to": _end(version)}
            connection.execute(insert(tables.Calibration).values(**about, **fit))


def _columns(record: Record) -> dict[str, Any]:
    names = _TABLES[record.SECTION][1]
    values = {names.get(field, field): value for field, value in record.model_dump().items()}
    if isinstance(record, CameraView):
        definition = view_data(record.view)
        values |= {
            "definition": definition,
            "version": record.view.version,
            "sha256": content_sha256(definition),
        }
    return values


def _audited(change: Change) -> dict[str, Any]:
    """A change as the audit keeps it: whole records would keep every view twice."""
    what = "add" if change.before is None else "end" if change.after is None else "change"
    fields = {
        name: [_plain(name, old), _plain(name, new)]
        for name, old, new in change.fields()
        if change.before and change.after
    }
    return {"record": list(change.ref), "what": what, **({"fields": fields} if fields else {})}


def _plain(field: str, value: Any) -> Any:
    if field == "view":
        return f"version {value['version']}"
    return mask_address(value) if field in ADDRESSES else value


def _seconds(moment: datetime | None) -> float:
    return math.inf if moment is None else moment.timestamp()


def _end(version: Version) -> datetime | None:
    return None if math.isinf(version.end) else _moment(version.end)


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
