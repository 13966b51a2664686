"""Starts a side (ours or a peer's) in its own environment on given cores, and asks it, clip by clip."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.environments import ROOT, find, last_error

DRIVERS = ROOT / "benchmarks" / "peers"
Row = dict[str, Any]


class SideAbsentError(Exception):
    """Why a side does not run."""


class SideProcess:
    """One side in a process of its own.

    Args:
        name: ``ngatu`` or the name of a peer's environment.
        cores: which cores it may use; all sides get the same.

    Attributes:
        about: versions and defaults.
        ready_s: how long it took to start, imports included.

    Raises:
        SideAbsentError: it does not start.
    """

    def __init__(self, name: str, cores: Sequence[int]) -> None:
        self.name = name
        environment = find(name) if name != "ngatu" else None
        if environment and environment.absent:
            raise SideAbsentError(environment.absent)
        python = environment.python if environment else Path(sys.executable)
        paths = [DRIVERS] if environment else [DRIVERS, ROOT]
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            [str(python), "-P", str(DRIVERS / f"{name}_side.py"), "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        began = time.perf_counter()
        self.about = self._answer()
        self.ready_s = time.perf_counter() - began

    def open(self, clip: Path, lines: Any, settings: Row, view: Path | None = None) -> Row:
        """Begin a clip; how long that took and how much memory there is."""
        return self._ask(
            {
                "open": {
                    "clip": str(clip),
                    "lines": lines,
                    "settings": settings,
                    "view": str(view) if view else None,
                }
            }
        )

    def run(self, frames: int) -> Row:
        """The next frames."""
        return self._ask({"run": frames})

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, question: Row) -> Row:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # it ended: the answer says why
        return self._answer()

    def _answer(self) -> Row:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            raise SideAbsentError(f"{self.name} ended early: {last_error(self._said.read())}")
        answer: Row = json.loads(line)
        return answer
