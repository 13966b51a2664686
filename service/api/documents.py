"""What OpenAPI says beyond the routes' own types: examples, formats, the errors that any route may give."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.api.answers import FORMATS
from service.auth.problems import MEDIA_TYPE, ProblemBody

ALWAYS = {
    400: "The body cannot be read",
    401: "Nobody is logged in, and no token came with the request",
    403: "The account's role or the token's scope does not suffice, or the CSRF token is missing",
    413: "The body is too large",
    421: "The service does not answer to that name",
    422: "A parameter, field or header is wrong, or not known; `field` names it",
    429: "Too many requests; see Retry-After",
    503: "The database is away, or there are too many streams; see Retry-After",
}
"""Errors that any route may give."""

DESCRIPTION = """\
Traffic measured on a city's road cameras: what there is (sites, approaches, cameras, views), what happens
now, what was counted, and how much of the city is really watched.

* **Moments** are given with their offset from UTC and come back in UTC. Periods are half-open: `start`
  belongs to them, `end` does not.
* **Not observed is null**, never 0.
* **Pages** end with `next`; give it as `cursor` for the page behind. The header `Link` says the same.
* **Formats** other than JSON by the header `Accept`, or by `?format=` in a browser.
* **Errors** are `application/problem+json` (RFC 9457); `field` names what is at fault.
* **Changes** of the registry name the version they change by `If-Match` with its `ETag`.
"""

PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}


def given(example: Any, *others: str, status: int = 200, about: str = "As asked for") -> dict[int | str, Any]:
    """What a route says of its answer: an example, and the formats beside JSON."""
    content: dict[str, Any] = {"application/json": {"example": example}}
    for name in others:
        text = name in ("csv",)
        content[FORMATS[name]] = {
            "schema": {"type": "object"}
            if name == "geojson"
            else {"type": "string"} | ({} if text else {"format": "binary"})
        }
    told: dict[int | str, Any] = {status: {"description": about, "content": content}}
    if status == 200:
        told[304] = {"description": "It has not changed: If-None-Match names its ETag"}
    if others:
        told[406] = {"description": "None of the formats accepted is offered", "content": PROBLEM}
    return told


CREATED: dict[int | str, Any] = {201: {"description": "It is new"}}
ENDED: dict[int | str, Any] = {204: {"description": "It ends at that moment; the past keeps it"}}


def bare(media: str, about: str, status: int = 200) -> dict[int | str, Any]:
    """The same of an answer that is no JSON."""
    return {
        status: {"description": about, "content": {media: {"schema": {"type": "string", "format": "binary"}}}}
    }


def install_openapi(app: FastAPI) -> None:
    """Let the app describe itself with what this module adds."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                openapi_version="3.1.0",
                description=DESCRIPTION,
                routes=app.routes,
                separate_input_output_schemas=False,
            )
            app.openapi_schema = _completed(schema)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["ProblemBody"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path in schema["paths"].values():
        for operation in path.values():
            told = operation.setdefault("responses", {})
            for status, about in ALWAYS.items():
                told[str(status)] = {"description": about, "content": PROBLEM}
            if "content" in told.get("200", {}) and "201" in told:
                told["201"].setdefault("content", told["200"]["content"])
            _share_example(told)
            for status, answer in told.items():
                if status.isdigit() and int(status) >= 400:
                    answer["content"] = PROBLEM
                content = answer.get("content", {})
                # A route whose answer is no JSON does not promise any.
                if content.get("application/json") == {"schema": {}} and len(content) > 1:
                    del content["application/json"]
    return schema


def _share_example(told: dict[str, Any]) -> None:
    """Of several good answers with the same content, one example is enough."""
    kind = "application/json"
    answers = [each.get("content", {}) for status, each in told.items() if status.startswith("2")]
    good = [content[kind] for content in answers if kind in content]
    example = next((each["example"] for each in good if "example" in each), None)
    for each in good:
        if example is not None:
            each.setdefault("example", example)
