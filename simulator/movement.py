"""Where a person is: straight legs between points of a flat city, and the noisy fix a phone makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, hypot, log, pi, radians, sqrt

import numpy as np

from stores.geometry import METRES_PER_DEGREE
from stores.model import Position

Point = tuple[float, float]
"""Metres east and metres north of the city's centre."""

SIGMA_PER_ACCURACY = 1.0 / sqrt(-2.0 * log(1.0 - 0.68))
"""Standard deviation per axis of Gaussian noise whose 68 % radius is one metre (quantile of the Rayleigh law)."""


@dataclass(frozen=True, slots=True)
class LocalFrame:
    """Metres around a centre (equirectangular projection); wrong by less than 0.1 % within 10 km below 60 degrees."""

    lat: float
    lng: float

    def point(self, position: Position) -> Point:
        """Metres east and north of the centre."""
        east = (position.lng - self.lng + 180.0) % 360.0 - 180.0
        return east * METRES_PER_DEGREE * cos(radians(self.lat)), (position.lat - self.lat) * METRES_PER_DEGREE

    def position(self, point: Point) -> Position:
        """The place on the earth; the inverse of `point`."""
        lng = self.lng + point[0] / (METRES_PER_DEGREE * cos(radians(self.lat)))
        lat = self.lat + point[1] / METRES_PER_DEGREE
        return Position(max(-90.0, min(90.0, lat)), (lng + 180.0) % 360.0 - 180.0)


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight way from `start` to `end`, begun at `departs_at` (seconds) with `speed_mps` metres per second."""

    start: Point
    end: Point
    departs_at: float
    speed_mps: float

    @property
    def length_m(self) -> float:
        """Metres from start to end."""
        return hypot(self.end[0] - self.start[0], self.end[1] - self.start[1])

    @property
    def arrives_at(self) -> float:
        """Seconds at which the end is reached."""
        return self.departs_at + (self.length_m / self.speed_mps if self.length_m > 0.0 else 0.0)

    def at(self, now: float) -> Point:
        """Where the person is at `now`; they wait at the start before, and stay at the end after."""
        if now >= self.arrives_at:
            return self.end
        share = max(0.0, now - self.departs_at) * self.speed_mps / self.length_m
        return (
            self.start[0] + share * (self.end[0] - self.start[0]),
            self.start[1] + share * (self.end[1] - self.start[1]),
        )

    def speed_at(self, now: float) -> float:
        """Metres per second at `now`: 0 when standing."""
        return self.speed_mps if self.departs_at <= now < self.arrives_at else 0.0


def stand(point: Point, now: float) -> Leg:
    """A leg of no length: the person stays at `point`."""
    return Leg(point, point, now, 1.0)


def noisy(point: Point, accuracy_m: float, rng: np.random.Generator) -> Point:
    """What a receiver makes of `point`: Gaussian noise, with 68 % of all results within `accuracy_m` metres."""
    east, north = rng.normal(0.0, accuracy_m * SIGMA_PER_ACCURACY, 2)
    return point[0] + float(east), point[1] + float(north)


def draw_accuracy_m(median_m: float, spread: float, rng: np.random.Generator) -> float:
    """A 68 % radius in metres, log-normal around `median_m`, kept between 3 and 100 m."""
    return float(min(100.0, max(3.0, median_m * np.exp(spread * rng.standard_normal()))))


def point_around(centre: Point, radius_m: float, rng: np.random.Generator) -> Point:
    """A point drawn evenly from the disc of `radius_m` metres around `centre`."""
    distance, angle = radius_m * sqrt(rng.random()), 2.0 * pi * rng.random()
    return centre[0] + distance * float(np.cos(angle)), centre[1] + distance * float(np.sin(angle))
