"""Keys: derived from the installation's secret, one for each purpose, and never stored. A secret is replaced in turn.

While a new secret takes over, what was made with the one before is still good. Each secret has a short name, which
tells nothing of it, and stands on what was made with it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from backend.service.codes import to_base32

NAME_LENGTH = 2


def subkey(secret: str, purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret of the installation (HKDF-like, one HMAC)."""
    return hmac.digest(secret.encode(), f"lull {purpose}".encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one purpose by the names of their secrets; `name` is the one to make new things with."""

    name: str
    keys: Mapping[str, bytes]

    @property
    def key(self) -> bytes:
        """The key to make new things with."""
        return self.keys[self.name]


def _name(secret: str) -> str:
    return to_base32(int.from_bytes(subkey(secret, "name of the secret")[:2], "big"), NAME_LENGTH)


def keyring(secret: str, previous: str | None, purpose: str) -> Keyring:
    """The keys that these secrets make. Raises ValueError in the rare case that both secrets have one name."""
    secrets = [secret] if previous is None else [secret, previous]
    keys = {_name(each): subkey(each, purpose) for each in secrets}
    if len(keys) != len(secrets):
        raise ValueError("LULL_SECRET and LULL_SECRET_PREVIOUS cannot be told apart: make another LULL_SECRET")
    return Keyring(_name(secret), keys)
