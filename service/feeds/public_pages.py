"""Everything that is public at one moment, ready to be sent: pages, map, open data and texts."""

import base64
import gzip
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from service.api.answers import etag, json_bytes
from service.api.live_state import moment
from service.auth.shield import HEADERS, HSTS
from service.feeds.geojson_levels import JunctionLevel
from service.feeds.public import (
    PublicLevels,
    PublicSettings,
    as_public_geojson,
    board_text,
    level_key,
    name_of,
    radio_text,
)
from service.feeds.public_words import LANGUAGES, Language, say
from service.storage.junctions import LEVELS

WIDTH = 900
"""Of the map, in its own units."""
MARGIN = 40
MOST_NAMES = 30
"""A map of more junctions than this names those that are slow or jammed; others under the pointer only."""

_HERE = Path(__file__).parent / "templates"
_templates = Environment(
    loader=PackageLoader("service.feeds"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Ready:
    """One answer, whole.

    Attributes:
        tag: its ETag.
        headers: of both forms, without their length.
        body: as it is.
        packed: the same, by gzip.
    """

    tag: bytes
    headers: tuple[Header, ...]
    body: bytes
    packed: bytes

    @classmethod
    def of(cls, body: bytes, media: str, more: dict[str, str]) -> "Ready":
        """Make one."""
        tag = etag(body)
        told = {"content-type": media, "etag": tag, "vary": "Accept-Encoding", **more}
        headers = tuple((name.lower().encode(), value.encode()) for name, value in told.items())
        return cls(tag.encode(), headers, body, gzip.compress(body, 6, mtime=0))


def ready_pages(levels: PublicLevels, settings: PublicSettings) -> dict[str, Ready]:
    """All answers by path."""
    common = {**HEADERS, "Cache-Control": f"public, max-age={max(1, round(settings.refresh_s))}"}
    if settings.tls:
        common["Strict-Transport-Security"] = HSTS
    open_ = {**common, "Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    none = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
    page = common | {"Content-Security-Policy": content_policy(("'none'",))}
    frame = common | {"Content-Security-Policy": content_policy(settings.embed or ("'self'",))}
    geojson = json_bytes(as_public_geojson(levels))
    script = (_HERE / "refresh.js").read_bytes()
    found = {
        "/public/levels.geojson": Ready.of(geojson, "application/geo+json", open_ | none),
        "/public/refresh.js": Ready.of(script, "text/javascript; charset=utf-8", common | none),
    }
    text = "text/plain; charset=utf-8"
    for language in LANGUAGES:
        here = f"/public/{language}"
        html = "text/html; charset=utf-8"
        found[here] = Ready.of(_page(levels, language, only_map=False), html, page)
        found[f"{here}/map"] = Ready.of(_page(levels, language, only_map=True), html, frame)
        found[f"{here}/radio.txt"] = Ready.of(radio_text(levels, language).encode(), text, open_ | none)
        found[f"{here}/board.txt"] = Ready.of(board_text(levels, language).encode(), text, open_ | none)
    return found


@cache
def style() -> str:
    """The style sheet, which stands in the page: one reader is one request."""
    return (_HERE / "public.css").read_text(encoding="utf-8").strip()


def content_policy(ancestors: Sequence[str]) -> str:
    """What a public page may load, and whose pages may hold it in a frame."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'self'; connect-src 'self'; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {' '.join(ancestors)}"
    )


def _page(levels: PublicLevels, language: Language, *, only_map: bool) -> bytes:
    rows = [_row(each, levels, language) for each in levels.junctions]
    marks, height = _marks(levels.junctions, language)
    counts = [(say(level_key(level), language), len(levels.at(level))) for level in (*LEVELS, None)]
    content = _templates.get_template("public.html").render(
        language=language,
        other=next(each for each in LANGUAGES if each != language),
        t=lambda key, **values: say(key, language, **values),
        style=Markup(style()),  # noqa: S704 - our own file
        only_map=only_map,
        time=moment(levels.time),
        clock=f"{levels.clock:%H:%M}",
        date=f"{levels.clock:%d/%m/%Y}",
        illustrative=levels.illustrative,
        rows=rows,
        marks=marks,
        named=len(marks) <= MOST_NAMES,
        width=WIDTH,
        height=height,
        summary=", ".join(f"{words} {number}" for words, number in counts if number),
        levels=[
            {"key": level or "none", "words": say(level_key(level), language)} for level in (*LEVELS, None)
        ],
    )
    return content.encode()


def _row(junction: JunctionLevel, levels: PublicLevels, language: Language) -> dict[str, Any]:
    as_of = junction.as_of if junction.level is not None else None
    clock = None
    if as_of is not None:
        clock = f"{PublicLevels((), as_of, levels.tz).clock:%H:%M}"
    return {
        "name": name_of(junction),
        "ward": junction.site.ward,
        "level": junction.level or "none",
        "words": say(level_key(junction.level), language),
        "clock": clock,
    }


def _marks(junctions: Sequence[JunctionLevel], language: Language) -> tuple[list[dict[str, Any]], int]:
    """Where each junction stands on the map, north up and in true proportion; and the map's height."""
    placed = [
        (each, each.site.lon, each.site.lat)
        for each in junctions
        if each.site.lon is not None and each.site.lat is not None
    ]
    if not placed:
        return [], 0
    west, east = min(lon for _, lon, _ in placed), max(lon for _, lon, _ in placed)
    south, north = min(lat for _, _, lat in placed), max(lat for _, _, lat in placed)
    narrow = math.cos(math.radians((south + north) / 2))
    wide, high = (east - west) * narrow, north - south
    unit = min((WIDTH - 2 * MARGIN) / max(wide, 1e-4), (WIDTH - 2 * MARGIN) / max(high, 1e-4))
    left = (WIDTH - wide * unit) / 2
    marks = [
        {
            "x": round(left + (lon - west) * narrow * unit, 1),
            "y": round(MARGIN + (north - lat) * unit, 1),
            "name": name_of(each),
            "level": each.level or "none",
            "words": say(level_key(each.level), language),
        }
        # The worst are drawn last, on top.
        for each, lon, lat in reversed(placed)
    ]
    return marks, max(200, round(high * unit + 2 * MARGIN))
