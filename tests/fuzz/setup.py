"""How schemathesis is set up: which values it knows of the chain, and which of its findings are none.

All of its checks are on. What is passed over here is passed over for a reason that the document cannot tell.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from random import Random
from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import (
    AllowHeaderMismatch,
    EnsureResourceAvailability,
    RejectedPositiveData,
    UnsupportedMethodResponse,
)
from schemathesis.python import wsgi
from schemathesis.schemas import BaseSchema
from werkzeug.test import Client

from backend.api.openapi import document_json
from backend.api.routes import ROUTES
from backend.api.routing import Route
from tests.backend.api.world import LAT, LNG, stamp
from tests.fuzz.chain import Chain

Json = dict[str, Any]

OFTEN = 0.6
"""How often a value of the chain is drawn where it fits; otherwise it is made up."""

BEYOND_JSON_SCHEMA = (
    "the time zone is unknown",
    "The time must be between 1970 and 2100",
    "the opening hours",
    "an area",
    "a ring needs",
    "is not a well formed polygon",
    "It lies more than",
    "Give either radius_m or fence",
    "give either code or presentation",
    "window_s belongs to arrivals",
    "product_id belongs to sold_out",
    "the value of sold_out is",
    "an observation counts",
    "there is no such day",
    "reserve_at is below gold_at",
)
"""How messages begin that refuse one value for another's sake, or for rules over names, times and shapes."""


def _values(chain: Chain) -> dict[str, list[Any]]:
    """By location and name of a parameter or field: what the chain has there."""
    scene = chain.scene
    ids = {name: [value] for name, value in scene.values.items() if name not in ("code", "purpose")}
    return {f"path.{name}": values for name, values in ids.items()} | {
        "body.id_token": ["uid:aino", "uid:eero"],
        "body.code": [scene.values["code"]],
        "body.store_id": ["kamppi", "kallio"],
        "body.offer_ids[*]": ids["offer_id"],
        "body.product_id": ["cappuccino"],
        "body.items[*].product_id": ["cappuccino"],
        "body.currency": ["EUR"],
        "body.time_zone": ["Europe/Helsinki", "UTC"],
        "body.hours": ["Mo-Su 07:00-22:00", "24/7"],
        "body.at": [stamp()],
        "body.observations[*].at": [stamp(), stamp(-60)],
        "body.fixes[*].recorded_at": [stamp(), stamp(-15)],
        "body.fixes[*].lat": [LAT],
        "body.fixes[*].lng": [LNG],
        "body.fixes[*].accuracy_m": [8.0],
    }


def _config(values: dict[str, list[Any]], seed: int, examples: int, phases: Collection[str]) -> schemathesis.Config:
    names = {where: f"d{number}" for number, where in enumerate(values)}
    checks = {"positive_data_acceptance": {"enabled": False}, "negative_data_rejection": {"enabled": False}}
    return schemathesis.Config.from_dict(
        {
            "seed": seed,
            "continue-on-failure": True,
            "cache": {"enabled": False},
            "generation": {"max-examples": examples, "database": "none"},
            "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
            "dictionaries": {names[where]: {"values": known} for where, known in values.items()},
            "parameters": {where: {"dictionary": name, "probability": OFTEN} for where, name in names.items()},
            # These routes take what other makers' apps send: numbers as text, truth as 0 and 1, entries that cannot
            # be read beside good ones. The document tells the usual form, and test_api_phones.py what is taken.
            "operations": [{"include-path-regex": "^/v1/me/fixes/", "checks": checks}],
        }
    )


class _Client(Client):
    """schemathesis 4.32 gives its own probes what only a network could use; a WSGI application has no use for it."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        return super().open(*args, **{name: value for name, value in kwargs.items() if name not in _OF_NETWORKS})


_OF_NETWORKS = ("max_redirects", "verify", "cert", "proxies")
wsgi.get_client = _Client


def schema_of(
    chain: Chain, seed: int, examples: int, phases: Collection[str], routes: tuple[Route, ...] = ROUTES
) -> BaseSchema:
    """The document as schemathesis reads it, to be run in these of its phases, with so many examples for a route."""
    config = _config(_values(chain), seed, examples, phases)
    schema = schemathesis.openapi.from_dict(json.loads(document_json(routes)), config=config)
    schema.app = chain
    draw = Random(seed)

    @schema.auth(refresh_interval=None)
    class Credentials:
        """The chain knows who may what."""

        def get(self, case: Any, _: Any) -> Any:
            return case

        def set(self, case: Any, _: Any, __: Any) -> None:
            chain.authorise(case, draw)

    @schema.hook
    def map_body(_: Any, body: Any) -> Any:
        return _as_written(body)

    @schema.hook
    def filter_failure(_: Any, failure: Any, case: Any, response: Any) -> bool:
        return not _is_right(failure.code, case.operation.label, response)

    return schema


def _as_written(value: Any) -> Any:
    """JSON Schema counts 1.0 among the integers, writers of JSON do not: send 1."""
    if isinstance(value, dict):
        return {name: _as_written(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_right(code: str, label: str, response: Any) -> bool:
    """Whether what looks like a failure is as it should be."""
    if code in (AllowHeaderMismatch.code, UnsupportedMethodResponse.code):
        # Under another method these paths are another route's: ids of stores may hold slashes, and "log" stands where
        # PUT takes a purpose.
        return "/v1/stores/{store_id}/" in label or label == "GET /v1/me/consents/log"
    if code == EnsureResourceAvailability.code:
        return True  # the chain began anew in between, or somebody else asked, to whom the thing does not exist
    if code == AcceptedNegativeData.code and response.status_code == 413:
        return True  # refused before it was read
    if code == RejectedPositiveData.code and response.status_code == 422:
        said = response.json()
        if said["type"] != "/problems/invalid_fields":
            return True  # a use case refused it for what the chain is like now, or for how its values go together
        return all(error["message"].startswith(BEYOND_JSON_SCHEMA) for error in said["errors"])
    return False
