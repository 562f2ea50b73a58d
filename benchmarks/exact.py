"""Compares the index with a look at every fence: `python benchmarks/exact.py --stores FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
import shapely
from h3.api import basic_int as h3
from numpy.typing import NDArray

from benchmarks.fences import Floats, make_scene
from stores import cells
from stores.batch import Matches
from stores.geometry import EARTH_RADIUS_M, METRES_PER_DEGREE, prepare
from stores.importing.store_file import DEFAULT_RADIUS_M
from stores.importing.table import POSITION, read_csv
from stores.index import StoreIndex
from stores.model import Area, Circle, Position, Store

Brute = Callable[[list[Store], Floats, Floats], Iterator[tuple[int, int]]]
POLYGONS = 1_000
SINGLE = 50_000
AT_ONCE = 2_000


def main() -> None:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(description="Compare the index with a look at every fence.")
    parser.add_argument("--stores", type=Path, help="CSV with stores (default: 10,843 made up)")
    parser.add_argument("--points", type=int, default=1_000_000, help="how many points (default 1,000,000)")
    options = parser.parse_args()
    rng = np.random.default_rng(1)
    stores = _stores(options.stores)
    _compare("circles", stores, _points(stores, options.points, rng), _circles_by_all_pairs)
    areas = [_area(number, store, rng) for number, store in enumerate(stores[:: max(1, len(stores) // POLYGONS)])]
    _compare("polygons with holes", areas, _points(areas, options.points, rng), _areas_by_shapely)


def _stores(path: Path | None) -> list[Store]:
    if path is None:
        return list(make_scene(10_843, 1).stores)
    table = read_csv(path.read_bytes(), POSITION, tuple(POSITION))
    # Every row counts here, also those that an import refuses because their number is used twice.
    places = ((row, Position(float(cells["lat"]), float(cells["lng"]))) for row, cells in table.rows if len(cells) == 2)
    return [Store(str(row), "", place, Circle(DEFAULT_RADIUS_M)) for row, place in places]


def _points(stores: list[Store], count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Half within 1 m of an edge, a quarter on edges and corners of cells, a quarter anywhere within 1 km."""
    lats, lngs = np.empty(count), np.empty(count)
    for at, store in enumerate(rng.integers(0, len(stores), count).tolist()):
        lats[at], lngs[at] = (_by_edge, _by_edge, _by_cell, _near)[at % 4](stores[store], rng)
    return lats, (lngs + 180.0) % 360.0 - 180.0


def _by_edge(store: Store, rng: np.random.Generator) -> tuple[float, float]:
    if isinstance(store.fence, Area):
        rings = store.fence.polygons[0]
        ring = rings[int(rng.integers(len(rings)))]
        at = int(rng.integers(len(ring) - 1))
        (x1, y1), (x2, y2) = ring[at], ring[at + 1]
        share = float(rng.choice([0.0, rng.random(), 0.5]))
        return _moved(y1 + share * (y2 - y1), x1 + share * (x2 - x1), float(rng.choice([0.0, rng.random()])), rng)
    metres = store.fence.radius_m + float(rng.choice([0.0, rng.uniform(-1.0, 1.0), rng.uniform(-1e-6, 1e-6)]))
    return _moved(store.position.lat, store.position.lng, metres, rng)


def _by_cell(store: Store, rng: np.random.Generator) -> tuple[float, float]:
    lat, lng = _near(store, rng)
    corners = h3.cell_to_boundary(h3.latlng_to_cell(lat, (lng + 180.0) % 360.0 - 180.0, cells.RESOLUTION))
    at, share = int(rng.integers(len(corners))), float(rng.choice([0.0, rng.random()]))
    (y1, x1), (y2, x2) = corners[at - 1], corners[at]
    return (y1, x1) if abs(x1 - x2) > 180.0 else (y1 + share * (y2 - y1), x1 + share * (x2 - x1))


def _near(store: Store, rng: np.random.Generator) -> tuple[float, float]:
    return _moved(store.position.lat, store.position.lng, 1_000.0 * float(rng.random()) ** 0.5, rng)


def _moved(lat: float, lng: float, metres: float, rng: np.random.Generator) -> tuple[float, float]:
    bearing, angle, phi = float(rng.uniform(0.0, 2.0 * np.pi)), metres / EARTH_RADIUS_M, np.radians(lat)
    sine = np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing)
    east = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * sine)
    return float(np.degrees(np.arcsin(sine))), lng + float(np.degrees(east))


