"""How often presence is wrong about walkers and teleports whose truth is known: `python benchmarks/presence.py`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from time import perf_counter
from typing import Annotated

import numpy as np
import typer

from benchmarks.walkers import ACCURACY_M, EVERY_S, Score, Walker, counted, fix, steps, walkers

TELEPORT_MPS = 300.0 / 3.6
FASTEST_MPS = 1_000.0
COUNTING = ((1.0, 1), (3.0, 1), (1.0, 2), (2.0, 2))
"""Rules to compare with: how many accuracies beyond the edge, and how many fixes in a row."""
BETWEEN = 20
"""Good fixes between two teleports."""


@dataclass(slots=True)
class Teleports:
    """Counts of fixes: those that jumped and were refused, good ones and those of them that were refused."""

    jumped: int = 0
    refused: int = 0
    good: int = 0
    falsely: int = 0

    def take(self, walker: Walker, rng: np.random.Generator) -> None:
        """Let one walker's phone jump away for one fix every now and then, at 300 km/h or more."""
        fixes, jumps = list(walker.fixes), set(range(BETWEEN, len(walker.fixes), BETWEEN))
        for number in jumps:
            away = EVERY_S * rng.uniform(TELEPORT_MPS, FASTEST_MPS)
            angle, noise = rng.uniform(0.0, 2.0 * np.pi), rng.normal(0.0, walker.accuracy_m / 1.51, 2)
            second = int((fixes[number].recorded_at - fixes[0].recorded_at).total_seconds())
            before = walker.path[max(0, second - EVERY_S)]
            place = before + away * np.array([np.cos(angle), np.sin(angle)]) + noise
            at = fix(0.0, place, walker.accuracy_m)
            fixes[number] = type(at)(at.position, walker.accuracy_m, fixes[number].recorded_at)
        for number, step in enumerate(steps(fixes, walker.index)):
            refused = step.rejection is not None
            if number in jumps:
                self.jumped, self.refused = self.jumped + 1, self.refused + refused
            else:
                self.good, self.falsely = self.good + 1, self.falsely + refused


def main(
    number: Annotated[int, typer.Option("--walkers", min=1, help="How many people walk.")] = 2_000,
    minutes: Annotated[int, typer.Option(min=10, help="How long each of them.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of all that is random.")] = 1,
) -> None:
    """Let people walk about stores, and count what presence gets wrong."""
    rng = np.random.default_rng(seed)
    score, teleports, began = Score(), Teleports(), perf_counter()
    references = {rule: Score() for rule in COUNTING}
    for done, walker in enumerate(walkers(number, minutes, rng), start=1):
        score.take(walker)
        teleports.take(walker, rng)
        for rule, reference in references.items():
            reference.take_events(walker, counted(walker.fixes, walker.index, *rule))
        if done % 100 == 0:
            print(f"{done} of {number} walkers", end="\r", file=sys.stderr)
    low, high = ACCURACY_M
    print(f"{number} walkers, {minutes} minutes each, a fix every {EVERY_S} s, accuracy {low:.0f} to {high:.0f} m")
    print(f"  fixes                                  {score.fixes:>9,}")
    print(f"  enter and exit events                  {score.events:>9,}")
    print(f"  false ones for 1,000 fixes             {1_000 * score.false_events / score.fixes:>9.2f}")
    print(f"  true visits                            {score.visits:>9,}")
    print(f"  detected                               {score.detected / score.visits:>9.1%}")
    print(f"  signals for offers                     {score.signals:>9,}")
    print(f"  while the walker was truly outside     {score.signals_outside:>9,}")
    print(f"  jumps of 300 to 3,600 km/h             {teleports.jumped:>9,}")
    print(f"  refused                                {teleports.refused / teleports.jumped:>9.2%}")
    print(f"  good fixes refused                     {teleports.falsely / teleports.good:>9.3%}")
    print("\nRules that count fixes beyond the edge, on the same walkers, and their false events over ours")
    for (accuracies, needed), reference in references.items():
        name, ours = f"{needed} x {accuracies:.0f} accuracies", score.false_events / score.fixes
        false = reference.false_events / reference.fixes
        print(f"  {name:<20} false {1_000 * false:>6.2f} ({false / ours:.1f} x)", end="")
        print(f"  detected {reference.detected / reference.visits:.1%}")
    print(f"\n  seconds                                {perf_counter() - began:>9.0f}")


if __name__ == "__main__":
    typer.run(main)
