"""What the tests run in a sandbox: functions that behave, and functions that do not."""

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from service.auth.cage import report


def several(calls: list[list[Any]]) -> list[Any]:
    """Several of these in one process, for the tests' speed."""
    return [globals()[name](*args) for name, *args in calls]


def double(number: int) -> dict[str, int]:
    report(0.5)
    return {"double": number * 2}


def eat() -> int:
    return len(bytearray(3 * 2**30))


def spin() -> None:
    while True:
        pass


def sleep() -> None:
    time.sleep(600)


def die() -> None:
    os.abort()


def refuse() -> None:
    from vision import SourceError

    raise SourceError("rtsp://me:secret@10.0.0.5/1 cannot be opened: nothing answers.")


def read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")[:100]
    except OSError as error:
        return f"refused: {type(error).__name__}"


def write(path: str) -> str:
    try:
        Path(path).write_text("mine")
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "written"


def connect(port: int) -> str:
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "connected"


def environment() -> dict[str, str]:
    return dict(os.environ)


def parents_environment() -> str:
    return read(f"/proc/{os.getppid()}/environ")


def run_program() -> Any:
    return subprocess.run(["/usr/bin/id", "-u"], capture_output=True, text=True, check=False).stdout


def write_much(path: str) -> str:
    try:
        with Path(path).open("wb") as file:
            for _ in range(64):
                file.write(bytes(2**20))
    except OSError as error:
        return f"refused: {type(error).__name__}"
    return "written"


def look_at_clip(path: str) -> list[Any]:
    from vision import open_source

    with open_source(path) as source:
        return [source.codec, *source.size]


def answer_nonsense() -> Any:
    return float("nan"), object()
