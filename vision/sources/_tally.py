"""Times of frames and the account of reading: what arrived, what was delivered, what was lost."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class SourceTally:
    """How reading went so far.

    Attributes:
        read: frames that arrived decoded.
        delivered: frames handed on.
        skipped: frames left out because fewer per second were asked for.
        undecodable: packets lost because the container or the decoder could not make sense of them.
        damaged: packets or frames marked as corrupt; their frames are delivered, patched by the decoder.
        out_of_order: frames dropped because their time did not advance.
        jumps: times the stream's clock jumped and frames were timed on from the last good one.
        gaps: (from, to), seconds since the Unix epoch: frame times around each hole left by damage.
        truncated: the recording ends before its own index or header says.
    """

    read: int = 0
    delivered: int = 0
    skipped: int = 0
    undecodable: int = 0
    damaged: int = 0
    out_of_order: int = 0
    jumps: int = 0
    gaps: list[tuple[float, float]] = field(default_factory=list)
    truncated: bool = False


class Timeline:
    """Turns presentation times into strictly increasing seconds since the first frame."""

    # A step back by more is a restarted clock; a smaller one is a few frames out of order.
    STEP_BACK = 1.0

    def __init__(self, interval: float, max_step: float = float("inf")) -> None:
        """``interval``: usual seconds between frames; ``max_step``: seconds no real pause can exceed."""
        self.last = 0.0
        self.step = 0.0
        self.jumped = False
        self._interval = interval
        self._max_step = max_step
        self._begun = False
        self._zero: float | None = None

    def place(self, presented: float | None) -> float | None:
        """Seconds since the first frame, or None for a frame that must be dropped.

        Args:
            presented: presentation time in seconds on the stream's own clock; None when it has none.
        """
        self.jumped = False
        following = self.last + self._interval if self._begun else 0.0
        if self._zero is None and presented is not None:
            self._zero = presented - following  # a live stream's first frames often have no time yet
        time = following if presented is None or self._zero is None else presented - self._zero
        if not self._begun:
            self._begun = True
            return time
        step = time - self.last
        if self._zero is not None and (step < -self.STEP_BACK or step > self._max_step):
            self._zero += step - self._interval
            time, step = self.last + self._interval, self._interval
            self.jumped = True
        if step <= 0:
            return None
        self.last, self.step = time, step
        return time


class Pace:
    """Chooses which frames to analyse, by presentation time: the one nearest to each tick of ``1 / fps``."""

    def __init__(self, fps: float | None) -> None:
        self._fps = fps
        self._tick = -1

    def wants(self, time: float, step: float) -> bool:
        """Whether the frame at ``time``, ``step`` seconds after the one before, is to be analysed."""
        if self._fps is None:
            return True
        # Half a step early counts: at that rate this frame is nearer to the tick than the next will be.
        early = min(step, 1 / self._fps) / 2
        tick = int((time + early) * self._fps + 1e-6)
        if tick <= self._tick:
            return False
        self._tick = tick
        return True
