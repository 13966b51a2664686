"""How full each zone usually is, from the minutes in the database: so that a restart forgets nothing."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from service.storage.conditions import EpochSeconds
from service.storage.tables import ApproachInterval, Segment
from service.storage.undisturbed import undisturbed
from vision.density.congestion import BAND_BINS, FORGETTING

MINUTE = 60


@undisturbed()
def learned_occupancy(
    connection: Connection, camera: str, view_sha256: str, approaches: Sequence[str], now: datetime
) -> list[list[float]] | None:
    """What :class:`vision.density.DensityEstimator` takes as ``learned``, from the last two weeks.

    Args:
        connection: of a transaction.
        camera: its id.
        view_sha256: that of the view's segments; what was seen of other zones is no measure of these.
        approaches: in the order of the estimator's stretches.
        now: the present.

    Returns:
        Seconds that each zone's picture had each share covered, older ones faded; None where nothing is kept.
    """
    table = ApproachInterval
    query = (
        select(
            table.approach_id,
            EpochSeconds(table.start),
            table.sums["image_covered_s"].as_float(),
            table.sums["image_seconds"].as_float(),
        )
        .join(Segment, Segment.id == table.segment_id)
        .where(
            table.camera_id == camera,
            table.length == MINUTE,
            table.start >= now - timedelta(seconds=FORGETTING),
            table.start < now,
            Segment.view_sha256 == view_sha256,
        )
    )
    rows = {name: [0.0] * BAND_BINS for name in approaches}
    seen = False
    for approach, start, covered, seconds in connection.execute(query).all():
        if approach in rows and seconds:
            number = min(int((covered or 0.0) / seconds * BAND_BINS), BAND_BINS - 1)
            rows[approach][number] += seconds * math.exp((start - now.timestamp()) / FORGETTING)
            seen = True
    return [rows[name] for name in approaches] if seen else None
