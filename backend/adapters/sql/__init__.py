"""The books in a database: SQLite on one machine, PostgreSQL on several."""

from backend.adapters.sql.chain import SqlChain
from backend.adapters.sql.database import Database, check_newest, upgrade
from backend.adapters.sql.keys import SqlKeys
from backend.adapters.sql.ledger import SqlLedger
from backend.adapters.sql.members import SqlMembers

__all__ = ["Database", "SqlChain", "SqlKeys", "SqlLedger", "SqlMembers", "check_newest", "upgrade"]
