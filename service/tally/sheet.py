"""The file of a hand count: every mark is on the disk before the page hears that it is kept."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from service.outputs import utc
from vision import NgatuError, VehicleClass
from vision.accuracy import read_events
from vision.types import Direction

COLUMNS = ("time_s", "gate", "direction", "class", "sure", "note", "time", "frame", "movement")
"""The first four are what :func:`vision.accuracy.read_events` reads."""

MAX_NOTE = 200
_UNDO_STEPS = 100


class TallyError(NgatuError):
    """The file of a hand count cannot be read, written or gone on with."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One vehicle at one gate, marked by a person.

    Attributes:
        id: number within this run of the server.
        frame: number of the frame that was shown.
        time: its time in seconds from the first frame.
        gate: id of the gate.
        direction: ``in`` or ``out``.
        vehicle_class: what it was.
        sure: whether the person was.
        note: a word of theirs.
        movement: the movement that the vehicle completed here, "" if that was not marked.
    """

    id: int
    frame: int
    time: float
    gate: str
    direction: Direction
    vehicle_class: VehicleClass
    sure: bool = True
    note: str = ""
    movement: str = ""


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What the file says of the clip.

    Attributes:
        name: the clip's file name.
        start: moment of the first frame, seconds since the Unix epoch, UTC.
        times: ``float64[N]``, seconds from the first frame.
    """

    name: str
    start: float
    times: NDArray[np.float64]

    @property
    def line(self) -> str:
        """The note that tells one clip's file from another's."""
        return f"# clip: {self.name}, {len(self.times)} frames"


