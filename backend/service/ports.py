"""The six ports: what the use cases ask of the world.

Every adapter and every twin passes the same suite (tests/contracts). A port whose other end cannot be reached raises
`backend.service.errors.Unavailable`. Times are aware and of the domain clock unless a name says `real`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from backend.decision.snapshot import Snapshot
from backend.service.budgets import Booked
from backend.service.chain_model import Campaign, ImportCount, Observation, Offer, Traffic
from backend.service.life import CouponEvent
from backend.service.loyalty_ports import Loyalty, Stars
from backend.service.member_books import BooksOfMember
from backend.service.model import (
    Chance,
    Consent,
    Coupon,
    Device,
    DeviceKey,
    Member,
    Preferences,
    Record,
    Totals,
)
from backend.service.push_ports import Outbox, Sender
from backend.service.retention import Retention
from backend.service.staff import Actor
from backend.service.staff_ports import Staff
from backend.service.till_ports import Sales
from stores.model import Product, Store
from stores.presence import PresenceState, Step
from stores.sensitive import Category, SensitivePlace


class Members(Loyalty, Protocol):
    """Who the members are, what they allow and what they want."""

    def sign_in(self, uid: str, now: datetime) -> Member:
        """The member with this identity; made, without any consent, when there is none."""

    def get(self, member_id: str) -> Member | None:
        """The member, or None."""

    def end_sessions(self, member_id: str) -> None:
        """Sign the member out everywhere: no session opened until now is good. Raises NotFound."""

    def set_device(self, member_id: str, device: Device) -> None:
        """Register the member's phone; a registration belongs to one member, the last who claimed it."""

    def drop_device(self, registration: str) -> None:
        """Forget a registration that FCM no longer knows."""

    def record_consent(self, member_id: str, consent: Consent) -> None:
        """Append to the consent log; the newest entry of a purpose holds."""

    def consents(self, member_id: str) -> tuple[Consent, ...]:
        """The consent log, oldest first."""

    def change_preferences(self, member_id: str, change: Callable[[Preferences], Preferences]) -> Preferences:
        """Replace the member's preferences by what `change` makes of them, atomically. Raises NotFound."""

    def add(self, members: Iterable[tuple[Member, tuple[Consent, ...]]], by: Actor) -> int:
        """Import members: all or none; who is there already is replaced, but for newer consents. Number of changes.

        The audit log tells how many these were, but not who: it outlives members.
        """

    def leave(self, member_id: str, now: datetime) -> bool:
        """Note that the member is going, for good; False when there is no such member.

        From now on they are nobody here: no coupon is issued, no send starts, and who signs in with this identity is
        somebody new. What is theirs is taken out by `Ledger.erase`.
        """

    def leaving(self) -> tuple[str, ...]:
        """Who is going and not yet gone, oldest first."""

    def set_tastes(self, tastes: Mapping[str, Mapping[str, float]], by: Actor) -> int:
        """Set tastes by member id, shares of past purchases by product, of those who agreed to personalisation.

        How many these are; so much the audit log tells.
        """


class Presence(Protocol):
    """Where devices stand; volatile, for at most 15 minutes."""

    def apply(self, member_id: str, real_now: float, move: Callable[[PresenceState | None], Step]) -> Step:
        """Replace the member's state by that of the step `move` makes of it, atomically; the step."""

    def inside(self, member_id: str, store_id: str, real_now: float) -> bool:
        """Whether the member is in the store's fence beyond doubt, as far as was told in the last 15 minutes."""

    def forget(self, member_id: str) -> None:
        """Drop all that is known of the member's whereabouts."""


