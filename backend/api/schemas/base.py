"""The building blocks of bodies and answers. Everything is bounded: text, lists, numbers and times."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from backend.service.errors import Invalid
from backend.service.model import BasketItem, Purpose
from stores.hours import zone

T = TypeVar("T")

MOST_MONEY = 10**12
"""In minor units; sums of a thousand such amounts are still exact in JSON (below 2**53)."""

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_NO_NUL = r"^[^\x00]*$"

Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._:-]+$")]
_NOT_STAR = r"^([^*/\x00-\x1f\x7f]|\*[^\x00-\x1f\x7f])[^\x00-\x1f\x7f]*$"
ImportedId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_NOT_STAR)]
"""Ids that other systems gave to stores, products and members: printable text, but for "*", which means all stores.

A path could not name one that begins with "/".
"""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=_NO_NUL)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=8192, pattern=_PRINTABLE)]
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]*$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Money = Annotated[int, Field(ge=0, le=MOST_MONEY)]
Count = Annotated[int, Field(ge=0, le=10**9)]
ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(lambda name: zone(name).key)]


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _rfc3339(value: Any) -> Any:
    """pydantic would also take a text of digits, for seconds since 1970, and times without seconds or offset."""
    if not isinstance(value, str):
        return value
    try:
        if _RFC3339.fullmatch(value) is None:
            raise ValueError
        found = datetime.fromisoformat(value.upper())
    except ValueError:  # its own words may repeat what was sent
        raise ValueError("Write the time as RFC 3339 does, with its offset, such as 2026-06-02T14:00:00Z") from None
    if not _EPOCH <= found < _END:
        raise ValueError("The time must be between 1970 and 2100")
    return found


RawMoment = Annotated[AwareDatetime, BeforeValidator(_rfc3339)]
"""A time with its offset, from 1970 to 2100."""
Moment = Annotated[RawMoment, AfterValidator(lambda at: at.astimezone(UTC))]
"""The same, taken as UTC."""

PATHS: dict[str, Any] = {
    "store_id": ImportedId,
    "coupon_id": Id,
    "redemption_id": Id,
    "offer_id": Id,
    "campaign_id": Id,
    "key_id": Id,
    "member_id": ImportedId,
    "api_key_id": Id,
    "purpose": Purpose,
}
"""The types of path parameters, by name."""


class JsonSchemas(GenerateJsonSchema):
    """pydantic's, but for times of the day: they have no offset, so they are none of RFC 3339's (`format: time`)."""

    def time_schema(self, schema: Any) -> JsonSchemaValue:
        """Hours, minutes and seconds."""
        return {"type": "string", "pattern": r"^\d\d:\d\d:\d\d(\.\d+)?$"}


class Body(BaseModel):
    """What a request brings: nothing is converted, nothing unknown is let pass."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


class Empty(Body):
    """An empty object."""


class Item(Body):
    """A line of a basket; the price is that of one piece, before any coupon."""

    product_id: ImportedId
    quantity: int = Field(ge=1, le=1000)
    unit_price_minor: Money

    def to_item(self) -> BasketItem:
        """As the use cases want it."""
        return BasketItem(self.product_id, self.quantity, self.unit_price_minor)


class Page(BaseModel):
    """Which part of a list; `cursor` is the `next_cursor` of the part before."""

    model_config = ConfigDict(extra="forbid")
    cursor: Annotated[str, StringConstraints(min_length=1, max_length=160, pattern=_PRINTABLE)] = Field(
        default_factory=str, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=100, ge=1, le=1000)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A part of a list, and the cursor of the next part; null after the last."""

    items: tuple[T, ...]
    next_cursor: str | None = None


def changes(body: Body, *but: str) -> dict[str, Any]:
    """The fields that a PATCH names, as they are. Raises Invalid when it names none."""
    if not body.model_fields_set:
        raise Invalid("nothing_to_change", "name at least one field to change")
    return {name: getattr(body, name) for name in body.model_fields_set if name not in but}
