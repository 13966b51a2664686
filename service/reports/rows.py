"""A report as plain rows (CSV, Parquet) and as JSON."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from service.reports.crossings import CLASSES, DIRECTIONS
from service.reports.peak import Peak
from service.reports.report import Report, shown
from service.reports.turning import Counts, approach_volumes, site_volume
from service.reports.words import Language, say

FIELDS = (
    "start", "end", "kind", "id", "direction", "class", "count", "pcu",
    "observed_seconds", "expected_seconds", "status",
)  # fmt: skip
"""One row for each interval, gate and direction or movement, and class. Rows of kind gate add up to all
crossings; a movement is counted again in rows of its own, in the interval in which the vehicle left."""


def report_rows(report: Report) -> Iterator[dict[str, Any]]:
    """Rows with the FIELDS; moments are datetimes in the site's zone, count is None where not observed."""
    counts, zone = report.counts, ZoneInfo(report.time_zone)
    bins = counts.bins
    moments = [datetime.fromtimestamp(edge, zone) for edge in bins.edges.tolist()]
    one_each = np.eye(len(CLASSES), dtype=np.int64)
    factors = [report.units(one) for one in one_each]
    series = [
        ("gate", gate.id, direction, counts.gates[:, number, side])
        for number, gate in enumerate(report.layout.gates)
        for side, direction in enumerate(DIRECTIONS)
    ]
    series += [
        ("movement", movement.id, "", counts.movements[:, number])
        for number, movement in enumerate(report.layout.movements)
    ]
    for number, status in enumerate(bins.status):
        for kind, name, direction, values in series:
            for index, vehicle_class in enumerate(CLASSES):
                count, factor = shown(int(values[number, index]), status), factors[index]
                yield {
                    "start": moments[number],
                    "end": moments[number + 1],
                    "kind": kind,
                    "id": name,
                    "direction": direction,
                    "class": vehicle_class.label,
                    "count": count,
                    "pcu": None if count is None or factor is None else round(count * factor, 6),
                    "observed_seconds": round(float(bins.observed[number]), 3),
                    "expected_seconds": float(bins.expected[number]),
                    "status": status,
                }


def csv_text(report: Report) -> str:
    """The rows as CSV; moments with their offset from UTC."""
    text = StringIO()
    table = csv.DictWriter(text, FIELDS, lineterminator="\n")
    table.writeheader()
    for row in report_rows(report):
        table.writerow({**row, "start": row["start"].isoformat(), "end": row["end"].isoformat()})
    return text.getvalue()


def write_parquet(report: Report, path: Path) -> None:
    """The rows as Parquet; moments in UTC, shown in the site's time zone.

    Raises:
        OSError: it cannot be written.
    """
    moment = pa.timestamp("ms", tz=report.time_zone)
    kinds = {"start": moment, "end": moment, "count": pa.int64()}
    kinds |= dict.fromkeys(("pcu", "observed_seconds", "expected_seconds"), pa.float64())
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in FIELDS])
    pq.write_table(pa.Table.from_pylist(list(report_rows(report)), schema=schema), path, compression="zstd")


def json_text(report: Report, language: Language = "en") -> str:
    """The whole report as JSON; what was not observed is null."""
    return json.dumps(report_data(report, language), indent=2, ensure_ascii=False) + "\n"


def report_data(report: Report, language: Language = "en") -> dict[str, Any]:
    """The whole report as JSON can hold it."""
    layout, edges = report.layout, report.counts.bins.edges
    gates = [gate.id for gate in layout.gates]
    return {
        "site": report.site,
        "time_zone": report.time_zone,
        "start": _moment(report, edges[0]),
        "end": _moment(report, edges[-1]),
        "volume_is": "entering" if layout.entries else "crossings",
        "pcu_standard": report.factors.standard if report.factors else None,
        "pcu_checked": report.factors.checked if report.factors else None,
        "gates": [{"id": gate.id, "name": gate.name, "approach": gate.approach} for gate in layout.gates],
        "movements": [
            {
                "id": movement.id,
                "from": gates[movement.origin] if movement.origin >= 0 else None,
                "to": gates[movement.destination],
                "turn": movement.turn or None,
            }
            for movement in layout.movements
        ],
        "intervals": _intervals(report, report.counts),
        "hours": _intervals(report, report.hours),
        "peak_hour": _peak(report, report.peak),
        "approach_peak_hours": {
            approach: _peak(report, peak)
            for approach, peak in zip(layout.approaches, report.approach_peaks, strict=True)
        },
        "origin_destination": {
            origin: {destination: _by_class(report.matrix[i, j]) for j, destination in enumerate(gates)}
            for i, origin in enumerate(gates)
        }
        if layout.entries
        else None,
        "notes": [say(note, language) for note in report.notes],
    }


def _intervals(report: Report, counts: Counts) -> list[dict[str, Any]]:
    layout, bins = report.layout, counts.bins
    volume, approaches = site_volume(counts.gates, layout), approach_volumes(counts.gates, layout)
    told = []
    for n, status in enumerate(bins.status):
        pcu = report.units(volume[n])
        nothing = shown(int(volume[n].sum()), status) is None
        told.append(
            {
                "start": _moment(report, bins.edges[n]),
                "end": _moment(report, bins.edges[n + 1]),
                "status": status,
                "observed_seconds": round(float(bins.observed[n]), 3),
                "expected_seconds": float(bins.expected[n]),
                "volume": _by_class(volume[n], status),
                "pcu": None if nothing or pcu is None else round(pcu, 6),
                "approaches": {
                    approach: {
                        "entered": _by_class(approaches[n, a, 0], status),
                        "left": _by_class(approaches[n, a, 1], status),
                    }
                    for a, approach in enumerate(layout.approaches)
                },
                "gates": {
                    gate.id: {d: _by_class(counts.gates[n, g, s], status) for s, d in enumerate(DIRECTIONS)}
                    for g, gate in enumerate(layout.gates)
                },
                "movements": {
                    movement.id: _by_class(counts.movements[n, m], status)
                    for m, movement in enumerate(layout.movements)
                },
            }
        )
    return told


def _by_class(counted: NDArray[np.int64], status: str = "complete") -> dict[str, int | None]:
    """Counts ``[C]`` by class label, and their total."""
    total = {"total": shown(int(counted.sum()), status)}
    return total | {
        kind.label: shown(int(number), status) for kind, number in zip(CLASSES, counted, strict=True)
    }


def _peak(report: Report, peak: Peak | None) -> dict[str, Any] | None:
    if peak is None:
        return None
    return {
        "start": _moment(report, peak.start),
        "end": _moment(report, peak.end),
        "volume": peak.volume,
        "quarters": list(peak.quarters),
        "phf": None if peak.factor is None else round(peak.factor, 4),
    }


def _moment(report: Report, time: float) -> str:
    return datetime.fromtimestamp(float(time), ZoneInfo(report.time_zone)).isoformat()
