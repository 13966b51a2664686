"""Runs a function on what a stranger sent in a process of its own, with little memory, time and rights.

The child has no secrets (its environment is empty), no network, and may read the program and what is named,
and write in one folder. What comes back from it is JSON, never anything that could run. Which of these hold
depends on the kernel, see :func:`isolation`; memory and time hold everywhere.
"""

import importlib.util
import json
import logging
import os
import selectors
import signal
import site
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vision import NgatuError
from vision.sources import mask_address

log = logging.getLogger("ngatu.sandbox")

_LONGEST_LINE = 64 * 2**20
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from service.auth.cage import main; main()"
_OURS = ("service", "vision", "models", "sample_videos")


class SandboxError(NgatuError):
    """What ran apart took too much, was stopped, or failed."""


class StoppedError(SandboxError):
    """Somebody stopped it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a function that runs apart may use.

    Attributes:
        memory: bytes of address space; libraries reserve more than they use.
        cpu_s: seconds of computing, of all its threads together.
        wall_s: seconds until it is stopped.
        file_size: bytes of the largest file it may write.
        readable: files and folders it may read, besides the program.
        writable: the one folder it may write in; None is nowhere.
        network: whether it may use the network.
    """

    memory: int = 2 * 2**30
    cpu_s: int = 60
    wall_s: float = 120.0
    file_size: int = 2**30
    readable: tuple[Path, ...] = ()
    writable: Path | None = None
    network: bool = False


def run_limited(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    limits: Limits | None = None,
    *,
    progress: Callable[[Any], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Any:
    """Run a function of a module in a process of its own and return what it returns.

    Args:
        function: of a module, not a method or lambda; it takes and returns what JSON can hold. What it gives
            to :func:`service.auth.cage.report` comes to ``progress``.
        args: for it.
        limits: see there.
        progress: called with each report.
        stop: asked a few times a second; when it says so, the child is killed.

    Raises:
        SandboxError: it took too much memory or time, or failed; the message is one sentence.
        StoppedError: ``stop`` said so.
    """
    return _run(function, args, limits or Limits(), progress, stop)[1]


@cache
def isolation() -> tuple[str, ...]:
    """What holds here: ``memory``, ``time``, and where the kernel can ``network`` and ``files``."""
    return _run(_nothing, (), Limits(), None, None)[0]


def _nothing() -> None:
    """Do nothing, in a sandbox."""


def _run(
    function: Callable[..., Any],
    args: Sequence[Any],
    limits: Limits,
    progress: Callable[[Any], None] | None,
    stop: Callable[[], bool] | None,
) -> tuple[tuple[str, ...], Any]:
    """What held, and what the function returned."""
    reader, writer = os.pipe()
    job = {
        "function": f"{function.__module__}:{function.__qualname__}",
        "args": list(args),
        "out": writer,
        "rlimits": {
            "RLIMIT_AS": limits.memory,
            "RLIMIT_CPU": limits.cpu_s,
            "RLIMIT_FSIZE": limits.file_size,
            "RLIMIT_NOFILE": 256,
            "RLIMIT_CORE": 0,
        },
        "network": limits.network,
        "readable": [str(path) for path in (*_program(function.__module__), *limits.readable)],
        "writable": str(limits.writable) if limits.writable else None,
    }
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-c", _START, json.dumps([path for path in sys.path if path])],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not log.isEnabledFor(logging.DEBUG) else None,
            pass_fds=(writer,),
            cwd=limits.writable or "/",
            env=_environment(limits),
            start_new_session=True,
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    try:
        assert child.stdin is not None  # noqa: S101
        try:
            child.stdin.write(json.dumps(job).encode())
            child.stdin.close()
        except BrokenPipeError:
            pass  # it died at its start; what it died of is told below
        return _follow(child, reader, limits, progress, stop)
    finally:
        os.close(reader)
        _kill(child)


def _follow(
    child: "subprocess.Popen[bytes]",
    reader: int,
    limits: Limits,
    progress: Callable[[Any], None] | None,
    stop: Callable[[], bool] | None,
) -> tuple[tuple[str, ...], Any]:
    held: tuple[str, ...] = ()
    for message in _messages(reader, time.monotonic() + limits.wall_s, limits, stop):
        if "held" in message:
            held = tuple(str(each) for each in message["held"])
            missing = {"network", "files"} - set(held) - ({"network"} if limits.network else set())
            if missing:
                log.info("this kernel does not keep the child from: %s", ", ".join(sorted(missing)))
        elif "progress" in message:
            if progress is not None:
                progress(message["progress"])
        elif "result" in message:
            return held, message["result"]
        elif "error" in message:
            raise SandboxError(_failure(str(message["error"]), str(message.get("text", "")), limits))
    code = child.wait(10)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        raise SandboxError(f"it took more than {limits.cpu_s} s of computing and was stopped")
    raise SandboxError(
        f"it ended without a result (exit {code}); it may need more than {_size(limits.memory)} of memory"
    )


def _messages(
    reader: int, deadline: float, limits: Limits, stop: Callable[[], bool] | None
) -> Iterator[dict[str, Any]]:
    """What the child writes, until it ends."""
    waiting = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if stop is not None and stop():
                raise StoppedError("it was stopped")
            if time.monotonic() > deadline:
                raise SandboxError(f"it took more than {limits.wall_s:g} s and was stopped")
            if not selector.select(0.2):
                continue
            data = os.read(reader, 2**16)
            if not data:
                return
            *lines, waiting = (waiting + data).split(b"\n")
            if len(waiting) > _LONGEST_LINE:
                raise SandboxError("it answered too much")
            for line in lines:
                try:
                    message = json.loads(line)
                except ValueError:
                    message = None
                if not isinstance(message, dict):
                    raise SandboxError("it answered what nobody understands")
                yield message


def _failure(kind: str, text: str, limits: Limits) -> str:
    if kind == "own":
        return mask_address(text)
    if kind == "memory" or "alloc" in text.lower():
        return f"it needs more than {_size(limits.memory)} of memory"
    return f"it failed: {kind}: {mask_address(text)[:300]}"


def _kill(child: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _program(module: str) -> Iterator[Path]:
    """The folders of Python, its packages, and ours: code and weights, no data beside them."""
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield Path(sysconfig.get_path(name))
    yield from (
        Path(each)
        for each in (*site.getsitepackages(), sys.prefix, sys.base_prefix)
        if each not in ("/", "/usr")
    )
    for name in {*_OURS, module.partition(".")[0]}:
        found = importlib.util.find_spec(name)
        if found is not None:
            yield from (Path(each) for each in found.submodule_search_locations or ())


def _environment(limits: Limits) -> dict[str, str]:
    """Nothing of ours: the key and the passwords of the service stand in its environment."""
    home = str(limits.writable or "/nonexistent")
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": home,
        "TMPDIR": home,
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _size(number: int) -> str:
    return f"{number / 2**20:.0f} MiB"
