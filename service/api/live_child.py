"""Child process of ``ngatu serve``: the supervisor of live analysis; it stops when its parent does."""

import json
import signal
import sys
import threading
from pathlib import Path

from service.live.process import set_up_logging
from service.live.supervisor import LiveSettings, Supervisor
from vision import NgatuError


def main() -> int:
    """Read ``{"url", "settings"}`` as one line of standard input; run until that ends or a signal comes."""
    order = json.loads(sys.stdin.readline())
    given = order["settings"]
    settings = LiveSettings(**{**given, "folder": Path(given["folder"]), "cameras": tuple(given["cameras"])})
    set_up_logging("live")
    stop = threading.Event()
    # From a terminal the interrupt comes to us too; the parent says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def watch() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=watch, name="parent", daemon=True).start()
    try:
        Supervisor(order["url"], settings).run(stop)
    except NgatuError as error:
        print(f"live: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
