"""What goes out: the format asked for, an ETag, and 304 where the caller has it already."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import Request, Response
from pydantic import BaseModel
from pydantic_core import to_json

from service.auth.problems import Problem

FORMATS = {
    "json": "application/json",
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Formats by the name that ``?format=`` takes."""

_ALSO = {"application/x-parquet": "parquet", "application/parquet": "parquet"}
_FILES = ("csv", "parquet", "xlsx")

VARY = "Accept, Accept-Language, Authorization, Cookie"
"""Headers of a request that may make another answer of the same address."""

Row = Mapping[str, Any]


def chosen_format(request: Request, asked: str | None, offered: Sequence[str]) -> str:
    """The format to answer in: as ``?format=`` says, else as the header Accept prefers; the first if open.

    Raises:
        Problem: none of those accepted is offered, 406.
    """
    if asked is not None:
        return asked
    best, quality = None, 0.0
    for kind, weight in _accepted(request.headers.get("accept", "*/*")):
        name = next((each for each in offered if _fits(kind, each)), None)
        if name is not None and weight > quality:
            best, quality = name, weight
    if best is None:
        names = ", ".join(FORMATS[name] for name in offered)
        raise Problem(406, "not acceptable", f"this is given as {names}; ask for one of them with Accept")
    return best


def respond(
    request: Request,
    body: bytes,
    format_: str = "json",
    *,
    name: str = "ngatu",
    following: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer with its ETag, or 304; ``following`` is the cursor of the next page, told as a Link too."""
    tag = etag(body)
    told = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": VARY}
    told |= headers or {}
    if following is not None:
        query = dict(request.query_params) | {"cursor": following}
        told["Link"] = f'<{request.url.path}?{urlencode(query)}>; rel="next"'
    if request.method in ("GET", "HEAD") and matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=told)
    if format_ in _FILES:
        told["Content-Disposition"] = f'attachment; filename="{name}.{format_}"'
    media = FORMATS[format_] + ("; charset=utf-8" if format_ == "csv" else "")
    return Response(body, status, told, media)


def page(
    request: Request,
    rows: Sequence[Row],
    model: type[BaseModel],
    format_: str,
    *,
    name: str,
    following: str | None = None,
    more: Row | None = None,
) -> Response:
    """A page of rows: ``{"items": [...], "next": cursor}`` as JSON, or the rows as a table."""
    if format_ == "csv":
        body = csv_bytes(rows, list(model.model_fields))
    elif format_ == "parquet":
        body = parquet_bytes(rows, model)
    else:
        body = json_bytes({**(more or {}), "items": rows, "next": following})
    return respond(request, body, format_, name=name, following=following)


def etag(body: bytes) -> str:
    """The tag of a content."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(header: str | None, tag: str) -> bool:
    """Whether a header If-Match or If-None-Match names a tag."""
    if header is None:
        return False
    names = [each.strip().removeprefix("W/") for each in header.split(",")]
    return "*" in names or tag in names


def json_bytes(data: Any) -> bytes:
    """Data as JSON; moments in RFC 3339, UTC, what is no number as null."""
    return to_json(data, inf_nan_mode="null")


def csv_bytes(rows: Iterable[Row], columns: Sequence[str]) -> bytes:
    """Rows as CSV; what is not known is empty, moments are in RFC 3339."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    for row in rows:
        table.writerow([_cell(row[name]) for name in columns])
    return text.getvalue().encode()


def parquet_bytes(rows: Sequence[Row], model: type[BaseModel]) -> bytes:
    """Rows as Parquet with the types of a model."""
    kinds = {name: _arrow(field.annotation) for name, field in model.model_fields.items()}
    columns = {
        name: pa.array([_plain(row[name], kind) for row in rows], type=kind) for name, kind in kinds.items()
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for part in header.split(","):
        kind, *options = [each.strip() for each in part.split(";")]
        weight = 1.0
        for option in options:
            if option.startswith("q="):
                try:
                    weight = min(1.0, max(0.0, float(option[2:])))
                except ValueError:
                    weight = 0.0
        found.append((kind.lower(), weight))
    return found


def _fits(kind: str, name: str) -> bool:
    media = FORMATS[name]
    main = media.partition("/")[0]
    return kind in (media, "*/*", "*", f"{main}/*") or _ALSO.get(kind) == name


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # A spreadsheet must not take text for a formula.
        return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
    return to_json(value).decode() if isinstance(value, dict | list | tuple) else value


def _plain(value: Any, kind: pa.DataType) -> Any:
    if value is None or not pa.types.is_string(kind):
        return value
    return value if isinstance(value, str) else to_json(value).decode().strip('"')


def _arrow(annotation: Any) -> pa.DataType:
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    if get_origin(annotation) is Literal:
        return pa.string()
    kinds = {datetime: pa.timestamp("us", "UTC"), float: pa.float64(), int: pa.int64(), bool: pa.bool_()}
    return kinds.get(annotation, pa.string())
