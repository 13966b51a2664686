"""Incidents: what an operator should look at now, told from tracks, crossings and records of approaches."""

from vision.incidents.detector import IncidentDetector
from vision.incidents.records import KINDS, Incident, IncidentKind
from vision.incidents.settings import IncidentSettings

__all__ = ["KINDS", "Incident", "IncidentDetector", "IncidentKind", "IncidentSettings"]
