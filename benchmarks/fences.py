"""Made-up chains of any size whose stores lie as far apart as those of a real chain, and points around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stores.geometry import EARTH_RADIUS_M
from stores.model import Circle, Position, Store

Floats = NDArray[np.float64]

RADIUS_M = 150.0
NEAREST_M = {10: 144.0, 50: 1_248.0, 90: 5_275.0}
"""Percentiles of the way to the nearest other store among a chain's 10,843 stores in the USA."""
_KM2_PER_STORE = 747.0
_CENTRE = (39.0, -96.0)
_ALONE = 0.1
_TOGETHER = 0.1
"""Shares of stores that lie anywhere, and next door to another; the others lie in the same town as another."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Stores, and points in no order: half within 1 km of a store, a quarter within 150 m, the rest anywhere."""

    stores: tuple[Store, ...]
    store_lats: Floats
    store_lngs: Floats
    lats: Floats
    lngs: Floats


def make_scene(stores: int, points: int, seed: int = 1) -> Scene:
    """The same scene for the same numbers."""
    rng = np.random.default_rng(seed)
    store_lats, store_lngs = _stores(stores, rng)
    pick = rng.integers(0, stores, points)
    reach = np.where(np.arange(points) % 4 == 0, RADIUS_M, 1_000.0) * np.sqrt(rng.random(points))
    lats, lngs = _moved(store_lats[pick], store_lngs[pick], reach, rng)
    anywhere = np.arange(points) % 4 == 1
    lats[anywhere], lngs[anywhere] = _anywhere(int(anywhere.sum()), stores, rng)
    order = rng.permutation(points)
    named = tuple(
        Store(f"store-{number}", "Store", Position(lat, lng), Circle(RADIUS_M))
        for number, (lat, lng) in enumerate(zip(store_lats.tolist(), store_lngs.tolist(), strict=True))
    )
    return Scene(named, store_lats, store_lngs, lats[order], lngs[order])


def _stores(count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Some anywhere, then ever more near those that are there: towns grow where there are stores already."""
    lats, lngs = _anywhere(max(1, round(count * _ALONE)), count, rng)
    while len(lats) < count:
        more = min(count - len(lats), max(1, len(lats) // 2))
        pick = rng.integers(0, len(lats), more)
        next_door = rng.random(more) < _TOGETHER
        metres = np.exp(np.where(next_door, np.log(145.0), np.log(3_150.0)) + rng.normal(size=more))
        near_lats, near_lngs = _moved(lats[pick], lngs[pick], metres, rng)
        lats, lngs = np.concatenate((lats, near_lats)), np.concatenate((lngs, near_lngs))
    return lats, lngs


def _anywhere(count: int, stores: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions in a circle on the earth that grows with the number of stores until it is all of it."""
    lowest = max(-1.0, 1.0 - stores * _KM2_PER_STORE * 1e6 / (2.0 * np.pi * EARTH_RADIUS_M**2))
    metres = np.arccos(rng.uniform(lowest, 1.0, count)) * EARTH_RADIUS_M
    return _moved(np.full(count, _CENTRE[0]), np.full(count, _CENTRE[1]), metres, rng)


def _moved(lats: Floats, lngs: Floats, metres: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Positions so many metres away in any direction."""
    bearing, angle = rng.uniform(0.0, 2.0 * np.pi, len(lats)), metres / EARTH_RADIUS_M
    phi = np.radians(lats)
    sine = np.clip(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(bearing), -1.0, 1.0)
    east = np.arctan2(np.sin(bearing) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * sine)
    return np.degrees(np.arcsin(sine)), (lngs + np.degrees(east) + 180.0) % 360.0 - 180.0
