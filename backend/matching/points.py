"""Points of a file, chunk by chunk. A row is numbered from 0; a blank line of a CSV file is no row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from math import nan
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stores.batch import on_earth
from stores.importing.table import POSITION, UnreadableFile, delimiter_of, match_columns, to_float

CHUNK = 131_072
LIMITS = {"lat": 90, "lng": 180}

Floats: TypeAlias = NDArray[np.float64]
Reasons: TypeAlias = dict[int, str]


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why the position of a row cannot be used, without repeating it."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows that follow each other: numbers and positions of those that can be used, and what is wrong with others."""

    rows: NDArray[np.int64]
    lats: Floats
    lngs: Floats
    problems: tuple[Unusable, ...]


def make_chunk(first: int, lats: Floats, lngs: Floats, reasons: Mapping[int, str]) -> Chunk:
    """The chunk that begins at row `first`; `reasons` say more of a place in it than that it holds no number."""
    good = on_earth(lats, lngs)
    wrong = np.flatnonzero(~good).tolist()
    problems = tuple(
        Unusable(first + at, reasons.get(at) or _reason("lat", float(lats[at])) or _reason("lng", float(lngs[at])))
        for at in wrong
    )
    return Chunk(first + np.flatnonzero(good), lats[good], lngs[good], problems)


def read_csv_points(path: Path, mapping: Mapping[str, str]) -> Iterator[Chunk]:
    """Points of a CSV file with a header; `,`, `;` and tab are recognised. Raises `UnreadableFile`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            header = next((line for line in file if line.strip()), "")
            records = csv.reader(chain([header], file), delimiter=delimiter_of(header), strict=True)
            yield from _csv_chunks(records, mapping)
        except UnicodeDecodeError:
            raise UnreadableFile("the file of points is not UTF-8: save it as UTF-8 and try again") from None
        except csv.Error as error:
            raise UnreadableFile(f"the quoting or a cell of the file of points cannot be read: {error}") from None


def read_parquet_points(path: Path, mapping: Mapping[str, str]) -> Iterator[Chunk]:
    """Points of a Parquet file, in columns of numbers or of text. Raises `UnreadableFile`."""
    import pyarrow
    from pyarrow import parquet

    try:
        # Buffered beforehand, what was read would stay in memory to the end.
        with parquet.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
            fields = match_columns(file.schema_arrow.names, POSITION, tuple(POSITION), mapping)
            first = 0
            for batch in file.iter_batches(CHUNK, columns=list(dict.fromkeys(fields.values()))):
                numbers = {name: _column(batch.column(fields[name]), name) for name in POSITION}
                yield make_chunk(first, numbers["lat"][0], numbers["lng"][0], numbers["lng"][1] | numbers["lat"][1])
                first += batch.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise UnreadableFile("the file of points is no Parquet file, or it is damaged") from error


def _csv_chunks(records: Iterator[list[str]], mapping: Mapping[str, str]) -> Iterator[Chunk]:
    columns = [column.strip() for column in next(records, [])]
    fields = match_columns(columns, POSITION, tuple(POSITION), mapping)
    places = {name: columns.index(column) for name, column in fields.items()}
    rows = (record for record in records if len(record) > 1 or any(map(str.strip, record)))
    first = 0
    while chunk := list(islice(rows, CHUNK)):
        reasons: Reasons = {}
        if any(len(record) != len(columns) for record in chunk):
            reasons = _even_out(chunk, len(columns))
        lats, no_lat = to_numbers("lat", [record[places["lat"]] for record in chunk])
        lngs, no_lng = to_numbers("lng", [record[places["lng"]] for record in chunk])
        yield make_chunk(first, lats, lngs, no_lng | no_lat | reasons)
        first += len(chunk)


def _even_out(chunk: list[list[str]], width: int) -> Reasons:
    """Give every record as many cells as the header. One with more may hold anything in them, so it holds nothing."""
    reasons = {}
    for at, record in enumerate(chunk):
        if len(record) > width:
            reasons[at] = f"has {len(record)} cells, but the header has {width}"
            chunk[at] = [""] * width
        elif len(record) < width:
            chunk[at] = record + [""] * (width - len(record))
    return reasons


def to_numbers(name: str, texts: Sequence[str | None]) -> tuple[Floats, Reasons]:
    """The numbers that texts say, not a number where a text says none, and why."""
    try:
        if "_" not in "".join(texts):  # type: ignore[arg-type]
            return np.array([float(text) for text in texts], np.float64), {}  # type: ignore[arg-type]
    except (TypeError, ValueError):
        pass
    numbers = [_number(text) for text in texts]
    reasons = {
        at: f"{name} is not a number" if text and text.strip() else f"{name} is missing"
        for at, (text, number) in enumerate(zip(texts, numbers, strict=True))
        if number is None
    }
    return np.array([nan if number is None else number for number in numbers], np.float64), reasons


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else to_float(text)
    except ValueError:
        return None


def _column(column: Any, name: str) -> tuple[Floats, Reasons]:
    import pyarrow

    kind = column.type
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        return to_numbers(name, column.to_pylist())
    if not (pyarrow.types.is_floating(kind) or pyarrow.types.is_integer(kind) or pyarrow.types.is_decimal(kind)):
        raise UnreadableFile(f"the column for {name} holds neither numbers nor text")
    missing: Iterable[int] = np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False)).tolist()
    numbers = column.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(numbers, np.float64), dict.fromkeys(missing, f"{name} is missing")


def _reason(name: str, number: float) -> str:
    if number != number:
        return f"{name} is not a number"
    return "" if abs(number) <= LIMITS[name] else f"{name} must lie between -{LIMITS[name]} and {LIMITS[name]}"
