"""Small groups are hidden, and so is what would tell them by subtraction."""

from __future__ import annotations

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


def test_hiding_the_small_groups_alone_would_tell_them() -> None:
    """What the law above looks for can be found."""
    cells = table([[3, 30], [40, 50]])
    assert computable(cells, frozenset({("r0", "c0")})) == {("r0", "c0")}
