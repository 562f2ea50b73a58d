"""The catalogue's view when several ask at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from backend.service.catalogue import Catalogue
from backend.twins import TwinChain, World
from tests.contracts.examples import BY, KAMPPI


@dataclass
class Moved:
    """A clock that is moved by hand."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)

    def real(self) -> float:
        return self.seconds

    def trusted(self) -> bool:
        return True


class Slow(TwinChain):
    """A chain whose version takes its time, once somebody listens."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.asked, self.go_on = Event(), Event()
        self.go_on.set()

    def version(self) -> int:
        self.asked.set()
        assert self.go_on.wait(10.0)
        return super().version()


def test_after_a_silence_nobody_gets_the_old_view_while_another_loads_the_new() -> None:
    """Another process added a store; then two phones come at the same moment."""
    world, clock = World(), Moved()
    chain = Slow(world)
    catalogue = Catalogue(chain, clock)
    TwinChain(world).put_stores([KAMPPI], BY)
    clock.seconds = 3600.0
    chain.asked.clear()
    chain.go_on.clear()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(catalogue.view)
        assert chain.asked.wait(10.0)
        second = pool.submit(catalogue.view)
        chain.go_on.set()
        views = [first.result(), second.result()]
    assert [view.index.get("kamppi") for view in views] == [KAMPPI, KAMPPI]


def test_within_two_seconds_nobody_waits() -> None:
    clock, chain = Moved(), Slow(World())
    catalogue = Catalogue(chain, clock)
    clock.seconds = 1.5
    chain.asked.clear()
    chain.go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(catalogue.view)
        assert chain.asked.wait(10.0)
        assert catalogue.view().index.get("kamppi") is None
        chain.go_on.set()
