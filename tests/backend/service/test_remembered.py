"""The bounded memory."""

from __future__ import annotations

from backend.service.remembered import Remembered


def test_what_was_looked_up_before_something_was_forgotten_is_not_remembered() -> None:
    known: Remembered[str, str] = Remembered(10)
    before = known.forgotten
    known.forget("aino")
    known.put("aino", 60.0, "agreed", before)
    assert known.get("aino", 0.0) is None
    known.put("aino", 60.0, "withdrew", known.forgotten)
    assert known.get("aino", 0.0) == "withdrew"
