"""Where hits are written."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from backend.unfinished import unfinished

COLUMNS = ("point", "store_id", "distance_m")


class Sink(Protocol):
    """Takes hits, in order."""

    def write(self, point: NDArray[np.int64], store_id: Sequence[str], distance_m: NDArray[np.float64]) -> None:
        """Take some more."""


@contextmanager
def open_output(path: Path) -> Iterator[Sink]:
    """A sink for a CSV or Parquet file, by the end of its name. After an error or ctrl-C nothing is left."""
    with unfinished(path) as beside, (_csv if path.suffix.lower() == ".csv" else _parquet)(beside) as sink:
        yield sink


class _CsvSink:
    def __init__(self, file: object) -> None:
        self._writer = csv.writer(file)  # type: ignore[arg-type]
        self._writer.writerow(COLUMNS)

    def write(self, point: NDArray[np.int64], store_id: Sequence[str], distance_m: NDArray[np.float64]) -> None:
        self._writer.writerows(zip(point.tolist(), store_id, distance_m.tolist(), strict=True))


@contextmanager
def _csv(path: Path) -> Iterator[Sink]:
    with path.open("w", encoding="utf-8", newline="") as file:
        yield _CsvSink(file)


@contextmanager
def _parquet(path: Path) -> Iterator[Sink]:
    import pyarrow
    from pyarrow import parquet

    types = (pyarrow.int64(), pyarrow.string(), pyarrow.float64())
    schema = pyarrow.schema([pyarrow.field(*each, nullable=False) for each in zip(COLUMNS, types, strict=True)])
    with parquet.ParquetWriter(path, schema) as writer:

        class _ParquetSink:
            def write(self, point: NDArray[np.int64], store_id: Sequence[str], distance_m: NDArray[np.float64]) -> None:
                columns = [pyarrow.array(*each) for each in zip((point, store_id, distance_m), types, strict=True)]
                writer.write_table(pyarrow.table(columns, schema=schema))

        yield _ParquetSink()
