"""Many recordings at once: found, detected in parallel, tracked in order, resumed after a kill."""
