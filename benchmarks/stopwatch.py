"""Times stages of a call where they happen, each without the stages inside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any


class Stopwatch:
    """Wraps functions; for one thread. What a stage takes is noted without what the stages within it take."""

    def __init__(self) -> None:
        self._inner: list[int] = []
        self._names: list[str] = []
        self._taken: Counter[str] = Counter()
        self._replaced: list[tuple[Any, str, Any]] = []

    def timed(self, name: str | Callable[..., str], function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed under a name or under what `name` makes of its arguments."""

        def run(*values: Any, **named: Any) -> Any:
            stage = name if isinstance(name, str) else name(*values)
            with self.stage(stage):
                return function(*values, **named)

        return run

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a block."""
        self._inner.append(0)
        self._names.append(name)
        began = perf_counter_ns()
        try:
            yield
        finally:
            took = perf_counter_ns() - began
            self._names.pop()
            self._taken[name] += took - self._inner.pop()
            if self._inner:
                self._inner[-1] += took

    @property
    def now_in(self) -> str:
        """The innermost stage under way."""
        return self._names[-1] if self._names else ""

    def replace(self, owner: Any, attribute: str, name: str | Callable[..., str]) -> None:
        """Time a method of an object or a function of a module from now on, until `restore`."""
        static = isinstance(owner, type) and isinstance(owner.__dict__.get(attribute), staticmethod)
        old = owner.__dict__[attribute] if isinstance(owner, type) else getattr(owner, attribute)
        made = self.timed(name, getattr(owner, attribute))
        self._replaced.append((owner, attribute, old))
        setattr(owner, attribute, staticmethod(made) if static else made)

    def restore(self) -> None:
        """Put everything back."""
        while self._replaced:
            setattr(*self._replaced.pop())

    def take(self) -> dict[str, int]:
        """Nanoseconds by stage since the last time."""
        taken, self._taken = dict(self._taken), Counter()
        return taken


def typical(samples: Sequence[dict[str, int]]) -> dict[str, float]:
    """Mean microseconds by stage over the half of the samples whose totals lie in the middle, so that they add up."""
    ordered = sorted(samples, key=lambda sample: sum(sample.values()))
    middle = ordered[len(ordered) // 4 : len(ordered) - len(ordered) // 4]
    total: Counter[str] = Counter()
    for sample in middle:
        total.update(sample)
    return {name: taken / len(middle) / 1000.0 for name, taken in total.items()}
