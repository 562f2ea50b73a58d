"""What an app sent, before anybody knows who it is: headers, query and body, and the places a device key may be in."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel
from pydantic_core import from_json

from backend.api.formats.reading import Reading
from backend.api.problems import BadRequest, UnsupportedMedia

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MOST_PARAMETERS = 100
LONGEST = 8192


@dataclass(frozen=True)
class Sent:
    """One request. Its body is read when somebody asks for `content`; `media` is its type without parameters."""

    authorization: str | None
    query: Mapping[str, str]
    media: str
    data: bytes

    @cached_property
    def content(self) -> Any:
        """What JSON says, the fields of a form, or None without a body. Raises BadRequest and UnsupportedMedia."""
        if not self.data:
            return None
        if self.media == JSON:
            return _json(self.data)
        if self.media == FORM:
            return _form(self.data)
        raise UnsupportedMedia("not_json", "the body must be JSON: send Content-Type: application/json")

    def bearer(self) -> str | None:
        """The token of an Authorization header of the scheme Bearer."""
        return self._credential("bearer")

    def basic_password(self) -> str | None:
        """The password of an Authorization header of the scheme Basic (RFC 7617), whatever the user's name."""
        try:
            return b64decode(self._credential("basic") or "", validate=True).decode().partition(":")[2] or None
        except (Error, ValueError):
            return None

    def _credential(self, wanted: str) -> str | None:
        scheme, _, credential = (self.authorization or "").partition(" ")
        credential = credential.strip()
        return credential if scheme.lower() == wanted and 0 < len(credential) <= LONGEST else None


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """How an app sends fixes: where its device key is, how fixes are read, and what the OpenAPI document says of it.

    `content` has the types of bodies by media type, `query` the parameters; `security` is a security scheme of OpenAPI,
    and `challenge` what WWW-Authenticate answers to a bad key.
    """

    name: str
    key: Callable[[Sent], str | None]
    read: Callable[[Sent], Reading]
    content: Mapping[str, Any]
    security: Mapping[str, str]
    query: type[BaseModel] | None = None
    challenge: str = "Bearer"


def _json(data: bytes) -> Any:
    try:
        return from_json(data, allow_inf_nan=False)
    except ValueError:
        raise BadRequest("json_unreadable", "the body is not JSON, or not in UTF-8") from None


def _form(data: bytes) -> dict[str, str]:
    """The first value of each field."""
    try:
        fields = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise BadRequest("form_unreadable", "the body is not a form in UTF-8, or has too many fields") from None
    return dict(reversed(fields))
