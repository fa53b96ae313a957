"""SQLite's errors as sqlamarr's, with the statement and, where known, a remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import apsw

from sqlamarr.database.policy import function_hint
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.library import check

#: The remedy for a duplicate key.
SAME_KEY = "two rows have the same key: add a column to the key that distinguishes them"


def raise_native(status: int, sql: str) -> None:
    """Raise the error of a native call, with the statement.

    :param status: what the call returned; 0: no error
    """
    try:
        check(status)
    except (SqlError, DataError) as error:
        raise type(error)(with_statement(str(error), sql)) from None


def with_statement(message: str, sql: str) -> str:
    """A message with a hint, and the statement in one line."""
    if "UNIQUE constraint failed" in message:
        message += f"; {SAME_KEY}"
    message += function_hint(message)
    if "may not be modified" in message:
        message += "; a step that changes it must list it: a script under 'tables', Python under 'writes'"
    text = re.sub(r"\s+", " ", sql).strip()
    return f"{message}\n  in: {text if len(text) <= 400 else text[:400] + ' ...'}"


@contextmanager
def sql_errors(doing: str, sql: str = "", done: Sequence[str] = ()) -> Iterator[None]:
    """Convert errors of SQLite within the block to sqlamarr's.

    :param doing: the start of the message
    :param sql: the statements
    :param done: the statements that have started to run; may grow within the block
    :raises SqlError: with the position in ``sql``, where SQLite reports it
    """
    try:
        yield
    except apsw.Error as error:
        message = f"{doing}: {error}"
        if not sql:
            raise SqlError(message) from error
        raise SqlError(with_statement(message, sql), _offset(error, sql, "".join(done))) from error


def _offset(error: apsw.Error, sql: str, done: str) -> int | None:
    """The position of an error in the statements, in characters; SQLite counts bytes in the one that it compiles."""
    within = getattr(error, "error_offset", -1)
    if within < 0 or not sql.startswith(done):
        return None
    return len(done) + len(sql[len(done) :].encode()[:within].decode(errors="ignore"))
