"""Where a phone is, as far as its fixes tell: a Kalman filter that expects steady walking.

One fix of 50 metres accuracy says little about which side of an edge a phone is on; the fixes before it and the way the
phone moves say the rest. The filter is the usual one for a target of nearly constant velocity with white-noise
acceleration, the same for both axes, so that one 2 x 2 covariance serves both (Bar-Shalom, Li and Kirubarajan,
Estimation with Applications to Tracking and Navigation, 2001, 5.2 and 6.2.2). It works in metres around the
estimate; within the few hundred metres between two fixes a plane is exact enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import cos, radians, sqrt

from stores.geometry import METRES_PER_DEGREE
from stores.model import Fix, Position

ACCURACY_DEVIATIONS = 1.51
"""A 68 % radius in standard deviations of one axis: sqrt(-2 ln 0.32), from the Rayleigh distribution."""
LEAST_ACCURACY_M = 3.0
"""No phone's receiver is better than this, whatever it says."""
UNREST_M2PS3 = 0.002
"""Spectral density of the acceleration: after a minute a steady walk may be 0.35 m/s faster or slower."""
FIRST_SPEED_MPS = 1.0
"""Standard deviation, on each axis, of the speed of a phone of which nothing else is known."""
TURN_MPS = 0.5
"""Standard deviation of the change of speed, on each axis, where a phone's movement is learnt anew from two fixes."""
LEAST_STEP_S = 1.0
"""Fixes closer together than this share their error, so the way from one to the other tells no speed."""
SURPRISE = 16.0
"""Squared distance from the prediction, in variances, beyond which a fix is a surprise: 3 good ones in 10,000 are."""

_LEAST_SQUEEZE = 0.01
"""Nearer to a pole than half a degree a degree of longitude counts for more than it is: fixes are surprises there."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Where a phone probably was at `at`, how it moved, and how sure that is.

    Speeds in metres per second to the east and north; variances of one axis: of the place in m2, of place with speed in
    m2/s, of the speed in m2/s2.
    """

    lat: float
    lng: float
    at: datetime
    east_mps: float
    north_mps: float
    place_var: float
    cross_var: float
    speed_var: float

    @property
    def position(self) -> Position:
        """The place as a point on the earth."""
        return Position(self.lat, self.lng)

    @property
    def deviation_m(self) -> float:
        """Standard deviation of the place on each axis, in metres."""
        return sqrt(self.place_var)


def begin(fix: Fix) -> Estimate:
    """What a single fix tells."""
    here = fix.position
    return Estimate(here.lat, here.lng, fix.recorded_at, 0.0, 0.0, _variance(fix), 0.0, FIRST_SPEED_MPS**2)


def begin_moving(earlier: Fix, fix: Fix) -> Estimate:
    """What two fixes tell: the place of the later one and, if they are far enough apart, the speed between them."""
    seconds = (fix.recorded_at - earlier.recorded_at).total_seconds()
    if seconds < LEAST_STEP_S:
        return begin(fix)
    here, variance = fix.position, _variance(fix)
    east, north = _metres(earlier.position.lat, earlier.position.lng, here.lat, here.lng)
    speed_var = (variance + _variance(earlier)) / seconds**2 + TURN_MPS**2
    return Estimate(
        here.lat, here.lng, fix.recorded_at, east / seconds, north / seconds, variance, variance / seconds, speed_var
    )


def follow(known: Estimate, fix: Fix) -> Estimate | None:
    """The estimate with one more fix taken into account; None when the fix is a surprise.

    `fix` must be later than the estimate.
    """
    seconds = (fix.recorded_at - known.at).total_seconds()
    place_var = (
        known.place_var
        + seconds * (2.0 * known.cross_var + seconds * known.speed_var)
        + UNREST_M2PS3 * seconds**3 / 3.0
    )
    cross_var = known.cross_var + seconds * known.speed_var + UNREST_M2PS3 * seconds**2 / 2.0
    speed_var = known.speed_var + UNREST_M2PS3 * seconds
    east, north = _metres(known.lat, known.lng, fix.position.lat, fix.position.lng)
    off_east, off_north = east - seconds * known.east_mps, north - seconds * known.north_mps
    expected = place_var + _variance(fix)
    if off_east**2 + off_north**2 > SURPRISE * expected:
        return None
    # The fix is off the prediction by (off_east, off_north); `kept` of that is put down to the fix's own error.
    kept, turn = 1.0 - place_var / expected, cross_var / expected
    lat, lng = _moved(fix.position, -kept * off_east, -kept * off_north)
    return Estimate(
        lat,
        lng,
        fix.recorded_at,
        known.east_mps + turn * off_east,
        known.north_mps + turn * off_north,
        kept * place_var,
        kept * cross_var,
        speed_var - turn * cross_var,
    )


def _variance(fix: Fix) -> float:
    return (max(fix.accuracy_m, LEAST_ACCURACY_M) / ACCURACY_DEVIATIONS) ** 2


def _metres(lat: float, lng: float, to_lat: float, to_lng: float) -> tuple[float, float]:
    """Metres to the east and north from one point to another near by."""
    turns = (to_lng - lng + 180.0) % 360.0 - 180.0
    return turns * METRES_PER_DEGREE * _squeeze((lat + to_lat) / 2.0), (to_lat - lat) * METRES_PER_DEGREE


def _moved(from_: Position, east_m: float, north_m: float) -> tuple[float, float]:
    """The point so many metres to the east and north."""
    lat = min(90.0, max(-90.0, from_.lat + north_m / METRES_PER_DEGREE))
    lng = from_.lng + east_m / (METRES_PER_DEGREE * _squeeze(lat))
    return lat, (lng + 180.0) % 360.0 - 180.0


def _squeeze(lat: float) -> float:
    return max(_LEAST_SQUEEZE, cos(radians(lat)))
