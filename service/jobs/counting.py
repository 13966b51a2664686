"""What runs in the sandbox: counts one recording and leaves its files in the one folder it may write."""

import os
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from service.auth.cage import report
from service.count import CountOptions, count_source
from service.record_count import put_count
from service.storage.outbox import Outbox
from vision import Crossing, NgatuError

REPORT_EVERY_S = 0.5


def count(order: dict[str, Any]) -> dict[str, Any]:
    """Count a recording.

    Args:
        order: ``path`` of the recording, ``folder`` to write in, ``view`` (a file, or None), ``site``,
            ``model``, ``provider``, ``threads``, and ``options`` of the job.

    Returns:
        ``summary``, ``notes``, ``counts`` by gate, direction and class.

    Raises:
        NgatuError: it cannot be counted to its end.
    """
    os.umask(0o077)
    os.nice(10)  # live cameras come first
    folder, asked = Path(order["folder"]), order["options"]
    options = CountOptions(
        source=order["path"],
        out=folder / "out",
        view=Path(order["view"]) if order["view"] else None,
        model=order["model"],
        provider=order["provider"],
        annotate=asked["annotate"],
        fps=asked["fps"],
        start=datetime.fromisoformat(asked["start"]) if asked["start"] else None,
        tz=asked["tz"],
        threads=order["threads"],
    )
    told = 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal told
        if time.monotonic() - told >= REPORT_EVERY_S:
            told = time.monotonic()
            report([done, total])

    result = count_source(options, progress)
    if result.failure is not None:
        raise result.failure
    if asked["record"]:
        if result.view is None:
            raise NgatuError("nothing was counted, so there is nothing to record")
        with Outbox(folder / "outbox.db") as outbox:
            put_count(result, options, outbox, asked["camera"], order["site"])
    return {"notes": result.notes, "summary": result.summary, "counts": _totals(result.crossings)}


def _totals(crossings: Iterable[Crossing]) -> dict[str, dict[str, dict[str, int]]]:
    """Crossings by gate, direction and class."""
    totals: dict[str, dict[str, dict[str, int]]] = {}
    for each in crossings:
        by_class = totals.setdefault(each.gate, {}).setdefault(each.direction, {})
        label = each.vehicle_class.label
        by_class[label] = by_class.get(label, 0) + 1
    return totals
