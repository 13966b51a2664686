"""The report of a run of the benchmarks as one page of HTML that needs nothing else: tables and plots."""

from html import escape
from typing import Any

from benchmarks.records import Row, cell

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 380, 60, 20, 190, 50
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums;font-size:13px}
th,td{padding:.25rem .6rem;border-bottom:1px solid #d8dde4;text-align:right}
th:first-child,td:first-child{text-align:left}th{background:#f3f5f8}
h2{font-size:1.1rem;margin-top:2rem}p.note{color:#556;margin:.1rem 0;font-size:13px}.wide{overflow-x:auto}
.ours{fill:#0b6bcb}.peer{fill:#b3541e}text{font:12px system-ui,sans-serif;fill:#1c2430}
"""


def page(report: dict[str, Any]) -> str:
    """The whole page."""
    machine = report["machine"]
    facts = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}",
        f"{machine['time']}; others kept {machine['load_at_start']:.1f} cores busy at the start and "
        f"{machine['load_at_end']:.1f} at the end; times are process time of one core",
        ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number),
    ]
    body = [f"<p class=note>{escape(fact)}</p>" for fact in facts]
    for section in report["sections"]:
        body.append(f"<h2>{escape(section['title'])}</h2>")
        if section["points"]:
            body.append(plot(section["points"]))
        body.append(table(section["rows"]))
        body += [f"<p class=note>{escape(note)}</p>" for note in section["notes"]]
    body.append("<h2>Clips</h2>")
    body.append(table([{"clip": name, "sha256": mark} for name, mark in report["clips"].items()]))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>ngatu: benchmarks</title>"
        f"<style>{STYLE}</style><h1>Benchmarks</h1>{''.join(body)}</html>\n"
    )


def table(rows: list[Row]) -> str:
    """Rows as a table."""
    if not rows:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in rows[0])
    lines = ["".join(f"<td>{escape(cell(value))}</td>" for value in row.values()) for row in rows]
    return f"<div class=wide><table><tr>{head}</tr><tr>{'</tr><tr>'.join(lines)}</tr></table></div>"


def plot(points: list[Row]) -> str:
    """Accuracy against cost: to the left is cheaper, up is better."""
    most = 1.1 * max(point["cost"] for point in points)
    least = max(0.0, min(point["accuracy"] for point in points) - 0.08)
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(cost: float, accuracy: float) -> tuple[float, float]:
        return LEFT + wide * cost / most, TOP + high * (1 - (accuracy - least) / (1 - least))

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img">']
    parts.append("<title>Counting F1 against core-milliseconds a frame</title>")
    for step in range(6):
        x, bottom = place(most * step / 5, least)
        parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom:.1f}" stroke="#e4e8ee"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 16:.1f}" text-anchor="middle">{most * step / 5:.0f}</text>'
        )
        level = least + (1 - least) * step / 5
        left, y = place(0, level)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{LEFT + wide}" y2="{y:.1f}" stroke="#e4e8ee"/>')
        parts.append(f'<text x="{left - 8:.1f}" y="{y + 4:.1f}" text-anchor="end">{level:.2f}</text>')
    parts.append(f'<text x="{LEFT + wide / 2}" y="{HEIGHT - 8}" text-anchor="middle">core-ms a frame</text>')
    parts.append(f'<text x="{LEFT}" y="12">F1</text>')
    last = -20.0
    for point in sorted(points, key=lambda each: -each["accuracy"]):
        x, y = place(point["cost"], point["accuracy"])
        label = max(y + 4, last + 14)
        last = label
        kind = "ours" if point["ours"] else "peer"
        shape = (
            f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'
            if point["ours"]
            else f'<rect class="{kind}" x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10"/>'
        )
        parts.append(f'{shape}<text x="{x + 9:.1f}" y="{label:.1f}">{escape(point["name"])}</text>')
    return "".join([*parts, "</svg>"])
