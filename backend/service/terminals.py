"""Locks terminals, the tills behind one API key, that try too many wrong codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from backend.service.answering import Wrong
from backend.service.errors import TooMany, Unavailable
from backend.service.model import Key, Redemption
from backend.service.ports import Clock, Identity
from backend.service.staff import Tally

MOST_OF_TERMINAL = 20
MOST_OF_KEY = 100
"""Whoever has a key gives terminals what names they like, so the key as a whole is counted too."""
_WRONG = frozenset({"coupon_unknown", "invalid_presentation"})


class Terminals:
    """Counts wrong codes in the database, so that every process knows the same.

    A right code clears its terminal, and takes what that had from the key: tills that share a key may mistype. An
    earlier redemption that is told again is no right code, or whoever has one could guess for ever.
    """

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self._identity = identity
        self._clock = clock

    def trying(self, key: Key, terminal: str | None, redeem: Callable[[Wrong], Redemption]) -> Redemption:
        """Try a code by `redeem`. Raises TooMany, whatever the code, while the terminal or its key is locked.

        Wrong codes are counted where their refusal is kept, in one transaction: what is told again is no new guess. The
        one that locks is still answered as any other.
        """
        mine = f"{key.id}/{terminal or ''}"
        known = self._identity.wrong_codes(mine, key.id)
        if known:
            self._refuse_locked(known.values())
        most = {mine: MOST_OF_TERMINAL, key.id: MOST_OF_KEY}
        done = redeem(lambda refusal: most if refusal.reason in _WRONG else {})
        if mine in known and done.redeemed_at >= known[mine].since:
            with suppress(Unavailable):  # the coupon is redeemed, and that is the answer
                self._identity.clear_wrong_codes(mine, key.id)
        return done

    def _refuse_locked(self, known: Iterable[Tally]) -> None:
        now = self._clock.now()
        ends = [tally.locked_until for tally in known if tally.locked_until is not None and tally.locks(now)]
        if ends:
            left_s = (max(ends) - now).total_seconds()
            raise TooMany("terminal_locked", "too many wrong codes: this terminal takes none for a while", left_s)
