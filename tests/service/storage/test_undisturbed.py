"""The garbage collector is out while rows are read, and back afterwards, whoever else reads meanwhile."""

import gc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from service.storage.undisturbed import undisturbed


def test_it_is_back_after_the_last_read() -> None:
    assert gc.isenabled()
    with undisturbed():
        assert not gc.isenabled()
        with undisturbed():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_is_back_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), undisturbed():
        raise ValueError("x")
    assert gc.isenabled()


def test_reads_beside_each_other_leave_it_on() -> None:
    together = Barrier(4)

    @undisturbed()
    def read() -> bool:
        together.wait(10)
        return gc.isenabled()

    with ThreadPoolExecutor(4) as pool:
        assert not any(pool.map(lambda _: read(), range(4)))
    assert gc.isenabled()


def test_who_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with undisturbed():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
