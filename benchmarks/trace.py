"""What presence makes of a recorded trace, checked fix by fix: `python benchmarks/trace.py TRACE --stores FILE`."""

from __future__ import annotations

import sys
from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import gzip
from itertools import pairwise
from typing import Annotated

import typer

from stores.geometry import distance_m
from stores.importing import read_stores, read_trace
from stores.importing.trace import DEFAULT_ACCURACY_M
from stores.index import StoreIndex
from stores.model import Fix
from stores.presence import PresenceRules, PresenceState, advance

FORGOTTEN_S = 900.0
FASTEST_MPS = 100.0
WINDOW_S = 30.0
WALKING_MPS = 2.5


@dataclass(slots=True)
class Device:
    """One device under way: its state, and the fixes accepted within the last half minute."""

    state: PresenceState | None = None
    recent: deque[Fix] = field(default_factory=deque)

    def mean_mps(self) -> float:
        """Along the way over the last half minute; 0 while only one fix is known."""
        fixes = list(self.recent)
        seconds = (fixes[-1].recorded_at - fixes[0].recorded_at).total_seconds()
        metres = sum(distance_m(a.position, b.position) for a, b in pairwise(fixes))
        return metres / seconds if seconds else 0.0


def take(device: Device, fix: Fix, index: StoreIndex, rules: PresenceRules, counts: Counter[str]) -> None:
    """Count what becomes of one fix."""
    before = device.state
    if before is not None and (fix.recorded_at - before.last.recorded_at).total_seconds() > FORGOTTEN_S:
        before = None
        counts["forgotten after 15 minutes"] += 1
    step = advance(before, fix, index, rules)
    device.state = step.state
    if step.rejection is not None:
        counts[f"refused: {step.rejection}"] += 1
        return
    counts["accepted"] += 1
    if before is not None:
        seconds = (fix.recorded_at - before.last.recorded_at).total_seconds()
        if distance_m(before.last.position, fix.position) > FASTEST_MPS * seconds:
            anchor = before.agreeing >= rules.jumps_before_new_anchor
            counts["accepted at over 100 m/s " + ("as a new anchor" if anchor else "OTHERWISE")] += 1
    device.recent.append(fix)
    while (fix.recorded_at - device.recent[0].recorded_at).total_seconds() > WINDOW_S:
        device.recent.popleft()
    for event in step.events:
        counts[f"event: {event.kind}"] += 1
        if event.kind == "enter" and device.mean_mps() > WALKING_MPS:
            counts["enter AT OVER 2.5 m/s over the last 30 s"] += 1
    for trigger in step.signals.values():
        counts[f"signal for an offer: {trigger}"] += 1


def main(
    trace: Annotated[Path, typer.Argument(help="CSV or GeoJSON, also with .gz.")],
    stores: Annotated[Path, typer.Option(help="CSV or GeoJSON.")],
    accuracy: Annotated[float, typer.Option(help="Metres, of fixes that tell none.")] = DEFAULT_ACCURACY_M,
) -> None:
    """Count what presence makes of a trace; what must not happen is in capitals."""
    data = gzip.decompress(trace.read_bytes()) if trace.suffix == ".gz" else trace.read_bytes()
    kinds = [path.suffix.lower() for path in (Path(trace.name.removesuffix(".gz")), stores)]
    trace_kind, store_kind = ("csv" if kind == ".csv" else "geojson" for kind in kinds)
    fixes = read_trace(data, trace_kind, default_accuracy_m=accuracy).fixes
    index = StoreIndex(read_stores(stores.read_bytes(), store_kind).stores)
    devices: dict[str, Device] = {}
    counts: Counter[str] = Counter()
    for recorded in fixes:
        take(devices.setdefault(recorded.device_id, Device()), recorded.fix, index, PresenceRules(), counts)
    print(f"{len(fixes):,} fixes of {len(devices)} devices, {len(index):,} stores, {accuracy:g} m where none is told")
    for what, number in sorted(counts.items()):
        print(f"  {what:<44}{number:>9,}")


if __name__ == "__main__":
    typer.run(main)
