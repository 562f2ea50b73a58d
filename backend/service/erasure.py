"""A member is forgotten on request."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from backend.service.consent import ConsentCache
from backend.service.errors import Unavailable
from backend.service.ports import Clock, Ports

SEND_PATIENCE_S = 20.0
"""How long an answer waits for a send that is under way; most take a fraction of a second."""
WIPE_PATIENCE_S = 2.0
"""How long an answer waits for those who read the database's log; most take milliseconds."""
STEP_S = 0.1
_SENDING = ("send_under_way", "a message to your phone is still under way: send the request again in a moment")
_UNFINISHED = (
    "erasure_unfinished",
    "all is erased but for the database's log, which is being read: send the request again in a moment",
)


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
        self._wait(lambda: not self._ports.ledger.sending(member_id, self._clock.real()), SEND_PATIENCE_S, _SENDING)
        self._ports.ledger.erase(member_id, self._clock.now())
        self._forget(member_id)  # once more: a report that was under way may have moved presence
        self._wait(self._ports.ledger.wipe, WIPE_PATIENCE_S, _UNFINISHED)

    def _wait(self, done: Callable[[], bool], patience_s: float, otherwise: tuple[str, str]) -> None:
        waited_s = 0.0
        while not done():
            if waited_s >= patience_s:
                raise Unavailable(*otherwise)
            self._pause(STEP_S)
            waited_s += STEP_S

    def _forget(self, member_id: str) -> None:
        self._ports.presence.forget(member_id)
        self._consent.forget(member_id)


def finish_erasures(ports: Ports, now: datetime, real_now: float) -> int:
    """Go on with erasures that were begun and are not done, but for those that wait for a send; how many are done.

    Raises Unavailable, also as long as somebody reads what they left in the database's log.
    """
    done = 0
    for member_id in ports.members.leaving():
        if not ports.ledger.sending(member_id, real_now):
            ports.ledger.erase(member_id, now)
            done += 1
    if not ports.ledger.wipe():
        raise Unavailable(*_UNFINISHED)
    return done
