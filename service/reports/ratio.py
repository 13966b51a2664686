"""What a manual count says of our other counts of the place: how many vehicles one counted stands for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

LEAST_CELLS = 5
"""Of fewer intervals no range is told."""


@dataclass(frozen=True, slots=True)
class TrueRatio:
    """Vehicles for each one that we counted.

    Attributes:
        value: manual over ours, of all intervals.
        low: lower end of its 95 % confidence interval, at least 0.
        high: upper end.
    """

    value: float
    low: float
    high: float


def true_ratio(manual: NDArray[np.int64], ours: NDArray[np.int64]) -> TrueRatio | None:
    """The ratio estimator over intervals, with the range that their scatter gives it.

    R = Σm / Σo; var R = n Σ(m - R o)² / ((n - 1) (Σo)²), Student's t with n - 1 degrees of freedom (Cochran,
    *Sampling Techniques*, 3rd edition, 1977, chapter 6). Whatever makes misses come in bunches within an
    interval is in it; other light, weather or traffic than in these intervals is not. The sum of squares is
    taken as 1 at least, as if one interval were off by one vehicle: where no difference was seen that makes
    about 3 in N ("rule of three"), not certainty.

    Args:
        manual: ``[n]`` vehicles that a person counted in each interval.
        ours: ``[n]`` that we counted in it.

    Returns:
        None for fewer than five intervals, or where we counted nothing.

    >>> true_ratio(np.array([22, 18, 21, 25, 19]), np.array([20, 18, 20, 22, 20])).value
    1.05
    """
    cells, total = len(manual), int(ours.sum())
    if cells < LEAST_CELLS or not total:
        return None
    ratio = float(manual.sum()) / total
    scatter = max(float(((manual - ratio * ours) ** 2).sum()), 1.0)
    reach = float(t.ppf(0.975, cells - 1)) * np.sqrt(cells * scatter / (cells - 1)) / total
    return TrueRatio(ratio, max(ratio - reach, 0.0), ratio + reach)