class Chain(Protocol):
    """What the chain says: stores, sensitive places, menus, offers, campaigns, pauses, the policy, observations.

    What staff change is appended to the audit log in the same transaction, as a change `by` them.
    """

    def version(self) -> int:
        """A number that grows with every change of what follows, but for observations and baselines."""

    def check(self) -> None:
        """Raise Unavailable when nothing can be read, or when this process's last write failed and another does too."""

    def stores(self) -> tuple[Store, ...]:
        """All stores, by id."""

    def put_stores(self, stores: Sequence[Store], by: Actor) -> ImportCount:
        """Add or replace stores, all or none."""

    def sensitive_places(self) -> tuple[SensitivePlace, ...]:
        """All sensitive places, by id."""

    def put_sensitive_places(self, places: Sequence[SensitivePlace], by: Actor) -> ImportCount:
        """Add or replace sensitive places, all or none."""

    def drop_sensitive_places(self, category: Category, by: Actor) -> int:
        """Take out all sensitive places of a category. How many these were."""

    def menu(self) -> Mapping[str, tuple[Product, ...]]:
        """Menus by store id; what stands under the empty id is sold in every store."""

    def put_menu(self, menu: Mapping[str, Sequence[Product]], by: Actor) -> ImportCount:
        """Add or replace items of menus, all or none."""

    def offers(self) -> tuple[Offer, ...]:
        """All offers, by id."""

    def change_store(self, store_id: str, change: Callable[[Store], Store], by: Actor) -> Store:
        """Replace a store by what `change` makes of it, atomically. Raises NotFound, and what `change` raises."""

    def put_offer(self, offer: Offer, by: Actor) -> bool:
        """Add or replace an offer; whether it is new."""

    def campaigns(self) -> tuple[Campaign, ...]:
        """All campaigns with their budgets as they stand, by id."""

    def add_campaign(self, campaign: Campaign, by: Actor) -> None:
        """Add a campaign, with nothing reserved or spent. Raises Conflict when its id is taken."""

    def change_campaign(self, campaign_id: str, change: Callable[[Campaign], Campaign], by: Actor) -> Campaign:
        """Replace a campaign by what `change` makes of it, atomically, but for its id and what is reserved and spent.

        `change` sees these as they stand, and nothing is reserved or spent meanwhile. Raises NotFound, and what
        `change` raises; then nothing changes.
        """

    def booked(self, campaign_id: str) -> Mapping[str, Booked]:
        """What is reserved and spent of a campaign, by scope (see `backend.service.budgets`) but for the whole."""

    def pause(self, scope: str, by: Actor) -> None:
        """Stop offers and pushes: of a store by id, or of everything with "*"."""

    def resume(self, scope: str, by: Actor) -> None:
        """Undo a pause."""

    def paused(self) -> frozenset[str]:
        """The scopes that are paused now."""

    def snapshot(self) -> Snapshot:
        """The policy as published last; the default one when none was."""

    def publish(self, snapshot: Snapshot, by: Actor) -> None:
        """Publish a policy. Raises Conflict when its version is not the next."""

    def observe(self, store_id: str, observations: Sequence[Observation]) -> None:
        """Keep what was measured; of two words of one source about the same moment the last."""

    def traffic(self, store_id: str, since: datetime, now: datetime, hour_of_week: int) -> Traffic | None:
        """What was measured after `since` and until `now` (see `backend.service.traffic`); None for no such store.

        The baseline is that of the hour of the week, 0 being Monday 00:00, local.
        """

    def set_baselines(self, per_hour: Mapping[str, Mapping[int, float]], by: Actor) -> None:
        """Replace the usual arrivals per hour, by store id and hour of the week.

        The audit log tells of how many stores.
        """


