"""Parameters that many routes share: moments, identifiers, pages. Each says what it is once."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

EARLIEST, LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


def _plus(value: object) -> object:
    """A plus sign that was not written as %2B arrives as a space."""
    return value.replace(" ", "+") if isinstance(value, str) and value[-6:-5] == " " else value


def _utc(value: datetime) -> datetime:
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        moment = None
    if moment is None or not EARLIEST <= moment < LATEST:
        raise ValueError("give a moment between 1970 and 2200")
    return moment


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_plus),
    AfterValidator(_utc),
    Field(examples=["2026-03-10T09:00:00+07:00"]),
]
"""A moment with its offset from UTC; inside it is UTC."""

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=IDENTIFIER)]

Start = Annotated[Moment, Query(description="Beginning of the period, with its offset from UTC.")]
End = Annotated[Moment, Query(description="End of the period: the first moment after it.")]
At = Annotated[Moment | None, Query(description="The moment asked for; now if left out.")]
ValidFrom = Annotated[
    Moment | None, Query(description="Moment from which the change holds; now if left out.")
]
Limit = Annotated[int, Query(ge=1, le=10_000, description="Most rows of one page.", examples=[1000])]
BulkLimit = Annotated[
    int | None,
    Query(ge=1, le=100_000, description="Most rows of one page; 1,000 as JSON, 100,000 as a table."),
]
Cursor = Annotated[
    str | None,
    Query(max_length=500, description="What the page before gave as `next`; opaque."),
]
Language = Annotated[Literal["vi", "en"], Query(description="Language of texts.")]

SitePath = Annotated[
    str, Path(min_length=1, max_length=64, pattern=IDENTIFIER, description="A site.", examples=["hoa-ban"])
]
ApproachPath = Annotated[
    str, Path(min_length=1, max_length=64, pattern=IDENTIFIER, description="An approach.", examples=["north"])
]
CameraPath = Annotated[
    str,
    Path(min_length=1, max_length=64, pattern=IDENTIFIER, description="A camera.", examples=["hoa-ban-cam1"]),
]
SiteQuery = Annotated[
    str | None, Query(min_length=1, max_length=64, pattern=IDENTIFIER, description="Of this site only.")
]
CameraQuery = Annotated[
    str | None, Query(min_length=1, max_length=64, pattern=IDENTIFIER, description="Of this camera only.")
]
ApproachQuery = Annotated[
    str | None, Query(min_length=1, max_length=64, pattern=IDENTIFIER, description="Of this approach only.")
]
TableFormat = Annotated[
    Literal["json", "csv", "parquet"] | None,
    Query(alias="format", description="Format, for a browser; else by the header Accept."),
]
