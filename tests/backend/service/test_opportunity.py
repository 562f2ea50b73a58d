"""What is told of a distance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.service.opportunity import RING_M, rough_m

extents = st.floats(10.0, 20_000.0)


@pytest.mark.parametrize("distance_m", [0.0, 3.0, 99.0, 101.0, 150.0])
def test_in_a_small_fence_every_distance_is_told_as_the_fences_own(distance_m: float) -> None:
    assert rough_m(distance_m, 150.0) == 150


@pytest.mark.parametrize(("distance_m", "told"), [(0.0, 500), (499.0, 500), (501.0, 1000), (1000.0, 1000)])
def test_a_large_fence_is_told_in_rings(distance_m: float, told: int) -> None:
    assert rough_m(distance_m, 1000.0) == told


@given(extents, st.floats(0.0, 1.0))
def test_the_walk_is_never_underrated_nor_longer_than_the_fence(extent_m: float, share: float) -> None:
    told = rough_m(share * extent_m, extent_m)
    assert share * extent_m <= told + 1e-6
    assert told <= extent_m + 1.0


@given(extents)
def test_no_two_answers_are_nearer_than_a_ring_is_wide(extent_m: float) -> None:
    told = sorted({rough_m(extent_m * step / 500, extent_m) for step in range(501)})
    assert all(further - nearer >= RING_M - 1.0 for nearer, further in pairwise(told))
