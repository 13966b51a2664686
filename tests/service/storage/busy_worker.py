"""A worker for the tests that kill it: records made-up traffic and writes it to the database meanwhile."""

from pathlib import Path
from threading import Event, Thread

from service.storage.connect import connect
from service.storage.drain import drain, keep_draining
from service.storage.outbox import Outbox
from tests.service.storage.traffic import NINE, crossings, interval, record, segment

SECONDS = 1200
NUMBER = 2000


def main(url: str, outbox_path: str) -> None:
    """Record two cameras into the outbox while a thread writes to the database; both to the end."""
    stop = Event()

    def write() -> None:
        engine = connect(url)
        with Outbox(Path(outbox_path)) as outbox:
            keep_draining(outbox, engine, stop, pause_s=0.01)
            drain(outbox, engine)
        engine.dispose()

    writer = Thread(target=write)
    writer.start()
    with Outbox(Path(outbox_path)) as outbox:
        for seed, camera in enumerate(("cam1", "cam2")):
            tens = [interval("north", NINE, entered=seed + 1)]
            seen = crossings(NINE, SECONDS, NUMBER, seed)
            record(outbox, segment(camera), seen, SECONDS, flush_every=40, intervals=tens)
    stop.set()
    writer.join()