class Sheet:
    """The marks of one clip, in memory and in its file alike. Safe to use from several threads."""

    def __init__(self, path: Path, clip: ClipFacts, gates: Iterable[str]) -> None:
        """Begin a file, or go on with the one that is there.

        Raises:
            TallyError: the file belongs to another clip or view, or cannot be read or written.
        """
        self.path = path.resolve()
        self.marks: tuple[Mark, ...] = ()
        self.counted = (0.0, 0.0)
        self._clip = clip
        self._notes: list[str] = []
        self._undo: list[tuple[Mark, ...]] = []
        self._lock = Lock()
        self._last_id = 0
        self._seen: tuple[int, int] | None = None
        if self.path.exists():
            self._read(set(gates))
        else:
            self._keep((), self.counted)

    def add(
        self, frame: int, gate: str, direction: Direction, vehicle_class: VehicleClass, movement: str = ""
    ) -> Mark:
        """Mark a vehicle in a frame."""
        with self._lock:
            time = float(self._clip.times[frame])
            mark = Mark(self._last_id + 1, frame, time, gate, direction, vehicle_class, movement=movement)
            self._change((*self.marks, mark))
            self._last_id = mark.id
            return mark

    def edit(
        self,
        number: int,
        *,
        frame: int | None = None,
        vehicle_class: VehicleClass | None = None,
        sure: bool | None = None,
        note: str | None = None,
    ) -> Mark:
        """Change what is given of one mark.

        Raises:
            KeyError: there is no such mark.
        """
        with self._lock:
            old = self._find(number)
            new = old
            if frame is not None:
                new = replace(new, frame=frame, time=float(self._clip.times[frame]))
            if vehicle_class is not None:
                new = replace(new, vehicle_class=vehicle_class)
            if sure is not None:
                new = replace(new, sure=sure)
            if note is not None:
                new = replace(new, note=" ".join(note.split()))
            self._change(tuple(new if mark is old else mark for mark in self.marks))
            return new

    def remove(self, number: int) -> None:
        """Take one mark away.

        Raises:
            KeyError: there is no such mark.
        """
        with self._lock:
            old = self._find(number)
            self._change(tuple(mark for mark in self.marks if mark is not old))

    def undo(self) -> bool:
        """Take the last change back; False when there is none since the server started."""
        with self._lock:
            if not self._undo:
                return False
            self._keep(self._undo[-1], self.counted)
            self._undo.pop()
            return True

    def set_counted(self, begin: float, end: float) -> None:
        """Say which stretch of the clip was looked at, in seconds from its first frame."""
        with self._lock:
            if (begin, end) != self.counted:
                self._keep(self.marks, (begin, end))

    def _find(self, number: int) -> Mark:
        for mark in self.marks:
            if mark.id == number:
                return mark
        raise KeyError(number)

    def _change(self, marks: tuple[Mark, ...]) -> None:
        before = self.marks
        self._keep(tuple(sorted(marks, key=lambda mark: (mark.time, mark.id))), self.counted)
        self._undo = [*self._undo[1 - _UNDO_STEPS :], before]

    def _keep(self, marks: tuple[Mark, ...], counted: tuple[float, float]) -> None:
        """Write first, remember then: what the page is told is on the disk."""
        if self._seen and self.path.exists() and _signature(self.path) != self._seen:
            raise TallyError(
                f"{self.path} was changed by another program; "
                "stop ngatu tally and start it again to go on from it"
            )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(self.path, self._text(marks, counted))
            self._seen = _signature(self.path)
        except OSError as error:
            raise TallyError(f"cannot write {self.path}: {error.strerror}; choose another --out") from None
        self.marks, self.counted = marks, counted

    def _text(self, marks: Sequence[Mark], counted: tuple[float, float]) -> str:
        text = io.StringIO(newline="")
        text.write(f"# counted: {counted[0]:.2f}-{counted[1]:.2f}\n{self._clip.line}\n")
        text.writelines(f"{note}\n" for note in self._notes)
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        for mark in marks:
            sure, label = "yes" if mark.sure else "no", mark.vehicle_class.label
            when = utc(self._clip.start + mark.time)
            what = (f"{mark.time:.3f}", mark.gate, mark.direction, label, sure, mark.note)
            rows.writerow((*what, when, mark.frame, mark.movement))
        return text.getvalue()

    def _read(self, gates: set[str]) -> None:
        try:
            events = read_events(self.path)
            self._seen = _signature(self.path)
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError, ValueError):
            raise TallyError(f"{self.path} cannot be read as a hand count; choose another --out") from None
        self._read_notes([line for line in lines if line.startswith("#")])
        table = csv.DictReader(line for line in lines if not line.startswith("#"))
        if unknown := set(table.fieldnames or ()) - set(COLUMNS):
            raise TallyError(
                f"{self.path} has columns that a hand count does not have ({', '.join(sorted(unknown))}); "
                "choose another --out, so that nothing of it is lost"
            )
        marks = []
        for number, (event, row) in enumerate(zip(events, table, strict=True), 1):
            if event.gate not in gates:
                raise TallyError(
                    f"{self.path} counts at a gate {event.gate!r}; here are {', '.join(sorted(gates))}; "
                    "give the --view it was counted with, or another --out"
                )
            frame = int(np.abs(self._clip.times - event.time).argmin())
            sure, note, movement = row.get("sure") != "no", row.get("note") or "", row.get("movement") or ""
            marks.append(
                Mark(
                    number,
                    frame,
                    event.time,
                    event.gate,
                    event.direction,
                    event.vehicle_class,
                    sure,
                    note,
                    movement,
                )
            )
        self.marks = tuple(marks)
        self._last_id = len(marks)

    def _read_notes(self, notes: list[str]) -> None:
        for note in notes:
            if note.startswith("# counted:"):
                begin, _, end = note.removeprefix("# counted:").partition("-")
                try:
                    self.counted = (float(begin), float(end))
                except ValueError:
                    raise TallyError(
                        f"{self.path}: {note!r} is no stretch; write it as '# counted: 0.00-60.00'"
                    ) from None
            elif not note.startswith("# clip:"):
                self._notes.append(note)
            elif note != self._clip.line:
                raise TallyError(
                    f"{self.path} is the count of another clip ({note.removeprefix('# clip: ')}); "
                    "choose another --out"
                )


def _signature(path: Path) -> tuple[int, int]:
    """What changes when somebody else writes the file."""
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def _write_durably(path: Path, text: str) -> None:
    """Put a text on the disk in one step: a crash leaves the file as it was or as it is to be."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
