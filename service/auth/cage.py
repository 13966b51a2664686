"""The child's side of a sandbox: gives its rights away, runs one function, and writes what it returns."""

import ctypes
import importlib
import json
import os
import resource
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Numbers of the kernel that Python 3.11 has no names for.
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/dev/urandom",
)  # fmt: skip
"""What a program needs to read to run at all; of /proc its own part only: others' hold secrets."""

_out: int | None = None


def report(progress: Any) -> None:
    """Tell the parent how far it is: anything JSON can write. Outside a sandbox it does nothing."""
    if _out is not None:
        _send({"progress": progress})


def main() -> None:
    """Read a job from standard input, run it with few rights, write its result; the parent starts this."""
    global _out
    job = json.load(sys.stdin)
    _out = int(job["out"])
    for name, value in job["rlimits"].items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (least, least))
    held = confine(job["readable"], job["writable"], network=job["network"])
    _send({"held": ["memory", "time", *held]})
    try:
        module, _, name = job["function"].partition(":")
        function = importlib.import_module(module)
        for part in name.split("."):
            function = getattr(function, part)
        _send({"result": function(*job["args"])})  # type: ignore[operator]
    except MemoryError:
        _send({"error": "memory", "text": ""})
    except BaseException as error:
        kinds = [each.__name__ for each in type(error).__mro__]
        _send({"error": "own" if "NgatuError" in kinds else type(error).__name__, "text": str(error)})
    os._exit(0)  # threads of libraries that hang at the end are nobody's business


def confine(readable: Iterable[str], writable: str | None, *, network: bool = False) -> list[str]:
    """Give this process's rights away for good; call it first of all, while there is one thread.

    It ends with its parent, gains no rights from programs it starts, and keeps the right to read the system's
    programs and what is named, to write in one folder, and to use the network only where that is said.

    Returns:
        What the kernel could do of it: ``network``, ``files``.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    held = []
    if not network and _leave_network(libc):
        held.append("network")
    if _leave_files(libc, readable, writable, network=network):
        held.append("files")
    return held


def _send(message: Any) -> None:
    assert _out is not None  # noqa: S101
    data = json.dumps(message, allow_nan=False).encode() + b"\n"
    while data:
        data = data[os.write(_out, data) :]


def _leave_network(libc: ctypes.CDLL) -> bool:
    """Go into a network of one's own that has nothing in it, where the kernel lets us."""
    if libc.unshare(_CLONE_NEWNET) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    # Without these lines the files that it makes would belong to nobody.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return True


def _leave_files(libc: ctypes.CDLL, readable: Iterable[str], writable: str | None, *, network: bool) -> bool:
    """Keep only the right to read a few folders and to write one (Landlock, Linux 5.13 and newer)."""
    abi = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if abi < 1:
        return False
    rights = (1 << 13) - 1 | (1 << 13 if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    rights |= _IOCTL_DEV if abi >= 5 else 0
    tcp = 3 if abi >= 4 and not network else 0
    # Struct of (files, net, scoped); older kernels know its beginning only.
    known = 3 if abi >= 6 else 2 if abi >= 4 else 1
    attributes = struct.pack(f"{known}Q", *(rights, tcp, 3)[:known])
    rules = libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if rules < 0:
        return False
    reading = _EXECUTE | _READ_FILE | _READ_DIR
    for path in (*_SYSTEM, *readable):
        _allow(libc, rules, path, reading)
    _allow(libc, rules, "/dev/null", _READ_FILE | _WRITE_FILE)
    if writable is not None:
        _allow(libc, rules, writable, rights & ~_EXECUTE & ~_IOCTL_DEV)
    done = bool(libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0)
    os.close(rules)
    return done


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        if not Path(path).is_dir():
            rights &= _OF_FILES
        libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, descriptor), 0)
    finally:
        os.close(descriptor)
