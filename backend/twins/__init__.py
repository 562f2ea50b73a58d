"""The ports in memory: the same rules as the real ends, small enough to be read at one sitting."""

from __future__ import annotations

from backend.service.ports import Ports
from backend.twins.chain import TwinChain
from backend.twins.identity import TwinIdentity
from backend.twins.ledger import TwinLedger
from backend.twins.limits import TwinLimiter, Unlimited
from backend.twins.members import TwinMembers
from backend.twins.presence import TwinPresence
from backend.twins.sender import TwinSender
from backend.twins.world import World

__all__ = [
    "TwinChain",
    "TwinIdentity",
    "TwinLedger",
    "TwinLimiter",
    "TwinMembers",
    "TwinPresence",
    "TwinSender",
    "Unlimited",
    "World",
    "twin_ports",
]


def twin_ports(world: World | None = None) -> Ports:
    """All six ports over one world, a new and empty one unless it is given."""
    world = world or World()
    return Ports(
        members=TwinMembers(world),
        presence=TwinPresence(),
        chain=TwinChain(world),
        ledger=TwinLedger(world),
        sender=TwinSender(),
        identity=TwinIdentity(world),
    )
