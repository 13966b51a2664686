"""Sets of intervals against sets of whole seconds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coverage.intervals import (
    NOTHING,
    Floats,
    contains,
    difference,
    intersection,
    lengths,
    make_set,
    observed_lengths,
    union,
)

END = 24
SPANS = st.tuples(st.integers(0, END), st.integers(0, END))
SETS = st.lists(SPANS, max_size=5)
EDGES = st.sets(st.integers(0, END), min_size=2).map(sorted)


def seconds(pairs: list[tuple[int, int]]) -> set[int]:
    return {second for start, end in pairs for second in range(start, end)}


def in_seconds(intervals: Floats) -> set[int]:
    return seconds([(int(start), int(end)) for start, end in intervals])


@given(first=SETS, second=SETS)
def test_sets_are_those_of_their_seconds(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    a, b = make_set(first), make_set(second)
    x, y = seconds(first), seconds(second)
    assert in_seconds(a) == x
    assert in_seconds(union([a, b])) == x | y
    assert in_seconds(intersection(a, b)) == x & y
    assert in_seconds(difference(a, b)) == x - y
    assert all(contains(a, second + 0.5) == (second in x) for second in range(END))
    for each in (a, union([a, b]), intersection(a, b), difference(a, b)):
        assert (each[:, 0] < each[:, 1]).all()
        assert (each[1:, 0] > each[:-1, 1]).all(), "neighbours are joined"


@given(pairs=SETS, edges=EDGES)
def test_lengths_are_numbers_of_seconds(pairs: list[tuple[int, int]], edges: list[int]) -> None:
    inside = seconds(pairs)
    expected = [len(inside & set(range(a, b))) for a, b in pairwise(edges)]
    assert lengths(make_set(pairs), edges).tolist() == expected


@given(
    observers=st.lists(
        st.tuples(SETS, st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=END, max_size=END)), max_size=3
    ),
    edges=EDGES,
)
def test_the_best_observer_of_each_second_counts(
    observers: list[tuple[list[tuple[int, int]], list[float]]], edges: list[int]
) -> None:
    parts, best = [], np.zeros(END)
    for pairs, shares in observers:
        records = [(second, second + 1, share) for second, share in enumerate(shares) if share]
        parts.append((make_set(pairs), np.array(records, np.float64).reshape(-1, 3)))
        inside = np.array([second in seconds(pairs) for second in range(END)])
        best = np.maximum(best, inside * np.array(shares))
    expected = [best[a:b].sum() for a, b in pairwise(edges)]
    assert observed_lengths(parts, edges).tolist() == pytest.approx(expected)


def test_an_open_end_reaches_as_far_as_asked() -> None:
    open_ = make_set([(5.0, np.inf)])
    assert contains(open_, 1e12)
    assert lengths(open_, [0, 10, 20]).tolist() == [5, 10]
    assert difference(open_, make_set([(8.0, np.inf)])).tolist() == [[5, 8]]
    assert intersection(open_, make_set([(0, 6)])).tolist() == [[5, 6]]
    assert union([NOTHING, NOTHING]).tolist() == []
