"""Matching a file of points with the stores of another, chunk by chunk: memory does not grow with the file."""

from backend.matching.files import match_files

__all__ = ["match_files"]
