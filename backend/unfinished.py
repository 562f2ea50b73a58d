"""Writing a file beside the one that is to be, which takes its name only once all is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile


def keep_inputs(output: Path, **inputs: Path) -> None:
    """Raise ValueError when writing `output` would replace one of the inputs, each given by what it is called."""
    for name, path in inputs.items():
        if output.exists() and path.exists() and output.samefile(path):
            raise ValueError(f"the output would replace the {name}: choose another name")


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """Where to write what becomes `path` at the end. After an error or ctrl-C nothing is left of it.

    Raises ValueError when `path` is a folder or a device, or in a folder that is not there.
    """
    if (path.exists() and not path.is_file()) or not path.parent.is_dir():
        raise ValueError("the output must be a file in a folder that is there")
    with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False) as file:
        beside = Path(file.name)
    try:
        yield beside
        # A temporary file is for its owner only; this one is to be like any other.
        beside.chmod(0o666 & ~_umask())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _umask() -> int:
    """The process's mask of permissions, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
