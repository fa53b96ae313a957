"""CREATE TABLE statements, as they are copied from a working database to an output file."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlamarr.database.connection import Database
from sqlamarr.errors import PipelineError

#: Tables that every output file has besides the pipeline's.
RUN_TABLES = ("DataSources", "Events", "RejectedEvents")

# A foreign key in the one form that declarations may use: after its column, without actions.
_REFERENCE = re.compile(r"\s+REFERENCES\s+\"?(\w+)\"?\s*\(\s*\w+\s*\)(?=\s*(?:,|\)|--|NOT\s|NULL|$))", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_NEEDS_ROWS = re.compile(r"\b(CHECK|UNIQUE|DEFAULT|GENERATED|AS|COLLATE|AUTOINCREMENT|CONFLICT)\b", re.IGNORECASE)
_STRICT = re.compile(r"\)\s*STRICT\s*$", re.IGNORECASE)


def check_foreign_keys(db: Database, origin: str) -> None:
    """Make sure that every foreign key has the form that :func:`declaration` understands.

    :param origin: where the declarations come from, e.g. a file
    :raises PipelineError: a foreign key has another form
    """
    for table, sql in db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall():
        (n,) = db.execute("SELECT count(*) FROM pragma_foreign_key_list(?)", (table,)).fetchone() or (0,)
        if n != len(_REFERENCE.findall(str(sql))):
            raise PipelineError(
                f"{origin}, table {table}: write a foreign key after its column, as 'REFERENCES Table(column)', "
                "without ON DELETE or similar clauses."
            )


def declaration_of(db: Database, table: str) -> str:
    """The statement that made ``table``."""
    row = db.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (table,)).fetchone()
    assert row is not None, table
    return str(row[0])


def needing_rows(db: Database) -> set[str]:
    """Tables with features that only SQLite's own tables have: constraints and defaults beyond keys and NOT NULL,
    indexes, triggers, and columns that are generated or have types other than INTEGER, REAL and TEXT.
    """
    found = {str(row[0]) for row in db.execute("SELECT tbl_name FROM sqlite_schema WHERE type IN ('index', 'trigger') "
                                               "AND sql IS NOT NULL")}  # fmt: skip
    for table in db.tables():
        if _NEEDS_ROWS.search(_COMMENT.sub("", declaration_of(db, table))) or 0 in db.declared_types(table).values():
            found.add(table)
    return found


def declaration(db: Database, table: str, keep: Collection[str]) -> str:
    """The statement that makes ``table``, with only those foreign keys whose parent is in ``keep``."""
    sql = declaration_of(db, table)
    kept = {name.lower() for name in keep}
    declared = _REFERENCE.sub(lambda match: match.group(0) if match.group(1).lower() in kept else "", sql)
    return _STRICT.sub(")", declared)  # SQLite before 3.37 can then read the file
