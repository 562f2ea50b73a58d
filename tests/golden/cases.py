"""One golden decision: what went in, and what must come out."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from backend.decision.facts import Facts
from backend.decision.result import Decision
from backend.decision.snapshot import Snapshot

PATH = Path(__file__).parent / "decisions.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Case:
    """Facts, policy, moment and draw, with the decision they led to."""

    facts: Facts
    snapshot: Snapshot
    now: datetime
    draw: float
    decision: Decision


CASE: TypeAdapter[Case] = TypeAdapter(Case)


def read() -> tuple[Case, ...]:
    """The golden decisions."""
    return tuple(CASE.validate_json(line) for line in gzip.decompress(PATH.read_bytes()).splitlines())


def write(cases: Iterable[Case]) -> None:
    """Replace the golden decisions, one JSON object a line."""
    lines = b"".join(CASE.dump_json(case) + b"\n" for case in cases)
    PATH.write_bytes(gzip.compress(lines, compresslevel=9, mtime=0))
