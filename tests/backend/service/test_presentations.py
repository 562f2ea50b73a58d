"""Tokens that phones show and tills scan."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service import presentations
from backend.service.codes import ALPHABET
from backend.service.keyring import Keyring, keyring

SECRET, NEXT = "a secret for tests, long enough", "the next secret for tests, long enough"
KEYS = keyring(SECRET, None, "presentations")
UNTIL = 1_800_000_000
COUPON = hashlib.blake2b(b"aino at kamppi", digest_size=16).hexdigest()


def refused(token: str, keys: Keyring = KEYS, now: float = UNTIL - 1.0) -> str:
    """Why a token is not good."""
    with pytest.raises(ValueError, match=r".") as raised:
        presentations.read(keys, token, now)
    return str(raised.value)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**35 - 1))
def test_a_token_tells_its_coupon_until_its_end(name: bytes, until: int) -> None:
    token = presentations.make(KEYS, name.hex(), until)
    assert presentations.read(KEYS, token, until - 0.001) == name.hex()
    assert refused(token, now=float(until)) == "the presentation has ended"


def test_a_token_fits_a_qr_code_of_version_3_in_alphanumeric_mode() -> None:
    token = presentations.make(KEYS, COUPON, UNTIL)
    assert len(token) == 61  # with error correction of level M (ISO/IEC 18004, table 7)
    assert re.fullmatch(f"[{ALPHABET}]+", token)


@given(st.integers(0, presentations.LENGTH - 1), st.sampled_from(ALPHABET))
def test_a_token_with_one_other_character_is_refused(place: int, char: str) -> None:
    token = presentations.make(KEYS, COUPON, UNTIL)
    other = token[:place] + char + token[place + 1 :]
    if other != token:
        assert refused(other) in ("this is no presentation of ours", "the signature is not ours")


@pytest.mark.parametrize("change", [str.lower, lambda token: token + "0", lambda token: token[:-1], lambda _: ""])
def test_a_token_in_another_form_is_refused(change: object) -> None:
    assert refused(change(presentations.make(KEYS, COUPON, UNTIL))) == "this is no presentation of ours"  # type: ignore[operator]


@given(st.text(max_size=80))
def test_any_text_is_refused_in_a_sentence(text: str) -> None:
    assert refused(text)


def test_a_token_signed_with_another_secret_is_refused() -> None:
    forged = KEYS.name + presentations.make(keyring(NEXT, None, "presentations"), COUPON, UNTIL)[2:]
    assert refused(forged) == "the signature is not ours"


def test_while_secrets_change_tokens_of_both_are_good_and_new_ones_are_made_with_the_new() -> None:
    old = presentations.make(KEYS, COUPON, UNTIL)
    both = keyring(NEXT, SECRET, "presentations")
    new = presentations.make(both, COUPON, UNTIL)
    assert [presentations.read(both, token, UNTIL - 1.0) for token in (old, new)] == [COUPON, COUPON]
    after = keyring(NEXT, None, "presentations")
    assert presentations.read(after, new, UNTIL - 1.0) == COUPON
    assert refused(old, after) == "this is no presentation of ours"


def test_secrets_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match="make another LULL_SECRET"):
        keyring(SECRET, SECRET, "presentations")


def test_an_id_that_is_no_digest_cannot_be_presented() -> None:
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        presentations.make(KEYS, "coupon-1", UNTIL)
