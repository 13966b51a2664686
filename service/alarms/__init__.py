"""Alarms: what somebody should act on, raised once, acknowledged by a person, cleared when it is over."""

from service.alarms.engine import AlarmEngine, Change
from service.alarms.rules import KINDS, AlarmKind, AlarmRuleError, Severity

__all__ = ["KINDS", "AlarmEngine", "AlarmKind", "AlarmRuleError", "Change", "Severity"]
