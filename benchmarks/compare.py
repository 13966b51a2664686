"""Holds a run of the benchmarks against an older one: what got worse beyond noise."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """One figure that got worse, or is gone."""

    name: str
    old: float
    new: float | None
    allowed: float

    def __str__(self) -> str:
        if self.new is None:
            return f"{self.name}: {self.old:.4g} before, not measured now"
        return f"{self.name}: {self.old:.4g} → {self.new:.4g}, more than {self.allowed:.2g} worse"


def regressions(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """The figures of ``new`` that are worse than those of ``old`` beyond noise.

    Noise is the floor of the figure, or three times what both runs spread together (the root of the sum of
    squares), whichever is more. Times are compared only where both ran on the same processor; a run may
    leave out what it did not set out to measure (``quick`` beside a full one, or parts of it).

    Args:
        old: the report of the older run.
        new: that of the run to be judged.
    """
    same_machine = old["machine"]["cpu"] == new["machine"]["cpu"]
    same_work = all(old[each] == new[each] for each in ("quick", "data", "parts"))
    found = []
    for name, before in old["figures"].items():
        if not (same_machine or before["portable"]):
            continue
        after = new["figures"].get(name)
        if after is None:
            if same_work:
                found.append(Change(name, before["value"], None, 0.0))
            continue
        spread = (before["spread"] ** 2 + after["spread"] ** 2) ** 0.5
        allowed = max(before["floor"], after["floor"], 3 * spread)
        worse = after["value"] - before["value"]
        if before["better"] == "higher":
            worse = -worse
        if worse > allowed:
            found.append(Change(name, before["value"], after["value"], allowed))
    return found
