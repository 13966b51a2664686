"""What a benchmark writes down: sections of rows to read, and figures to hold against an older run."""

import hashlib
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import psutil
from rich.console import Console
from rich.table import Table

Row = dict[str, Any]
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Figure:
    """One number that must not get worse.

    Attributes:
        value: the median of what was measured.
        better: which way is good.
        spread: half the range of the middle half of the repetitions, in the unit of ``value``.
        floor: the change that is noise in any case, in the unit of ``value``.
        portable: whether it may be compared across machines (accuracies and ratios may, times may not).
    """

    value: float
    better: Literal["higher", "lower"]
    spread: float = 0.0
    floor: float = 0.0
    portable: bool = True


@dataclass
class Section:
    """One table of the report.

    Attributes:
        title: what was measured, with its unit.
        rows: what is shown, one dict a row, all with the same keys; None is shown as a dash.
        notes: what a reader must know; "not run" and why stands here.
        figures: by name, what is held against older runs.
        points: for the plot of accuracy against cost: ``name``, ``cost``, ``accuracy`` and ``ours`` each.
    """

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Figure] = field(default_factory=dict)
    points: list[Row] = field(default_factory=list)

    def show(self, console: Console) -> None:
        """Print it."""
        if self.rows:
            table = Table(*self.rows[0], title=self.title, title_justify="left")
            for row in self.rows:
                table.add_row(*(cell(value) for value in row.values()))
            console.print(table)
        else:
            console.print(self.title)
        for note in self.notes:
            console.print(f"  {note}", soft_wrap=True, highlight=False, markup=False)


def cell(value: Any) -> str:
    """How a value stands in a table."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"
    return str(value)


def middle(values: Sequence[float]) -> tuple[float, float]:
    """The median, and half the range of the middle half."""
    ordered = sorted(values)
    last = len(ordered) - 1

    def at(share: float) -> float:
        place = share * last
        low = int(place)
        high = min(low + 1, last)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return at(0.5), (at(0.75) - at(0.25)) / 2


def sha256(path: Path) -> str:
    """Checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def machine() -> Row:
    """What it ran on, and how busy that was."""
    names = ("ngatu", "numpy", "scipy", "opencv-python-headless", "onnxruntime", "openvino", "av")
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_at_start": os.getloadavg()[0],
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": {name: _version(name) for name in names},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    flags = next((line for line in lines if line.startswith("flags")), "").split()
    return f"{name} ({', '.join(flag for flag in ('avx2', 'avx512f', 'avx512_vnni') if flag in flags)})"
