"""What came of each fault, and whether all went as promised: nothing lost, doubled or told wrongly."""

import os
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import Engine, select

from benchmarks.soak._ledger import Found, compare, rejected, waiting
from benchmarks.soak._people import Follower, Reader
from benchmarks.soak._stack import PASSWORD, Serve, visible_secrets
from service.storage.check import check_database
from service.storage.connect import reading
from service.storage.longer import approach_figures
from service.storage.tables import CrossingRow, Observed, Segment

RECOVERED_S = 180.0
"""A part that is not back after so long does not recover, s."""
ENDED_S = 15.0
"""What a killed parent leaves behind must have ended after so long, s."""
FLUSH_S = 3.0
"""Crossings of the last second before a worker is killed are lost by design; so much on a busy machine, s."""
SHOWN_S = 6.0
"""An absence of so long must have been shown to those who follow, s."""


@dataclass(slots=True)
class Fault:
    """One part killed, and what came of it; moments are seconds since the epoch.

    Attributes:
        what: the part.
        at: when it was killed.
        back: from when on all can be well again: when the database was started anew, else ``at``.
        ended: when the process that watched a camera was gone, of those whose process ended.
        answers: when a read was answered; None: never.
        live: when all cameras were told as live; None: never.
        recorded: when a crossing of after the fault was in the database; None: never.
        shown: whether those who follow saw that cameras were away; None where they hardly were.
    """

    what: str
    at: float
    back: float
    ended: dict[str, float] = field(default_factory=dict)
    answers: float | None = None
    live: float | None = None
    recorded: float | None = None
    shown: bool | None = None


@dataclass(slots=True)
class Outcome:
    """What a whole run showed; ``wrong`` is empty where all went as promised."""

    faults: list[Fault] = field(default_factory=list)
    found: Found = field(default_factory=Found)
    wrong: list[str] = field(default_factory=list)
    answers: dict[int, int] = field(default_factory=dict)
    told: int = 0
    told_twice: int = 0
    unrecorded: int = 0
    observed: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    stop_s: float = 0.0
    starts: int = 0


def judge(outcome: Outcome, serve: Serve, follower: Follower, reader: Reader, engine: Engine) -> None:
    """Hold everything against everything, once the database has what was measured."""
    outcome.found = compare(serve.outboxes, engine)
    outcome.answers = dict(reader.answers)
    outcome.starts = serve.starts
    wrong = outcome.wrong
    wrong += [f"lost: {each}" for each in outcome.found.lost]
    wrong += [f"doubled: {each}" for each in outcome.found.doubled]
    wrong += [f"ngatu db check: {each}" for each in check_database(engine)]
    if number := waiting(serve.outboxes):
        wrong.append(f"{number} messages were not taken by the database")
    if number := rejected(serve.outboxes):
        wrong.append(f"the database refused {number} messages")
    wrong += [f"told wrongly: {each}" for each in follower.lies]
    wrong += [f"answered wrongly: {each}" for each in reader.odd]
    if secrets := visible_secrets(PASSWORD, [serve.log]):
        wrong.append(f"the password of the database can be read in: {', '.join(secrets)}")
    if "Traceback" in serve.log.read_text(errors="replace"):
        wrong.append(f"the log holds a traceback, see {serve.log}")
    for fault in outcome.faults:
        if None in (fault.answers, fault.live, fault.recorded):
            wrong.append(f"{fault.what}: it did not recover within {RECOVERED_S:.0f} s")
        if fault.shown is False:
            wrong.append(f"{fault.what}: those who follow were not shown that cameras were away")
    _judge_told(outcome, follower, engine)
    _judge_observed(outcome, engine)


def _judge_told(outcome: Outcome, follower: Follower, engine: Engine) -> None:
    """What people were told has passed is in the database, but for the last second of a killed worker."""
    with reading(engine) as connection:
        rows = connection.execute(select(CrossingRow)).all()
    there = {
        (
            row.camera_id,
            int(row.time.timestamp() * 1e6 + 0.5) // 1000,
            row.gate,
            row.direction,
            row.vehicle_class,
        )
        for row in rows
    }
    told = follower.crossings
    outcome.told = len(told)
    outcome.told_twice = sum(number - 1 for number in told.values())
    killed = [fault.at for fault in outcome.faults if fault.ended]
    for key in sorted(set(told) - there):
        outcome.unrecorded += 1
        if not any(moment - FLUSH_S <= key[1] / 1000 <= moment + ENDED_S for moment in killed):
            outcome.wrong.append(f"lost: {key} was told to people and is not in the database")


