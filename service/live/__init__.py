"""Live: the registry's cameras, watched for months by worker processes that a supervisor keeps going."""
