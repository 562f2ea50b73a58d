"""What a summary says of its own run."""

from __future__ import annotations

from simulator.pacing import Lag
from simulator.summary import timing_note


def test_a_run_on_a_machine_that_was_too_slow_says_that_it_proves_nothing_about_timing() -> None:
    late = Lag(most_s=41.2, behind_share=0.4)
    assert timing_note(60.0, late) == (
        "This run proves nothing about timing: at 60 simulated seconds in a real one the machine fell behind "
        "for 40 % of the time, by up to 41 s."
    )


def test_a_run_that_was_late_for_a_moment_says_nothing() -> None:
    assert timing_note(60.0, Lag(most_s=1.4, behind_share=0.01)) is None
