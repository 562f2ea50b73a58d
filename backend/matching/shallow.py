"""JSON that is not nested too deeply: ijson remembers the whole way down to every level, so depth costs its square."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from stores.importing.table import UnreadableFile

DEEPEST = 500
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_OTHERS = bytes(set(range(256)) - set(b'"[]{}'))


class ShallowJson:
    """A file of JSON as it is read. Raises `UnreadableFile` once it is nested more than `DEEPEST` levels deep."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._depth = 0
        self._quoted = False
        self._open = b""
        """A backslash at the end, which escapes what comes next."""

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data = self._file.read(size)
        self._look(data)
        return data

    def _look(self, data: bytes) -> None:
        rest = self._open + data
        if b"\\" in rest:
            rest = _ESCAPED.sub(b"", rest)
        self._open = rest[-1:] if rest.endswith(b"\\") else b""
        parts = rest.translate(None, _OTHERS).split(b'"')
        brackets = np.frombuffer(b"".join(parts[self._quoted :: 2]), np.uint8)
        self._quoted ^= len(parts) % 2 == 0
        if brackets.size:
            depths = self._depth + np.cumsum(np.where(np.isin(brackets, (ord("["), ord("{"))), 1, -1))
            self._depth = int(depths[-1])
            if depths.max() > DEEPEST:
                raise UnreadableFile("the file of points is nested too deeply to be GeoJSON")
