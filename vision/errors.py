"""The one tree of exceptions a user of ngatu may see: each message is a sentence that names the fix."""


class NgatuError(Exception):
    """Base of all errors that come from the user's input or surroundings, not from a bug."""


class SourceError(NgatuError):
    """A video, image folder or stream cannot be opened or read."""


class ModelError(NgatuError):
    """A detector's card or weights are missing, altered or of a kind we cannot run."""


class ViewError(NgatuError):
    """A view (gates, zones, movements) is not valid."""


class CalibrationError(NgatuError):
    """Image points and ground points give no usable mapping of the ground."""


class TracksError(NgatuError):
    """A file of stored tracks cannot be read."""


class TrainingError(NgatuError):
    """Pictures or labels to train a detector from are missing or cannot be read."""


class FactorError(NgatuError):
    """A table of passenger-car or motorcycle equivalents is missing or wrong."""