def _area(number: int, store: Store, rng: np.random.Generator) -> Store:
    """A star with a hole, 40 m to 1.5 km wide, in the store's place."""
    corners = int(rng.integers(5, 30))
    # No gap of half a turn, so that the hole, a smaller star, lies in the star.
    bearings = (np.arange(corners) + rng.uniform(0.0, 0.9, corners)) * 2.0 * np.pi / corners
    reach = np.exp(rng.uniform(np.log(20.0), np.log(750.0))) * rng.uniform(0.5, 1.0, corners) / METRES_PER_DEGREE
    north, east = reach * np.cos(bearings), reach * np.sin(bearings) / np.cos(np.radians(store.position.lat))
    rings = []
    for scale in (1.0, 0.3):
        pairs = zip(store.position.lng + scale * east, store.position.lat + scale * north, strict=True)
        ring = [(float(x), float(y)) for x, y in pairs]
        rings.append((*ring, ring[0]))
    return Store(f"area-{number}", "Area", store.position, Area((tuple(rings),)))


def _circles_by_all_pairs(stores: list[Store], lats: Floats, lngs: Floats) -> Iterator[tuple[int, int]]:
    """Every point with every store: scalar products find those within some metres, long numbers decide."""
    there = _on_sphere(*_columns(stores))
    radii = np.array([prepare(store.position, store.fence).radius_m for store in stores])
    least = np.cos((radii + 5.0) / EARTH_RADIUS_M)
    store_lats, store_lngs = _columns(stores)
    for at in range(0, len(lats), AT_ONCE):
        part = slice(at, at + AT_ONCE)
        point, store = np.nonzero(_on_sphere(lats[part], lngs[part]) @ there.T >= least)
        metres = _long_metres(lats[part][point], lngs[part][point], store_lats[store], store_lngs[store])
        inside = metres <= radii[store]
        yield from zip((at + point[inside]).tolist(), store[inside].tolist(), strict=True)


def _areas_by_shapely(stores: list[Store], lats: Floats, lngs: Floats) -> Iterator[tuple[int, int]]:
    for number, store in enumerate(stores):
        assert isinstance(store.fence, Area)
        shape = shapely.MultiPolygon([(rings[0], rings[1:]) for rings in store.fence.polygons])
        shapely.prepare(shape)
        for point in np.flatnonzero(shapely.intersects_xy(shape, lngs, lats)).tolist():
            yield point, number


def _columns(stores: list[Store]) -> tuple[Floats, Floats]:
    return np.array([store.position.lat for store in stores]), np.array([store.position.lng for store in stores])


def _on_sphere(lats: Floats, lngs: Floats) -> Floats:
    phi, theta = np.radians(lats), np.radians(lngs)
    return np.column_stack((np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)))


def _long_metres(lats_a: Floats, lngs_a: Floats, lats_b: Floats, lngs_b: Floats) -> NDArray[np.longdouble]:
    """Great circles in the longest numbers there are (80 bits on Intel)."""
    a, b, c, d = (np.radians(column.astype(np.longdouble)) for column in (lats_a, lats_b, lngs_a, lngs_b))
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin((d - c) / 2) ** 2
    return np.asarray(2 * np.longdouble(EARTH_RADIUS_M) * np.arcsin(np.sqrt(h)), np.longdouble)


def _compare(what: str, stores: list[Store], points: tuple[Floats, Floats], brute: Brute) -> None:
    began, index = perf_counter(), StoreIndex(stores)
    theirs = set(brute(stores, *points))
    print(
        f"{what}: {len(points[0]):,} points, {len(stores):,} fences, {len(theirs):,} hits, each point with each fence"
    )
    for encoder in ("h3ronpy", "h3") if cells.FAST else ("h3",):
        with _encoder(encoder):
            found = index.match(*points)
        mine = set(zip(found.point.tolist(), found.store.tolist(), strict=True))
        apart = mine ^ theirs
        worst = max((_to_edge_m(stores[store], points[0][at], points[1][at]) for at, store in apart), default=0.0)
        print(f"  cells by {encoder}: {len(apart)} differences, the furthest {worst:.1e} m from the edge")
    print(f"  one by one and in a batch: {_unlike(index, found, *points)} of the first {SINGLE:,} points differ")
    print(f"  took {perf_counter() - began:.0f} s")


@contextmanager
def _encoder(name: str) -> Iterator[None]:
    fast, cells.FAST = cells.FAST, name == "h3ronpy"
    yield
    cells.FAST = fast


def _unlike(index: StoreIndex, found: Matches, lats: Floats, lngs: Floats) -> int:
    """For how many of the first points single look-ups give other stores, another order or another digit."""
    batch: dict[int, list[tuple[str, float]]] = {}
    for point, store, metres in zip(found.point.tolist(), found.store.tolist(), found.distance_m.tolist(), strict=True):
        batch.setdefault(point, []).append((index.stores()[store].id, metres))
    positions = [Position(float(lat), float(lng)) for lat, lng in zip(lats[:SINGLE], lngs[:SINGLE], strict=True)]
    return sum(
        [(hit.store.id, hit.distance_m) for hit in index.hits(position)] != batch.get(point, [])
        for point, position in enumerate(positions)
    )


def _to_edge_m(store: Store, lat: float, lng: float) -> float:
    fence = prepare(store.position, store.fence)
    return abs(max(fence.distance_m(lat, lng), fence.depth_m(lat, lng)))


if __name__ == "__main__":
    main()
