"""Phones' HTTP, the fast clock's pace, and child processes."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import simpy

from backend.twins.clock import FastClock
from simulator.http import Http, Meter
from simulator.pacing import PoolCourier, run_paced
from simulator.phones import epoch, rfc3339
from simulator.port import BackendError
from simulator.processes import Children, DemoError, free_ports


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = int(self.path.strip("/"))
        body = json.dumps({"type": "about:blank#teapot", "detail": "60.1234"}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_is_counted_and_timed(port: int) -> None:
    meter = Meter()
    http = Http(port, meter, 1)
    assert http.call("GET", "/200", what="ask", timed=True)[0] == 200
    http.close()
    assert (meter.http_errors, meter.calls["ask"], len(meter.latencies_s)) == (0, 1, 1)
    assert meter.percentile_ms(0.99) is not None


def test_an_unexpected_status_is_an_error_that_repeats_no_detail(port: int) -> None:
    meter = Meter()
    http = Http(port, meter, 1)
    with pytest.raises(BackendError, match="ask was answered with status 418") as raised:
        http.call("GET", "/418", what="ask")
    assert http.call("GET", "/409", what="ask", expected=frozenset({409}))[0] == 409
    http.close()
    assert "60.1234" not in str(raised.value)
    assert dict(meter.errors) == {"ask: 418 about:blank#teapot": 1}


def test_nobody_there_is_an_error() -> None:
    meter = Meter()
    with pytest.raises(BackendError, match="got no answer"):
        Http(free_ports(1)[0], meter, 1).call("GET", "/200", what="ask")
    assert meter.http_errors == 1


def test_percentiles_are_those_of_the_sorted_latencies() -> None:
    meter = Meter(latencies_s=[number / 1_000 for number in range(100, 0, -1)])
    assert (meter.percentile_ms(0.5), meter.percentile_ms(0.99)) == (51.0, 100.0)
    assert Meter().percentile_ms(0.5) is None


def test_times_are_written_as_the_api_wants_them() -> None:
    assert rfc3339(1_780_398_000.25) == "2026-06-02T11:00:00.250Z"
    assert epoch("2026-06-02T11:00:00Z") == 1_780_398_000.0


def test_events_run_when_the_fast_clock_reaches_them() -> None:
    env = simpy.Environment(initial_time=1_000.0)
    clock = FastClock(time.time(), 1_000.0, 600.0)
    early: list[float] = []

    def walk():  # type: ignore[no-untyped-def]
        for _ in range(10):
            yield env.timeout(12.0)
            early.append(env.now - clock.epoch())

    env.process(walk())
    with ThreadPoolExecutor(1) as pool:
        run_paced(env, PoolCourier(env, pool), clock, 1_130.0, lambda lag: None)
    assert len(early) == 10
    assert max(early) <= 0.0


def test_a_city_that_cannot_keep_up_tells_how_late_it_was_and_for_how_much_of_the_time() -> None:
    env = simpy.Environment()
    clock = FastClock(time.time(), 0.0, 600.0)

    def work():  # type: ignore[no-untyped-def]
        yield env.timeout(6.0)
        time.sleep(1.2)

    env.process(work())
    with ThreadPoolExecutor(1) as pool:
        lag = run_paced(env, PoolCourier(env, pool), clock, 120.0, lambda lag: None)
    assert lag.most_s > 1.0
    assert lag.behind_share > 0.9


def test_answers_come_back_into_the_simulation() -> None:
    env = simpy.Environment()
    clock = FastClock(time.time(), 0.0, 600.0)
    heard: list[object] = []

    def fail() -> None:
        raise BackendError("away")

    with ThreadPoolExecutor(2) as pool:
        courier = PoolCourier(env, pool)

        def phone():  # type: ignore[no-untyped-def]
            heard.append((yield courier.send(lambda: "yes")))
            heard.append((yield courier.send(fail)))

        env.process(phone())
        run_paced(env, courier, clock, 90.0, lambda lag: None)
    assert heard == ["yes", None]
    assert courier.waiting == 0


def test_a_mistake_in_a_call_is_not_hidden() -> None:
    env = simpy.Environment()
    with ThreadPoolExecutor(1) as pool:
        courier = PoolCourier(env, pool)
        courier.send(lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            courier.deliver(5.0)


STUBBORN = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def children(folder: Path) -> Children:
    return Children(folder, {}, (sys.executable, "-c"), end_wait_s=0.3)


def test_children_end_with_the_block_even_when_they_do_not_want_to(tmp_path: Path) -> None:
    with children(tmp_path) as family:
        child = family.start("stubborn", STUBBORN)
        while "up" not in child.log.read_text():
            time.sleep(0.01)
    assert child.process.poll() == -9


def test_a_child_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    with children(tmp_path) as family:
        child = family.start("weak", "raise SystemExit('no luck')")
        child.process.wait()
        with pytest.raises(DemoError, match=r"weak ended by itself with code 1:\nno luck"):
            family.check()


def test_a_command_that_fails_is_told(tmp_path: Path) -> None:
    with children(tmp_path) as family:
        assert family.run("good", "print('done')").strip() == "done"
        with pytest.raises(DemoError, match="ended with code 1"):
            family.run("bad", "raise SystemExit('broken')")
        assert not family.running


def test_the_pace_sleeps_between_events() -> None:
    env = simpy.Environment()
    clock = FastClock(time.time(), 0.0, 600.0)
    turns: list[float] = []
    env.timeout(200.0)
    with ThreadPoolExecutor(1) as pool:
        run_paced(env, PoolCourier(env, pool), clock, 120.0, turns.append)
    # 0.2 real seconds in naps of at most 0.02 s: a loop that never sleeps would turn thousands of times.
    assert len(turns) < 40
