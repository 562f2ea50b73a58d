"""What the demo shows on standard error while it runs: a live line on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.text import Text

from simulator.city import City
from simulator.pacing import BEHIND_S

REDRAW_S = 0.25
LINE_EVERY_S = 10.0
"""Real seconds between two lines where there is no terminal."""


class Progress:
    """Shows a city's progress; use as a context manager and call `tick` often."""

    def __init__(self, console: Console, city: City) -> None:
        self._console = console
        self._city = city
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._next = 0.0
        self._warned = False

    def __enter__(self) -> Progress:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tick(self, lag_s: float) -> None:
        """Show where the city is, if it is time to; say once when the machine falls behind."""
        if lag_s > BEHIND_S and not self._warned:
            self._warned = True
            self._console.print("This machine falls behind the fast clock: events run late, none is left out.")
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (REDRAW_S if self._live is not None else LINE_EVERY_S)
        if self._live is not None:
            self._live.update(Text(self._line(lag_s)), refresh=True)
        else:
            self._console.print(self._line(lag_s), highlight=False)

    def _line(self, lag_s: float) -> str:
        city, tally = self._city, self._city.tally
        local = datetime.fromtimestamp(city.env.now, UTC).astimezone(ZoneInfo(city.town.time_zone))
        late = f"  {lag_s:.1f} s behind" if lag_s > BEHIND_S else ""
        return (
            f"{local:%a %H:%M:%S}  fixes {tally.fixes_posted}  coupons {tally.coupons_received}"
            f"  pushes {tally.pushes_received}  redeemed {tally.redeemed}{late}"
        )
