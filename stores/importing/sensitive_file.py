"""Sensitive places from a CSV table, a GeoJSON FeatureCollection or an answer of Overpass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stores.importing.places import PLACE_FIELDS, PlaceRow, Seen, read_places
from stores.importing.table import Aliases, RowProblem, RowReader
from stores.sensitive import CATEGORIES, Category, SensitivePlace

RADIUS_M: Mapping[Category, float] = {"health": 150.0, "worship": 75.0, "shelter": 150.0, "school": 150.0}
"""Around a point without a `radius_m`: what such a site usually measures, since the point stands in its middle."""

MARGIN_M = 25.0
"""Around a polygon without a `margin_m`: who stands at the door is there."""

SENSITIVE_FIELDS: Aliases = {
    "id": ("id", "@id", "ref", "number"),
    "category": ("category", "sensitive category", "kind"),
    "amenity": ("amenity",),
    "healthcare": ("healthcare",),
    "social_facility": ("social facility",),
    "building": ("building",),
    "country": ("addr:country", "country code", "country"),
    **PLACE_FIELDS,
}

_SOCIAL: Mapping[str, Category] = {
    "ambulatory_care": "health",
    "assisted_living": "health",
    "healthcare": "health",
    "hospice": "health",
    "nursing_home": "health",
    "food_bank": "shelter",
    "group_home": "shelter",
    "outreach": "shelter",
    "shelter": "shelter",
    "soup_kitchen": "shelter",
}
_TAGS: Mapping[str, Mapping[str, Category]] = {
    "amenity": {
        "clinic": "health",
        "dentist": "health",
        "doctors": "health",
        "hospital": "health",
        "nursing_home": "health",
        "pharmacy": "health",
        "monastery": "worship",
        "place_of_worship": "worship",
        "refugee_site": "shelter",
        "childcare": "school",
        "kindergarten": "school",
        "school": "school",
    },
    "building": {
        "hospital": "health",
        "cathedral": "worship",
        "chapel": "worship",
        "church": "worship",
        "monastery": "worship",
        "mosque": "worship",
        "shrine": "worship",
        "synagogue": "worship",
        "temple": "worship",
        "kindergarten": "school",
        "school": "school",
    },
}
"""OpenStreetMap's tags. `amenity=shelter` is a roof against rain and none of these."""


@dataclass(frozen=True, slots=True)
class SensitiveImport:
    """The places that can be used, in the file's order, and what is to be said of the rows, as for stores."""

    places: tuple[SensitivePlace, ...]
    problems: tuple[RowProblem, ...]
    notes: tuple[RowProblem, ...]
    rows: int


def category_of(name: str) -> Category:
    """The category of this name. Raises ValueError when there is none."""
    for category in CATEGORIES:
        if name.strip().casefold() == category:
            return category
    raise ValueError(f"must be one of {', '.join(CATEGORIES)}")


def read_sensitive(
    data: bytes,
    format: str,  # noqa: A002 - the word people know it by
    mapping: Mapping[str, str] | None = None,
    *,
    category: Category | None = None,
    margin_m: float | None = None,
) -> SensitiveImport:
    """Read sensitive places from a `csv` or `geojson` file; `category` is for rows that tell none.

    A row tells its category in a field of that name or by OpenStreetMap's tags. A point gets a circle of `radius_m`, or
    of its category's in `RADIUS_M`; a polygon becomes an area, wider by its `margin_m`, else the argument, else
    `MARGIN_M`. Errors as in `read_stores`.
    """
    if margin_m is not None and not 0.0 <= margin_m <= 1000.0:
        raise ValueError("the margin must lie between 0 and 1000 metres")
    rows, problems = read_places(data, format, SENSITIVE_FIELDS, mapping)
    count = len(rows) + len(problems)
    places: list[SensitivePlace] = []
    notes: list[RowProblem] = []
    seen = Seen()
    for row in rows:
        place = _place(row, category, MARGIN_M if margin_m is None else margin_m)
        seen.check(row, row.reader.values.get("id", ""))
        problems += row.reader.problems
        if place is not None and not row.reader.problems:
            notes += row.reader.notes
            places.append(place)
    ordered = tuple(sorted(problems, key=lambda problem: problem.row))
    return SensitiveImport(tuple(places), ordered, tuple(notes), count)


def _place(row: PlaceRow, usual: Category | None, margin_m: float) -> SensitivePlace | None:
    place_id, category = row.reader.text("id"), _category(row.reader, usual)
    if category is None:
        return None
    fence = row.fence(RADIUS_M[category], margin_m)
    if row.position is None or fence is None:
        return None
    return SensitivePlace(place_id, category, row.position, fence)


def _category(reader: RowReader, usual: Category | None) -> Category | None:
    values = reader.values
    if "category" in values:
        return reader.read("category", category_of)
    if values.get("healthcare", "no") != "no":
        return "health"
    if (social := _SOCIAL.get(values.get("social_facility", ""))) is not None:
        return social
    for tag, meanings in _TAGS.items():
        if (found := meanings.get(values.get(tag, ""))) is not None:
            return found
    if usual is None:
        reader.fail("category", "is missing, and no tag tells it: add a column, or name one for the whole file")
    return usual
