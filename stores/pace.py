"""How fast a device went of late: lengths of its last steps, without a trace of where they led."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stores.geometry import distance_m
from stores.model import Fix

WINDOW_S = 30.0
FACE_VALUE_M = 20.0
"""Accuracies that add up to this or less are not taken off a step: over a few seconds a receiver's error hardly
changes. What they are worse by is, since a phone of 50 metres accuracy seems to run while it lies on a table."""
BUCKET_S = 1.0
"""Steps of phones that report more often are added up to this length."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The steps that ended within the last half minute, oldest first: when each ended, its seconds and its metres."""

    steps: tuple[tuple[datetime, float, float], ...] = ()

    def with_step(self, earlier: Fix, later: Fix) -> Pace:
        """One step more, between two fixes in order of time."""
        end = later.recorded_at
        seconds = (end - earlier.recorded_at).total_seconds()
        doubt_m = max(0.0, earlier.accuracy_m + later.accuracy_m - FACE_VALUE_M)
        metres = max(0.0, distance_m(earlier.position, later.position) - doubt_m)
        since = end - timedelta(seconds=WINDOW_S)
        kept = [step for step in self.steps if step[0] > since]
        if kept and kept[-1][1] < BUCKET_S:
            _, more_s, more_m = kept.pop()
            seconds, metres = seconds + more_s, metres + more_m
        return Pace((*kept, (end, seconds, metres)))

    def speed_mps(self, fix: Fix) -> float:
        """The highest of what the phone says itself and the means over the last step, the last two, and so on."""
        fastest, seconds, metres = fix.speed_mps or 0.0, 0.0, 0.0
        for _, step_s, step_m in reversed(self.steps):
            seconds, metres = seconds + step_s, metres + step_m
            fastest = max(fastest, metres / seconds)
        return fastest
