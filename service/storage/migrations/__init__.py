"""The schema's history, applied by ``ngatu db upgrade``."""
