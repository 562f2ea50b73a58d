"""The policy as published: an immutable, versioned, hashed value that everyone loads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import TypeAdapter

from backend.decision.facts import Trigger


@dataclass(frozen=True, slots=True)
class Rules:
    """What bounds every decision. Times in seconds, speeds in metres a second, shares from 0 to 1."""

    quiet_confidence: float = 0.8
    """A store is quiet when P(utilisation < its target) is at least this."""
    overload_risk: float = 0.05
    """A coupon is given only while P(load with it > target) stays within this."""
    load_window_s: float = 900.0
    """The window over which load is forecast; every outstanding coupon counts as a visit within it."""
    observation_window_s: float = 1200.0
    """How far back observed arrivals count."""
    minimum_observed_s: float = 300.0
    prior_hours: float = 0.25
    """How many hours of observation the hour-of-week baseline is worth."""
    coupon_life_s: float = 1800.0
    minimum_slack_s: float = 300.0
    """What must remain of a coupon's life after the walk to the store."""
    closing_margin_s: float = 300.0
    """A coupon ends at least this long before the store closes."""
    walking_mps: float = 1.1
    detour: float = 1.3
    """Length of the way on foot over the distance as the crow flies."""
    weekly_maximum: int = 3
    cooldown_s: float = 4 * 3600.0


@dataclass(frozen=True)
class Snapshot:
    """Version, rules and the triggers switched on; its hash names exactly this policy."""

    version: int = 1
    rules: Rules = field(default_factory=Rules)
    triggers: tuple[Trigger, ...] = ("enter", "dwell")

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the snapshot's JSON, in hexadecimal."""
        return hashlib.sha256(SNAPSHOT.dump_json(self)).hexdigest()


SNAPSHOT: TypeAdapter[Snapshot] = TypeAdapter(Snapshot)
"""Reads and writes snapshots as JSON."""
