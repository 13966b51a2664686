"""Prometheus metrics: what the service knows of itself now, in base units, with few labels."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from service.alarms.store import open_alarms
from service.api.hub import Snapshot
from service.api.live_state import CameraNow, WorkerNow
from service.api.services import Services
from service.coverage import Figures, figures_at, site_facts
from service.coverage.store import load_evidence
from service.feeds.sender import SenderState
from service.registry import History
from service.storage.connect import StorageError
from vision import VehicleClass

DAY = 86_400.0
SLOW_S = 30.0
"""What needs the database is read at most so often: however many scrape, it is not asked more."""

STATES = (
    "live", "connecting", "stalled", "offline", "frozen", "dark", "blinded", "blocked", "blurred", "moved",
)  # fmt: skip
SEVERITIES = ("information", "warning", "critical")
SHARES = ("installed", "operational", "effective", "time_weighted")

Families = Iterator[Metric]


@dataclass(frozen=True, slots=True)
class FromDatabase:
    """What only the database tells; empty where it is away: unknown is absent, never 0."""

    reached: bool
    coverage: Sequence[Figures] = ()
    alarms: Counter[str] | None = None


@dataclass(slots=True, eq=False)
class Metrics(Collector):
    """Everything that is told to Prometheus; one for each service.

    Args:
        services: the parts of the service.
        feeds: how each receiver of its feeds is doing.
    """

    services: Services
    feeds: Callable[[], Sequence[SenderState]] = tuple
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _slow: tuple[float, FromDatabase] | None = None
    _registry: CollectorRegistry = field(default_factory=lambda: CollectorRegistry(auto_describe=False))

    def __post_init__(self) -> None:
        """Add what is known of the process itself (``process_*``)."""
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def text(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that a scraper accepts, and its media type."""
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    def collect(self) -> Iterable[Metric]:
        """All metrics as they are now."""
        slow = self._from_database()
        now = self.services.hub.snapshot()
        yield InfoMetricFamily("ngatu_build", "The program that runs.", {"version": version("ngatu")})
        yield GaugeMetricFamily(
            "ngatu_database_up", "1 while the database answers, else 0.", value=slow.reached
        )
        yield from _coverage(slow.coverage)
        yield from _alarms(slow.alarms)
        yield from _cameras(now)
        yield from _workers(now.workers, now.time)
        yield from _feeds(self.feeds(), now.time)
        yield _inference(now.workers)
        yield GaugeMetricFamily(
            "ngatu_live_followers",
            "Programs and pages that follow live events.",
            value=self.services.hub.subscribers,
        )
        yield GaugeMetricFamily(
            "ngatu_live_picture_streams", "Streams of live pictures.", value=self.services.hub.streams
        )

    def _from_database(self) -> FromDatabase:
        with self._lock:
            now = self.services.clock()
            kept = self._slow
            # A database that was away is asked again at once: its return is to be seen at the next scrape.
            if kept is None or not kept[1].reached or not 0 <= now - kept[0] < SLOW_S:
                kept = self._slow = (now, read_slow(self.services, now))
            return kept[1]


def read_slow(services: Services, now: float) -> FromDatabase:
    """Coverage and open alarms, from the database."""
    try:
        with services.reading() as connection:
            history: History = services.registry(connection)[1]
            evidence = load_evidence(connection, now - DAY, now + 1e-3)
            alarms = Counter(str(row["severity"]) for row in open_alarms(connection))
    except StorageError:
        return FromDatabase(reached=False)
    figures = figures_at(site_facts(history, evidence.health), evidence, history, now)
    return FromDatabase(reached=True, coverage=figures, alarms=alarms)


def _coverage(figures: Sequence[Figures]) -> Families:
    ratio = GaugeMetricFamily(
        "ngatu_coverage_ratio",
        "Share of the key sites of a kind that is installed, operational, effective; time_weighted is the "
        "share of required approach time observed in the last day. 0 to 1, absent where no site is key.",
        labels=("kind", "figure"),
    )
    target = GaugeMetricFamily(
        "ngatu_coverage_target_ratio", "What effective is to reach, 0 to 1.", labels=("kind",)
    )
    sites = GaugeMetricFamily("ngatu_key_sites", "Key sites of a kind.", labels=("kind",))
    for each in figures:
        sites.add_metric((each.kind,), each.sites)
        target.add_metric((each.kind,), each.target)
        for name in SHARES:
            if (share := getattr(each, name)) is not None:
                ratio.add_metric((each.kind, name), share)
    yield from (ratio, target, sites)


def _alarms(alarms: Counter[str] | None) -> Families:
    family = GaugeMetricFamily("ngatu_alarms_open", "Alarms that are open.", labels=("severity",))
    for name in SEVERITIES if alarms is not None else ():
        family.add_metric((name,), (alarms or Counter())[name])
    yield family


