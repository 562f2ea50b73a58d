"""Tables with column names we did not choose: reading them, matching columns to fields, reading single values.

Reasons never repeat a value, because a value may be a coordinate or say something about a person: the number of the row
and the name of the field are enough to find it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from math import isfinite
from re import fullmatch
from typing import TypeVar
from unicodedata import category

T = TypeVar("T")

Aliases = Mapping[str, tuple[str, ...]]
"""For each field the column names it is known by, best first, after its own name; case, blanks and `_-.:` do not
matter."""

POSITION: Aliases = {"lat": ("latitude", "y"), "lng": ("lon", "long", "longitude", "x")}
"""What files call a position's fields, beside the fields' own names."""

LONGEST_ID = 128

PACKED = {
    b"PK\x03\x04": "a spreadsheet or a zip archive: save the sheet as CSV in UTF-8, or unpack the archive",
    b"\x1f\x8b": "packed with gzip: unpack it",
}
"""What to say of files that begin so."""


class UnreadableFile(ValueError):
    """The file as a whole cannot be imported; the message says why, without repeating what is in it."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is to be said of a row: why it was not imported, or what of it was not taken as it stands.

    `row` counts CSV records (without the header) or features, from 1.
    """

    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file with its columns matched to fields; `rows` gives for each row the fields that have a value."""

    fields: Mapping[str, str]
    """Which column was taken for which field."""
    rows: tuple[tuple[int, Mapping[str, str]], ...]
    problems: tuple[RowProblem, ...]


def read_csv(data: bytes, aliases: Aliases, required: Sequence[str], mapping: Mapping[str, str] | None = None) -> Table:
    """Read a CSV file with a header; `,`, `;` and tab are recognised as delimiters, blank records are skipped.

    `mapping` (field to column) goes before the aliases. Raises `UnreadableFile` for a broken file or a missing column,
    ValueError for a mapping with an unknown field or column.
    """
    records = _records(decode(data))
    columns = next(records, None)
    if columns is None:
        raise UnreadableFile("the file is empty: a header row with column names is needed")
    if any("\0" in column for column in columns):
        raise UnreadableFile("the file is not text in UTF-8: save it as a CSV file in UTF-8 and try again")
    fields = match_columns([column.strip() for column in columns], aliases, required, mapping)
    places = {name: [column.strip() for column in columns].index(column) for name, column in fields.items()}
    rows: list[tuple[int, Mapping[str, str]]] = []
    problems: list[RowProblem] = []
    for number, record in enumerate(records, start=1):
        if len(record) > len(columns):
            problems.append(RowProblem(number, "row", f"has {len(record)} cells, but the header has {len(columns)}"))
            continue
        cells = ((name, record[place].strip()) for name, place in places.items() if place < len(record))
        rows.append((number, {name: text for name, text in cells if text}))
    return Table(fields, tuple(rows), tuple(problems))


def to_float(text: str) -> float:
    """A number as files write it. Python would also take `1_0` for 10. Raises ValueError otherwise."""
    if "_" in text:
        raise ValueError("is not a number")
    return float(text)


def degrees(text: str) -> float:
    """Degrees written with a point or a decimal comma: no latitude or longitude has thousands that a comma could part.

    Raises ValueError when the text is no finite number.
    """
    try:
        value = to_float(text.replace(",", ".") if fullmatch(r"[+-]?\d{1,3},\d+", text) else text)
    except ValueError:
        # The words of the built-in error repeat the text.
        raise ValueError("is not a number") from None
    if not isfinite(value):
        raise ValueError("is not a number")
    return value


