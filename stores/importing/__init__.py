"""Reading stores and menus from files that other people made: what can be used is used, the rest is reported by row."""

from stores.importing.menu import MenuImport, MenuRow, read_menu
from stores.importing.places import ProblemClass, classes
from stores.importing.sensitive_file import SensitiveImport, category_of, read_sensitive
from stores.importing.store_file import ImportResult, read_stores
from stores.importing.table import RowProblem, UnreadableFile
from stores.importing.trace import Recorded, TraceImport, read_trace

__all__ = [
    "ImportResult",
    "MenuImport",
    "MenuRow",
    "ProblemClass",
    "Recorded",
    "RowProblem",
    "SensitiveImport",
    "TraceImport",
    "UnreadableFile",
    "category_of",
    "classes",
    "read_menu",
    "read_sensitive",
    "read_stores",
    "read_trace",
]
