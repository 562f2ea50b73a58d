"""How a route is declared. One table of routes drives dispatch, the OpenAPI document, metrics and the tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from backend.api.formats.sent import Format
from backend.service.codes import digest
from backend.service.errors import Forbidden
from backend.service.model import Key
from backend.service.services import Services
from backend.service.staff import Actor
from backend.service.till_model import Once

Who = Literal["member", "device", "till", "marketer", "analyst", "admin"]
ANYONE: frozenset[Who] = frozenset()


@dataclass(slots=True)
class Call:
    """One request, authenticated and validated, as a view sees it."""

    services: Services
    caller: str | Key | None
    body: Any = None
    query: Any = None
    path: dict[str, str] = field(default_factory=dict)
    once: Once | None = None
    address: str | None = None
    """Where the request came from, as far as the proxies named in LULL_PROXIES tell."""

    @property
    def member_id(self) -> str:
        """The member who calls; only for routes of members and their devices.

        Raises Unauthenticated once they were erased.
        """
        return self.services.membership.recognised(self.once_member_id)

    @property
    def once_member_id(self) -> str:
        """The same, even if they were erased since the session or device key was made."""
        assert isinstance(self.caller, str)
        return self.caller

    @property
    def key(self) -> Key:
        """The API key that calls; only for routes of staff."""
        assert isinstance(self.caller, Key)
        return self.caller

    @property
    def by(self) -> Actor:
        """The API key that calls, as one who changes something now; only for routes of staff."""
        return Actor(self.key.id, self.services.clock.now())

    @property
    def only_once(self) -> Once:
        """Under which Idempotency-Key this happens; only for routes that want one."""
        assert self.once is not None
        return self.once

    def of_chain(self) -> None:
        """Raise Forbidden unless the key is good for the whole chain."""
        if self.key.store_ids is not None:
            raise Forbidden("stores_not_yours", "this key is bound to single stores; use one of the whole chain")

    def of_store(self, store_id: str) -> None:
        """Raise Forbidden unless the key is good for this store."""
        if not self.key.may_touch(store_id):
            raise Forbidden("store_not_yours", "this key is not bound to that store")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with another status than the route's first."""

    value: Any
    status: int


View = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One route: who may call it, what it takes, what it answers, and what can go wrong beside the usual.

    `path` names its parameters in braces; their types are in `backend.api.schemas.base.PATHS`. `answer` is a type whose
    values the view returns, None one without a body. `statuses` are those of success, the usual one first. `once` says
    that the route wants an Idempotency-Key. An admin key may do all that other keys may. A route with a `format` is for
    device keys only, and what its app sends is read as that says.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    view: View
    summary: str
    answer: Any
    who: frozenset[Who] = ANYONE
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    statuses: tuple[int, ...] = (200,)
    errors: tuple[int, ...] = ()
    once: bool = False
    format: Format | None = None

    @property
    def template(self) -> str:
        """The path as Flask writes it; ids that other systems gave may have slashes."""
        return re.sub(r"\{(store_id|member_id)\}", r"<path:\1>", self.path).replace("{", "<").replace("}", ">")

    def all_errors(self) -> tuple[int, ...]:
        """Every status of failure that can occur here."""
        found = {422, 500, 503, *self.errors}
        if self.who:
            found |= {401, 429} if self.format else {401, 403, 429}
        if self.body or self.format:
            found |= {400, 413, 415}
        if self.once:
            found |= {400, 409}
        return tuple(sorted(found))


def request_digest(method: str, path: str, body: bytes) -> str:
    """What tells a repeated request from another one under the same Idempotency-Key."""
    return digest(f"{method} {path}\n".encode() + body)
