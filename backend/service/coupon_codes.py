"""The codes of coupons: shown to members, typed at tills, and kept as hashes, whichever secret they were made with."""

from __future__ import annotations

from backend.service.codes import code_hash, coupon_code, read_code
from backend.service.keyring import Keyring
from backend.service.model import Coupon


class CouponCodes:
    """Makes and reads codes. `code_keys` make them, `hash_keys` what the database knows of them."""

    def __init__(self, code_keys: Keyring, hash_keys: Keyring) -> None:
        self._code_keys = code_keys
        self._hash_keys = hash_keys

    @property
    def key_name(self) -> str:
        """The name of the secret that new codes are made with, which stands on their coupons."""
        return self._code_keys.name

    def code(self, coupon: Coupon) -> str:
        """The code to read out at the till; good as long as the secret it was made with is still there."""
        keys = self._code_keys
        return coupon_code(keys.keys.get(coupon.code_key, keys.key), coupon.id)

    def new_hash(self, coupon_id: str) -> str:
        """What to keep of a new coupon's code."""
        return code_hash(self._hash_keys.key, coupon_code(self._code_keys.key, coupon_id))

    def hashes(self, typed: str) -> tuple[str, ...]:
        """What may be kept of the code that was typed; empty when it is none."""
        code = read_code(typed)
        return () if code is None else tuple(code_hash(key, code) for key in self._hash_keys.keys.values())
