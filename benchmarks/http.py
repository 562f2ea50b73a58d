"""Measures the API over HTTP against an empty route of the same server: `python benchmarks/http.py --seconds 5`."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # A script's own folder is looked in first, and there this file would hide the standard library's `http`.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from benchmarks.compare import main

    main()
