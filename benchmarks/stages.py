"""Where the time of a fix goes: stages timed inside this process, over the real objects."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from flask import Flask
from pydantic import TypeAdapter
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from werkzeug.test import EnvironBuilder

from backend.adapters.sql import rows
from backend.adapters.sql.prepared import Prepared
from backend.api import create_api, dispatch
from backend.api.schemas.fixes import ReportAnswer
from backend.service import coupon_codes, fixes, opportunity
from backend.service.services import Services
from backend.wiring import open_services
from benchmarks.app import EMPTY, empty
from benchmarks.cases import COUPON, OUTSIDE, Case, Requests
from benchmarks.stopwatch import Stopwatch, typical
from benchmarks.world import World
from stores.index import StoreIndex

REST = "Flask, WSGI, dispatch"
WARM, COUNTED, COUPONS = 200, 2_000, 300
_WRITE = re.compile(r"(INSERT INTO|UPDATE)\s+(\w+)|BEGIN IMMEDIATE")


def print_stages(out: Console, world: World, entering: Sequence[str]) -> None:
    """Send fixes through the WSGI application in this process, and print microseconds by stage."""
    services = open_services(world.settings)
    watch = Stopwatch()
    app = _application(watch, services)
    send, requests = _sender(app, watch), Requests(world, entering)
    empty_us = typical([send(f"GET {EMPTY} HTTP/1.1\r\n\r\n".encode(), b"") for _ in range(COUNTED)])[REST]
    _watch_service(watch, services)
    try:
        outside = _samples(send, requests, OUTSIDE, WARM, COUNTED)
        coupon = _samples(send, requests, COUPON, 30, COUPONS)
    finally:
        watch.restore()
    out.print()
    for case, found in ((OUTSIDE, outside), (COUPON, coupon)):
        _print(out, case, found, empty_us)


def _application(watch: Stopwatch, services: Services) -> Flask:
    """The API with timed reading and writing, and the empty route."""

    def timed(kind: Any) -> Any:
        adapter: Any = TypeAdapter(kind)
        writing = watch.timed("answer to JSON", adapter.dump_json)
        return SimpleNamespace(dump_json=writing, validate_python=adapter.validate_python)

    watch.replace(dispatch, "caller", "authentication")
    watch.replace(dispatch, "_body", "reading and validation")
    reading: Any = dispatch
    plain, reading.TypeAdapter = reading.TypeAdapter, timed
    try:
        app = create_api(services)
    finally:
        reading.TypeAdapter = plain
    app.add_url_rule(EMPTY, "empty", empty)
    return app


def _watch_service(watch: Stopwatch, services: Services) -> None:
    ports, taking = services.ports, services.fixes
    answering = taking._opportunities
    for owner, attribute, name in (
        (ReportAnswer, "of", "answer made"),
        (taking, "report", "report (the rest)"),
        (taking._consent, "location_offers", "consent"),
        (StoreIndex, "hits", "index: hits"),
        (ports.presence, "apply", "presence (the rest)"),
        (fixes, "advance", "presence: advance"),
        (taking._watch, "advise", "watch: what is near"),
        (answering, "answer", "answer (the rest)"),
        (ports.members, "get", "facts: members.get"),
        (ports.chain, "traffic", "facts: traffic"),
        (ports.ledger, "given_since", "facts: given_since"),
        (ports.ledger, "budgets_left", "facts: budgets_left"),
        (opportunity, "_store_facts", "facts: hours, evidence"),
        (opportunity, "decide", "decide"),
        (coupon_codes, "coupon_code", "code and its hash"),
        (coupon_codes, "code_hash", "code and its hash"),
        (ports.ledger, "record", "record (the rest)"),
        (rows, "record_row", "record: facts to JSON"),
    ):
        if hasattr(owner, attribute):
            watch.replace(owner, attribute, name)
    _watch_database(watch, ports.ledger._database._engine.dialect)  # type: ignore[attr-defined]


def _watch_database(watch: Stopwatch, dialect: Any) -> None:
    """Statements apart from what is made of them, by statement where they write."""

    def statement(prepared: Prepared, connection: Any, *_: Any) -> str:
        text = prepared._texts.get(connection.dialect.name)
        found = _WRITE.match(text.sql.lstrip()) if text else None
        if found:
            return f"record: {found[0]}"
        return f"{watch.now_in.removesuffix(' (statement)')} (statement)"

    watch.replace(Prepared, "_execute", statement)
    watch.replace(dialect, "do_commit", "record: COMMIT")


def _sender(app: Flask, watch: Stopwatch) -> Callable[[bytes, bytes], dict[str, int]]:
    """Sends a request's bytes through the application; nanoseconds by stage. Raises RuntimeError on a wrong answer."""

    def send(request: bytes, expect: bytes) -> dict[str, int]:
        environ = _environ(request)
        status: list[str] = []
        watch.take()
        with watch.stage(REST):
            answer = app.wsgi_app(environ, lambda code, _, __=None: status.append(code))  # type: ignore[arg-type]
            body = b"".join(answer)
            answer.close()  # type: ignore[attr-defined]
        if not status[0].startswith("200") or expect not in body:
            raise RuntimeError(f"wrong answer: {status[0]} {body[:300]!r}")
        return watch.take()

    return send


def _environ(request: bytes) -> dict[str, Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return EnvironBuilder(path, method=method, headers=list(headers.items()), data=body or None).get_environ()


def _samples(
    send: Callable[[bytes, bytes], dict[str, int]], requests: Requests, case: Case, warm: int, counted: int
) -> Sequence[dict[str, int]]:
    found = [send(request, case.expect) for request in requests.take(case, warm + counted)]
    return found[warm:]


def _print(out: Console, case: Case, samples: Sequence[dict[str, int]], empty_us: float) -> None:
    stages = typical(samples)
    total = sum(stages.values())
    table = Table(title=f"In process, microseconds of {case.name}", title_justify="left", box=SIMPLE, min_width=60)
    table.add_column("stage")
    table.add_column("us", justify="right")
    table.add_column("share", justify="right")
    for name, taken in sorted(stages.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{taken:.1f}", f"{taken / total:.1%}")
    table.add_section()
    table.add_row("all of it", f"{total:.1f}", "100.0%")
    table.add_row("empty route, in process", f"{empty_us:.1f}", f"{empty_us / total:.1%}")
    out.print(table)
