"""Turns a template into a page in the reader's language."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from service.dashboard.words import LANGUAGES, Language, say

STATIC = Path(__file__).parent / "static"
COOKIE = "ngatu_lang"

_templates = Environment(
    loader=PackageLoader("service.dashboard"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@cache
def assets_version() -> str:
    """Changes whenever an asset does, so that browsers may keep assets for ever."""
    digest = hashlib.sha256()
    for file in sorted(path for path in Path(__file__).parent.rglob("*") if path.is_file()):
        if file.suffix != ".pyc":
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def asset(path: str, language: Language) -> str:
    """Address of a file of ``static/``; the scripts find the texts of the language beside them."""
    return f"/assets/{assets_version()}/{language}/{path}"


def language_of(request: Request, own: str | None = None) -> Language:
    """The reader's language: asked for, chosen before, that of their account, or Vietnamese."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(COOKIE), own):
        for language in LANGUAGES:
            if wanted == language:
                return language
    return LANGUAGES[0]


def page(request: Request, template: str, **context: Any) -> HTMLResponse:
    """Render a template; a language asked for in the address is kept in a cookie."""
    language = language_of(request, getattr(context.get("caller"), "language", None))
    other = next(each for each in LANGUAGES if each != language)
    content = _templates.get_template(template).render(
        language=language,
        t=lambda key, **values: say(key, language, **values),
        asset=lambda path: asset(path, language),
        other_language=f"{request.url.path}?{request.url.include_query_params(lang=other).query}",
        **context,
    )
    response = HTMLResponse(content)
    if request.query_params.get("lang") == language:
        response.set_cookie(COOKIE, language, max_age=31_536_000, httponly=True, samesite="lax", path="/")
    return response
