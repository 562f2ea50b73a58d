"""Presence for several server processes, in a Redis without persistence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from pydantic import TypeAdapter, ValidationError

from backend.adapters.redis_link import PREFIX, RedisLink
from backend.service.fixes import KEPT_S
from stores.presence import PresenceState, Step

VERSION = 1
"""To be raised when a state means something else than before: processes of two versions then know nothing of each
other's, and a phone is unknown rather than misread."""
LOCKS = 64
_SWAP = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1
"""
"""Replace what was read by the new, unless it changed meanwhile; an empty text stands for nothing."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A state, and the real time at which its last fix was accepted."""

    at: float
    state: PresenceState


_KEPT = TypeAdapter(_Kept)


class RedisPresence:
    """The presence port. Redis forgets each member 15 minutes after the last accepted fix, whoever runs then."""

    def __init__(self, link: RedisLink, prefix: str = PREFIX) -> None:
        self._link = link
        self._prefix = f"{prefix}presence:{VERSION}:"
        self._swap = link.script(_SWAP)
        self._locks = tuple(Lock() for _ in range(LOCKS))

    def apply(self, member_id: str, real_now: float, move: Callable[[PresenceState | None], Step]) -> Step:
        """Replace the member's state by that of the step `move` makes of it, atomically; the step.

        `move` is asked anew when another fix of the member came between. Raises Unavailable.
        """
        key = self._prefix + member_id
        with self._locks[hash(member_id) % LOCKS]:  # so that only processes compete
            while True:  # who loses tries again, and each loss is somebody else's step
                raw: bytes | None = self._link.ask("GET", key)
                known = _read(raw, real_now)
                step = move(known.state if known else None)
                if step.state is None and raw is None:
                    return step
                if self._replaced(key, raw, known, step, real_now):
                    return step

    def _replaced(self, key: str, raw: bytes | None, known: _Kept | None, step: Step, real_now: float) -> bool:
        accepted = step.state is not None and (known is None or step.state.last != known.state.last)
        at = real_now if accepted or known is None else known.at
        value = b"" if step.state is None else _KEPT.dump_json(_Kept(at, step.state))
        # A refused fix does not prolong the life of the accepted one before it.
        life_ms: object = int(KEPT_S * 1000) if accepted else ""
        return bool(self._swap(key, raw or b"", value, life_ms))

    def inside(self, member_id: str, store_id: str, real_now: float) -> bool:
        """Whether the member is in the store's fence beyond doubt, as far as was told in the last 15 minutes.

        Raises Unavailable.
        """
        known = _read(self._link.ask("GET", self._prefix + member_id), real_now)
        visit = known.state.inside.get(store_id) if known else None
        return visit is not None and visit.sure

    def forget(self, member_id: str) -> None:
        """Drop all that is known of the member's whereabouts. Raises Unavailable."""
        self._link.ask("DEL", self._prefix + member_id)


def _read(raw: bytes | None, real_now: float) -> _Kept | None:
    """What is kept, if it can be read and is not too old; of what another version wrote nothing is known."""
    if raw is None:
        return None
    try:
        kept = _KEPT.validate_json(raw)
    except ValidationError:
        return None
    return kept if abs(real_now - kept.at) <= KEPT_S else None
