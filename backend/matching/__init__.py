"""Matching a file of points with the stores of another, chunk by chunk: memory does not grow with the file."""

from backend.matching.files import match_files
from backend.matching.telling import Progress, interruptible

__all__ = ["Progress", "interruptible", "match_files"]
