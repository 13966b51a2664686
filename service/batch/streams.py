"""Joins consecutive recordings of one camera to streams, through which tracks and counts carry on."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from service.batch.find import Placed
from service.batch.inspect import Plan
from service.storage.ids import content_sha256
from vision.views import View

JOIN_S = 5.0
"""Recordings are one stream if the next begins at most so long after the end of the one before, s."""


@dataclass(frozen=True, slots=True)
class Part:
    """A recording within a stream.

    Attributes:
        placed: the recording.
        plan: what is known of it.
        start: moment of its first frame, seconds since the epoch, UTC.
    """

    placed: Placed
    plan: Plan
    start: float

    @property
    def end(self) -> float:
        """Moment at which it ends, by its frames' own times."""
        return self.start + self.plan.end


@dataclass(frozen=True, slots=True)
class Stream:
    """Recordings of one camera that follow one another, of one view and one day."""

    parts: tuple[Part, ...]

    @property
    def camera(self) -> str:
        """Id of the camera."""
        return self.parts[0].placed.camera

    @property
    def site(self) -> str | None:
        """Id of its site, if it has one."""
        return self.parts[0].placed.site

    @property
    def view(self) -> View:
        """What is drawn on its picture."""
        return self.parts[0].placed.view

    @property
    def content(self) -> str:
        """Checksum of what is in it: that of its recording, or of all their checksums in order."""
        sums = [part.plan.sha256 for part in self.parts]
        return sums[0] if len(sums) == 1 else content_sha256({"recordings": sums})


def make_streams(recordings: list[tuple[Placed, Plan]], tz: str) -> list[Stream]:
    """Streams of recordings that are in order of camera and start.

    A stream begins anew with the view, the size of the picture, a pause of more than ``JOIN_S``, or the day,
    so that resuming never goes back further.

    Args:
        recordings: in order of camera and start, of each the plan.
        tz: time zone in which a day begins.
    """
    zone = ZoneInfo(tz)
    streams: list[list[Part]] = []
    for placed, plan in recordings:
        last = streams[-1][-1] if streams else None
        start = placed.named.start
        if last is not None and _continues(last, placed, plan, zone):
            # A name is rounded down. Where the recording before ends within what it leaves open, this one
            # goes on from there, to the frame.
            start = min(max(last.end, start), start + placed.named.resolution)
            streams[-1].append(Part(placed, plan, start))
        else:
            streams.append([Part(placed, plan, start)])
    return [Stream(tuple(parts)) for parts in streams]


def _continues(last: Part, placed: Placed, plan: Plan, zone: ZoneInfo) -> bool:
    before, named = last.placed, placed.named
    if before.camera != placed.camera or before.site != placed.site or before.view != placed.view:
        return False
    if last.plan.size != plan.size or _day(before.named.start, zone) != _day(named.start, zone):
        return False
    if not last.plan.end or named.start < before.named.start:
        return False
    pause = named.start - last.end
    return -JOIN_S - named.resolution <= pause <= JOIN_S


def _day(time: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time, zone).strftime("%Y-%m-%d")
