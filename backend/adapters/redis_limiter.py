"""Counting for several server processes."""

from __future__ import annotations

from hashlib import sha256

from backend.adapters.redis_link import PREFIX, RedisLink
from backend.service.limits import TOLERANCE_S, Rate

_TAKE = """
local now, seconds, step, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local empty_at = tonumber(redis.call('GET', KEYS[1]) or '0')
local busy_until = math.min(math.max(empty_at, now), now + seconds)
local wait = busy_until + step - now - seconds
if wait <= tolerance then busy_until, wait = busy_until + step, 0 end
redis.call('SET', KEYS[1], string.format('%.6f', busy_until), 'PX', math.ceil((busy_until - now) * 1000))
return string.format('%.6f', wait)
"""
"""`backend.service.limits.take`, as Redis does it at a stretch."""


class RedisLimiter:
    """The limiter in Redis. Who is counted stands there as a hash, for at most as long as the rate's seconds."""

    def __init__(self, link: RedisLink, prefix: str = PREFIX) -> None:
        self._link = link
        self._prefix = f"{prefix}rate:"
        self._take = link.script(_TAKE)

    def take(self, rate: Rate, who: str, real_now: float) -> float:
        """Count one of `who`, atomically, and answer 0; or the seconds to wait, and nothing is counted.

        Raises Unavailable.
        """
        key = f"{self._prefix}{rate.name}:{sha256(who.encode()).hexdigest()[:32]}"
        return float(self._take(key, f"{real_now:.6f}", rate.seconds, rate.step_s, TOLERANCE_S))
