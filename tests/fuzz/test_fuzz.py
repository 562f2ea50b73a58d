"""A short run of the fuzzer; `make fuzz` is the long one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from schemathesis.engine import from_schema

from backend.api.routes import ROUTES
from backend.service.wallet import Wallet
from tests.fuzz.chain import Chain, chain
from tests.fuzz.run import Tally, phase
from tests.fuzz.setup import schema_of

LIST, ONE = "/v1/me/coupons", "/v1/me/coupons/{coupon_id}"


@pytest.fixture(scope="module")
def under_test() -> Iterator[Chain]:
    with chain("sqlite") as made:
        yield made


@pytest.mark.timeout(600)
def test_nothing_that_the_document_allows_or_forbids_is_answered_otherwise(under_test: Chain) -> None:
    """Made up requests to every route, and chains of them: no 5xx, no answer that the document does not tell."""
    tally = Tally()
    for name in ("fuzzing", "stateful"):
        phase(under_test, tally, name, seed=1, examples=2)
    assert not tally.findings, tally.report()
    assert tally.missed() == []


def test_what_breaks_is_found(under_test: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that fails, and an answer that its schema does not allow, are two findings."""

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Wallet, "coupons", broken)
    monkeypatch.setattr(Wallet, "code", lambda *_: None)
    tally = Tally()
    routes = tuple(route for route in ROUTES if route.method == "GET" and route.path in (LIST, ONE))
    for event in from_schema(schema_of(under_test, 1, 5, ("fuzzing",), routes)).execute():
        tally.take(event)
    assert set(tally.findings) == {
        (f"GET {LIST}", "not_a_server_error"),
        (f"GET {ONE}", "response_schema_conformance"),
    }
