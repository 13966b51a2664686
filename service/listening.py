"""How the service listens: its socket, and how its web server treats connections."""

import socket
from typing import Any

import uvicorn

KEEP_ALIVE_S = 75
"""How long a connection is kept for a next request: longer than proxies keep theirs (60 s), which would send
one into a connection that is just being closed, and than pages wait between two."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket: who connects at once waits for the server instead of being refused.

    Raises:
        OSError: it cannot listen there.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    family, kind, protocol, _, address = found[0]
    # Only where a socket names its protocol does asyncio send at once; else an answer's second half waits
    # for the reader's acknowledgement, 40 ms on a connection that is kept.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def server_settings(app: Any, close_s: int, **more: Any) -> uvicorn.Config:
    """The web server's settings.

    Args:
        app: what answers.
        close_s: seconds that open answers have when the service stops.
        more: other settings of uvicorn.
    """
    return uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=close_s,
        timeout_keep_alive=KEEP_ALIVE_S,
        **more,
    )
