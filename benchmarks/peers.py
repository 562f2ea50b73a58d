"""Others that can say in which circles a point is, asked the same: whatever is installed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import psycopg
import shapely

from benchmarks.fences import RADIUS_M, Floats, Scene
from stores.geometry import EARTH_RADIUS_M, great_circles_m

Ask = Callable[[Floats, Floats], int]
"""Takes points and tells how many hits there are."""

REDIS_RADIUS_M = RADIUS_M * EARTH_RADIUS_M / 6_372_797.560856
"""Redis reckons with a sphere of its own; this radius there is the same angle."""


class Absent(Exception):
    """Not installed here; says what is missing."""


@contextmanager
def strtree(scene: Scene) -> Iterator[tuple[Ask, Ask]]:
    """Shapely's tree over the circles' boxes, then the distance. Boxes over the antimeridian are not cared for."""
    north = np.degrees(RADIUS_M / EARTH_RADIUS_M) * 1.000001
    # The widest place of a circle is a little further polewards than its middle.
    east = np.degrees(np.arcsin(np.minimum(1.0, np.sin(np.radians(north)) / np.cos(np.radians(scene.store_lats)))))
    lats, lngs = scene.store_lats, scene.store_lngs
    tree = shapely.STRtree(shapely.box(lngs - east, lats - north, lngs + east, lats + north))

    def many(at_lats: Floats, at_lngs: Floats) -> int:
        point, store = tree.query(shapely.points(at_lngs, at_lats))
        metres = great_circles_m(at_lats[point], at_lngs[point], lats[store], lngs[store])
        return int(np.count_nonzero(metres <= RADIUS_M))

    def single(at_lats: Floats, at_lngs: Floats) -> int:
        hits = 0
        for lat, lng in zip(at_lats.tolist(), at_lngs.tolist(), strict=True):
            store = tree.query(shapely.Point(lng, lat))
            if len(store):
                here = np.full(len(store), lat), np.full(len(store), lng)
                hits += int(np.count_nonzero(great_circles_m(*here, lats[store], lngs[store]) <= RADIUS_M))
        return hits

    yield single, many


@contextmanager
def balltree(scene: Scene) -> Iterator[tuple[Ask, Ask]]:
    """scikit-learn's tree with the haversine distance."""
    if find_spec("sklearn") is None:
        raise Absent("scikit-learn")
    from sklearn.neighbors import BallTree

    tree = BallTree(np.radians(np.column_stack((scene.store_lats, scene.store_lngs))), metric="haversine")

    def many(lats: Floats, lngs: Floats) -> int:
        return int(
            tree.query_radius(
                np.radians(np.column_stack((lats, lngs))), RADIUS_M / EARTH_RADIUS_M, count_only=True
            ).sum()
        )

    yield _one_by_one(many), many


@contextmanager
def postgis(scene: Scene, url: str) -> Iterator[tuple[Ask, Ask]]:
    """PostGIS with a GiST index over geography, on its sphere; in temporary tables of a database that has PostGIS."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(psycopg.connect(url, autocommit=True))
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
        except psycopg.Error:
            raise Absent("PostGIS, in a database named by --postgis") from None
        connection.execute("SET max_parallel_workers_per_gather = 0")
        connection.execute("CREATE TEMP TABLE store (place geography(Point))")
        _copy(connection, "store", scene.store_lats, scene.store_lngs)
        connection.execute("CREATE INDEX ON store USING gist (place)")
        connection.execute("CREATE TEMP TABLE point (place geography(Point))")
        connection.execute("ANALYZE store")

        def many(lats: Floats, lngs: Floats) -> int:
            connection.execute("TRUNCATE point")
            _copy(connection, "point", lats, lngs)
            return _number(
                connection.execute(
                    "SELECT count(*) FROM point JOIN store ON ST_DWithin(point.place, store.place, %s, false)",
                    [RADIUS_M],
                )
            )

        def single(lats: Floats, lngs: Floats) -> int:
            return sum(
                _number(
                    connection.execute(
                        "SELECT count(*) FROM store"
                        " WHERE ST_DWithin(place, ST_MakePoint(%s, %s)::geography, %s, false)",
                        [lng, lat, RADIUS_M],
                        prepare=True,
                    )
                )
                for lat, lng in zip(lats.tolist(), lngs.tolist(), strict=True)
            )

        yield single, many


@contextmanager
def redis(scene: Scene) -> Iterator[tuple[Ask, Ask]]:
    """GEOSEARCH of a Redis of its own, one by one and a thousand in a pipeline. Positions there are good to 0.6 m."""
    program = shutil.which("redis-server")
    if program is None or find_spec("redis") is None:
        raise Absent("redis-server and redis-py")
    from redis import Redis

    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        socket = str(Path(folder) / "redis.sock")
        command = [program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
        server = stack.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        stack.callback(server.terminate)
        while not Path(socket).exists():
            sleep(0.05)
        client: Any = Redis(unix_socket_path=socket)
        held = np.abs(scene.store_lats) < 85.0
        triples = zip(scene.store_lngs[held].tolist(), scene.store_lats[held].tolist(), range(held.sum()), strict=True)
        flat = [value for triple in triples for value in triple]
        for at in range(0, len(flat), 30_000):
            client.execute_command("GEOADD", "store", *flat[at : at + 30_000])

        def ask(client: Any, lat: float, lng: float) -> Any:
            return client.execute_command("GEOSEARCH", "store", "FROMLONLAT", lng, lat, "BYRADIUS", REDIS_RADIUS_M, "m")

        def single(lats: Floats, lngs: Floats) -> int:
            return sum(len(ask(client, lat, lng)) for lat, lng in _held(lats, lngs))

        def many(lats: Floats, lngs: Floats) -> int:
            hits, points = 0, _held(lats, lngs)
            for at in range(0, len(points), 1_000):
                pipeline = client.pipeline(transaction=False)
                for lat, lng in points[at : at + 1_000]:
                    ask(pipeline, lat, lng)
                hits += sum(map(len, pipeline.execute()))
            return hits

        yield single, many


def _held(lats: Floats, lngs: Floats) -> list[tuple[float, float]]:
    """The points that Redis takes: none near the poles."""
    return [pair for pair in zip(lats.tolist(), lngs.tolist(), strict=True) if abs(pair[0]) < 85.0]


def _one_by_one(many: Ask) -> Ask:
    return lambda lats, lngs: sum(many(lats[at : at + 1], lngs[at : at + 1]) for at in range(len(lats)))


def _copy(connection: psycopg.Connection[Any], table: str, lats: Floats, lngs: Floats) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for lat, lng in zip(lats.tolist(), lngs.tolist(), strict=True):
            copy.write_row([f"POINT({lng!r} {lat!r})"])


def _number(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0
