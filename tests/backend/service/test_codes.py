"""Coupon codes as members read them out and tills type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service.codes import CHECK, code_hash, coupon_code, from_base32, read_code, to_base32
from backend.service.keyring import subkey

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
    assert code_hash(KEY, code) == code_hash(KEY, code.replace("-", ""))


@given(st.text(), st.lists(st.tuples(st.integers(0, 20), st.sampled_from(" -")), max_size=20))
def test_spaces_and_dashes_may_stand_anywhere(coupon_id: str, put: list[tuple[int, str]]) -> None:
    code = coupon_code(KEY, coupon_id).replace("-", "")
    typed = code
    for place, char in put:
        typed = typed[:place] + char + typed[place:]
    assert read_code(typed) == code


def test_a_hash_of_a_code_wants_the_key() -> None:
    code = coupon_code(KEY, "c1")
    assert code_hash(KEY, code) != code_hash(b"another", code)
    assert len(code_hash(KEY, code)) == 64
    assert code.replace("-", "") not in code_hash(KEY, code)


@given(st.integers(0, 2**60 - 1))
def test_base_32_is_read_back(number: int) -> None:
    assert from_base32(to_base32(number, 12)) == number


@pytest.mark.parametrize("wrong", ["I", "l", "O", "U", "a", "-", " ", "\u0661"])
def test_what_is_no_digit_of_base_32_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="no digit"):
        from_base32("0" + wrong)


@given(st.text(), st.integers(0, 11), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_character_is_noticed(coupon_id: str, place: int, wrong: str) -> None:
    code = coupon_code(KEY, coupon_id).replace("-", "")
    typed = code[:place] + wrong + code[place + 1 :]
    assert read_code(typed) == (code if typed == code else None)


@pytest.mark.parametrize(
    ("plain", "odd"),
    [("1", "\u0131"), ("S", "\u017f"), ("K", "\u212a"), ("-", "\u2010"), ("-", "\u00a0"), ("0", "\uff10")],
)
def test_letters_that_only_look_alike_are_refused(plain: str, odd: str) -> None:
    typed = next(code for code in (coupon_code(KEY, f"c{n}") for n in range(500)) if plain in code)
    assert read_code(typed) == typed.replace("-", "")
    assert read_code(typed.replace(plain, odd)) is None


@pytest.mark.parametrize("typed", ["", "short", "????-????-????-?", "0" * 14, "\x00" * 13])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert read_code(typed) is None


def test_check_characters_are_crockfords() -> None:
    assert CHECK == "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U"
