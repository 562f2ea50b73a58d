"""Codes that people read out, and digests."""

from __future__ import annotations

import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: digits and capitals but for I, L, O and U."""
CHECK = ALPHABET + "*~$=U"
"""With the five further symbols of its check character (value modulo 37)."""

LENGTH = 12
_TYPED = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": ""})
_VALUES = {char: value for value, char in enumerate(ALPHABET)}


def to_base32(number: int, length: int) -> str:
    """So many digits, the most significant first."""
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (length - 1), -1, -5))


def from_base32(digits: str) -> int:
    """The number that digits in capitals stand for. Raises ValueError for anything else."""
    number = 0
    for char in digits:
        if char not in _VALUES:
            raise ValueError("there is a character that is no digit of base 32")
        number = number * 32 + _VALUES[char]
    return number


def coupon_code(key: bytes, coupon_id: str) -> str:
    """12 characters of a keyed hash of the coupon's id (60 bits) and a check character, in groups: XXXX-XXXX-XXXX-C."""
    number = int.from_bytes(hmac.digest(key, coupon_id.encode(), "sha256")[:8], "big") >> 4
    digits = to_base32(number, LENGTH)
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}-{CHECK[number % 37]}"


def read_code(typed: str) -> str | None:
    """The code as it is kept, from what was typed; None if it is none.

    Case does not matter, O counts for 0, I and L for 1, and spaces and dashes may stand anywhere. Only ASCII is read:
    other scripts have letters that become these in capitals.
    """
    text = typed.upper().translate(_TYPED) if typed.isascii() else ""
    if len(text) != LENGTH + 1 or any(char not in _VALUES for char in text[:LENGTH]):
        return None
    return text if CHECK[from_base32(text[:LENGTH]) % 37] == text[LENGTH] else None


def code_hash(key: bytes, code: str) -> str:
    """What the database knows of a code: HMAC-SHA256 of its plain form.

    Without the key, 60 bits cannot be guessed from the hash, however long somebody tries who has the database.
    """
    return hmac.digest(key, code.replace("-", "").encode(), "sha256").hex()


def secret_hash(secret: str) -> str:
    """What is kept of a key's secret or a session's token: SHA-256. Either is too random to be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def digest(body: bytes) -> str:
    """SHA-256 of a request's body, to tell a repeated request from another one under the same key."""
    return hashlib.sha256(body).hexdigest()
