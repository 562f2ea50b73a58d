"""Rate limits over the API."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import TestResponse

from backend.api import create_api
from backend.console import create_console
from backend.service.limits import REFUSED, ROLES, SESSIONS, TERMINAL
from backend.twins import TwinLimiter
from tests.backend.api.world import BASKET, Lull, fix


class WithConsole(Lull):
    """The application with its console."""

    def build(self) -> Flask:
        app = create_api(self.services)
        app.register_blueprint(create_console(self.services))
        return app


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Lull:
    made = WithConsole(limiter=TwinLimiter())
    began = made.clock.real()
    monkeypatch.setattr(made.clock, "real", lambda: began)
    return made


def refusal(answer: TestResponse) -> tuple[int, str, str | None]:
    return answer.status_code, answer.get_json()["type"], answer.headers.get("Retry-After")


TOO_MANY = (429, "/problems/too_many_requests", "1")


def test_a_member_may_ask_so_often_and_others_are_not_kept_waiting(limited: Lull) -> None:
    answers = [limited.get("/v1/me/coupons", limited.member) for _ in range(ROLES["member"].most + 1)]
    assert [each.status_code for each in answers[:-1]] == [200] * ROLES["member"].most
    assert refusal(answers[-1]) == TOO_MANY
    assert refusal(limited.post("/v1/me/fixes", {"fixes": [fix()]}, limited.member)) == TOO_MANY
    assert limited.get("/v1/stores", limited.marketer).status_code == 200


def test_a_device_key_may_report_so_often(limited: Lull) -> None:
    path = f"/v1/me/fixes/osmand?id={limited.device_key()}&lat=60&lon=24&timestamp=1780408800"
    statuses = [limited.call("POST", path, None).status_code for _ in range(ROLES["device"].most + 1)]
    assert statuses == [200] * ROLES["device"].most + [429]


def test_the_console_counts_as_its_key(limited: Lull) -> None:
    for _ in range(ROLES["analyst"].most):
        limited.get("/v1/stores", limited.analyst)
    assert refusal(limited.get("/console/live.json", limited.analyst)) == TOO_MANY


def test_bad_credentials_of_one_address_are_soon_refused_but_good_ones_pass(limited: Lull) -> None:
    statuses = {limited.get("/v1/stores", "lk_guessed").status_code for _ in range(REFUSED.most)}
    assert statuses == {401}
    assert refusal(limited.get("/v1/stores", "lk_guessed")) == TOO_MANY
    assert refusal(limited.get("/console/live.json", "lk_guessed")) == TOO_MANY
    assert refusal(limited.call("POST", "/v1/me/fixes/owntracks", None)) == TOO_MANY
    assert limited.get("/v1/stores", limited.marketer).status_code == 200


def test_sessions_are_opened_from_one_address_so_often(limited: Lull) -> None:
    for _ in range(SESSIONS.most - 1):  # one was opened to make the member
        limited.services.limits.session("127.0.0.1")
    body = {"id_token": "uid:aino"}
    assert limited.call("POST", "/v1/sessions", None, json=body).status_code == 429
    elsewhere = limited.call("POST", "/v1/sessions", None, json=body, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 201


def test_a_terminal_may_try_so_many_codes(limited: Lull) -> None:
    limited.open_chain()
    body: dict[str, Any] = BASKET | {"code": "0000-0000-0000-0"}
    statuses = [
        limited.post("/v1/redemptions", body, limited.till, once=f"t{number}").status_code
        for number in range(TERMINAL.most + 1)
    ]
    assert statuses[-1] == 429
    assert 429 not in statuses[:19]


@pytest.mark.parametrize(("proxies", "status"), [(0, 429), (1, 401)])
def test_the_address_is_what_trusted_proxies_say_and_nobody_else(limited: Lull, proxies: int, status: int) -> None:
    """With no proxy in front, X-Forwarded-For is what the client made up."""
    if proxies:
        limited.app.wsgi_app = ProxyFix(limited.app.wsgi_app, x_for=proxies)  # type: ignore[method-assign]
    for number in range(REFUSED.most):
        limited.call("GET", "/v1/stores", None, headers={"X-Forwarded-For": f"192.0.2.{number}"})
    last = limited.call("GET", "/v1/stores", None, headers={"X-Forwarded-For": "198.51.100.1"})
    assert last.status_code == status
