"""How well the calibration of a camera's view fits: kept beside the view, with the same dates."""

from typing import Any

import numpy as np

from vision.calibration import fit_calibration
from vision.errors import CalibrationError
from vision.views import View


def calibration_problem(view: View) -> str | None:
    """Why a view's calibration gives no metres; None where it does, or there is none."""
    fit = calibration_fit(view)
    return fit["definition"].get("problem") if fit else None


def calibration_fit(view: View) -> dict[str, Any] | None:
    """What the table ``calibrations`` keeps of a view; None where it is not calibrated.

    Returns:
        ``error_m``, the median of what each point is off when the others place it (None where the points are
        too few to tell, or give no mapping), and ``definition``: ``version`` (that of every speed and
        density measured with it), ``points``, ``residual_max_m``, ``extent_m``; or ``problem`` alone.
    """
    if view.calibration is None:
        return None
    try:
        ground = fit_calibration(view.calibration)
    except CalibrationError as error:
        return {"error_m": None, "definition": {"problem": str(error)}}
    left_out = ground.leave_one_out_m[np.isfinite(ground.leave_one_out_m)]
    return {
        "error_m": round(float(np.median(left_out)), 3) if len(left_out) else None,
        "definition": {
            "version": ground.version,
            "points": len(ground.residuals_m),
            "residual_max_m": round(float(ground.residuals_m.max()), 3),
            "extent_m": round(ground.extent_m, 3),
        },
    }
