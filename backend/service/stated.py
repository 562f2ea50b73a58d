"""Reading what members state of themselves from a row of a file; all of it optional."""

from __future__ import annotations

from backend.service.loyalty_model import Birthday
from stores.importing.table import Aliases, RowReader

PROFILE_FIELDS: Aliases = {
    "name": ("name", "full name"),
    "birthday": ("birthday", "date of birth", "born"),
    "gender": ("gender",),
    "favourite_products": ("favourite products", "favorite products", "favourites", "favorites"),
    "dietary_wishes": ("dietary wishes", "diet"),
    "languages": ("languages",),
}
_LIMITS = {"favourite_products": (50, 128), "dietary_wishes": (20, 60), "languages": (10, 35)}
"""So many words at most, of so many characters, as the API takes them."""
_LONGEST = {"name": 100, "gender": 60}


def stated(reader: RowReader) -> dict[str, object]:
    """The fields that the row states, as `Profile` has them; what is wrong is reported."""
    found: dict[str, object] = {}
    for name, longest in _LONGEST.items():
        found[name] = reader.read(name, lambda text, longest=longest: _short(text, longest))  # type: ignore[misc]
    found["birthday"] = reader.read("birthday", Birthday.parse)
    for name, (most, longest) in _LIMITS.items():
        limits = (most, longest)
        found[name] = reader.read(name, lambda text, limits=limits: _words(text, *limits))  # type: ignore[misc]
    return {name: value for name, value in found.items() if value is not None}


def _short(text: str, longest: int) -> str:
    if len(text) > longest or not text.isprintable():
        raise ValueError(f"must be printable, and at most {longest} characters")
    return text


def _words(text: str, most: int, longest: int) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(_short(part.strip(), longest) for part in text.split(";") if part.strip()))
    if len(words) > most:
        raise ValueError(f"must name at most {most}, with semicolons between them")
    return words
