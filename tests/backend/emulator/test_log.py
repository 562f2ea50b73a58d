"""The send log keeps order and bounds, and wakes readers who wait."""

from __future__ import annotations

import io
import json
import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from backend.emulator.log import Attempt, SendLog


def attempt(status: int = 200, error_code: str | None = None) -> Attempt:
    return Attempt(0.0, "r", "fid", status, error_code, None, {"a": "b"}, None, None)


@given(capacity=st.integers(1, 8), written=st.integers(0, 30), after=st.integers(0, 35), limit=st.integers(1, 10))
def test_a_reader_gets_the_oldest_kept_entries_after_its_mark(
    capacity: int, written: int, after: int, limit: int
) -> None:
    log = SendLog(capacity)
    for number in range(1, written + 1):
        log.append(attempt(status=number))
    kept = range(max(1, written - capacity + 1), written + 1)
    expected = [number for number in kept if number > after][:limit]
    found = log.after(after, limit)
    assert [(entry["seq"], entry["status"]) for entry in found] == [(number, number) for number in expected]


def test_a_waiting_reader_wakes_when_something_comes() -> None:
    log = SendLog()
    threading.Timer(0.05, lambda: log.append(attempt())).start()
    start = time.monotonic()
    assert [entry["seq"] for entry in log.after(0, 10, wait_s=5.0)] == [1]
    assert time.monotonic() - start < 2.0


def test_a_waiting_reader_gets_nothing_when_its_time_is_up() -> None:
    assert SendLog().after(0, 10, wait_s=0.02) == []


def test_the_summary_counts_also_what_is_no_longer_kept() -> None:
    log = SendLog(capacity=1)
    log.append(attempt())
    log.append(attempt(404, "UNREGISTERED"))
    assert log.summary() == {
        "total": 2,
        "kept": 1,
        "by_status": {"200": 1, "404": 1},
        "by_error_code": {"UNREGISTERED": 1},
    }


def test_the_file_gets_one_json_line_for_each_attempt() -> None:
    file = io.StringIO()
    log = SendLog(file=file)
    log.append(attempt())
    log.append(attempt(503, "UNAVAILABLE"))
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["seq"], line["status"], line["error_code"]) for line in lines] == [
        (1, 200, None),
        (2, 503, "UNAVAILABLE"),
    ]
