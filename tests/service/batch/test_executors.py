"""Processes that do the work: all of it, once, also where one of them dies."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from service.batch.executors import LocalExecutor, Lost


def double(number: int) -> int:
    return 2 * number


def die_of_seven(number: int) -> int:
    if number == 7:
        os._exit(1)
    time.sleep(0.01)
    return number


def die_once(path: Path) -> str:
    """As where the system ends a process for want of memory, and has some the next time."""
    if not path.exists():
        path.write_text("was here", encoding="utf-8")
        os._exit(1)
    return path.name


def test_every_item_has_its_result() -> None:
    with LocalExecutor(2) as executor:
        assert sorted(executor.map_unordered(double, range(30))) == [(n, 2 * n) for n in range(30)]


def test_an_item_that_kills_its_process_costs_no_other() -> None:
    with LocalExecutor(2) as executor:
        results = dict(executor.map_unordered(die_of_seven, range(15)))
    assert isinstance(results.pop(7), Lost)
    assert results == {n: n for n in range(15) if n != 7}


def test_a_process_that_died_by_chance_is_no_failure(tmp_path: Path) -> None:
    with LocalExecutor(1) as executor:
        assert list(executor.map_unordered(die_once, [tmp_path / "a"])) == [(tmp_path / "a", "a")]


def test_items_are_taken_as_there_is_room() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield number

    with LocalExecutor(1) as executor:
        results = executor.map_unordered(double, items())
        next(results)
        assert taken <= 3
        results.close()  # type: ignore[attr-defined]
