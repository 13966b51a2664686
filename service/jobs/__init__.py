"""Recorded jobs: a recording is given, waits for its turn, and is counted in a limited process."""

from service.jobs.results import FILES, folder_of, sweep
from service.jobs.runner import JobRunner
from service.jobs.settings import JobError, JobOptions, JobSettings, read_options

__all__ = [
    "FILES",
    "JobError",
    "JobOptions",
    "JobRunner",
    "JobSettings",
    "folder_of",
    "read_options",
    "sweep",
]
