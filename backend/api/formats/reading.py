"""From what apps write to fixes: numbers as text, times in several forms, accuracy that may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from backend.api.problems import SHOWN, FieldError, InvalidFields, field_errors
from backend.api.schemas.fixes import MOST_FIXES
from stores.model import Fix, Position
from stores.moments import moment

UNKNOWN_ACCURACY_M = 100_000.0
"""Taken where an app tells no accuracy: so wide that presence refuses the fix as too inaccurate, whatever its rules."""


def _number(value: Any) -> Any:
    """pydantic would take true for 1."""
    if isinstance(value, bool):
        raise ValueError("This must be a number")
    return value


_NUMBER = WithJsonSchema({"type": ["number", "string"]})
Measured = Annotated[float | None, BeforeValidator(_number), WithJsonSchema({"type": ["number", "string", "null"]})]
Latitude = Annotated[float, BeforeValidator(_number), Field(ge=-90, le=90), _NUMBER]
Longitude = Annotated[float, BeforeValidator(_number), Field(ge=-180, le=180), _NUMBER]
Moment = Annotated[datetime, BeforeValidator(moment), WithJsonSchema({"type": ["number", "string"]})]
"""Text without an offset is UTC: whoever meant another zone is refused as of another time, or is too old for offers."""


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
