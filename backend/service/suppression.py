"""Which cells of a table of people stay hidden, so that no small group can be told, not even by subtraction. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

K = 10
"""A group of fewer members is not told."""
Cell = tuple[str, str]
TOTAL = ""
"""The row, or the column, of totals."""
_LAST_RESORT = 10**12
_Node = tuple[int, str]
"""A row (0) or a column (1)."""


def suppress(members: Mapping[Cell, int], k: int = K) -> frozenset[Cell]:
    """The cells to hide of a table with row and column totals, given how many different members stand behind each.

    `members` has every cell by row and column, totals under `TOTAL`. What else is counted in the cells adds up to the
    totals; members need not, since one may stand in several cells.

    First go the groups of 1 to k - 1. Then, as long as a sum of hidden cells could be computed that are all so small,
    the smallest cells that prevent it. Rows and columns are the nodes of a graph and hidden cells its edges, from row
    to column, totals the other way. The sums that can be computed are those over cuts that all edges cross in one
    direction (D. Gusfield, A graph theoretic approach to statistical data security, SIAM J. Comput. 17, 1988). Each of
    them needs an edge of k members or more: so each small edge from u to v needs a way from u to v that takes small
    edges against their direction only. Members are not added up, since those of two cells may be the same.
    """
    hidden = {cell for cell, count in members.items() if 0 < count < k}
    for cell in sorted(hidden):
        hidden |= _cheapest_way(cell, members, hidden, k)
    return frozenset(hidden)


def _cheapest_way(cell: Cell, members: Mapping[Cell, int], hidden: set[Cell], k: int) -> set[Cell]:
    """The cells of the way between a small cell's ends for which the least must be hidden that is not hidden yet."""
    near: dict[_Node, list[tuple[_Node, Cell, int]]] = defaultdict(list)
    for each, count in members.items():
        # An empty cell hides badly, since it may be known to be empty.
        cost = 0 if each in hidden else count or _LAST_RESORT
        start, end = _ends(each)
        near[end].append((start, each, cost))
        if count >= k:
            near[start].append((end, each, cost))
    start, goal = _ends(cell)
    for node, way in _nearest_first(start, near):
        if node == goal:
            return set(way)
    raise ValueError("a table needs at least one row and one column, and the totals of both")


def _ends(cell: Cell) -> tuple[_Node, _Node]:
    row, column = (0, cell[0]), (1, cell[1])
    return (column, row) if (cell[0] == TOTAL) != (cell[1] == TOTAL) else (row, column)


def _nearest_first(
    start: _Node, near: Mapping[_Node, list[tuple[_Node, Cell, int]]]
) -> Iterator[tuple[_Node, tuple[Cell, ...]]]:
    """Every node that can be come to, with the cells on the cheapest way to it (E. W. Dijkstra, 1959)."""
    queue: list[tuple[int, _Node, tuple[Cell, ...]]] = [(0, start, ())]
    seen: set[_Node] = set()
    while queue:
        cost, node, way = heappop(queue)
        if node not in seen:
            seen.add(node)
            yield node, way
            for neighbour, cell, more in near.get(node, []):
                heappush(queue, (cost + more, neighbour, (*way, cell)))
