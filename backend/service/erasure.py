"""A member is forgotten on request."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from backend.service.consent import ConsentCache
from backend.service.errors import Unavailable
from backend.service.ports import Clock, Ports

PATIENCE_S = 20.0
"""How long an answer waits for a send that is under way; most take a fraction of a second."""
STEP_S = 0.1


class Erasure:
    """Forgets members. `pause` waits so many real seconds."""

    def __init__(
        self, ports: Ports, consent: ConsentCache, clock: Clock, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._ports = ports
        self._consent = consent
        self._clock = clock
        self._pause = pause

    def erase(self, member_id: str) -> None:
        """Forget a member, or whatever an earlier attempt left of them; who is gone already stays gone.

        From the first moment on no send to them starts. Raises Unavailable while one that began before is still under
        way after 20 s, or traces of them remain: then the request is to be sent again, and a worker goes on with it.
        """
        self._ports.members.leave(member_id, self._clock.now())
        self._forget(member_id)
        waited_s = 0.0
        while self._ports.ledger.sending(member_id, self._clock.real()):
            if waited_s >= PATIENCE_S:
                detail = "a message to your phone is still under way: send the request again in a moment"
                raise Unavailable("send_under_way", detail)
            self._pause(STEP_S)
            waited_s += STEP_S
        self._ports.ledger.erase(member_id, self._clock.now())
        self._forget(member_id)  # once more: a report that was under way may have moved presence

    def _forget(self, member_id: str) -> None:
        self._ports.presence.forget(member_id)
        self._consent.forget(member_id)


def finish_erasures(ports: Ports, now: datetime, real_now: float) -> int:
    """Go on with erasures that were begun and are not done, but for those that wait for a send; how many are done.

    Raises Unavailable.
    """
    done = 0
    for member_id in ports.members.leaving():
        if not ports.ledger.sending(member_id, real_now):
            ports.ledger.erase(member_id, now)
            done += 1
    return done
