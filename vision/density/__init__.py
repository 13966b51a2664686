"""Density, speed, occupancy and queue by approach and interval: from tracks to sums, from sums to figures."""

from vision.density.estimator import DensityEstimator
from vision.density.factors import FactorTable, load_factors
from vision.density.figures import REASONS, Figures, figures_of
from vision.density.light import light_of
from vision.density.records import ApproachInterval, merge_all, not_observed, roll_up

__all__ = [
    "REASONS",
    "ApproachInterval",
    "DensityEstimator",
    "FactorTable",
    "Figures",
    "figures_of",
    "light_of",
    "load_factors",
    "merge_all",
    "not_observed",
    "roll_up",
]
