"""Names of opportunities and the random number that belongs to each."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime


def opportunity_id(key: bytes, member_id: str, store_id: str, at: datetime) -> str:
    """The name of the opportunity that member, store and the time of the presence event make; 32 hex digits.

    A coupon keeps this name when it is nobody's any more. Only who holds `key` can then try whose it may have been.
    """
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    text = "\x1f".join((member_id, store_id, moment))
    return hashlib.blake2b(text.encode(), digest_size=16, key=key).hexdigest()


def draw(key: bytes, opportunity: str) -> float:
    """A number in [0, 1) that whoever holds `key` can compute again: the top 53 bits of HMAC-SHA256 (RFC 2104)."""
    digest = hmac.digest(key, opportunity.encode(), "sha256")
    return (int.from_bytes(digest[:8], "big") >> 11) / 2.0**53
