"""The database: what was measured, written once, and the registry that says what it meant at the time."""
