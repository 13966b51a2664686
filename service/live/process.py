"""A worker in a process of its own: orders come as lines on standard input, beats go out on standard output.

The first line is its settings, each later one what it shall run: ``{"cameras": [...]}``. When the input ends,
it stops: its supervisor told it to, or is no more.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
from typing import Any

from service.live.worker import Worker, WorkerSettings
from vision import NgatuError
from vision.sources import mask_address

BEAT_EVERY = 1.0
STUCK = 10.0
"""Without a round of the analysis for so long no more beats are sent, s."""

STOPPING = 8.0
"""So long it may take to stop once nobody gives orders any more, s; a supervisor that lives waits less."""

EXIT_ERROR = 3
"""Exit status where something is wrong that a restart alone does not mend; told in one sentence before."""

log = logging.getLogger(__name__)


class MaskedFormatter(logging.Formatter):
    """Log lines, tracebacks included, in which no secret of an address can be read."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return mask_address(super().format(record))


def set_up_logging(name: str) -> None:
    """Log to standard error with the moment and who says it; secrets masked, uncaught errors too."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskedFormatter(f"%(asctime)s {name} %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)

    def died(args: threading.ExceptHookArgs) -> None:
        thread = args.thread.name if args.thread else "?"
        if args.exc_value is not None:
            log.error("the thread %r has died", thread, exc_info=args.exc_value)

    threading.excepthook = died


def main() -> int:
    """Run one worker; the exit status."""
    settings = _settings(json.loads(sys.stdin.readline()))
    set_up_logging(settings.worker)
    stop = threading.Event()
    # Ctrl-C reaches the whole group of processes: the supervisor decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    worker = Worker(settings)
    threading.Thread(target=_listen, args=(worker, stop), daemon=True).start()
    threading.Thread(target=_beat, args=(worker, stop), daemon=True).start()
    try:
        worker.run(stop)
    except NgatuError as error:
        log.error("%s", error)
        return EXIT_ERROR
    except Exception:
        log.exception("the worker has failed")
        return 1
    return 0


def _settings(said: dict[str, Any]) -> WorkerSettings:
    return WorkerSettings(**{**said, "cameras": tuple(said["cameras"])})


def _listen(worker: Worker, stop: threading.Event) -> None:
    for line in sys.stdin:
        worker.assign(tuple(json.loads(line)["cameras"]))
    stop.set()
    # Where the supervisor is no more, nobody else ends a worker that hangs: it would count beside the next.
    time.sleep(STOPPING)
    log.error("%s does not stop within %.0f s; it ends all the same", worker.settings.worker, STOPPING)
    sys.stderr.flush()
    os._exit(EXIT_ERROR)


def _beat(worker: Worker, stop: threading.Event) -> None:
    while True:
        if time.monotonic() - worker.beat < STUCK:
            try:
                sys.stdout.write("beat\n")
                sys.stdout.flush()
            except (OSError, ValueError):
                stop.set()  # nobody listens any more
                return
        time.sleep(BEAT_EVERY)


if __name__ == "__main__":
    status = main()
    # Threads that wait for a camera inside FFmpeg would hold the exit up; what is recorded is on the disk.
    sys.stderr.flush()
    os._exit(status)
