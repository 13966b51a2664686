"""Periods and pages of what was measured."""

from datetime import datetime, timedelta

from service.auth.problems import Problem

JSON_ROWS, TABLE_ROWS = 1000, 100_000
"""Rows of a page where nothing else is asked for: as JSON, and as a table."""


def check_period(start: datetime, end: datetime, longest: timedelta | None = None) -> None:
    """See that a period is one.

    Raises:
        Problem: it ends before it begins, or is too long for what is asked, 422.
    """
    if start >= end:
        raise Problem(
            422,
            "not valid",
            "query.end: it does not lie behind start; end is the first moment after the period",
            "query.end",
        )
    if longest is not None and end - start > longest:
        raise Problem(
            422,
            "not valid",
            f"query.end: at most {longest.days} days can be asked for at once here; ask in parts",
            "query.end",
        )


def rows_of_page(limit: int | None, format_: str) -> int:
    """Most rows of a page."""
    if limit is not None:
        return limit
    return TABLE_ROWS if format_ in ("csv", "parquet") else JSON_ROWS
