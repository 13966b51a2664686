"""CSV files that people or programs wrote: rows with their line numbers, columns checked, moments parsed."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from service.reports.words import class_named
from vision import NgatuError, VehicleClass


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        where: the file and the line, for messages.
        cells: value by column name, without spaces around; empty where the row is short.
    """

    where: str
    cells: dict[str, str]

    def fault(self, problem: str) -> NgatuError:
        """The error that says what is wrong with this row."""
        return NgatuError(f"{self.where}: {problem}")

    def vehicle_class(self, column: str = "class") -> VehicleClass:
        """The class named in a column.

        Raises:
            NgatuError: it names none.
        """
        kind = class_named(self.cells[column])
        if kind is None:
            known = ", ".join(each.label for each in VehicleClass)
            raise self.fault(f"{column}: {self.cells[column]!r} is no vehicle class; write one of: {known}")
        return kind


@dataclass(frozen=True, slots=True)
class TableFile:
    """A CSV file.

    Attributes:
        path: the file.
        columns: names in the heading.
        rows: what stands below it.
        counted: the text behind ``# counted:`` in its notes, if there is such a line.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    counted: str | None

    def need(self, *columns: str) -> None:
        """Check that columns are there.

        Raises:
            NgatuError: one is missing.
        """
        for column in columns:
            if column not in self.columns:
                raise NgatuError(
                    f"{self.path}: there is no column {column!r} among {', '.join(self.columns)}; "
                    f"it needs {', '.join(columns)}"
                )


def read_table(path: Path) -> TableFile:
    """Read a CSV file with a heading, separated by commas, semicolons or tabs; ``#`` begins a note.

    Raises:
        NgatuError: the file is missing, empty, not UTF-8 text, or a row has more cells than the heading.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise NgatuError(f"cannot read {path}: {error.strerror}; check the path") from None
    except UnicodeDecodeError:
        raise NgatuError(f"{path} is not UTF-8 text; save it as 'CSV UTF-8'") from None
    notes = [line for line in lines if line.startswith("#")]
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not numbered:
        raise NgatuError(f"{path} is empty; it needs a heading and rows")
    separator = max(",;\t", key=numbered[0][1].count)
    table = list(csv.reader([line for _, line in numbered], delimiter=separator))
    columns = tuple(name.strip().lower() for name in table[0])
    rows = []
    for (number, _), values in zip(numbered[1:], table[1:], strict=False):
        where = f"{path}: line {number}"
        if len(values) > len(columns):
            raise NgatuError(f"{where}: {len(values)} cells under {len(columns)} headings; quote the commas")
        cells = [value.strip() for value in values] + [""] * (len(columns) - len(values))
        rows.append(Row(where, dict(zip(columns, cells, strict=True))))
    found = (re.match(r"#\s*counted:\s*(.+)", note) for note in notes)
    return TableFile(path, columns, tuple(rows), next((each[1].strip() for each in found if each), None))


@dataclass(frozen=True, slots=True)
class ClipClock:
    """How written times become moments: what a clip's clock shows when.

    Attributes:
        start: moment of the clip's first frame, seconds since the epoch; None if not known.
        end: moment of its last.
        zone: of times without an offset.
    """

    start: float | None
    end: float | None
    zone: ZoneInfo

    def moment(self, text: str) -> float:
        """Seconds since the epoch of ``2026-03-10 07:30:00``, ``07:30:00`` or seconds from the start.

        Raises:
            ValueError: it is none of these, or not enough is known of the clip; the text says what to do.
        """
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
            return self._since_start(float(text))
        if clock := re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?", text):
            return self._on_the_day(int(clock[1]), int(clock[2]), float(clock[3] or 0), text)
        try:
            written = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                f"{text!r} is no time; write 2026-03-10 07:30:00, 07:30:00, or seconds from the start"
            ) from None
        return (written if written.tzinfo else written.replace(tzinfo=self.zone)).timestamp()

    def _since_start(self, seconds: float) -> float:
        if self.start is None:
            raise ValueError("seconds from the start mean nothing where the start is not known; write dates")
        return self.start + seconds

    def _on_the_day(self, hour: int, minute: int, second: float, text: str) -> float:
        if hour > 23 or minute > 59 or second >= 60:
            raise ValueError(f"{text!r} is no time of day")
        if self.start is None or self.end is None:
            raise ValueError(f"{text!r} has no date and the day is not known; write the date too")
        if self.end - self.start > timedelta(days=1).total_seconds():
            raise ValueError(f"{text!r} may be any of several days; write the date too")

        def on(day: date) -> float:
            clock = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone)
            return clock.timestamp() + second

        first, last = (datetime.fromtimestamp(each, self.zone).date() for each in (self.start, self.end))
        return on(last) if last > first and on(first) < self.start - 3600 else on(first)


def parse_counted(text: str, clock: ClipClock) -> tuple[float, float]:
    """From and to of a ``# counted:`` note: ``0.0-40.0``, ``07:30-08:30`` or two dates with `` - ``.

    Raises:
        ValueError: it cannot be read.
    """
    parts: Sequence[str] = re.split(r"\s+-\s+", text) if " - " in text else text.split("-")
    if len(parts) != 2:
        raise ValueError(f"{text!r} is no stretch; write such as 0.0-40.0 or 07:30-08:30")
    begin, end = (clock.moment(part.strip()) for part in parts)
    if end <= begin:
        raise ValueError(f"{text!r} ends before it begins")
    return begin, end
