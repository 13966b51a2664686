"""When the target is reached if things go on as they did, and why that cannot be said where it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from service.coverage.figures import Figures

DAY = 86_400.0
SHORTEST, LONGEST, FURTHEST = 7, 28, 5 * 365
"""Days of history needed and used, and days ahead beyond which nothing is promised."""

Obstacle = Literal["reached", "no_sites", "short_history", "no_progress", "uncertain", "too_far"]


@dataclass(frozen=True, slots=True)
class Reach:
    """When the target is reached at the present pace.

    Attributes:
        date: seconds since the Unix epoch, UTC; None where ``obstacle`` says why not.
        obstacle: ``reached`` already; ``no_sites``; ``short_history``, fewer than 7 whole days;
            ``no_progress``; ``uncertain``, the rise is not larger than twice its own standard error;
            ``too_far``, more than five years.
        pace: rise of the effective share per day; None where it was not measured.
        days: whole days it was measured on.
    """

    date: float | None
    obstacle: Obstacle | None
    pace: float | None
    days: int


def reach(now: Figures, days: Sequence[Figures]) -> Reach:
    """Prolong the straight line through the effective share of the last four weeks (least squares).

    Args:
        now: figures of one kind of site at present.
        days: its figures day by day until then, in order; days without a key site are passed over.
    """
    known = [(each.start, each.effective) for each in days if each.effective is not None][-LONGEST:]
    if now.effective is None:
        return Reach(None, "no_sites", None, len(known))
    if now.reached:
        return Reach(None, "reached", None, len(known))
    if len(known) < SHORTEST:
        return Reach(None, "short_history", None, len(known))
    times, shares = np.array(known, np.float64).T
    away = (times - times.mean()) / DAY
    pace = float(away @ shares / (away @ away))
    rest = shares - shares.mean() - pace * away
    error = float(np.sqrt(rest @ rest / (len(known) - 2) / (away @ away)))
    if pace <= 1e-9:
        return Reach(None, "no_progress", pace, len(known))
    if pace <= 2 * error:
        return Reach(None, "uncertain", pace, len(known))
    ahead = (now.target - now.effective) / pace
    if ahead > FURTHEST:
        return Reach(None, "too_far", pace, len(known))
    return Reach(now.start + ahead * DAY, None, pace, len(known))
