"""One report of coverage: figures, history, gaps and outlook, at a moment or over a period."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.coverage.facts import KINDS, Evidence, site_facts
from service.coverage.figures import Figures, Step, clock_edges, figures_at, figures_over
from service.coverage.gaps import Gap, SiteStatus, gaps_of, site_statuses
from service.coverage.pace import DAY, LONGEST, Reach, reach
from service.registry import History, SiteKind, city_at


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """Coverage of the city's key sites.

    Attributes:
        at: the moment of sites, gaps and outlook, seconds since the Unix epoch, UTC.
        start: beginning of the period; None for a report of a moment.
        tz: time zone of days and of what people read.
        figures: for each kind of site, at the moment or over the period.
        history: for each kind the figures of each day, week or month of the period; empty for a moment.
        sites: each key site at the moment.
        gaps: those that are not covered, soonest put right first.
        outlook: for each kind, when the target is reached.
    """

    at: float
    start: float | None
    tz: str
    figures: list[Figures]
    history: list[Figures]
    sites: list[SiteStatus]
    gaps: list[Gap]
    outlook: dict[SiteKind, Reach]


def make_report(
    history: History,
    load: Callable[[float, float], Evidence],
    at: float,
    start: float | None = None,
    step: Step = "day",
    tz: str = "Asia/Ho_Chi_Minh",
) -> CoverageReport:
    """Put a report together.

    Args:
        history: the registry with its periods; past figures are made with what it said then.
        load: gives what the cameras say of a period (see :func:`service.coverage.store.load_evidence`).
        at: the moment, or the end of the period.
        start: beginning of a period; None reports the moment alone.
        step: length of the parts of its history.
        tz: time zone of days.
    """
    midnight = datetime.fromtimestamp(at, ZoneInfo(tz)).replace(hour=0, minute=0, second=0, microsecond=0)
    first_day = (midnight - timedelta(days=LONGEST)).timestamp()
    # A state that was in force at the moment belongs to it, hence a little more than up to the moment.
    evidence = load(min(first_day, at - DAY, at if start is None else start), at + 1e-3)
    facts = site_facts(history, evidence.health)
    now = figures_at(facts, evidence, history, at)
    unobserved = Evidence(evidence.health)
    days = figures_over(facts, unobserved, history, clock_edges(first_day, midnight.timestamp(), "day", tz))
    sites = site_statuses(facts, city_at(history, at), evidence.health, at)
    parts = [] if start is None else figures_over(facts, evidence, history, clock_edges(start, at, step, tz))
    return CoverageReport(
        at=at,
        start=start,
        tz=tz,
        figures=now if start is None else figures_over(facts, evidence, history, [start, at]),
        history=parts,
        sites=sites,
        gaps=gaps_of(sites),
        outlook={
            kind: reach(
                next(each for each in now if each.kind == kind), [day for day in days if day.kind == kind]
            )
            for kind in KINDS
        },
    )
