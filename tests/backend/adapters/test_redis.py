"""What Redis knows and for how long; one that may write to disk, or is away."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from backend.adapters.redis_limiter import RedisLimiter
from backend.adapters.redis_link import REST_S, RedisLink
from backend.adapters.redis_presence import RedisPresence
from backend.service.errors import Unavailable
from backend.service.limits import Rate, take
from stores.model import Fix, Position
from stores.pace import Pace
from stores.presence import PresenceState, Step, Visit
from stores.tracking import begin
from tests.contracts.examples import NOW
from tests.redis_server import VOLATILE, own_redis

REAL = 1_800_000_000.0


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with own_redis(*VOLATILE) as found:
        yield found


@pytest.fixture
def redis(url: str) -> Iterator[Redis]:
    with Redis.from_url(url) as client:
        client.flushdb()
        yield client


@pytest.fixture(scope="module")
def link(url: str) -> Iterator[RedisLink]:
    with closing(RedisLink(url)) as made:
        yield made


@pytest.fixture
def presence(link: RedisLink, redis: Redis) -> RedisPresence:
    return RedisPresence(link)


def fix(seconds: float = 0.0) -> Fix:
    return Fix(Position(60.169512345678, -24.93354), 8.25, NOW + timedelta(seconds=seconds), 1.1, False)


def full_state() -> PresenceState:
    """One that uses every field."""
    later = fix(15.123456)
    return PresenceState(
        last=later,
        estimate=begin(later),
        pace=Pace(((NOW, 1.5, 0.1), (NOW + timedelta(seconds=3), 3.0, 1 / 3))),
        surprised=True,
        inside={"kamppi": Visit(NOW, NOW + timedelta(seconds=1), True), "å/b": Visit(NOW, NOW)},
        crossing={"kallio": NOW},
        candidate=fix(16),
        agreeing=2,
    )


def keep(presence: RedisPresence, value: PresenceState | None) -> PresenceState | None:
    """Set the state; what was known before."""
    known: list[PresenceState | None] = []

    def move(before: PresenceState | None) -> Step:
        known.append(before)
        return Step(value)

    presence.apply("aino", REAL, move)
    return known[-1]


def test_a_state_comes_back_as_it_was(presence: RedisPresence) -> None:
    keep(presence, full_state())
    assert keep(presence, None) == full_state()


def test_redis_itself_forgets_after_fifteen_minutes(presence: RedisPresence, redis: Redis) -> None:
    keep(presence, full_state())
    (key,) = redis.keys("*")
    assert 890_000 < redis.pttl(key) <= 900_000
    redis.pexpire(key, 5_000)
    keep(presence, replace(full_state(), agreeing=3))
    assert redis.pttl(key) <= 5_000, "a refused fix prolonged the life of the accepted one"
    keep(presence, replace(full_state(), last=fix(60)))
    assert redis.pttl(key) > 890_000


@pytest.mark.parametrize("written", [b"", b"{}", b"\xff", b'{"at": 1800000000.0, "state": {"last": 1}}'])
def test_what_another_version_wrote_is_unknown(presence: RedisPresence, redis: Redis, written: bytes) -> None:
    keep(presence, full_state())
    (key,) = redis.keys("*")
    redis.set(key, written)
    assert keep(presence, full_state()) is None
    assert keep(presence, full_state()) == full_state()


def test_counts_are_gone_once_they_are_worked_off_and_tell_nobody(link: RedisLink, redis: Redis) -> None:
    assert RedisLimiter(link).take(Rate("six", 6, 60.0), "192.0.2.1", REAL) == 0.0
    (key,) = redis.keys("*")
    assert b"192.0.2" not in key
    assert 9_000 < redis.pttl(key) <= 10_000


@given(gaps=st.lists(st.floats(-5.0, 20.0), min_size=1, max_size=30))
def test_redis_counts_as_the_rule_does(link: RedisLink, gaps: list[float]) -> None:
    link.ask("FLUSHDB")
    limiter, rate = RedisLimiter(link), Rate("law", 4, 30.0)
    now, empty_at = REAL, 0.0
    for gap in gaps:
        now = round(now + gap, 3)
        empty_at, wait_s = take(rate, empty_at, now)
        assert limiter.take(rate, "aino", now) == pytest.approx(wait_s, abs=1e-4)


def test_a_redis_that_keeps_nothing_is_taken(link: RedisLink) -> None:
    link.check_volatile(confirmed=False)


@pytest.mark.parametrize("options", [("--save", "3600 1", "--appendonly", "no"), ("--save", "", "--appendonly", "yes")])
def test_a_redis_that_writes_to_disk_is_refused_whatever_the_operator_says(options: tuple[str, ...]) -> None:
    with (
        own_redis(*options) as url,
        closing(RedisLink(url)) as link,
        pytest.raises(ValueError, match="writes to disk"),
    ):
        link.check_volatile(confirmed=True)


def test_a_redis_that_does_not_tell_needs_the_operators_word() -> None:
    with own_redis(*VOLATILE, "--rename-command", "CONFIG", "") as url, closing(RedisLink(url)) as link:
        with pytest.raises(ValueError, match="LULL_REDIS_VOLATILE"):
            link.check_volatile(confirmed=False)
        link.check_volatile(confirmed=True)


def test_a_redis_that_is_away_is_told_as_such_and_not_asked_for_a_second() -> None:
    now = [0.0]
    with hanging_up() as (url, calls):
        link = RedisLink(url, lambda: now[0])
        for seconds, called in ((0.0, 2), (REST_S / 2, 2), (REST_S, 4)):  # a lost connection is tried once more
            now[0] = seconds
            with pytest.raises(Unavailable) as refused:
                link.ask("PING")
            assert refused.value.__cause__ is None
            assert len(calls) == called


@contextmanager
def hanging_up() -> Iterator[tuple[str, list[None]]]:
    """A server that hangs up on whoever calls, and its calls."""
    calls: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = server.accept()
                    calls.append(None)
                    caller.close()

        thread = Thread(target=serve)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}", calls
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_connection_that_was_lost_while_idle_is_made_anew() -> None:
    with own_redis(*VOLATILE) as url, closing(RedisLink(url)) as link:
        presence = RedisPresence(link)
        assert keep(presence, full_state()) is None
        with Redis.from_url(url) as other:
            other.client_kill_filter(_type="normal", skipme=True)
        assert keep(presence, full_state()) == full_state()
