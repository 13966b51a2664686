"""What holds now of machines: workers, what waits in their outboxes, and disks."""

from collections.abc import Iterator, Mapping

from service.alarms.facts import Condition, Facts, is_heard, key_of
from service.alarms.rules import DiskSettings, OutboxSettings, WorkerSettings
from service.api.live_state import LATE_S, WorkerNow

GIB = 2**30


def machine_conditions(facts: Facts) -> Iterator[Condition]:
    """Workers, what waits in their outboxes, and disks."""
    snapshot, rules = facts.snapshot, facts.rules
    gone = rules.settings("worker_gone", None, WorkerSettings)
    outbox = rules.settings("outbox_growing", None, OutboxSettings)
    disk = rules.settings("disk_low", None, DiskSettings)
    for each in facts.disks:
        low = each.free < disk.free_gib * GIB or each.free < disk.free_share * each.total
        yield _disk(each.host, each.free, low)
    speaks = {camera.camera: camera.worker for camera in snapshot.cameras if is_heard(camera, snapshot.time)}
    for worker in snapshot.workers:
        name, silent = worker.report.worker, snapshot.time - worker.heard_at
        cameras = [camera.camera for camera in worker.report.cameras]
        yield _worker(name, silent >= gone.gone_s, worker.heard_at, cameras, speaks, worker.report.host)
        if silent < LATE_S:
            yield _outbox(worker, outbox)
            free = worker.report.outbox.free
            if worker.report.outbox.limit:  # else it says nothing of its outbox
                yield _disk(worker.report.host, free, free < disk.free_gib * GIB)
    heard = {worker.report.worker for worker in snapshot.workers}
    for alarm in facts.open:  # a worker that is forgotten by now may have been replaced
        worker_id = str(alarm.details.get("worker", ""))
        if alarm.kind == "worker_gone" and worker_id not in heard:
            yield _worker(worker_id, True, None, list(alarm.details.get("cameras", [])), speaks, "")


def _worker(
    name: str,
    gone: bool,
    since: float | None,
    cameras: list[str],
    speaks: Mapping[str, str | None],
    host: str,
) -> Condition:
    replaced = bool(cameras) and all(speaks.get(camera, name) != name for camera in cameras)
    details = {"worker": name, "host": host, "cameras": cameras}
    return Condition(
        key_of("worker_gone", name), "worker_gone", gone and not replaced, since, details=details
    )


def _outbox(worker: WorkerNow, settings: OutboxSettings) -> Condition:
    box, name = worker.report.outbox, worker.report.worker
    old = box.oldest_age_s is not None and box.oldest_age_s >= settings.oldest_s
    full = box.limit > 0 and box.bytes >= settings.share * box.limit
    details = {"worker": name, "waiting": box.waiting, "oldest_age_s": box.oldest_age_s, "bytes": box.bytes}
    details |= {"rejected": box.rejected, "reason": box.alarm or ""}
    holds = old or full or box.rejected > 0
    return Condition(key_of("outbox_growing", name), "outbox_growing", holds, details=details)


def _disk(host: str, free: int, low: bool) -> Condition:
    return Condition(key_of("disk_low", host), "disk_low", low, details={"host": host, "free": free})