class Ledger(Sales, Stars, Outbox, Protocol):
    """The books: decisions, coupons, budgets, capacity, the outbox, sales. Each method is one transaction.

    What takes a `Once` is done once in 24 hours: repeated, it answers as it did the first time, whatever has changed
    since. It raises Invalid when the key came with another request before, and InFlight while the first one is still
    being worked on. The answer is written in the same transaction as what was done.
    """

    def record(self, record: Record, coupon: Coupon | None, code_hash: str) -> Record:
        """Write a decision down and, if it issues, coupon, budget, capacity and outbox row with it, or none of them.

        Answers with the record as it stands in the books, its outcome set. The gates that others may have shut
        meanwhile (consent, pause, campaign, budget, room, the member's last coupon) are asked again within the
        transaction; when one is, the outcome is "lost". An opportunity that is written down already stays as it is,
        and the answer is what was decided then. Raises NotFound when the member is gone.
        """

    def given_since(self, member_id: str, since: datetime) -> int:
        """How many coupons and ghosts the member was given since then."""

    def budgets_left(self, store_id: str, day: date) -> Mapping[str, int]:
        """What each campaign can still give away in a store on a day of its own, in minor units, under all limits."""

    def coupons(self, member_id: str, limit: int) -> tuple[Coupon, ...]:
        """The member's coupons, newest first."""

    def coupon(self, coupon_id: str) -> Coupon | None:
        """A coupon."""

    def decision(self, opportunity_id: str) -> Record | None:
        """A decision as written down."""

    def decisions(self, before: str | None, limit: int) -> tuple[Record, ...]:
        """Decisions, newest first, that come after the one with the id `before` in that order."""

    def advance(self, coupon_id: str, event: CouponEvent) -> Coupon | None:
        """Note that a coupon was delivered, opened, presented or dismissed, as long as it is live at that time.

        Moves that lead back, and what was noted before, change nothing. The coupon as it stands then.
        """

    def revoke(self, coupon_id: str, reason: str, by: Actor, allowed: Callable[[str], bool]) -> Coupon:
        """Take back a live coupon of a store that is `allowed`; what it reserved is free, its push dropped if it waits.

        Raises NotFound, and Conflict when the coupon is not live any more. Logged as a change by staff.
        """

    def timeline(self, coupon_id: str) -> tuple[CouponEvent, ...]:
        """What happened to a coupon, in order."""

    def chances(self, campaign_id: str, since: datetime, until: datetime) -> tuple[Chance, ...]:
        """What the decisions from `since` until before `until` came to that gave something of the campaign, or would
        have: of those held out and of those who lost a race too."""

    def of_member(self, member_id: str) -> BooksOfMember:
        """All in the books that names the member."""

    def tidy(self, kept: Retention, now: datetime, limit: int) -> int:
        """Take out, clear, or part from its member what is older than it is kept: at most so many rows of each kind.

        How many these were. May run at any time, and twice at once.
        """

    def erase(self, member_id: str, now: datetime) -> None:
        """Take out a member who is leaving; nothing happens for anybody else.

        Live coupons are revoked. Coupons with their timelines, redemptions and purchases stay, without a person, and
        so does a proof that somebody was erased. All else of the member goes: decisions, pushes, consents, devices
        and their keys, and why staff revoked their coupons or rolled their sales back, which may name them. What the
        database's own log keeps of them is taken out by `wipe`.
        """

    def wipe(self) -> bool:
        """Take what erasures left in the database's own log out of it; False while somebody still reads it there."""

    def expire(self, now: datetime) -> int:
        """Close coupons past their end; budget and capacity they reserved are free again. How many."""

    def totals(self, now: datetime) -> Totals:
        """Counts over all of the books; coupons past their end count as expired, closed or not."""

    def newest_coupons(self, limit: int) -> tuple[Coupon, ...]:
        """Coupons of all members, newest first."""


class Identity(Staff, Protocol):
    """Tells who somebody is."""

    def uid(self, id_token: str) -> str:
        """Whose ID token this is. Raises InvalidIdToken, or Unavailable when it cannot be checked now."""

    def create_device_key(self, member_id: str, label: str, now: datetime, most: int) -> tuple[DeviceKey, str]:
        """Make a device key; its secret is told this once.

        Raises NotFound when there is no such member, and Conflict when they have `most` already.
        """

    def device_keys(self, member_id: str) -> tuple[DeviceKey, ...]:
        """The member's device keys, oldest first."""

    def device_key(self, secret: str) -> DeviceKey | None:
        """The device key with this secret; None when there is none, it was revoked, or its member is gone."""

    def revoke_device_key(self, member_id: str, key_id: str) -> DeviceKey:
        """Take a member's device key back for good. Raises NotFound."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All six."""

    members: Members
    presence: Presence
    chain: Chain
    ledger: Ledger
    sender: Sender
    identity: Identity


class Clock(Protocol):
    """The domain clock, which judges validity, and the real one, for time-outs and token lives."""

    def now(self) -> datetime:
        """The domain's time, aware, UTC."""

    def real(self) -> float:
        """Real seconds since 1970."""

    def trusted(self) -> bool:
        """Whether the domain's time is beyond doubt; False after a jump."""
