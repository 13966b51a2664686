"""Unknown query parameters are refused: a misspelt filter must not look like one that found everything."""

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant

from service.auth.problems import Problem


def refuse_unknown(request: Request) -> None:
    """A dependency of all routes.

    Raises:
        Problem: a query parameter is not one of the route's, or one is there twice, 422.
    """
    dependant = getattr(request.scope.get("route"), "dependant", None)
    known = set(_names(dependant)) if dependant is not None else set()
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            shown = ", ".join(sorted(known)) or "none"
            raise Problem(
                422,
                "not valid",
                f"query.{name[:40]}: there is no such parameter; this route has: {shown}",
                f"query.{name[:40]}",
            )
        if names.count(name) > 1:
            raise Problem(422, "not valid", f"query.{name}: it is there twice; give it once", f"query.{name}")


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _names(each)
