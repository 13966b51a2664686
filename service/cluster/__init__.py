"""Several machines: the same work as Ray tasks and actors (extra ``cluster``)."""
