"""The table Checksums of a file that is being written, kept in step with the other tables."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from sqlamarr.database.connection import Database, quote_identifier
from sqlamarr.native.columns import Columns
from sqlamarr.output.checksums import SCHEMA, TABLE, VERSION, Hasher, Sums, has_checksums, stored_sums


class Ledger:
    """Keeps the table Checksums of a file that is being written.

    What is noted goes into the table by :meth:`write`, to be called in the transaction of the rows.

    :param db: the file
    :param new: the table does not exist yet, and :meth:`begin` creates it; older files without one stay so
    """

    def __init__(self, db: Database, *, new: bool = False) -> None:
        self._db, self._hasher = db, Hasher(db)
        self._new, self._again = Sums(), set[str]()
        self.active = not new and has_checksums(db)

    def begin(self) -> None:
        """Create the table in a new file, after all others, and mark the file's header."""
        self._db.execute((files("sqlamarr.output") / "checksums.sql").read_text())
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        self.active = True
        self.recompute(SCHEMA)

    def add(self, table: str, columns: Mapping[str, Any]) -> None:
        """Note rows that are inserted."""
        if self.active:
            rows = columns if isinstance(columns, Columns) else Columns(columns)
            self.add_sums(self._hasher.of(table, rows))

    def insert_row(self, table: str, *values: Any, replace: bool = False) -> None:
        """Insert a row into a bookkeeping table.

        :param replace: replace the row with the same key (the first column), if there is one
        """
        if self.active and replace:
            key = next(iter(self._db.declared_types(table)))
            query = f"SELECT * FROM {quote_identifier(table)} WHERE {quote_identifier(key)} = ?"
            if old := self._db.execute(query, (values[0],)).fetchall():
                self._new.update(self._hasher.of(table, self._hasher.columns(table, old)), -1)
        self._db.execute(
            f"INSERT {'OR REPLACE ' * replace}INTO {quote_identifier(table)} VALUES ({', '.join('?' * len(values))})",
            values,
        )
        if self.active:
            self.add_sums(self._hasher.of(table, self._hasher.columns(table, [values])))

    def add_sums(self, sums: Sums) -> None:
        """Note inserted rows whose checksums are known."""
        self._new.update(sums)
        self._again.update(table for _, table in sums if self._hasher.replaces_rows(table))

    def recompute(self, table: str) -> None:
        """Note a table that was changed in another way; it is read again in :meth:`write`."""
        self._again.add(table)

    def forget(self) -> None:
        """Drop what was noted, because the transaction is rolled back."""
        self._new, self._again = Sums(), set()

    def write(self) -> None:
        """Bring the table up to date."""
        if self.active:
            for table in self._again:
                self._new = Sums({key: value for key, value in self._new.items() if key[1] != table})
                self._new.update(self._hasher.stored(self._db, table))
                self._db.execute(f"DELETE FROM {TABLE} WHERE name = ?", (table,))
            total = Sums()
            for block in {block for block, _ in self._new}:
                total.update(stored_sums(self._db, block))
            total.update(self._new)
            for block, table in self._new:
                rows, checksum = total.get(block, table)
                self._db.execute(
                    f"INSERT OR REPLACE INTO {TABLE} VALUES (?, ?, ?, ?)", (block, table, rows, _signed(checksum))
                )
        self.forget()


def _signed(checksum: int) -> int:
    return checksum - 2**64 if checksum >= 2**63 else checksum