def _cameras(now: Snapshot) -> Families:
    states = Counter(each.state for each in now.cameras)
    by_state = GaugeMetricFamily("ngatu_cameras", "Cameras by state.", labels=("state",))
    for state in sorted({*STATES, *states}):
        by_state.add_metric((state,), states[state])
    yield by_state

    place = ("camera", "site")
    up = GaugeMetricFamily(
        "ngatu_camera_up", "1 while fresh, usable frames are analysed, else 0.", labels=place
    )
    age = GaugeMetricFamily(
        "ngatu_camera_frame_age_seconds",
        "Age of the newest analysed frame; absent where there was none.",
        labels=place,
    )
    delay = GaugeMetricFamily(
        "ngatu_camera_analysis_delay_seconds",
        "Age that the newest frame had when its analysis was through.",
        labels=place,
    )
    rate = GaugeMetricFamily(
        "ngatu_camera_analysed_frames_per_second", "Frames analysed in a second.", labels=place
    )
    received = CounterMetricFamily(
        "ngatu_camera_frames_received", "Frames that arrived since the worker began.", labels=place
    )
    dropped = CounterMetricFamily(
        "ngatu_camera_frames_dropped", "Frames dropped: too old or overtaken.", labels=place
    )
    crossings = CounterMetricFamily(
        "ngatu_crossings",
        "Vehicles over the gates of a camera; begins anew at local midnight. One that passes two gates is in "
        "it twice.",
        labels=(*place, "vehicle_class"),
    )
    for each in now.cameras:
        named = (each.camera, each.site or "")
        up.add_metric(named, each.state == "live" and not each.stale)
        if each.age_s is not None:
            age.add_metric(named, each.age_s)
        report = each.report
        if report is None:
            continue
        received.add_metric(named, report.received)
        dropped.add_metric(named, report.dropped)
        for label, number in _crossed(each):
            crossings.add_metric((*named, label), number)
        if each.stale:
            continue
        if report.age_s is not None:
            delay.add_metric(named, report.age_s)
        if report.analysed_fps is not None:
            rate.add_metric(named, report.analysed_fps)
    yield from (up, age, delay, rate, received, dropped, crossings)


def _crossed(camera: CameraNow) -> Iterator[tuple[str, int]]:
    """Crossings of a camera by class, over its gates and directions."""
    report = camera.report
    if report is None or report.counts_since is None:
        return
    found: Counter[str] = Counter()
    for ways in report.counts.values():
        for classes in ways.values():
            found.update({str(name): number for name, number in classes.items()})
    for name in (each.label for each in VehicleClass):
        yield name, found[name]


def _workers(workers: Sequence[WorkerNow], now: float) -> Families:
    label = ("worker",)

    def gauge(name: str, about: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(name, about, labels=label)

    up = gauge("ngatu_worker_up", "1 while the worker is heard, else 0.")
    heard = gauge("ngatu_worker_report_age_seconds", "Time since its last report.")
    waiting = gauge("ngatu_outbox_messages", "Messages that the database does not have yet.")
    oldest = gauge("ngatu_outbox_oldest_age_seconds", "How long the oldest has been waiting; 0 if none is.")
    size = gauge("ngatu_outbox_size_bytes", "Size of the outbox on disk.")
    limit = gauge("ngatu_outbox_limit_bytes", "Most bytes that it may take.")
    free = gauge("ngatu_outbox_disk_free_bytes", "Bytes free on its disk.")
    rejected = CounterMetricFamily(
        "ngatu_outbox_rejected_messages", "Messages that the database refused.", labels=label
    )
    for each in workers:
        named, outbox = (each.report.worker,), each.report.outbox
        up.add_metric(named, each.state == "live")
        heard.add_metric(named, max(0.0, now - each.heard_at))
        # What waits keeps getting older, also while its worker is not heard.
        silent = max(0.0, now - each.heard_at)
        waiting.add_metric(named, outbox.waiting)
        oldest.add_metric(named, 0.0 if outbox.oldest_age_s is None else outbox.oldest_age_s + silent)
        size.add_metric(named, outbox.bytes)
        limit.add_metric(named, outbox.limit)
        free.add_metric(named, outbox.free)
        rejected.add_metric(named, outbox.rejected)
    yield from (up, heard, waiting, oldest, size, limit, free, rejected)


def _inference(workers: Sequence[WorkerNow]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(
        "ngatu_inference_seconds", "How long the network took for a picture.", labels=("worker",)
    )
    for each in workers:
        if (told := each.report.inference) is not None and len(told.counts) == len(told.bounds) + 1:
            bounds = [*map(str, told.bounds), "+Inf"]
            buckets = list(zip(bounds, accumulate(told.counts), strict=True))
            family.add_metric((each.report.worker,), buckets, told.seconds)
    return family


def _feeds(states: Sequence[SenderState], now: float) -> Families:
    labels = ("feed", "kind")
    up = GaugeMetricFamily("ngatu_feed_up", "1 while the receiver takes what it is told.", labels=labels)
    waiting = GaugeMetricFamily(
        "ngatu_feed_queue_items", "Items that the receiver does not have yet.", labels=labels
    )
    oldest = GaugeMetricFamily(
        "ngatu_feed_queue_oldest_age_seconds", "How long the oldest waits; 0 if none does.", labels=labels
    )
    delivered = CounterMetricFamily("ngatu_feed_delivered_items", "Items delivered.", labels=labels)
    refused = GaugeMetricFamily(
        "ngatu_feed_refused_items", "Items that the receiver did not take and that are kept.", labels=labels
    )
    for each in states:
        named = (each.name, each.kind)
        up.add_metric(named, each.problem is None)
        delivered.add_metric(named, each.delivered)
        if (queue := each.queue) is not None:
            waiting.add_metric(named, queue.waiting)
            oldest.add_metric(named, 0.0 if queue.oldest is None else max(0.0, now - queue.oldest))
            refused.add_metric(named, queue.refused)
    yield from (up, waiting, oldest, delivered, refused)
