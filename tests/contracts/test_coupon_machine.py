"""The life of coupons as hypothesis tells it, to the twin, SQLite and PostgreSQL in lock step.

Members are given coupons, tills redeem them, requests come twice, processes die amid a transaction or before their
answer is heard, the clock moves on. After every step all ends have answered alike and show the same books, and what is
reserved, outstanding and spent is what the coupons say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from backend.twins import twin_ports
from tests.contracts.adapters import ports_over, rows_as_upgraded
from tests.contracts.coupon_story import CouponLife
from tests.contracts.mortal import Ends, MortalDatabase, watched_statements

# The profile "faults" tells many more. No explaining, since it traces every line and takes minutes.
SETTINGS = settings(
    max_examples=settings.default.max_examples // 8,
    stateful_step_count=25,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.fixture
def new_ends(
    sqlite_template: Path, tmp_path: Path, postgresql_url: tuple[str, Callable[[], None]]
) -> Iterator[Callable[[], Ends]]:
    """Empty books at all three ends, as often as they are asked for."""
    file = tmp_path / "lull.db"
    file.write_bytes((sqlite_template / "lull.db").read_bytes())
    empty = {f"sqlite:///{file}": rows_as_upgraded(f"sqlite:///{file}"), postgresql_url[0]: postgresql_url[1]}
    with ExitStack() as stack:
        stack.enter_context(watched_statements())
        databases = {}
        for url in empty:
            database = MortalDatabase(url)
            stack.callback(database.close)
            databases[url.partition(":")[0]] = (database, ports_over(database))

        def make() -> Ends:
            for restore in empty.values():
                restore()
            return Ends(twin_ports(), databases)

        yield make


@pytest.mark.timeout(3600)
def test_every_story_of_coupons_is_the_same_in_the_twin_and_in_both_databases(new_ends: Callable[[], Ends]) -> None:
    """A story is some tens of steps, any of which may die within or go unheard."""
    run_state_machine_as_test(lambda: CouponLife(new_ends()), settings=SETTINGS)
