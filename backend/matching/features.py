"""Points of a GeoJSON file, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import nan
from pathlib import Path
from typing import Any

import ijson
import numpy as np

from backend.matching.points import Chunk, make_chunk
from backend.matching.shallow import ShallowJson
from stores.importing.table import UnreadableFile

CHUNK = 16_384
"""Fewer than of other files, as a feature with its properties takes a kilobyte and more."""


def read_geojson_points(path: Path) -> Iterator[Chunk]:
    """Points of a FeatureCollection; a feature with another geometry is a row that cannot be used.

    Raises `UnreadableFile`.
    """
    with path.open("rb") as file:
        try:
            features = ijson.items(ShallowJson(file), "features.item", use_float=True)
            first = 0
            while chunk := list(islice(features, CHUNK)):
                yield _chunk(first, chunk)
                first += len(chunk)
            if first == 0:
                file.seek(0)
                if not isinstance(next(ijson.items(file, "features"), None), list):
                    raise UnreadableFile('the file of points is not a GeoJSON "FeatureCollection" with "features"')
        except (ijson.JSONError, UnicodeDecodeError, ArithmeticError):
            raise UnreadableFile("the file of points is not JSON, or it breaks off") from None


def _chunk(first: int, features: list[Any]) -> Chunk:
    pairs, reasons = [], {}
    for at, feature in enumerate(features):
        try:
            pairs.append(_pair(feature))
        except ValueError as error:
            pairs.append((nan, nan))
            reasons[at] = str(error)
    lngs, lats = np.array(pairs, np.float64).T.copy()
    return make_chunk(first, lats, lngs, reasons)


def _pair(feature: Any) -> tuple[float, float]:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict):
        raise ValueError("geometry is missing")
    if geometry.get("type") != "Point":
        raise ValueError("geometry must be a Point")
    pair = geometry.get("coordinates")
    if not isinstance(pair, list) or len(pair) < 2 or not all(type(number) in (int, float) for number in pair[:2]):
        raise ValueError("geometry is not a pair of numbers, longitude first")
    try:
        return float(pair[0]), float(pair[1])
    except OverflowError:
        raise ValueError("geometry is outside the earth") from None
