"""Reading stores and menus from files that other people made: what can be used is used, the rest is reported by row."""

from stores.importing.menu import MenuImport, MenuRow, read_menu
from stores.importing.places import ProblemClass, classes
from stores.importing.store_file import ImportResult, read_stores
from stores.importing.table import RowProblem, UnreadableFile

__all__ = [
    "ImportResult",
    "MenuImport",
    "MenuRow",
    "ProblemClass",
    "RowProblem",
    "UnreadableFile",
    "classes",
    "read_menu",
    "read_stores",
]
