"""Names that people and machines handle: coupon codes, presentation tokens, digests. Keys are derived, never stored."""

from __future__ import annotations

import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK = ALPHABET + "*~$=U"
"""Crockford's base 32, with the five further symbols of its check character (value modulo 37)."""

LENGTH = 12
_TYPED = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": ""})


def subkey(secret: str, purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret of the installation (HKDF-like, one HMAC)."""
    return hmac.digest(secret.encode(), f"lull {purpose}".encode(), "sha256")


def coupon_code(key: bytes, coupon_id: str) -> str:
    """12 characters of a keyed hash of the coupon's id (60 bits) and a check character, in groups: XXXX-XXXX-XXXX-C."""
    number = int.from_bytes(hmac.digest(key, coupon_id.encode(), "sha256")[:8], "big") >> 4
    digits = "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}-{CHECK[number % 37]}"


def read_code(typed: str) -> str | None:
    """The code as it is kept, from what was typed (any case, O for 0, I and L for 1, dashes); None if it is none."""
    text = typed.upper().translate(_TYPED)
    if len(text) != LENGTH + 1 or any(char not in ALPHABET for char in text[:LENGTH]):
        return None
    number = 0
    for char in text[:LENGTH]:
        number = number * 32 + ALPHABET.index(char)
    return text if CHECK[number % 37] == text[LENGTH] else None


def code_hash(code: str) -> str:
    """What the database knows of a code: SHA-256 of its plain form."""
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()


def secret_hash(secret: str) -> str:
    """What is kept of the secret of a key: SHA-256. It has 256 random bits, so nobody guesses it back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def digest(body: bytes) -> str:
    """SHA-256 of a request's body, to tell a repeated request from another one under the same key."""
    return hashlib.sha256(body).hexdigest()
