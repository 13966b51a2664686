"""Fixtures for the tests of reports."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import pytest

from service.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


Ngatu = Callable[..., Ran]


@pytest.fixture
def ngatu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ngatu:
    """Run a command of ``ngatu`` as the console script does, in this process."""
    threads = cv2.getNumThreads()

    def run(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["ngatu", *(str(each) for each in arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        cv2.setNumThreads(threads)
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
