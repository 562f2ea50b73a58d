"""All use cases, put together over the ports."""

from __future__ import annotations

from dataclasses import dataclass

from backend.service.api_keys import ApiKeys
from backend.service.catalogue import Catalogue
from backend.service.consent import ConsentCache
from backend.service.coupon_codes import CouponCodes
from backend.service.coupons import Coupons
from backend.service.device_keys import DeviceKeys
from backend.service.erasure import Erasure
from backend.service.fixes import Fixes
from backend.service.holdings import Holdings
from backend.service.keyring import keyring, subkey
from backend.service.limits import Limiter, Limits
from backend.service.live import Live
from backend.service.marketing import Marketing
from backend.service.membership import Membership
from backend.service.opportunity import Opportunities
from backend.service.ports import Clock, Ports
from backend.service.programme import Programme
from backend.service.report import Reports
from backend.service.sessions import Sessions
from backend.service.terminals import Terminals
from backend.service.tills import Tills
from backend.service.wallet import Wallet
from stores.presence import PresenceRules


@dataclass(frozen=True, slots=True)
class Services:
    """What the API and the console call."""

    ports: Ports
    clock: Clock
    limits: Limits
    catalogue: Catalogue
    sessions: Sessions
    device_keys: DeviceKeys
    api_keys: ApiKeys
    membership: Membership
    programme: Programme
    erasure: Erasure
    holdings: Holdings
    reports: Reports
    fixes: Fixes
    wallet: Wallet
    tills: Tills
    coupons: Coupons
    marketing: Marketing
    live: Live


def services(ports: Ports, clock: Clock, secret: str, limiter: Limiter, previous: str | None = None) -> Services:
    """Wire the use cases; every key they need is derived from `secret`.

    What was made with the secret that it replaced, `previous`, is still good. Raises ValueError when these two cannot
    be told apart.
    """
    catalogue = Catalogue(ports.chain, clock)
    consent = ConsentCache(ports.members, clock)
    code_keys, hash_keys, presentation_keys, session_keys = (
        keyring(secret, previous, purpose)
        for purpose in ("coupon codes", "hashes of codes", "presentations", "sessions")
    )
    codes = CouponCodes(code_keys, hash_keys)
    opportunities = Opportunities(ports, clock, catalogue, subkey(secret, "draws"), codes)
    wallet = Wallet(ports.ledger, clock, codes, presentation_keys)
    return Services(
        ports=ports,
        clock=clock,
        limits=Limits(limiter, clock),
        catalogue=catalogue,
        sessions=Sessions(ports.identity, ports.members, consent, clock, session_keys),
        device_keys=DeviceKeys(ports.identity, clock),
        api_keys=ApiKeys(ports.identity, ports.chain, clock),
        membership=Membership(ports.members, ports.presence, consent, clock),
        erasure=Erasure(ports, consent, clock),
        holdings=Holdings(ports, clock),
        programme=Programme(ports.members, ports.ledger, clock),
        reports=Reports(ports, clock),
        fixes=Fixes(ports.presence, clock, catalogue, consent, opportunities, PresenceRules()),
        wallet=wallet,
        tills=Tills(ports, clock, catalogue, wallet, codes, Terminals(ports.identity, clock)),
        coupons=Coupons(ports.ledger, clock),
        marketing=Marketing(ports.chain, catalogue),
        live=Live(ports, clock, catalogue),
    )
