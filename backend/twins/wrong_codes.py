"""Wrong codes of terminals in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from backend.service.staff import Tally
from backend.twins.world import World


class TwinWrongCodes:
    """The part of the identity port that counts wrong codes."""

    def __init__(self, world: World) -> None:
        self._world = world

    def wrong_codes(self, terminal: str, key: str) -> Mapping[str, Tally]:
        """What is counted of a terminal and of its key."""
        with self._world.lock:
            found = self._world.wrong_codes
            return {name: found[name] for name in (terminal, key) if name in found}

    def clear_wrong_codes(self, terminal: str, key: str) -> None:
        """Forget what is counted of a terminal, and take as many from its key."""
        with self._world.lock:
            gone, whole = self._world.wrong_codes.pop(terminal, None), self._world.wrong_codes.get(key)
            if gone is not None and whole is not None:
                self._world.wrong_codes[key] = replace(whole, count=max(0, whole.count - gone.count))

    def forget_wrong_codes(self, before: datetime) -> int:
        """Delete what was counted since long ago and locks nobody."""
        with self._world.lock:
            known = self._world.wrong_codes
            old = [name for name, each in known.items() if each.since < before and not each.locks(before)]
            for name in old:
                del known[name]
            return len(old)
