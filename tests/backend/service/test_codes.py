"""Coupon codes as members read them out and tills type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service.codes import CHECK, code_hash, coupon_code, read_code, subkey

KEY = subkey("a secret for tests, long enough", "coupon codes")


def test_a_code_has_twelve_characters_and_a_check_character() -> None:
    first, second, third, check = coupon_code(KEY, "c1").split("-")
    assert [len(part) for part in (first, second, third, check)] == [4, 4, 4, 1]


def test_the_same_coupon_has_the_same_code_and_another_key_gives_another() -> None:
    assert coupon_code(KEY, "c1") == coupon_code(KEY, "c1")
    assert coupon_code(KEY, "c1") != coupon_code(subkey("another secret, also long enough", "coupon codes"), "c1")


@given(st.text(), st.booleans())
def test_a_code_is_read_however_it_is_typed(coupon_id: str, upper: bool) -> None:
    code = coupon_code(KEY, coupon_id)
    typed = code.replace("-", " ") if upper else code.lower()
    assert read_code(typed.replace("0", "o").replace("1", "l")) == code.replace("-", "")
    assert code_hash(code) == code_hash(code.replace("-", ""))


@given(st.text(), st.integers(0, 11), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_noticed(coupon_id: str, place: int, wrong: str) -> None:
    code = coupon_code(KEY, coupon_id).replace("-", "")
    typed = code[:place] + wrong + code[place + 1 :]
    assert read_code(typed) == (code if typed == code else None)


@pytest.mark.parametrize("typed", ["", "short", "????-????-????-?", "0" * 14, "\x00" * 13])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


def test_check_characters_are_crockfords() -> None:
    assert CHECK == "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
