"""What phones are told to watch: exact enough, and never too late."""

from __future__ import annotations

from h3.api import basic_int as h3
from hypothesis import given
from hypothesis import strategies as st

from backend.service.watch import APPROACH_MPS, FENCES, FEWEST, REPORT_INSIDE_S, REPORT_S, Watch
from stores.cells import RESOLUTION
from stores.index import StoreIndex
from stores.model import Circle, Position, Store
from tests.backend.api.world import BY, DEVICE, Lull, fix, stamp

LAT, LNG = 60.17, 24.94
STORES = [
    Store(f"s{number}", f"S{number}", Position(LAT + 0.004 * (number % 7), LNG + 0.007 * (number // 7)), Circle(150))
    for number in range(140)
]
INDEX = StoreIndex(STORES)
WATCH = Watch()

near_by = st.builds(Position, st.floats(LAT - 0.05, LAT + 0.05), st.floats(LNG - 0.1, LNG + 0.1))


@given(near_by)
def test_the_next_report_comes_before_any_fence_could_be_reached(position: Position) -> None:
    outside_m = INDEX.nearest(position, 1, 50_000)[0].outside_m
    advice = WATCH.advise(INDEX, position)
    least, most = REPORT_S
    wanted = REPORT_INSIDE_S if outside_m == 0 else min(max(outside_m / APPROACH_MPS, least), most)
    assert advice.report_in_s == int(wanted)


@given(near_by, st.sampled_from(sorted(FENCES.values())))
def test_as_many_fences_are_named_as_the_phone_can_watch_the_nearest_among_the_first(
    position: Position, most: int
) -> None:
    fences = WATCH.advise(INDEX, position, most).fences
    assert len(fences) == len({fence.store_id for fence in fences}) == most
    (nearest,) = INDEX.nearest(position, 1, 50_000)
    assert nearest.store.id in [fence.store_id for fence in fences[:FEWEST]]


def test_a_fence_too_many_to_be_watched_still_counts_for_the_next_report() -> None:
    centre = h3.cell_to_latlng(h3.latlng_to_cell(LAT, LNG, RESOLUTION))
    crowd = [Store(f"crowd-{number}", "Crowd", Position(*centre), Circle(10.0)) for number in range(FEWEST)]
    edge = Position(centre[0] + 150.0 / 111_195.0, centre[1])
    assert h3.latlng_to_cell(edge.lat, edge.lng, RESOLUTION) == h3.latlng_to_cell(LAT, LNG, RESOLUTION)
    index = StoreIndex([*crowd, Store("edge", "Edge", edge, Circle(20.0))])
    advice = Watch().advise(index, Position(edge.lat - 30.0 / 111_195.0, edge.lng))
    assert ("edge" in {fence.store_id for fence in advice.fences}, advice.report_in_s) == (False, REPORT_S[0])


def test_far_from_everything_a_phone_reports_rarely() -> None:
    advice = WATCH.advise(INDEX, Position(0.0, 0.0))
    assert (advice.fences, advice.report_in_s) == ((), REPORT_S[1])


def test_a_changed_chain_is_seen_at_once() -> None:
    watch, here = Watch(), Position(LAT, LNG)
    assert watch.advise(INDEX, here).report_in_s == REPORT_INSIDE_S
    assert watch.advise(StoreIndex(), here).fences == ()


def test_a_phone_is_told_as_much_as_its_platform_can_watch() -> None:
    lull = Lull()
    lull.ports.chain.put_stores(STORES, BY)
    lull.services.catalogue.refresh()
    agreed = {"granted": True, "text_version": "2026-01"}
    lull.put("/v1/me/consents/location_offers", agreed, lull.member)
    found = []
    for platform in (None, "android", "ios", "android"):
        if platform:
            lull.put("/v1/me/device", DEVICE | {"platform": platform}, lull.member)
        lull.clock.moved += 30.0
        now = fix(recorded_at=stamp(lull.clock.moved))
        answer = lull.post("/v1/me/fixes", {"fixes": [now]}, lull.member).get_json()
        found.append(len(answer["watch"]["fences"]))
    assert found == [20, 100, 20, 100]
