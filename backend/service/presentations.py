"""Tokens that a phone shows and a till scans: 61 characters for a QR code of version 3, in its alphanumeric mode.

The name of the secret, the end in real seconds, the coupon's id and a signature, all in Crockford's base 32. The id is
a digest of member, store and moment, so the signature binds these too. A token is good for one redemption because its
coupon is.
"""

from __future__ import annotations

import hmac
import re

from backend.service.codes import from_base32, to_base32
from backend.service.keyring import NAME_LENGTH, Keyring

PRESENTATION_S = 60
_END, _ID, _SIGNATURE = 7, 26, 26
"""Digits of 5 bits: 35 for the end, 130 for an id of 128 bits, and the first 130 of HMAC-SHA256."""
LENGTH = NAME_LENGTH + _END + _ID + _SIGNATURE
_COUPON_ID = re.compile(r"[0-9a-f]{32}")


class Ended(ValueError):
    """A token of ours, shown too late."""


def make(keys: Keyring, coupon_id: str, until: int) -> str:
    """The token of a coupon, good until then. Raises ValueError when the id is no digest of 128 bits."""
    if _COUPON_ID.fullmatch(coupon_id) is None:
        raise ValueError("a coupon's id has 32 hexadecimal digits; this one cannot be presented")
    said = keys.name + to_base32(until, _END) + to_base32(int(coupon_id, 16), _ID)
    return said + _signature(keys.key, said)


def read(keys: Keyring, token: str, real_now: float) -> str:
    """The id of the coupon that a token presents. Raises ValueError when it is forged or mistaken, Ended when late."""
    said, signature = token[:-_SIGNATURE], token[-_SIGNATURE:]
    key = keys.keys.get(said[:NAME_LENGTH])
    if len(token) != LENGTH or not token.isascii() or key is None:
        raise ValueError("this is no presentation of ours")
    if not hmac.compare_digest(signature, _signature(key, said)):
        raise ValueError("the signature is not ours")
    if real_now >= from_base32(said[NAME_LENGTH : NAME_LENGTH + _END]):
        raise Ended("the presentation has ended")
    return f"{from_base32(said[-_ID:]):032x}"


def _signature(key: bytes, said: str) -> str:
    number = int.from_bytes(hmac.digest(key, said.encode(), "sha256"), "big")
    return to_base32(number >> (256 - 5 * _SIGNATURE), _SIGNATURE)
