"""A report on one site: counts by interval, quarter and hour, peak hours, who went where, what is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reports.bins import HOUR, QUARTER, clock_edges, common_spans, make_bins
from service.reports.crossings import CLASSES, Counted, Layout, Note
from service.reports.peak import Peak, peak_hour
from service.reports.turning import (
    Counts,
    approach_volumes,
    count_by_bin,
    origin_destination,
    site_volume,
)
from vision import NgatuError, VehicleClass
from vision.density.factors import FactorTable


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of one site.

    Attributes:
        site: the junction or camera, in words.
        time_zone: of the clock.
        layout: gates, movements and approaches.
        counts: by interval.
        hours: by hour of the clock, the hourly profile.
        peak: the site's busiest hour; None where no hour was fully observed.
        approach_peaks: each approach's own, in the order of the layout's approaches.
        matrix: ``int64[G, G, C]`` vehicles by entry gate and exit gate over the whole time.
        factors: the table for totals in passenger-car units, if one was chosen.
        notes: what the reader must know.
    """

    site: str
    time_zone: str
    layout: Layout
    counts: Counts
    hours: Counts
    peak: Peak | None
    approach_peaks: tuple[Peak | None, ...]
    matrix: NDArray[np.int64]
    factors: FactorTable | None
    notes: tuple[Note, ...]

    @property
    def volume(self) -> NDArray[np.int64]:
        """``int64[B, C]`` the site's volume in each interval."""
        return site_volume(self.counts.gates, self.layout)

    def units(self, by_class: NDArray[np.int64]) -> float | None:
        """Counts ``[C]`` in passenger-car units; None without a table, or where no class is known."""
        if self.factors is None:
            return None
        labels = (kind.label for kind in CLASSES)
        return self.factors.total(dict(zip(labels, by_class.tolist(), strict=True)))


def make_report(
    counted: Counted,
    interval: float = QUARTER,
    factors: FactorTable | None = None,
    period: tuple[float, float] | None = None,
) -> Report:
    """Count and sum up.

    The peak hour always comes from quarters of an hour, whatever the interval.

    Args:
        counted: crossings and the observed time.
        interval: of the rows, seconds; it divides a day.
        factors: the table for totals in passenger-car units.
        period: from and to, seconds since the epoch; None takes all that was observed. An interval that
            reaches beyond it is partial.

    Raises:
        NgatuError: nothing was observed.
    """
    begin, end = period or _extent(counted)
    crossings, spans = counted.crossings, counted.spans
    if period:
        crossings = crossings[(crossings.time >= begin) & (crossings.time < end)]
        spans = common_spans(spans, np.array([period]))

    def count(length: float) -> Counts:
        edges = clock_edges(begin, end, length, counted.time_zone)
        return count_by_bin(crossings, make_bins(edges, spans), counted.layout)

    layout, counts, quarters = counted.layout, count(interval), count(QUARTER)
    entering = slice(0, 1) if layout.entries else slice(0, 2)
    by_approach = approach_volumes(quarters.gates, layout)[:, :, entering].sum(axis=(2, 3))
    peak = peak_hour(site_volume(quarters.gates, layout).sum(axis=1), quarters.bins)
    return Report(
        site=counted.site,
        time_zone=counted.time_zone,
        layout=layout,
        counts=counts,
        hours=count(HOUR),
        peak=peak,
        approach_peaks=tuple(peak_hour(volume, quarters.bins) for volume in by_approach.T),
        matrix=origin_destination(counts.movements.sum(axis=0), layout),
        factors=factors,
        notes=(*counted.notes, *_notes(counts, quarters, layout, peak, factors)),
    )


def shown(count: int, status: str) -> int | None:
    """A count as it is told: None, not 0, where nobody looked."""
    return None if status == "not_observed" and not count else count


def _extent(counted: Counted) -> tuple[float, float]:
    """From the first to the last moment that was observed or has a crossing."""
    moments = [*counted.spans.ravel().tolist()]
    if len(counted.crossings):
        time = counted.crossings.time
        moments += [float(time.min()), float(np.nextafter(time.max(), np.inf))]
    if not moments:
        raise NgatuError(f"{counted.site}: nothing was observed, so there is nothing to report")
    return min(moments), max(moments)


def _notes(
    counts: Counts, quarters: Counts, layout: Layout, peak: Peak | None, factors: FactorTable | None
) -> Sequence[Note]:
    notes = []
    missing = int((~counts.bins.complete).sum())
    if missing:
        notes.append(Note("incomplete", {"missing": missing, "all": len(counts.bins)}))
    if peak is None:
        notes.append(Note("no_peak"))
    elif not quarters.bins.complete.all():
        notes.append(Note("peak_of_observed"))
    total = counts.gates.sum(axis=0)
    if layout.entries:
        entered, followed = int(site_volume(total, layout).sum()), int(counts.movements.sum())
        if entered > followed:
            notes.append(Note("followed", {"followed": followed, "entered": entered}))
    else:
        notes.append(Note("no_movements"))
    if factors:
        checked = "factors" if factors.checked else "factors_unchecked"
        notes.append(Note(checked, {"unit": factors.unit, "standard": factors.standard}))
    unknown = int(site_volume(total, layout)[CLASSES.index(VehicleClass.UNKNOWN)])
    if unknown:
        notes.append(Note("unknown", {"count": unknown}))
    return notes
