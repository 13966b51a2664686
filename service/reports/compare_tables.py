"""A comparison with a manual count as tables, JSON and CSV."""

import csv
import json
from dataclasses import asdict
from datetime import datetime
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.reports.compare import WINDOWS, Comparison, Line
from service.reports.matching import EventScore
from service.reports.words import Language, class_named, class_word, say, word

_SCORES = ("precision", "recall", "f1", "chance")
_RATIO_COLUMNS = ("true_per_counted", "true_per_counted_low", "true_per_counted_high")


def comparison_tables(result: Comparison, language: Language) -> RenderableType:
    """Volumes, then events within each window, then notes."""
    begin, end = (each.strftime("%Y-%m-%d %H:%M:%S") for each in _stretch(result))
    heading = f"{word('comparison', language)}: {result.site} · {begin} – {end} · {result.time_zone}"
    parts: list[RenderableType] = [Text(heading, style="bold"), _volumes(result, language)]
    if any(line.events for line in result.lines):
        parts += [_events(result, number, language) for number in range(len(WINDOWS))]
        parts.append(Text(f"• {word('chance_note', language)}"))
    if any(line.ratio for line in result.lines):
        parts.append(Text(f"• {word('ratio_note', language)}"))
    if result.geh_share is not None:
        parts.append(Text("• " + word("geh_share", language).format(share=f"{result.geh_share:.0%}")))
    return Group(*parts, *(Text(f"• {say(note, language)}") for note in result.notes))


def _volumes(result: Comparison, language: Language) -> Table:
    table = Table()
    table.add_column(word("compared", language))
    for key in ("manual", "ours", "bias", "wape", "geh", "ratio"):
        table.add_column(word(key, language), justify="right")
    last = ""
    for line in result.lines:
        if line.kind != last:
            table.add_section()
        last = line.kind
        worst = f"{max(line.geh):.1f}" if line.geh else "–"
        share = "–" if line.bias is None else f"{line.bias:+.1%}"
        wape = "–" if line.wape is None else f"{line.wape:.1%}"
        counts = str(line.manual), str(line.ours)
        table.add_row(_name(line, language), *counts, share, wape, worst, _ratio(line))
    return table


def _ratio(line: Line) -> str:
    ratio = line.ratio
    return "–" if ratio is None else f"{ratio.value:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"


def _ratio_values(line: Line) -> dict[str, float | None]:
    """Value, low and high, in this order; empty where there is none."""
    return {name: _rounded(each) for name, each in asdict(line.ratio).items()} if line.ratio else {}


def _events(result: Comparison, number: int, language: Language) -> Table:
    table = Table(title=word("events", language).format(window=f"{WINDOWS[number]:g}"))
    table.add_column(word("compared", language))
    for key in ("matched", *_SCORES, "class_right"):
        table.add_column(word(key, language), justify="right")
    last = ""
    for line in result.lines:
        if not line.events:
            continue
        if line.kind != last:
            table.add_section()
        last, scored = line.kind, line.events[number]
        shares = [getattr(scored, name) for name in _SCORES]
        right = (
            f"{scored.class_right / scored.classed:.0%}" if scored.classed and line.kind != "class" else "–"
        )
        told = ["–" if share is None else f"{share:.2f}" for share in shares]
        table.add_row(_name(line, language), str(scored.matched), *told, right)
    return table


def _name(line: Line, language: Language) -> Text:
    if line.kind == "all":
        return Text(word("all", language))
    if line.kind == "class":
        kind = class_named(line.id)
        return Text(class_word(kind, language) if kind is not None else line.id)
    return Text(f"{line.id} {word(line.direction, language)}" if line.direction else line.id)


def comparison_json(result: Comparison) -> str:
    """Everything, as JSON; what cannot be said is null."""
    begin, end = _stretch(result)
    data = {
        "site": result.site,
        "time_zone": result.time_zone,
        "start": begin.isoformat(),
        "end": end.isoformat(),
        "compared_seconds": round(float((result.spans[:, 1] - result.spans[:, 0]).sum()), 3),
        "geh_below_5_share": result.geh_share,
        "lines": [_line(line) for line in result.lines],
        "notes": [say(note, "en") for note in result.notes],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _line(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "id": line.id or None,
        "direction": line.direction or None,
        "manual": line.manual,
        "ours": line.ours,
        "bias": _rounded(line.bias),
        "wape": _rounded(line.wape),
        "geh": [round(value, 2) for value in line.geh] or None,
        "true_per_counted": _ratio_values(line) or None,
        "events": {f"{scored.window:g}": _score(scored) for scored in line.events} or None,
    }


def _score(scored: EventScore) -> dict[str, Any]:
    return {
        "manual": scored.manual,
        "ours": scored.ours,
        "matched": scored.matched,
        **{name: _rounded(getattr(scored, name)) for name in _SCORES},
        "class_right": _rounded(scored.class_right / scored.classed if scored.classed else None),
    }


def comparison_csv(result: Comparison) -> str:
    """One row a line; the greatest GEH of all hours; columns of events by window: ``f1_0.5s``."""
    columns = ["kind", "id", "direction", "manual", "ours", "bias", "wape", "geh_max"]
    columns += _RATIO_COLUMNS
    columns += [f"{name}_{window:g}s" for window in WINDOWS for name in ("matched", *_SCORES)]
    text = StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    for line in result.lines:
        row: dict[str, Any] = {name: getattr(line, name) for name in columns[:5]}
        row |= {"bias": _rounded(line.bias), "wape": _rounded(line.wape)}
        row["geh_max"] = round(max(line.geh), 2) if line.geh else None
        row |= dict(zip(_RATIO_COLUMNS, _ratio_values(line).values(), strict=False))
        for scored in line.events:
            row[f"matched_{scored.window:g}s"] = scored.matched
            row |= {f"{name}_{scored.window:g}s": _rounded(getattr(scored, name)) for name in _SCORES}
        table.writerow(row)
    return text.getvalue()


def _stretch(result: Comparison) -> tuple[datetime, datetime]:
    zone = ZoneInfo(result.time_zone)
    return (
        datetime.fromtimestamp(float(result.spans[0, 0]), zone),
        datetime.fromtimestamp(float(result.spans[-1, 1]), zone),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
