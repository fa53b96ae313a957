"""CREATE TABLE statements, as they are taken over from a working database into an output file."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlamarr.database import Database
from sqlamarr.errors import PipelineError

# A foreign key in the one form that declarations may use: behind its column, without actions.
_REFERENCE = re.compile(r"\s+REFERENCES\s+\"?(\w+)\"?\s*\(\s*\w+\s*\)(?=\s*(?:,|\)|--|NOT\s|NULL|$))", re.IGNORECASE)
_STRICT = re.compile(r"\)\s*STRICT\s*$", re.IGNORECASE)


def check_foreign_keys(db: Database, origin: str) -> None:
    """Make sure that every foreign key has the form that :func:`declaration` understands.

    :param origin: what to blame, e.g. the file with the declarations
    :raises PipelineError: one has not
    """
    for table, sql in db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall():
        (n,) = db.execute("SELECT count(*) FROM pragma_foreign_key_list(?)", (table,)).fetchone() or (0,)
        if n != len(_REFERENCE.findall(str(sql))):
            raise PipelineError(
                f"{origin}, table {table}: write foreign keys behind their column, as 'REFERENCES Table(column)', "
                "without ON DELETE and the like."
            )


def declaration(db: Database, table: str, keep: Collection[str]) -> str:
    """The statement that makes ``table``, with only those foreign keys whose parent is among ``keep``."""
    row = db.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)).fetchone()
    assert row is not None, table
    kept = {name.lower() for name in keep}
    declared = _REFERENCE.sub(lambda match: match.group(0) if match.group(1).lower() in kept else "", str(row[0]))
    return _STRICT.sub(")", declared)  # a file stays readable for SQLite before 3.37