def _judge_observed(outcome: Outcome, engine: Engine) -> None:
    """Time in which nobody looked is not told as observed: neither in minutes nor in figures."""
    with reading(engine) as connection:
        segments = connection.execute(select(Segment)).all()
        minutes = connection.execute(select(Observed).where(Observed.length == 60)).all()
        begin, end = min(row.start for row in minutes), max(row.start for row in minutes)
        figures = approach_figures(connection, begin, end + timedelta(minutes=1), 60)
    for camera in sorted({row.camera_id for row in segments}):
        mine = [row for row in segments if row.camera_id == camera]
        starts = sorted(row.started_at.timestamp() for row in mine)
        last = max(row.ended_at.timestamp() for row in mine if row.ended_at)
        away = []
        for fault in outcome.faults:
            if (ended := fault.ended.get(camera)) is not None:
                again = min((start for start in starts if start > fault.at), default=last)
                away.append((ended, max(ended, again)))
        seen: dict[float, float] = {}
        for row in minutes:
            if row.camera_id == camera:
                seen[row.start.timestamp()] = seen.get(row.start.timestamp(), 0.0) + row.observed_seconds
        told = [("a minute", start, seconds) for start, seconds in seen.items()]
        told += [
            (f"a minute of {row['approach_id']}", row["start"].timestamp(), row["observed_seconds"])
            for row in figures
            if row["camera_id"] == camera
        ]
        for what, start, seconds in told:
            most = 60 - sum(max(0.0, min(b, start + 60) - max(a, start)) for a, b in away)
            if seconds > most + 1.0:
                outcome.wrong.append(
                    f"{camera}: {seconds:.1f} s of {what} are told as observed, at most {most:.1f} were"
                )
        outcome.observed[camera] = (
            sum(seen.values()),
            last - starts[0],
            sum(b - a for a, b in away),
        )


def show(outcome: Outcome) -> None:
    """Print what a run showed."""
    print(f"{'killed':<34}{'workers gone':>14}{'read':>8}{'live':>8}{'in database':>13}  shown as away")
    for each in outcome.faults:
        gone = f"{max(each.ended.values()) - each.at:.1f} s" if each.ended else "-"
        times = [after(each, moment) for moment in (each.answers, each.live, each.recorded)]
        shown = {True: "yes", False: "NO", None: "-"}[each.shown]
        print(f"{each.what:<34}{gone:>14}{times[0]:>8}{times[1]:>8}{times[2]:>13}  {shown}")
    taken = ", ".join(f"{number} {what}" for what, number in outcome.found.taken.items())
    print(f"outboxes took: {taken}")
    print(f"not in the database: {len(outcome.found.lost)}, doubled: {len(outcome.found.doubled)}")
    print(
        f"crossings told to those who follow: {outcome.told}; twice: {outcome.told_twice}; "
        f"of the last second before a kill, told but not recorded: {outcome.unrecorded}"
    )
    for camera, (seen, span, away) in outcome.observed.items():
        print(f"{camera}: observed {seen:.0f} of {span:.0f} s; its process was away for {away:.0f} s")
    answers = ", ".join(f"{status or 'none'}: {number}" for status, number in sorted(outcome.answers.items()))
    print(f"answers to reads by status: {answers}; the service was started {outcome.starts} times")
    print(f"stopped politely in {outcome.stop_s:.1f} s; load average {os.getloadavg()[0]:.1f}")
    for sentence in outcome.wrong[:20]:
        print(f"WRONG: {sentence}")
    print("nothing lost, nothing doubled" if not outcome.wrong else f"{len(outcome.wrong)} things are wrong")


def after(fault: Fault, moment: float | None) -> str:
    """How long after a fault something was, in words."""
    return "never" if moment is None else f"{moment - fault.back:.1f} s"
