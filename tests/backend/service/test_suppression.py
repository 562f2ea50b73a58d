"""Small groups are hidden, and so is what would tell them by subtraction."""

from __future__ import annotations

from collections import defaultdict
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service.suppression import TOTAL, Cell, suppress


def table(rows: list[list[int]]) -> dict[Cell, int]:
    """A table with its totals."""
    made = {(f"r{i}", f"c{j}"): count for i, row in enumerate(rows) for j, count in enumerate(row)}
    for i, row in enumerate(rows):
        made[f"r{i}", TOTAL] = sum(row)
    for j in range(len(rows[0])):
        made[TOTAL, f"c{j}"] = sum(row[j] for row in rows)
    made[TOTAL, TOTAL] = sum(map(sum, rows))
    return made


def computable(cells: dict[Cell, int], hidden: frozenset[Cell]) -> set[Cell]:
    """The hidden cells whose value follows from the published ones, by linear algebra."""
    unknown = sorted(hidden)
    rows, columns = {row for row, _ in cells}, {column for _, column in cells}
    sums = [[(row, column) for column in columns] for row in rows]
    sums += [[(row, column) for row in rows] for column in columns]
    matrix = np.array([[(-1.0) ** cell.count(TOTAL) * (cell in each) for cell in unknown] for each in sums])
    rank = np.linalg.matrix_rank(matrix) if unknown else 0
    units = np.eye(len(unknown))
    return {cell for cell, unit in zip(unknown, units, strict=True) if np.linalg.matrix_rank([*matrix, unit]) == rank}


@pytest.mark.parametrize(
    ("rows", "hidden"),
    [
        ([[20, 30], [40, 50]], set()),
        ([[20, 0], [40, 50]], set()),
        ([[3, 30, 80], [40, 50, 90], [60, 70, 99]], {("r0", "c0"), ("r0", "c1"), ("r1", "c0"), ("r1", "c1")}),
    ],
)
def test_a_small_group_takes_the_smallest_others_along(rows: list[list[int]], hidden: set[Cell]) -> None:
    assert suppress(table(rows)) == hidden


TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(st.integers(0, 40), min_size=width, max_size=width), min_size=1, max_size=4)
)


@given(TABLES)
def test_no_hidden_cell_can_be_computed_from_the_published_ones(rows: list[list[int]]) -> None:
    cells = table(rows)
    assert computable(cells, suppress(cells)) == set()


@given(TABLES, st.integers(2, 12))
def test_every_small_group_is_hidden(rows: list[list[int]], k: int) -> None:
    cells = table(rows)
    assert {cell for cell, count in cells.items() if 0 < count < k} <= suppress(cells, k)


SIZES = st.one_of(st.integers(0, 9), st.integers(0, 40))
CROWDS = st.lists(
    st.lists(st.tuples(st.sampled_from((0, 3, 500)), SIZES), min_size=3, max_size=3), min_size=2, max_size=3
)
"""Of each store and tier the number of the first member and how many there are: one may have been in several stores."""


def who(crowds: list[list[tuple[int, int]]]) -> dict[Cell, set[int]]:
    """The members behind each cell of the table with its totals."""
    found: dict[Cell, set[int]] = defaultdict(set)
    for row, sizes in enumerate(crowds):
        for column, (first, size) in enumerate(sizes):
            for cell in product((f"r{row}", TOTAL), (f"c{column}", TOTAL)):
                found[cell] |= set(range(100 * column + first, 100 * column + first + size))
    return dict(found)


def groups_told(cells: dict[Cell, set[int]], hidden: frozenset[Cell]) -> list[frozenset[Cell]]:
    """The sets of hidden cells whose sum follows from the published ones.

    Each row and each column says of its cells that they add up to their total. Some of these equations are added,
    others taken away (the table's matrix is totally unimodular, so no other factors are needed): where all hidden cells
    that remain then have the factor one, their sum is told.
    """
    rows, columns = sorted({row for row, _ in cells}), sorted({column for _, column in cells})
    told = []
    for chosen in product((0, 1), repeat=len(rows) + len(columns)):
        taken = dict(zip([*((0, row) for row in rows), *((1, column) for column in columns)], chosen, strict=True))
        factors = {cell: (-1) ** cell.count(TOTAL) * (taken[0, cell[0]] - taken[1, cell[1]]) for cell in hidden}
        if set(factors.values()) <= {0, 1}:
            told.append(frozenset(cell for cell, factor in factors.items() if factor))
    return told


@given(CROWDS)
def test_no_sum_of_hidden_cells_tells_of_a_small_group(crowds: list[list[tuple[int, int]]]) -> None:
    cells = who(crowds)
    hidden = suppress({cell: len(members) for cell, members in cells.items()})
    for group in groups_told(cells, hidden):
        members = set[int]().union(*(cells[cell] for cell in group))
        assert not 0 < len(members) < 10, (group, members)


def test_two_small_cells_that_add_up_to_a_small_group_take_a_larger_one_along() -> None:
    cells = table([[3, 4, 50], [20, 30, 60]])
    assert {("r0", "c0"), ("r0", "c1"), ("r0", "c2")} <= suppress(cells)


def test_two_cells_of_the_same_few_members_are_no_larger_group() -> None:
    """Six members who were in two stores each: the cells add up to twelve, and are six people all the same."""
    cells = table([[6, 50], [6, 40], [20, 30]]) | {(TOTAL, "c0"): 26}
    hidden = suppress(cells)
    assert {("r0", "c0"), ("r1", "c0"), ("r2", "c0")} <= hidden


def test_hiding_the_small_groups_alone_would_tell_them() -> None:
    """What the law above looks for can be found."""
    cells = table([[3, 30], [40, 50]])
    assert computable(cells, frozenset({("r0", "c0")})) == {("r0", "c0")}
