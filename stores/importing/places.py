"""Rows with a place: from a CSV table or GeoJSON, each with its position and perhaps an area, or reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from re import fullmatch, sub

from stores.geometry import check_area, great_circle_m
from stores.importing.geojson import Feature, read_features, read_properties
from stores.importing.outline import widened
from stores.importing.table import POSITION, Aliases, RowProblem, RowReader, degrees, read_csv
from stores.importing.whereabouts import Region, exchanged, in_country, swapped_by_country, swapped_by_zone
from stores.model import Area, Circle, Fence, Position

PLACE_FIELDS: Aliases = {
    **POSITION,
    "radius_m": ("radius m", "radius", "fence radius m"),
    "margin_m": ("margin m", "margin", "fence margin m"),
}
"""Fields that a file with places may have beside its own."""

OUTLINE_MARGIN_M = 50.0
"""Added to outlines from OpenStreetMap, which end at the walls; areas that somebody drew as fences stay as they are."""

SAME_PLACE_M = 25.0
_ZERO_DEG = 0.01
_CELL_DEG = 0.001
_FEWEST_EXCHANGED, _MOST = 10, 0.9
"""With so many rows exchanged, and such a share of those that show it either way, the others are exchanged too."""


@dataclass(frozen=True, slots=True)
class ProblemClass:
    """Rows of which the same is to be said: how many, and the first of them."""

    field: str
    reason: str
    rows: int
    first_row: int


def classes(problems: Sequence[RowProblem]) -> tuple[ProblemClass, ...]:
    """The problems (or notes) counted by field and reason, most frequent first; numbers of other rows do not matter."""
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for problem in problems:
        rows[problem.field, sub(r"\b(row|character) \d+", r"\1 N", problem.reason)].append(problem.row)
    found = (ProblemClass(*key, len(numbers), min(numbers)) for key, numbers in rows.items())
    return tuple(sorted(found, key=lambda each: (-each.rows, each.first_row)))


@dataclass(slots=True)
class PlaceRow:
    """One row: its values, what is wrong with them, its position, and its area when the file has one."""

    reader: RowReader
    position: Position | None = None
    area: Area | None = None
    exchanged: bool = False
    """Whether latitude and longitude are exchanged for certain."""

    def refuse(self, reason: str) -> None:
        """Report that latitude and longitude are exchanged; the position is not to be used then."""
        if self.position is not None:
            self.reader.fail("position", f"seems to have latitude and longitude exchanged: {reason}")
        self.position, self.exchanged = None, True

    def fence(self, default_radius_m: float, margin_m: float | None) -> Fence | None:
        """The row's area with a margin, or a circle; None when it cannot be one, which is then reported.

        The row's own `margin_m` goes before the argument, and `OUTLINE_MARGIN_M` is for outlines from OpenStreetMap
        when neither is given.
        """
        reader = self.reader
        radius_m, own_m = reader.number("radius_m", 10.0, 5000.0), reader.number("margin_m", 0.0, 1000.0)
        if reader.problems:
            return None
        if self.area is None:
            return Circle(default_radius_m if radius_m is None else radius_m)
        is_outline = fullmatch(r"(way|relation)/\d+", reader.values.get("id", ""))
        usual_m = OUTLINE_MARGIN_M if is_outline else 0.0
        margin = next((each for each in (own_m, margin_m) if each is not None), usual_m)
        try:
            area = widened(self.area, margin)
            check_area(area)
        except ValueError as error:
            reader.fail("geometry", f"cannot be given its margin: {error}")
            return None
        return area


def read_places(
    data: bytes,
    format: str,  # noqa: A002 - the word people know it by
    aliases: Aliases,
    mapping: Mapping[str, str] | None,
) -> tuple[list[PlaceRow], list[RowProblem]]:
    """All rows of a `csv` or `geojson` file that can be told apart, and what is wrong with the others.

    Raises `UnreadableFile` when the file as a whole cannot be used and ValueError for a wrong format or mapping.
    """
    if format == "csv":
        table = read_csv(data, aliases, ("id", "lat", "lng"), mapping)
        rows = [_from_table(RowReader(row, values)) for row, values in table.rows]
        problems = list(table.problems)
    elif format == "geojson":
        rows, problems = _from_features(data, aliases, mapping), []
    else:
        raise ValueError("the format of a file with places must be csv or geojson")
    _check_axes(rows)
    return rows, problems


def _from_features(data: bytes, aliases: Aliases, mapping: Mapping[str, str] | None) -> list[PlaceRow]:
    features = read_features(data)
    if {"@spider", "ref"}.issubset(column for feature in features for column in feature.properties):
        # AllThePlaces: `ref` is the chain's own number, the feature's id a digest made by its crawler.
        mapping = {"id": "ref", **(mapping or {})}
    return [_from_feature(*each) for each in read_properties(features, aliases, ("id",), mapping)]


def _from_feature(feature: Feature, reader: RowReader) -> PlaceRow:
    if feature.problem is not None or feature.position is None:
        reader.fail("geometry", feature.problem or "is missing")
        return PlaceRow(reader, exchanged=feature.exchanged)
    return PlaceRow(reader, _somewhere(reader, feature.position), feature.area)


def _from_table(reader: RowReader) -> PlaceRow:
    for name in ("lat", "lng"):
        reader.text(name)
    lat, lng = reader.read("lat", degrees), reader.read("lng", degrees)
    if lat is None or lng is None:
        return PlaceRow(reader)
    if 90.0 < abs(lat) <= 180.0 and abs(lng) <= 90.0:
        reader.fail("position", "seems to have latitude and longitude exchanged: the latitude lies beyond 90 degrees")
        return PlaceRow(reader, exchanged=True)
    if abs(lat) > 90.0:
        reader.fail("lat", "must lie between -90 and 90")
    elif abs(lng) > 180.0:
        reader.fail("lng", "must lie between -180 and 180")
    else:
        return PlaceRow(reader, _somewhere(reader, Position(lat, lng)))
    return PlaceRow(reader)


def _somewhere(reader: RowReader, position: Position) -> Position | None:
    if abs(position.lat) < _ZERO_DEG and abs(position.lng) < _ZERO_DEG:
        reader.fail("position", "is the point zero, zero: the real position is missing")
        return None
    return position


def _check_axes(rows: list[PlaceRow]) -> None:
    """Report the positions that would fit their row, or the file, only with latitude and longitude exchanged."""
    verdicts = [_exchanged(row) for row in rows]
    shown = [verdict for verdict in verdicts if verdict is not None]
    if sum(shown) >= max(_FEWEST_EXCHANGED, _MOST * len(shown)):
        for row, verdict in zip(rows, verdicts, strict=True):
            if verdict is None:
                row.refuse("as in nine of ten rows of the file that show it")
        return
    region = Region.of([row.position for row in rows if row.position is not None])
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict is None and region is not None and row.position is not None and region.speaks_for_swap(row.position):
            row.refuse("only then it lies among the other rows, and now far from them")


def _exchanged(row: PlaceRow) -> bool | None:
    """Whether the axes are exchanged, as far as the row itself shows it; it is then refused."""
    position, values = row.position, row.reader.values
    if position is None:
        return True if row.exchanged else None
    other = exchanged(position)
    if other is None:
        return False
    code, named = values.get("country", ""), values.get("time_zone", "").split()[-1:]
    if swapped_by_country(position, code):
        row.refuse("only then it lies in the country that the row names")
    elif named and swapped_by_zone(position, named[0]):
        row.refuse("only then it lies in the time zone that the row names")
    else:
        return False if in_country(position, code) and not in_country(other, code) else None
    return True


@dataclass(slots=True)
class Seen:
    """The rows so far, to find those that come twice."""

    _by_id: dict[str, PlaceRow] = field(default_factory=dict)
    _by_place: dict[tuple[str, int, int], list[tuple[int, Position]]] = field(default_factory=dict)

    def check(self, row: PlaceRow, name: str) -> None:
        """Report a row with the id of an earlier one, and note one with the name of an earlier one at the same place.

        An earlier row that could not be used keeps nobody from its id.
        """
        reader, position = row.reader, row.position
        first = self._by_id.setdefault(reader.values.get("id", ""), row)
        if first is not row and "id" in reader.values:
            if not first.reader.problems:
                reader.fail("id", f"is the same as in row {first.reader.row}{_where(position, first.position)}")
                return
            self._by_id[reader.values["id"]] = row
            reader.note("id", f"is the same as in row {first.reader.row}, which is not imported")
        if position is not None and not reader.problems:
            self._check_place(reader, position, name.casefold())

    def _check_place(self, reader: RowReader, position: Position, name: str) -> None:
        south, west = round(position.lat / _CELL_DEG), round(position.lng / _CELL_DEG)
        for cell in ((name, south + up, west + right) for up in (-1, 0, 1) for right in (-1, 0, 1)):
            for first, there in self._by_place.get(cell, ()):
                if great_circle_m(position.lat, position.lng, there.lat, there.lng) <= SAME_PLACE_M:
                    reader.note("name", f"and place are those of row {first}: if they are one, take one out")
                    return
        self._by_place.setdefault((name, south, west), []).append((reader.row, position))


def _where(position: Position | None, there: Position | None) -> str:
    if position is None or there is None:
        return ""
    away_m = great_circle_m(position.lat, position.lng, there.lat, there.lng)
    if away_m <= SAME_PLACE_M:
        return ", and so is the place"
    if away_m <= 1000.0:
        return ", less than a kilometre from there"
    return ", but the place is another: give one of them its own"
