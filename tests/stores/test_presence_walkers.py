"""Presence against walkers whose truth is known; `python benchmarks/presence.py` is the long run."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.presence import Teleports
from benchmarks.walkers import Score, walkers


@pytest.fixture(scope="module")
def counted() -> tuple[Score, Teleports]:
    """150 people for an hour each."""
    rng = np.random.default_rng(11)
    score, teleports = Score(), Teleports()
    for walker in walkers(150, 60, rng):
        score.take(walker)
        teleports.take(walker, rng)
    return score, teleports


def test_at_most_one_event_in_a_thousand_fixes_is_false(counted: tuple[Score, Teleports]) -> None:
    score, _ = counted
    assert score.events > 400
    assert score.false_events <= score.fixes / 1_000


def test_nearly_all_true_visits_are_detected(counted: tuple[Score, Teleports]) -> None:
    score, _ = counted
    assert score.visits > 100
    assert score.detected >= 0.95 * score.visits


def test_no_offer_is_asked_for_while_a_member_is_outside(counted: tuple[Score, Teleports]) -> None:
    score, _ = counted
    assert score.signals > 300
    assert score.signals_outside == 0


def test_teleports_are_refused_and_good_fixes_are_not(counted: tuple[Score, Teleports]) -> None:
    _, teleports = counted
    assert teleports.jumped > 1_000
    assert teleports.refused >= 0.99 * teleports.jumped
    assert teleports.falsely <= 0.001 * teleports.good
