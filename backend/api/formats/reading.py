"""From what apps write to fixes: numbers as text, times in several forms, accuracy that may be missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from backend.api.problems import SHOWN, FieldError, InvalidFields, field_errors
from backend.api.schemas.fixes import MOST_FIXES
from stores.model import Fix, Position

UNKNOWN_ACCURACY_M = 100_000.0
"""Taken where an app tells no accuracy: so wide that presence refuses the fix as too inaccurate, whatever its rules."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_END = datetime(2100, 1, 1, tzinfo=UTC)
_MILLISECONDS = 1e11
"""From here on a number of a time counts milliseconds: as seconds it would be in the year 5138, so it is March 1973."""
_DIGITS = re.compile(r"\d{1,16}(\.\d{1,9})?", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)?", re.ASCII)
_TIME = "Write the time as seconds or milliseconds since 1970, or as in 2026-06-02T14:00:00Z"


def _number(value: Any) -> Any:
    """pydantic would take true for 1."""
    if isinstance(value, bool):
        raise ValueError("This must be a number")
    return value


def moment(value: Any) -> datetime:
    """A time in UTC from seconds or milliseconds since 1970, as a number or text, or from ISO 8601 text.

    Text without an offset is taken as UTC: whoever meant another zone is refused as stale or in the future, or is too
    old for an offer. Raises ValueError.
    """
    if isinstance(value, datetime):
        return value
    text = value.strip() if isinstance(value, str) else value
    try:
        found = _iso(text) if isinstance(text, str) and _ISO.fullmatch(text) else _since_1970(text)
    except (ValueError, OverflowError):
        raise ValueError(_TIME) from None
    if not _EPOCH <= found < _END:
        raise ValueError("The time must be between 1970 and 2100")
    return found


def _iso(text: str) -> datetime:
    found = datetime.fromisoformat(text.upper())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _since_1970(value: Any) -> datetime:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return _EPOCH + (timedelta(milliseconds=value) if value >= _MILLISECONDS else timedelta(seconds=value))


_NUMBER = WithJsonSchema({"type": ["number", "string"]})
Measured = Annotated[float | None, BeforeValidator(_number), WithJsonSchema({"type": ["number", "string", "null"]})]
Latitude = Annotated[float, BeforeValidator(_number), Field(ge=-90, le=90), _NUMBER]
Longitude = Annotated[float, BeforeValidator(_number), Field(ge=-180, le=180), _NUMBER]
Moment = Annotated[datetime, BeforeValidator(moment), WithJsonSchema({"type": ["number", "string"]})]


class Entry(BaseModel):
    """One location as an app writes it: numbers may be text, and what is not known here is left out."""

    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, frozen=True)

    def to_fix(self) -> Fix:
        """As the use cases want it."""
        raise NotImplementedError


def fix(
    place: tuple[float, float], at: datetime, accuracy_m: float | None, speed_mps: float | None, mocked: bool = False
) -> Fix:
    """A fix from latitude and longitude. Accuracy that is missing or not above 0 is unknown, so is a negative speed."""
    known_m = accuracy_m if accuracy_m is not None and accuracy_m > 0.0 else UNKNOWN_ACCURACY_M
    return Fix(Position(*place), known_m, at, None if speed_mps is None or speed_mps < 0.0 else speed_mps, mocked)


@dataclass(frozen=True, slots=True)
class Reading:
    """The fixes of a report, and which of its entries (from 0) could not be read and were left out."""

    fixes: tuple[Fix, ...] = ()
    unreadable: tuple[int, ...] = ()


def read(kind: type[Entry], entries: Sequence[Any]) -> Reading:
    """Read each entry by itself, so that a bad one does not hold up the others.

    Raises InvalidFields when there are more than `MOST_FIXES`, or entries but none that can be read.
    """
    if len(entries) > MOST_FIXES:
        raise InvalidFields([FieldError("", f"There are more than {MOST_FIXES} locations: send fewer at a time")])
    fixes: list[Fix] = []
    unreadable: list[int] = []
    errors: list[FieldError] = []
    for index, entry in enumerate(entries):
        try:
            fixes.append(kind.model_validate(entry).to_fix())
        except ValidationError as error:
            unreadable.append(index)
            errors += field_errors(error, () if len(entries) == 1 else (index,))
    if errors and not fixes:
        raise InvalidFields(errors[:SHOWN])
    return Reading(tuple(fixes), tuple(unreadable))
