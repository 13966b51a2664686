"""The HTTP interface: everything under /v1, and the live state behind it."""
