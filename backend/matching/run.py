"""All chunks of points through the index, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from backend.matching.output import Sink
from backend.matching.points import Chunk, Unusable
from stores.index import StoreIndex

KEPT = 1_000
"""So many problems are kept for the report; all are counted."""


@dataclass(slots=True)
class MatchReport:
    """How many rows there were, could not be used, lay in a fence; how many hits were written; the first problems."""

    points: int = 0
    unusable: int = 0
    matched: int = 0
    hits: int = 0
    problems: list[Unusable] = field(default_factory=list)

    def told(self, seconds: float) -> str:
        """How far it is after so many seconds."""
        return f"{self.points:,} points, {self.hits:,} hits, {self.points / seconds:,.0f} points a second"


def match_chunks(
    index: StoreIndex, chunks: Iterable[Chunk], sink: Sink, progress: Callable[[MatchReport], None]
) -> MatchReport:
    """Write a row for each hit; `progress` is told after each chunk."""
    report = MatchReport()
    stores = index.stores()
    for chunk in chunks:
        found = index.match(chunk.lats, chunk.lngs)
        sink.write(chunk.rows[found.point], [stores[number].id for number in found.store.tolist()], found.distance_m)
        report.points += len(chunk.rows) + len(chunk.problems)
        report.unusable += len(chunk.problems)
        report.matched += len(np.unique(found.point))
        report.hits += len(found)
        report.problems += chunk.problems[: KEPT - len(report.problems)]
        progress(report)
    return report
