"""Reports on what was counted: turning movements, peak hours, a comparison with a manual count, junctions.

Reading (``load``, ``manual``), computing (``report``, ``compare``, ``junction``) and writing (``grid``,
``rows``, ``xlsx``, ``terminal``, ``compare_tables``) stand apart: another source of crossings makes a
:class:`~service.reports.crossings.Counted`, and all else stays.
"""
