"""What one run of the demo's city assumes, in one frozen value. Every number carries its unit."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Scenario:
    """The demo's assumptions; `check` tells what is wrong with them.

    The population is eager: far more of its members act on a coupon than real ones would (published field redemption is
    a few per cent). It is there so that an hour shows what the software does, not what a chain would earn.
    """

    seed: int = 2026
    """Root of every random stream of the run."""
    minutes: float = 60.0
    """Simulated minutes in which phones and tills talk to the backend."""
    phones: int = 500
    """Members who carry a phone and report fixes."""
    start_local: str = "2026-06-02T14:00"
    """Wall-clock time at which the minutes begin, in the chain's time zone (a Tuesday afternoon)."""
    rate: float = 60.0
    """Simulated seconds that pass in one real second."""
    warm_up_min: float = 45.0
    """Simulated minutes before the start in which queues fill up unseen, so that no store begins empty."""

    fixes_per_real_s: float = 200.0
    """Most fixes all phones together post in one real second; beyond it they take turns."""
    shortest_report_s: float = 15.0
    """No phone posts its next fix sooner than this many simulated seconds after an answer."""
    longest_report_s: float = 300.0
    """No phone stays silent for longer than this many simulated seconds."""
    observe_every_s: tuple[float, float] = (60.0, 120.0)
    """Shortest and longest simulated seconds between two posts of one till."""

    accept_probability: float = 0.75
    """Probability that an eager member with a perfect taste for the product goes for a coupon; times the taste."""
    notice_after_s: tuple[float, float] = (5.0, 60.0)
    """Shortest and longest simulated seconds between a push and a look at it."""
    push_patience_s: float = 180.0
    """After so many simulated seconds without a push the member finds the coupon in the app."""
    longest_walk_s: float = 1_200.0
    """Nobody sets out for a store that is further than this many seconds on foot."""

    driver_share: float = 0.04
    """Share of the phones that drive about the city."""
    near_store_share: float = 0.5
    """Share of all trips that end near a store."""
    accuracy_median_m: float = 12.0
    """Median of the fixes' 68 % radius in metres (log-normal over fixes)."""
    accuracy_spread: float = 0.45
    """Standard deviation of the logarithm of that radius."""

    utilisation_range: tuple[float, float] = (0.2, 0.95)
    """Lowest and highest mean utilisation that background customers alone give a store at the start."""
    service_variation: float = 0.6
    """Coefficient of variation of service times (log-normal)."""
    history_days: int = 28
    """Days of purchases before the start that the backend learns its rhythm from."""

    def check(self) -> None:
        """Raise ValueError, in one sentence, when a number makes no city."""
        rules = (
            (self.seed >= 0, "seed must not be negative"),
            (0.0 < self.minutes <= 480.0, "minutes must be more than 0 and at most 480"),
            (1 <= self.phones <= 5_000, "phones must lie between 1 and 5000"),
            (0.0 < self.rate <= 600.0, "rate must be more than 0 and at most 600 simulated seconds per second"),
            (self.history_days >= 7, "history_days must be at least 7"),
        )
        for holds, sentence in rules:
            if not holds:
                raise ValueError(f"{sentence}.")

    def start_epoch_s(self, time_zone: str) -> float:
        """Seconds since 1970 (UTC) at which the minutes begin in `time_zone` (IANA name)."""
        return datetime.fromisoformat(self.start_local).replace(tzinfo=ZoneInfo(time_zone)).timestamp()

    def as_json(self) -> dict[str, object]:
        """The scenario as plain values, for the summary."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
