"""Fuzz every route: `make fuzz`, or with other numbers `python -m tests.fuzz.run --help`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from schemathesis.engine import events, from_schema

from backend.api.routes import ROUTES
from tests.fuzz.chain import Chain, chain
from tests.fuzz.setup import schema_of

EXAMPLES = 40
"""Cases that a round makes up for each route and each kind of data, and chains of requests that it tries."""


@dataclass
class Tally:
    """What was sent and answered: cases by route, answers by route and status, and what is wrong by its kind."""

    cases: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    findings: dict[tuple[str, str], str] = field(default_factory=dict)
    interrupted: bool = False

    def take(self, event: Any) -> None:
        """Count what the engine tells."""
        if isinstance(event, events.ScenarioFinished):
            self._take_scenario(event.recorder)
        elif isinstance(event, events.NonFatalError):
            self.findings.setdefault((event.label, type(event.value).__name__), str(event.value))
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.Interrupted):
            self.interrupted = True

    def _take_scenario(self, recorder: Any) -> None:
        for case_id, node in recorder.cases.items():
            label, made = node.value.operation.label, recorder.interactions.get(case_id)
            if made is None or made.response is None:
                continue
            self.cases[label] += 1
            self.answers[label, made.response.status_code] += 1
            for check in recorder.checks.get(case_id, ()):
                if check.failure_info is not None:
                    self.findings.setdefault((label, check.name), _told(check.failure_info.failure, node.value, made))

    def missed(self) -> list[str]:
        """The routes that no case was sent to."""
        return sorted({f"{route.method} {route.path}" for route in ROUTES} - self.cases.keys())

    def report(self) -> str:
        """All of it as text."""
        lines = [f"{'cases':>7}  {'route':<56} answers"]
        for label in sorted({f"{route.method} {route.path}" for route in ROUTES} | self.cases.keys()):
            found = sorted((status, count) for (route, status), count in self.answers.items() if route == label)
            lines.append(f"{self.cases[label]:>7}  {label:<56} {', '.join(f'{n} x {status}' for status, n in found)}")
        for (label, kind), told in sorted(self.findings.items()):
            lines += ["", f"FOUND {kind} at {label}", told]
        lines += ["", f"{self.cases.total()} cases over {len(self.cases)} routes, {len(self.findings)} findings"]
        return "\n".join(lines)


def _told(failure: Any, case: Any, made: Any) -> str:
    sent = f"{made.request.method} {made.request.uri}  body: {case.body!r}"
    got = f"{made.response.status_code} {made.response.content[:500]!r}"
    return f"  {failure.title}: {failure.message}\n  sent: {sent[:2000]}\n  got: {got}"


def phase(under_test: Chain, tally: Tally, name: str, seed: int, examples: int) -> None:
    """One of schemathesis' phases over all routes, from a new chain on."""
    under_test.renew()
    for event in from_schema(schema_of(under_test, seed, examples, (name,))).execute():
        tally.take(event)
    print(f"{name}, seed {seed}: {tally.cases.total()} cases, {len(tally.findings)} findings so far", file=sys.stderr)


def fuzz(under_test: Chain, tally: Tally, cases: int, seed: int) -> None:
    """Send at least so many cases: every edge of every schema once, then made up ones until it is enough."""
    phase(under_test, tally, "coverage", seed, EXAMPLES)
    while tally.cases.total() < cases and not tally.interrupted:
        phase(under_test, tally, "fuzzing", seed, EXAMPLES)
        phase(under_test, tally, "stateful", seed, EXAMPLES)
        seed += 1


def main() -> int:
    """The command; 0 when nothing was found, 1 when something was, 130 when it was interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Fuzz every route of the API.")
    parser.add_argument("--cases", type=int, default=20_000, help="how many at least")
    parser.add_argument("--seed", type=int, default=1, help="another one tries other cases")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    asked = parser.parse_args()
    tally, began = Tally(), time.monotonic()
    try:
        with chain(asked.database) as under_test:
            fuzz(under_test, tally, asked.cases, asked.seed)
    except KeyboardInterrupt:
        tally.interrupted = True
    print(tally.report())
    print(f"seed {asked.seed}, {asked.database}, {time.monotonic() - began:.0f} s")
    if tally.findings:
        return 1
    return 130 if tally.interrupted else 0


if __name__ == "__main__":
    sys.exit(main())
