"""The log of send attempts: bounded in memory, optionally appended to a file, followed by long-polling."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from threading import Condition
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class Attempt:
    """One send attempt as answered. `at` is epoch seconds. `message_id` is None unless a message was accepted for
    delivery, so a reader that plays the phones looks at nothing else. `status` 0 means the connection was dropped."""

    at: float
    registration: str | None
    kind: str | None
    status: int
    error_code: str | None
    message_id: str | None
    data: Mapping[str, str]
    notification: Mapping[str, str] | None
    ttl_s: float | None
    validate_only: bool = False


class SendLog:
    """Keeps the last `capacity` attempts, numbered from 1 in the order they were answered. Safe between threads."""

    def __init__(self, capacity: int = 1_000_000, file: TextIO | None = None) -> None:
        if capacity < 1:
            raise ValueError("the log needs room for at least one attempt")
        self._capacity = capacity
        self._file = file
        self._entries: list[Attempt] = []
        self._last_seq = 0
        self._statuses: Counter[str] = Counter()
        self._error_codes: Counter[str] = Counter()
        self._changed = Condition()

    def append(self, attempt: Attempt) -> int:
        """Adds an attempt, wakes whoever waits, and returns its number."""
        with self._changed:
            if len(self._entries) < self._capacity:
                self._entries.append(attempt)
            else:
                self._entries[self._last_seq % self._capacity] = attempt
            self._last_seq += 1
            self._statuses[str(attempt.status)] += 1
            if attempt.error_code is not None:
                self._error_codes[attempt.error_code] += 1
            if self._file is not None:
                self._file.write(json.dumps({"seq": self._last_seq, **asdict(attempt)}) + "\n")
                self._file.flush()
            self._changed.notify_all()
            return self._last_seq

    def after(self, seq: int, limit: int, wait_s: float = 0.0) -> list[dict[str, Any]]:
        """At most `limit` entries numbered above `seq`, oldest first; waits up to `wait_s` real seconds for one."""
        with self._changed:
            if wait_s > 0:
                self._changed.wait_for(lambda: self._last_seq > seq, timeout=wait_s)
            first = max(seq, self._last_seq - len(self._entries)) + 1
            numbers = range(first, min(first + limit, self._last_seq + 1))
            found = [(number, self._entries[(number - 1) % self._capacity]) for number in numbers]
        return [{"seq": number, **asdict(attempt)} for number, attempt in found]

    def summary(self) -> dict[str, Any]:
        """Counts of every attempt since the start, also of those no longer kept."""
        with self._changed:
            return {
                "total": self._last_seq,
                "kept": len(self._entries),
                "by_status": dict(self._statuses),
                "by_error_code": dict(self._error_codes),
            }
