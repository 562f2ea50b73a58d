"""What tills do: report traffic, redeem coupons, book sales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from backend.service.answering import Wrong, answered
from backend.service.catalogue import Catalogue
from backend.service.chain_model import Observation
from backend.service.coupon_codes import CouponCodes
from backend.service.errors import Forbidden, Invalid, NotFound
from backend.service.model import BasketItem, Key, Purchase, Redemption, Sale
from backend.service.ports import Clock, Ports
from backend.service.redemption import purchase_name, unknown
from backend.service.terminals import Terminals
from backend.service.till_model import Bought, Once, Rollback, Ticket, Till
from backend.service.wallet import Wallet

OLDEST = timedelta(hours=24)
AHEAD = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Shown:
    """How the coupon was shown at the till: its code typed, or the token of a presentation scanned."""

    kind: Literal["code", "presentation"]
    value: str


class Tills:
    """The tills' use cases. A key acts only for the stores it is bound to."""

    def __init__(
        self,
        ports: Ports,
        clock: Clock,
        catalogue: Catalogue,
        wallet: Wallet,
        codes: CouponCodes,
        terminals: Terminals,
    ) -> None:
        self._chain = ports.chain
        self._ledger = ports.ledger
        self._members = ports.members
        self._presence = ports.presence
        self._clock = clock
        self._catalogue = catalogue
        self._wallet = wallet
        self._codes = codes
        self._terminals = terminals

    def observe(self, key: Key, store_id: str, observations: Sequence[Observation], terminal: str | None = None) -> int:
        """Keep what one till measured in a store, all or none; how many. `terminal` tells tills of one key apart."""
        self._own(key, store_id)
        now = self._clock.now()
        for number, observation in enumerate(observations):
            self._in_time(observation.at, now, f"observations.{number}.at")
        source = key.id if terminal is None else f"{key.id}/{terminal}"
        self._chain.observe(store_id, [replace(each, source=source) for each in observations])
        return len(observations)

    def redeem(self, key: Key, once: Once, shown: Shown, sale: Sale, terminal: str | None = None) -> Redemption:
        """Use a coupon. Raises NotFound for an unknown code, Conflict with the reason for one that is not good.

        Raises TooMany when the key, or this `terminal` of it, tried too many wrong codes.
        """
        self._own(key, sale.store_id)
        till = Till(key.may_touch, self._is_inside)

        def redeem(wrong: Wrong) -> Redemption:
            now = self._clock.now()
            return answered(
                self._ledger, once, now, lambda: self._ledger.redeem(once, self._ticket(shown), sale, till, now), wrong
            )

        return self._terminals.trying(key, terminal, redeem)

    def _ticket(self, shown: Shown) -> Ticket:
        if shown.kind == "presentation":
            return Ticket(coupon_id=self._wallet.presented(shown.value))
        hashes = self._codes.hashes(shown.value)
        if not hashes:
            raise unknown()
        return Ticket(code_hashes=hashes)

    def _is_inside(self, member_id: str, store_id: str) -> bool:
        return self._presence.inside(member_id, store_id, self._clock.real())

    def roll_back(
        self, key: Key, once: Once, redemption_id: str, returned: tuple[BasketItem, ...], reason: str
    ) -> Rollback:
        """Undo the sale of a redemption, or what was returned of it; coupons stay used."""
        now = self._clock.now()
        return answered(
            self._ledger,
            once,
            now,
            lambda: self._ledger.roll_back(once, redemption_id, returned, reason, key.may_touch, now),
        )

    def buy(self, key: Key, once: Once, sale: Sale, at: datetime, member_id: str | None) -> Bought:
        """Book a sale without a coupon, by a member or by nobody known."""
        self._own(key, sale.store_id)
        purchase = Purchase(purchase_name(sale, once.name("p_")), sale, at, member_id)
        now = self._clock.now()
        return answered(self._ledger, once, now, lambda: self._buy(once, purchase, now))

    def _buy(self, once: Once, purchase: Purchase, now: datetime) -> Bought:
        self._in_time(purchase.at, now, "at")
        if purchase.member_id is not None and self._members.get(purchase.member_id) is None:
            raise Invalid("member_unknown", "member_id: there is no such member")
        return self._ledger.buy(once, purchase, now)

    def _own(self, key: Key, store_id: str) -> None:
        if not key.may_touch(store_id):
            raise Forbidden("store_not_yours", "this key is not bound to that store")
        if self._catalogue.view().index.get(store_id) is None:
            raise NotFound("store_unknown", "there is no such store")

    def _in_time(self, at: datetime, now: datetime, where: str) -> None:
        if at > now + AHEAD:
            raise Invalid("in_the_future", f"{where} lies in the future: check the till's clock")
        if at < now - OLDEST:
            raise Invalid("too_old", f"{where} is older than 24 hours; import past data instead")