def decode(data: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark. Raises `UnreadableFile` otherwise."""
    for beginning, advice in PACKED.items():
        if data.startswith(beginning):
            raise UnreadableFile(f"the file is {advice}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"the file is not UTF-8 (byte {error.start}): save it as UTF-8 and try again") from None


def match_columns(
    columns: Sequence[str], aliases: Aliases, required: Sequence[str], mapping: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Find the column of every field; fields without one are left out. Errors as in `read_csv`."""
    fields = _chosen(columns, aliases, mapping or {})
    by_key: dict[str, list[str]] = {}
    for column in columns:
        by_key.setdefault(_key(column), []).append(column)
    for name in aliases:
        found = next((by_key[alias] for alias in map(_key, (name, *aliases[name])) if alias in by_key), None)
        if name in fields or found is None:
            continue
        if len(found) > 1:
            raise UnreadableFile(f"{len(found)} columns could be the {name} ({', '.join(found)}): name one to use")
        fields[name] = found[0]
    missing = [name for name in required if name not in fields]
    if missing:
        # What the first line holds is not repeated: in a file without a header it is somebody's row.
        raise UnreadableFile(
            f"no column for {', '.join(missing)} among {len(columns)}: the first line must name the columns; "
            "if it does so in other words, name the right ones, as field=column"
        )
    return fields


def _chosen(columns: Sequence[str], aliases: Aliases, mapping: Mapping[str, str]) -> dict[str, str]:
    chosen = {}
    for name, wanted in mapping.items():
        if name not in aliases:
            raise ValueError(f"there is no field {name!r} to map; the fields are {', '.join(aliases)}")
        matches = [column for column in columns if column == wanted]
        matches = matches or [column for column in columns if _key(column) == _key(wanted)]
        if not matches:
            raise ValueError(f"there is no column {wanted!r} for {name} among the {len(columns)} of the file")
        if len(matches) > 1:
            raise ValueError(f"{len(matches)} columns are called {wanted!r}: give each its own name")
        chosen[name] = matches[0]
    return chosen


@dataclass(slots=True)
class RowReader:
    """Reads the values of one row and collects all that is wrong with them.

    With a problem the row cannot be used; a note tells of something that was left out or taken from elsewhere.
    """

    row: int
    values: Mapping[str, str]
    problems: list[RowProblem] = field(default_factory=list)
    notes: list[RowProblem] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name, text in self.values.items():
            if any(ord(char) == 0 or 0xD800 <= ord(char) <= 0xDFFF for char in text):
                self.fail(name, "holds characters that are no text")
            elif name.endswith("id") and not _is_id(text):
                wanted = f"must have at most {LONGEST_ID} characters, none of them for control"
                self.fail(name, f'{wanted}, cannot begin with "/", and cannot be "*"')

    def fail(self, name: str, reason: str) -> None:
        """Report the field; the row cannot be used."""
        self.problems.append(RowProblem(self.row, name, reason))

    def note(self, name: str, reason: str) -> None:
        """Report the field, and use the row all the same."""
        self.notes.append(RowProblem(self.row, name, reason))

    def text(self, name: str) -> str:
        """The field's text, which must be there; empty when it is not (and reported)."""
        value = self.values.get(name, "")
        if not value:
            self.fail(name, "is missing")
        return value

    def number(self, name: str, lowest: float, highest: float) -> float | None:
        """The field as a finite number between two bounds, both allowed; None when missing or wrong (then reported)."""
        text = self.values.get(name)
        return None if text is None else self._number(name, text, lowest, highest)

    def _number(self, name: str, text: str, lowest: float, highest: float) -> float | None:
        try:
            value = to_float(text)
        except ValueError:
            hint = ": use a point, not a comma, before the decimals" if "," in text else ""
            self.fail(name, f"is not a number{hint}")
            return None
        if not (isfinite(value) and lowest <= value <= highest):
            self.fail(name, f"must lie between {lowest:g} and {highest:g}")
            return None
        return value

    def whole(self, name: str, lowest: int, highest: int) -> int | None:
        """The field as a whole number between two bounds, both allowed; None when missing or wrong (then reported)."""
        value = self.number(name, lowest, highest)
        if value is not None and value != int(value):
            self.fail(name, "must be a whole number")
            return None
        return None if value is None else int(value)

    def read(self, name: str, read: Callable[[str], T]) -> T | None:
        """The field as `read` makes it of its text; None when missing, or when `read` raises ValueError (reported)."""
        text = self.values.get(name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError as error:
            self.fail(name, str(error))
            return None


def _is_id(text: str) -> bool:
    """Whether a path of the API can name it."""
    plain = all(category(letter) != "Cc" for letter in text)
    return plain and len(text) <= LONGEST_ID and not text.startswith("/") and text != "*"


def delimiter_of(header: str) -> str:
    """Which of `,`, `;` and tab a table's first line is cut by."""
    return max(",;\t", key=header.count)


def _records(text: str) -> Iterator[list[str]]:
    lines = text.lstrip("\r\n")
    header = lines.partition("\n")[0]
    reader = csv.reader(StringIO(lines, newline=""), delimiter=delimiter_of(header), strict=True)
    number = 0
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield record
                number += 1
    except csv.Error as error:
        raise UnreadableFile(f"the quoting or a cell of data row {number} cannot be read: {error}") from None


def _key(column: str) -> str:
    return "".join(letter for letter in column.casefold() if letter not in " _-:.")
