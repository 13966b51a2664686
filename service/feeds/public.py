"""What the public is told, if the operator opts in: the level of each junction, and nothing else."""

import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from service.api.live_state import moment
from service.feeds.geojson_levels import JunctionLevel, point
from service.feeds.public_words import LANGUAGES, Language, say
from service.feeds.receiver import FeedError
from service.storage.junctions import LEVELS

BOARD_WIDTH = 32
"""Signs in a line of a message board."""
BOARD_LINES = 8
"""Most lines for one: nobody reads more while driving past."""

_ORIGIN = re.compile(r"^https?://[A-Za-z0-9.*-]+(:[0-9]{1,5})?$")


class PublicSettings(BaseModel):
    """What is public; by default nothing is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: bool = Field(False, description="whether there is a public page and feed at all")
    sites: tuple[str, ...] | None = Field(None, description="these junctions; the key ones if left out")
    embed: tuple[str, ...] = Field((), description="origins whose pages may hold the map in a frame; or *")
    refresh_s: float = Field(10.0, gt=0, description="everything is made anew so often")
    requests_per_minute: int = Field(600, ge=1, description="of one address")
    tls: bool = Field(False, description="whether readers come by TLS for certain")

    @classmethod
    def from_environment(cls, tls: bool = False, environment: Mapping[str, str] = os.environ) -> Self:
        """Settings of NGATU_PUBLIC, NGATU_PUBLIC_SITES, NGATU_PUBLIC_EMBED and NGATU_PUBLIC_REQUESTS.

        Raises:
            FeedError: one of them is not right.
        """
        sites = environment.get("NGATU_PUBLIC_SITES", "").replace(",", " ").split()
        embed = environment.get("NGATU_PUBLIC_EMBED", "").replace(",", " ").split()
        for each in embed:
            if each != "*" and not _ORIGIN.match(each):
                raise FeedError(f"NGATU_PUBLIC_EMBED {each!r} is no origin; write https://www.example.vn")
        requests = environment.get("NGATU_PUBLIC_REQUESTS", "600")
        if not requests.isdigit() or int(requests) < 1:
            raise FeedError(f"NGATU_PUBLIC_REQUESTS {requests!r} is no number of requests a minute")
        return cls(
            on=environment.get("NGATU_PUBLIC", "").lower() in ("1", "true", "yes", "on"),
            sites=tuple(sites) or None,
            embed=tuple(embed),
            requests_per_minute=int(requests),
            tls=tls,
        )


@dataclass(frozen=True, slots=True)
class PublicLevels:
    """What is told at a moment.

    Attributes:
        junctions: those that are public, the worst first, then by name.
        time: the moment, seconds since the epoch, UTC.
        tz: time zone in which it is shown.
    """

    junctions: tuple[JunctionLevel, ...]
    time: float
    tz: str

    @classmethod
    def of(
        cls, levels: Sequence[JunctionLevel], wanted: tuple[str, ...] | None, time: float, tz: str
    ) -> Self:
        """Those that may be told of all: the ones named, else the key ones."""
        told = [each for each in levels if (each.site.is_key if wanted is None else each.site.id in wanted)]
        told.sort(key=lambda each: (-_rank(each.level), name_of(each).casefold()))
        return cls(tuple(told), time, tz)

    @property
    def illustrative(self) -> bool:
        """Whether any of it is made up."""
        return any(each.site.illustrative for each in self.junctions)

    @property
    def clock(self) -> datetime:
        """The moment on the city's clock."""
        return datetime.fromtimestamp(self.time, ZoneInfo(self.tz))

    def at(self, level: str | None) -> list[JunctionLevel]:
        """The junctions of a level; None are those of which it is not known."""
        return [each for each in self.junctions if each.level == level]


def name_of(junction: JunctionLevel) -> str:
    """What people call it."""
    return junction.site.name or junction.site.id


def as_public_geojson(levels: PublicLevels) -> dict[str, Any]:
    """Points with their level, and nothing else of what is measured."""
    return {
        "type": "FeatureCollection",
        "time": moment(levels.time),
        "illustrative": levels.illustrative,
        "features": [
            {
                "type": "Feature",
                "id": each.site.id,
                "geometry": point(each.site),
                "properties": {
                    "site": each.site.id,
                    "name": name_of(each),
                    "ward": each.site.ward,
                    "level": each.level,
                    **{f"level_{language}": say(level_key(each.level), language) for language in LANGUAGES},
                    "as_of": moment(each.as_of),
                },
            }
            for each in levels.junctions
        ],
    }


def radio_text(levels: PublicLevels, language: Language) -> str:
    """Sentences to be read out: where it is jammed, slow and busy; what is not known is said to be so."""
    time = f"{levels.clock:%H:%M}"
    lines = [say("radio_begin", language, time=time, date=f"{levels.clock:%d/%m/%Y}")]
    if levels.illustrative:
        lines.append(say("illustrative", language))
    for level in reversed(LEVELS[1:]):
        if found := levels.at(level):
            names = "; ".join(name_of(each) for each in found)
            lines.append(f"{say(level_key(level), language)}: {names}.")
    known = [each for each in levels.junctions if each.level is not None]
    unknown = len(levels.junctions) - len(known)
    if not known:
        lines.append(say("no_data", language))
    else:
        if not levels.at("jammed") and not levels.at("slow"):
            lines.append(say("no_jams", language))
        if free := levels.at("free"):
            lines.append(say("radio_free", language, count=len(free)))
        if unknown:
            lines.append(say("radio_unknown", language, count=unknown))
    return "\n".join(lines) + "\n"


def board_text(levels: PublicLevels, language: Language) -> str:
    """Short lines for message boards: capitals without marks, the worst first."""
    lines = []
    for level in ("jammed", "slow"):
        words = say(f"board_{level}", language)
        for each in levels.at(level):
            lines.append(board_line(f"{words}: {name_of(each)}"))
    if not lines:
        known = any(each.level is not None for each in levels.junctions)
        lines = [board_line(say("board_no_jams" if known else "board_no_data", language))]
    head = "DEMO " if levels.illustrative else ""
    return "\n".join([f"{head}{levels.clock:%H:%M}", *lines[:BOARD_LINES]]) + "\n"


def board_line(text: str) -> str:
    """A line as the plainest board shows it.

    Example:
        >>> board_line("Ùn tắc: Ngã tư Đường Lê Lợi – Hùng Vương")
        'UN TAC: NGA TU DUONG LE LOI - HU'
    """
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D").replace("–", "-"))
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return kept.encode("ascii", "ignore").decode().upper()[:BOARD_WIDTH].rstrip()


def level_key(level: str | None) -> str:
    """The key of a level's words."""
    return f"level_{level}" if level in LEVELS else "level_none"


def _rank(level: str | None) -> int:
    return LEVELS.index(level) if level in LEVELS else -1
