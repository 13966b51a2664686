"""Other programs' data, made ours: to count it with our views, and to compare."""
