"""Coverage: the share of the city's key sites that is watched, as four figures never blurred into one."""

from service.coverage.facts import Evidence, Health, SiteFacts, site_facts
from service.coverage.figures import Figures, clock_edges, figures_at, figures_over
from service.coverage.gaps import Gap, Reason, SiteStatus, gaps_of, site_statuses
from service.coverage.pace import Reach, reach
from service.coverage.report import CoverageReport, make_report

__all__ = [
    "CoverageReport",
    "Evidence",
    "Figures",
    "Gap",
    "Health",
    "Reach",
    "Reason",
    "SiteFacts",
    "SiteStatus",
    "clock_edges",
    "figures_at",
    "figures_over",
    "gaps_of",
    "make_report",
    "reach",
    "site_facts",
    "site_statuses",
]
