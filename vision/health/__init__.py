"""Whether a camera's picture can be trusted, and the empty street behind its traffic."""

from vision.health.background import BackgroundMaker
from vision.health.records import Health, HealthSettings, HealthState
from vision.health.watch import HealthWatch

__all__ = ["BackgroundMaker", "Health", "HealthSettings", "HealthState", "HealthWatch"]
