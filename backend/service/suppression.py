"""Which cells of a table of people stay hidden, so that no small group can be told, not even by subtraction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heappop, heappush

K = 10
"""A group of fewer members is not told."""
Cell = tuple[str, str]
TOTAL = ""
"""The row, or the column, of totals."""
_LAST_RESORT = 10**12


def suppress(members: Mapping[Cell, int], k: int = K) -> frozenset[Cell]:
    """The cells to hide of a table with row and column totals, given how many different members stand behind each.

    `members` has every cell by row and column, totals under `TOTAL`; each row and each column adds up to its total.
    First go the groups of 1 to k - 1. Then, where a hidden cell could still be computed, the smallest cells that
    prevent it. Rows and columns are taken as the nodes of a graph and hidden cells as its edges: what sums tell of the
    hidden cells is fixed but for the cycles, so exactly the bridges can be computed, and each bridge is put on the
    cheapest cycle (D. Gusfield, A graph theoretic approach to statistical data security, SIAM J. Comput. 17, 1988).
    """
    hidden = {cell for cell, count in members.items() if 0 < count < k}
    while (bridge := next((cell for cell in sorted(hidden) if _is_bridge(cell, hidden)), None)) is not None:
        hidden |= _cheapest_way(bridge, members, hidden)
    return frozenset(hidden)


def _is_bridge(cell: Cell, hidden: Iterable[Cell]) -> bool:
    costs = dict.fromkeys(hidden, 0)
    return _way(cell, costs) is None


def _cheapest_way(cell: Cell, members: Mapping[Cell, int], hidden: set[Cell]) -> set[Cell]:
    # An empty cell hides badly, since it may be known to be empty.
    costs = {each: 0 if each in hidden else count or _LAST_RESORT for each, count in members.items()}
    found = _way(cell, costs)
    if found is None:
        raise ValueError("a table needs at least one row and one column, and the totals of both")
    return found


def _way(cell: Cell, costs: Mapping[Cell, int]) -> set[Cell] | None:
    """The cells of the cheapest way from a cell's row to its column that does not use the cell itself."""
    near: dict[tuple[int, str], list[tuple[tuple[int, str], Cell]]] = {}
    for each in costs:
        if each != cell:
            row, column = (0, each[0]), (1, each[1])
            near.setdefault(row, []).append((column, each))
            near.setdefault(column, []).append((row, each))
    start, goal = (0, cell[0]), (1, cell[1])
    queue: list[tuple[int, tuple[int, str], tuple[Cell, ...]]] = [(0, start, ())]
    seen: set[tuple[int, str]] = set()
    while queue:
        cost, node, way = heappop(queue)
        if node == goal:
            return set(way)
        if node not in seen:
            seen.add(node)
            for neighbour, each in near.get(node, []):
                heappush(queue, (cost + costs[each], neighbour, (*way, each)))
    return None
