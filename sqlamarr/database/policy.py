"""Access policy: what the SQL of a step or a user may do on a connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from sqlamarr.errors import SqlError
from sqlamarr.native.library import check, ffi, lib, text

TRUSTED, USING, DECLARING = 0, 1, 2


def function_hint(message: str) -> str:
    """What to use instead of a refused function, for the end of SQLite's message about it."""
    _, refused, function = message.lower().partition("not authorized to use function: ")
    if not refused or function.startswith("load_extension"):
        return ""
    if function.startswith("random"):
        return "; its result does not depend on the seed: use uniform_at, normal_at or category_at"
    if function.startswith(("changes", "total_changes", "last_insert_rowid")):
        return "; its result depends on earlier writes, and so on the size of the batches"
    return "; its result may depend on the time, but results must depend only on the seed: pass a date as a condition"


def refuse_closed(connection: apsw.Connection) -> None:
    """Refuse a closed connection before a native call, which would crash.

    :raises SqlError: the connection is closed
    """
    try:
        connection.sqlite3_pointer()
    except apsw.ConnectionClosedError as error:
        raise SqlError("The database is closed. Read within the 'with' block, or open it again.") from error


class Policy:
    """The policy of one connection. SQLite checks it while preparing a statement: see ``src/sqlite/authorizer.cpp``.

    :param connection: with sqlamarr's library loaded
    :param pointer: its ``sqlite3 *``
    """

    def __init__(self, connection: apsw.Connection, pointer: Any) -> None:
        self._connection, self._pointer = connection, pointer
        self._now: tuple[int, tuple[str, ...]] = (TRUSTED, ())

    @property
    def tag(self) -> str:
        """A comment to append to a statement, so that a cached statement is never reused under another policy."""
        kind, tables = self._now
        if kind == TRUSTED:
            return ""
        # After a semicolon where views are created, as these would keep it as part of their text.
        begin = "\n;--" if kind == DECLARING else "\n--"
        return f"{begin} {kind} {' '.join(table.encode().hex() for table in tables)}"

    @contextmanager
    def limited(self, kind: int, tables: Sequence[str]) -> Iterator[None]:
        """Use another policy within the block; blocks can be nested."""
        before = self._now
        self._set(kind, tuple(tables))
        try:
            yield
        finally:
            self._set(*before)

    def refusal(self) -> str:
        """Describe what the last refused statement tried to do."""
        wanted = text(lib.sqlamarr_denied(self._pointer))
        return f"not authorized: a statement of a step or a user may not {wanted}" if wanted else "not authorized"

    def _set(self, kind: int, tables: tuple[str, ...]) -> None:
        if (kind, tables) != self._now:
            refuse_closed(self._connection)
            names = [ffi.new("char[]", table.encode()) for table in tables]
            check(lib.sqlamarr_set_policy(self._pointer, kind, ffi.new("char *[]", names or [ffi.NULL]), len(names)))
            self._now = (kind, tables)
