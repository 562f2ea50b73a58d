"""Measures look-ups one by one and in batches beside others: `python benchmarks/match.py --fences 1000 30000`."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

if __name__ == "__main__":
    # A script's own folder is looked in first, and there `http` would hide the standard library's.
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import peers
from benchmarks.fences import NEAREST_M, RADIUS_M, Floats, Scene, make_scene
from stores import cells
from stores.geometry import EARTH_RADIUS_M
from stores.index import StoreIndex
from stores.model import Area, Circle, Fence, Position, Store

SINGLE = 20_000
FEWER = {"BallTree": 10, "PostGIS": 20, "Redis": 20, "Lull, batch with plain h3": 4}
"""Those that take so long get only this part of the points."""


SERVERS = ("PostGIS", "Redis")
"""These work in processes of their own, so their time is the clock's; that of the others is the processor's."""
POLYGONS_AT_MOST = 30_000
"""Areas take longer to index; the row with polygons is left out where there are more fences."""


@dataclass(slots=True)
class Measured:
    """Seconds of all rounds for so many points, and the hits, which should be the same for all that are exact."""

    single_n: int
    batch_n: int
    single: list[float] = field(default_factory=list)
    batch: list[float] = field(default_factory=list)
    share: float = 0.0


def main() -> None:
    """Measure, and print a table for each number of fences."""
    options = _options()
    out = Console(width=None if sys.stdout.isatty() else 118, highlight=False)
    rows = [_measure(out, count, options) for count in options.fences]
    table = Table(title="Lull's index", title_justify="left", box=SIMPLE)
    for name in (
        "fences",
        "cells a fence",
        "bytes a fence",
        "with the sieve",
        "built in s",
        "1 change ms",
        "64 changes ms",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure which fences points are in, beside others that can tell.")
    parser.add_argument("--fences", type=int, nargs="+", default=[1_000, 30_000, 1_000_000], help="how many fences")
    parser.add_argument("--points", type=int, default=1_000_000, help="points of a batch (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that medians are taken of (default 5)")
    parser.add_argument("--postgis", default="postgresql://postgres@127.0.0.1:5432/postgres", help="a database's URL")
    return parser.parse_args()


def _measure(out: Console, fences: int, options: argparse.Namespace) -> tuple[str, ...]:
    scene = make_scene(fences, options.points)
    began = process_time()
    index = StoreIndex(scene.stores)
    built = process_time() - began
    asked: dict[str, Callable[[], AbstractContextManager[tuple[peers.Ask, peers.Ask]]]] = {
        "Lull": partial(_lull, index),
        "Lull, batch with plain h3": partial(_lull, index, fast=False),
        "Lull, every 5th a polygon": partial(_lull, StoreIndex(_some_areas(scene.stores[:POLYGONS_AT_MOST]))),
        "STRtree": partial(peers.strtree, scene),
        "BallTree": partial(peers.balltree, scene),
        "PostGIS": partial(peers.postgis, scene, options.postgis),
        "Redis": partial(peers.redis, scene),
    }
    if fences > POLYGONS_AT_MOST:
        del asked["Lull, every 5th a polygon"]
    if not cells.FAST:
        out.print("Lull is without h3ronpy: install the extra fast.")
    with ExitStack() as stack:
        asks = {}
        for name, opened in asked.items():
            try:
                asks[name] = stack.enter_context(opened())
            except peers.Absent as missing:
                out.print(f"{name} is left out: there is no {missing}.")
        _print(out, fences, _time(asks, scene, options.rounds))
    out.print(_density(index))
    covered, *sizes = _size(index)
    changes = [_change_ms(index, count) for count in (1, 64)]
    bytes_each = (f"{size:.0f}" for size in sizes)
    return (f"{fences:,}", f"{covered:.2f}", *bytes_each, f"{built:.2f}", *(f"{ms:.1f}" for ms in changes))


@contextmanager
def _lull(index: StoreIndex, fast: bool | None = None) -> Iterator[tuple[peers.Ask, peers.Ask]]:
    """The index, with cells by h3ronpy, by h3, or as installed."""

    def single(lats: Floats, lngs: Floats) -> int:
        positions = [Position(lat, lng) for lat, lng in zip(lats.tolist(), lngs.tolist(), strict=True)]
        return sum(len(index.hits(position)) for position in positions)

    def many(lats: Floats, lngs: Floats) -> int:
        installed = cells.FAST
        cells.FAST = installed if fast is None else fast
        try:
            return len(index.match(lats, lngs))
        finally:
            cells.FAST = installed

    yield single, many


def _some_areas(stores: Sequence[Store]) -> list[Store]:
    """The same stores, every fifth with an octagon as large as its circle."""
    return [
        store if number % 5 else replace(store, fence=_octagon(store.position)) for number, store in enumerate(stores)
    ]


def _octagon(position: Position) -> Fence:
    corners = np.radians(np.arange(0.0, 361.0, 45.0))
    corners[-1] = 0.0
    north = np.degrees(RADIUS_M / EARTH_RADIUS_M) * np.cos(corners)
    east = np.degrees(RADIUS_M / EARTH_RADIUS_M) * np.sin(corners) / np.cos(np.radians(position.lat))
    if abs(position.lat) > 80.0 or abs(position.lng) > 179.0:
        return Circle(RADIUS_M)
    return Area(((tuple(zip((position.lng + east).tolist(), (position.lat + north).tolist(), strict=True)),),))


def _time(asks: dict[str, tuple[peers.Ask, peers.Ask]], scene: Scene, rounds: int) -> dict[str, Measured]:
    """All in turns, so that whatever else the machine does hits all of them."""
    found = {}
    for name in asks:
        part = FEWER.get(name, 1)
        found[name] = Measured(min(SINGLE, len(scene.lats)) // part, len(scene.lats) // part)
    for _ in range(rounds):
        for name, (single, batch) in asks.items():
            each, clock = found[name], perf_counter if name in SERVERS else process_time
            for ask, count, taken in ((single, each.single_n, each.single), (batch, each.batch_n, each.batch)):
                gc.collect()
                began = clock()
                hits = ask(scene.lats[:count], scene.lngs[:count])
                taken.append(clock() - began)
                each.share = hits / count
    return found


def _print(out: Console, fences: int, found: dict[str, Measured]) -> None:
    table = Table(title=f"{fences:,} fences of 150 m", title_justify="left", box=SIMPLE)
    table.add_column("", no_wrap=True)
    for name in ("us, one by one", "points/s, batch", "hits a point", "Lull is faster by", "in batches by"):
        table.add_column(name, justify="right")
    base = found["Lull"]
    mine = median(base.single) / base.single_n, median(base.batch) / base.batch_n
    for name, each in found.items():
        one, many = median(each.single) / each.single_n, median(each.batch) / each.batch_n
        ratios = (f"{one / mine[0]:.1f}", f"{many / mine[1]:.1f}")
        table.add_row(name, f"{one * 1e6:.2f}", f"{1 / many:,.0f}", f"{each.share:.4f}", *ratios)
    out.print(table)


def _density(index: StoreIndex) -> str:
    """How far some of the stores are from the next, beside the real chain."""
    some = index.stores()[:: max(1, len(index) // 1_000)]
    metres = [max(hit.distance_m for hit in index.nearest(store.position, 2, 100_000.0)) for store in some]
    parts = (f"{np.percentile(metres, at):,.0f} m (real: {real:,.0f})" for at, real in NEAREST_M.items())
    return f"To the nearest other store, 10th, 50th and 90th percentile: {', '.join(parts)}"


def _size(index: StoreIndex) -> tuple[float, float, float]:
    """Cells and bytes for each fence: all the index holds but the stores and their ids, which were there before.

    The last number is with what batches make for themselves.
    """
    table = index._table
    columns = (table.lats, table.lngs, table.radii, table.cells, table.owners)
    numbers = sum(sys.getsizeof(key) + sys.getsizeof(value) for key, value in table.spans.items())
    numbers += sum(sys.getsizeof(value) for value in index._numbers.values())
    held: list[Any] = [table.spans, index._numbers, index._stores]
    total = sum(column.nbytes for column in columns) + numbers + sum(map(sys.getsizeof, held))
    squares = table.sieve._squares
    more = squares.bits.nbytes + squares.rows.nbytes if squares else 0
    return len(table.cells) / len(index), total / len(index), (total + more) / len(index)


def _change_ms(index: StoreIndex, count: int) -> float:
    """Milliseconds to move so many stores."""
    some = index.stores()[:: max(1, len(index) // count)][:count]
    moved = [Store(each.id, each.name, each.position, Circle(200.0)) for each in some]
    taken = []
    for _ in range(5):
        began = process_time()
        index.changed(moved)
        taken.append(process_time() - began)
    return median(taken) * 1e3


if __name__ == "__main__":
    main()
