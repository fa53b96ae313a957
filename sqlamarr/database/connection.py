"""An SQLite connection with the native library loaded; all access to SQLite goes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import apsw

from sqlamarr.checking.wording import counted
from sqlamarr.database.policy import DECLARING, TRUSTED, USING, Policy, refuse_closed
from sqlamarr.database.sql_errors import raise_native, sql_errors, with_statement
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Array, Columns, null_count, without_values
from sqlamarr.native.library import ffi, lib, library_path

if TYPE_CHECKING:
    import pandas as pd

BUSY_TIMEOUT = 60_000  # ms to wait for another process that reads or writes the file

_NOT_UTF8 = "a text is not UTF-8"
_IN = "\n  in: "  # between a message and its statement

Parameters = Mapping[str, Any] | Sequence[Any]
Rows = tuple[list[str], list[tuple[Any, ...]]]


def quote_identifier(name: str) -> str:
    """Quote ``name`` as an SQL identifier, whatever characters it contains.

    :raises SqlError: it is empty or contains a NUL character
    """
    if "\0" in name or not name:
        raise SqlError(f"{name!r} cannot be an SQL name.")
    return '"' + name.replace('"', '""') + '"'


class Database:
    """An SQLite database in memory or in a file, with sqlamarr's SQL functions.

    :param path: a file, or ``":memory:"``
    :param readonly: refuse every write; the file must exist

    >>> with Database() as db:
    ...     db.insert("t", {"x": [3.0, 0.0], "y": [4.0, 1.0]}, create=True)
    ...     db.arrays("SELECT norm2(x, y, 0) AS r FROM t")["r"]
    array([5., 1.])
    """

    def __init__(self, path: str | PathLike[str] = ":memory:", *, readonly: bool = False) -> None:
        self.path = fspath(path)
        flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        with sql_errors(f"Opening {self.path}"):
            self._connection = apsw.Connection(self.path, flags=flags)
            self._connection.cursor_factory = _Cursor
            _load_library(self._connection)
            _make_safe(self._connection)
        self._pointer = ffi.cast("sqlite3 *", self._connection.sqlite3_pointer())
        self._policy = Policy(self._connection, self._pointer)
        self._compiled: list[Any] = []  # statements to be released before the connection closes

    # -- life ------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connection; using the database afterwards is an error."""
        while self._compiled:
            ffi.release(self._compiled.pop())
        self._connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_compiled"):
            self.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> apsw.Connection:
        """The apsw connection, for whatever this class does not offer."""
        return self._connection

    @property
    def pointer(self) -> Any:
        """The ``sqlite3 *`` for native calls; valid while the database is open."""
        refuse_closed(self._connection)
        return self._pointer

    # -- statements ------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = ()) -> apsw.Cursor:
        """Run one or more statements; the cursor iterates over the rows of those that return any.

        :raises SqlError: SQLite refuses a statement; with SQLite's message and the statement
        """
        done: list[str] = []

        def note(_: apsw.Cursor, statement: str, __: Any) -> bool:
            done.append(statement)
            return True

        with self._errors("SQL", sql, done):
            cursor = self._connection.cursor()
            cursor.exec_trace = note
            return cursor.execute(sql + self._policy.tag, parameters)

    def rows(self, sql: str, parameters: Parameters = (), *, single: bool = False) -> Rows:
        """The column names and all rows of a query; the names are given even if there are no rows.

        :param single: refuse a second query in the text
        :raises SqlError: SQLite refuses a statement; with SQLite's message and the statement
        """
        names: list[str] = []
        done: list[str] = []

        def describe(cursor: apsw.Cursor, statement: str, __: Any) -> bool:
            done.append(statement)
            found = [str(column[0]) for column in cursor.get_description()]
            if single and names and found:
                raise SqlError(with_statement("Expected one query, found two that return rows.", sql))
            names[:] = found or names
            return True

        with self._errors("SQL", sql, done):
            cursor = self._connection.cursor()
            cursor.exec_trace = describe
            return names, cursor.execute(sql + self._policy.tag, parameters).fetchall()

    def describe(self, sql: str, parameters: Parameters = ()) -> dict[str, str]:
        """Names of a query's columns and, for those that are plain columns of tables, their declared types.

        :raises SqlError: if SQLite refuses the query, or two columns have one name
        """
        return {name: origin[0] for name, origin in self.origins(sql, parameters).items()}

    def origins(self, sql: str, parameters: Parameters = ()) -> dict[str, tuple[str, str, str]]:
        """Where the columns of a query come from: declared type, table and its column; empty for expressions.

        :raises SqlError: if SQLite refuses the query, or two columns have one name
        """
        found: list[tuple[str, tuple[str, str, str]]] = []

        def look(cursor: apsw.Cursor, _: str, __: Any) -> bool:
            for name, declared, _database, table, column in cursor.description_full:
                found.append((str(name), (str(declared or ""), str(table or ""), str(column or ""))))
            return False

        with sql_errors("Query", sql):
            cursor = self._connection.cursor()
            cursor.exec_trace = look
            with suppress(apsw.ExecTraceAbort):
                cursor.execute(sql, parameters)
        names = [name for name, _ in found]
        if twice := {name for name in names if names.count(name) > 1}:
            raise SqlError(f'The query returns two columns named "{min(twice)}"; rename one with AS.')
        return dict(found)

    def arrays(self, sql: str, parameters: Parameters = ()) -> dict[str, Array]:
        """The result of a query as numpy arrays by column name, in the query's row order.

        Integers give int64 (a masked array if NULLs are among them), REAL gives float64 with NaN
        for NULL, TEXT an object array with None for NULL. A column without any value has the type that
        its table declares; float64 where it is an expression.

        :raises SqlError: if SQLite refuses the query, or two columns have one name
        :raises DataError: if a column mixes numbers and text, or holds BLOBs
        """
        found = self.columns(sql, parameters)
        declared = self.describe(sql, parameters)
        return {name: without_values(values, transfer_type(declared[name])) for name, values in found.items()}

    def columns(self, sql: str, parameters: Parameters = (), types: Sequence[int] | None = None) -> Columns:
        """The result of a query in native memory; ``types`` sets the columns' types (0: from the values)."""
        query = Query(self, sql, parameters, types)
        try:
            return query()
        finally:
            query.close()

    def prepare(self, sql: str, parameters: Parameters = (), types: Sequence[int] | None = None) -> Query:
        """Compile a query once, to run it any number of times; see :meth:`columns`. It may only read.

        :raises SqlError: if SQLite refuses the query, or two columns have one name
        """
        with self.limited():
            query = Query(self, sql, parameters, types)
        self._compiled.append(query.handle)
        return query

    def dataframe(self, sql: str, parameters: Parameters = ()) -> pd.DataFrame:
        """The result of a query as a pandas DataFrame; integers with NULLs are ``Int64``."""
        import numpy as np
        import pandas as pd

        def series(array: Array) -> Any:
            if isinstance(array, np.ma.MaskedArray):
                return pd.arrays.IntegerArray(np.asarray(array.data), np.ma.getmaskarray(array).copy())
            return np.asarray(array)

        frame: pd.DataFrame = pd.DataFrame(
            {name: series(array) for name, array in self.arrays(sql, parameters).items()}
        )
        return frame

    # -- tables ----------------------------------------------------------------------------------

    def __contains__(self, name: object) -> bool:
        return name in self.tables() or name in self.views()

    def __iter__(self) -> Iterator[str]:
        return iter([*self.tables(), *self.views()])

    def tables(self) -> list[str]:
        """The names of the tables (not views) in the order of their creation."""
        rows = self.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        )
        return [str(row[0]) for row in rows]

    def views(self) -> list[str]:
        """The names of the views in the order of their creation."""
        return [str(row[0]) for row in self.execute("SELECT name FROM sqlite_schema WHERE type = 'view'")]

    def declared_types(self, table: str) -> dict[str, int]:
        """Column name to transfer type (INT64, FLOAT64, TEXT; 0 where the table declares none)."""
        rows = self.execute("SELECT name, type FROM pragma_table_info(?)", (table,))
        types = {str(name): transfer_type(str(declared)) for name, declared in rows}
        if not types:
            raise SqlError(f"There is no table {table!r}; there are: {', '.join(self.tables()) or 'none'}.")
        return types

    def read_table(self, table: str) -> Columns:
        """Read a whole table by its declared types, in the order of its rowid or primary key."""
        types = self.declared_types(table)
        names = ", ".join(quote_identifier(name) for name in types)
        return self.columns(f"SELECT {names} FROM {quote_identifier(table)}", types=list(types.values()))

    def insert(self, table: str, columns: Mapping[str, Any], *, create: bool = False) -> None:
        """Insert columns of equal length into a table, all or nothing.

        :param table: name of the table
        :param columns: arrays by column name: integers, floats (NaN becomes NULL) or text (None
            becomes NULL); masked entries become NULL
        :param create: create the table first if it does not exist, with types from the arrays
        :raises SqlError: unknown table or column, violated constraint
        :raises DataError: unequal lengths, types that SQLite does not have
        """
        data = columns if isinstance(columns, Columns) else Columns(columns)
        if create:
            self._create_like(table, data)
        if not len(data):
            raise DataError(f"There are no columns to insert into {table!r}.")
        self._refuse_null_keys(table, data)
        views, keep = data.native()
        status = lib.sqlamarr_insert(self.pointer, table.encode(), views, len(data), data.rows)
        del keep  # the buffers had to stay alive until here
        if status:
            raise_native(status, f"INSERT INTO {quote_identifier(table)}")

    def _refuse_null_keys(self, table: str, data: Columns) -> None:
        """Refuse NULL keys; SQLite would invent an id for a row whose INTEGER PRIMARY KEY is NULL."""
        for (name,) in self.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,)):
            if name in data and (n := null_count(data.raw(str(name)))):
                raise DataError(f"Table {table!r}: the key column {name!r} is NULL in {counted(n, 'row')}.")

    def _create_like(self, table: str, data: Columns) -> None:
        kinds = {"i": "INTEGER", "f": "REAL", "O": "TEXT"}
        body = ", ".join(f"{quote_identifier(name)} {kinds[array.dtype.kind]}" for name, array in data.items())
        self.execute(f"CREATE TABLE IF NOT EXISTS {quote_identifier(table)} ({body})")

    # -- transactions, copies, tracing --------------------------------------------------------------

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """Run the block as one transaction, all or nothing; blocks can be nested."""
        with sql_errors("Transaction"), ExitStack() as stack:
            with self._policy.limited(TRUSTED, ()):  # the savepoints are our own, whatever statements run between them
                stack.push(self._leave)
                self._connection.__enter__()
            yield

    def _leave(self, kind: Any, error: Any, traceback: Any) -> bool | None:
        with self._policy.limited(TRUSTED, ()):
            return self._connection.__exit__(kind, error, traceback)

    @contextmanager
    def limited(self, tables: Sequence[str] = (), *, declaring: bool = False) -> Iterator[None]:
        """Restrict statements within the block, as they come from someone who is not trusted.

        They may read, call functions, and write to ``tables`` and temporary tables. They must not ATTACH, VACUUM,
        change PRAGMAs, load extensions, create triggers, or begin and end transactions. If the database is writable,
        they must not call random(), date functions, or other functions whose result may differ every time.

        :param declaring: they may also create tables, indexes and views
        """
        with self._policy.limited(DECLARING if declaring else USING, tables):
            yield

    @contextmanager
    def _errors(self, doing: str, sql: str, done: Sequence[str]) -> Iterator[None]:
        try:
            with sql_errors(doing, sql, done):
                yield
        except UnicodeDecodeError as error:
            raise SqlError(with_statement(f"{doing}: {_NOT_UTF8}", sql)) from error
        except SqlError as error:
            if isinstance(error.__cause__, apsw.AuthError):
                raise SqlError(with_statement(f"{doing}: {self._policy.refusal()}", sql)) from error.__cause__
            if _IN not in str(error):  # from the rows
                raise SqlError(with_statement(str(error), sql)) from error.__cause__
            raise

    def backup(self, path: str | PathLike[str]) -> None:
        """Copy the database as it is now into a new or overwritten file."""
        with sql_errors(f"Backup to {fspath(path)}"):
            target = apsw.Connection(fspath(path))
            try:
                with target.backup("main", self._connection, "main") as copy:
                    copy.step()
            finally:
                target.close()

    @contextmanager
    def tracer(self, callback: Callable[[str], object]) -> Iterator[None]:
        """Call ``callback`` with the text of every statement that runs inside the block."""

        def trace(event: dict[str, Any]) -> None:
            if not event["sql"].startswith("--"):
                callback(event["sql"])

        self._connection.trace_v2(apsw.SQLITE_TRACE_STMT, trace)
        try:
            yield
        finally:
            self._connection.trace_v2(0, None)


class _Cursor(apsw.Cursor):
    """The rows of a statement, where SQLite's errors while they are read are ours, too."""

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise _reading_error(error) from error

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise _reading_error(error) from error

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise _reading_error(error) from error


def _reading_error(error: Exception) -> SqlError:
    return SqlError(f"SQL: {_NOT_UTF8 if isinstance(error, UnicodeDecodeError) else error}")


class Query:
    """A compiled query with its parameters; calling it returns the current rows, in native memory."""

    def __init__(self, db: Database, sql: str, parameters: Parameters, types: Sequence[int] | None) -> None:
        self._db, self._sql = db, sql
        self._values, self._keep = _bind(parameters)
        c_types = ffi.NULL if types is None else ffi.new("int[]", list(types))
        out = ffi.new("sqlamarr_query **")
        status = lib.sqlamarr_query_open(db.pointer, sql.encode(), c_types, out)
        if status:
            raise_native(status, sql)
        self.handle = ffi.gc(out[0], lib.sqlamarr_query_free)

    def __call__(self) -> Columns:
        """Run the query; errors are those of :meth:`Database.columns`."""
        refuse_closed(self._db.connection)
        out = ffi.new("sqlamarr_columns **")
        try:
            status = lib.sqlamarr_query_run(self.handle, self._values, len(self._keep), out)
        except SystemError as error:  # an exception in a user's SQL function written in Python
            raise SqlError(with_statement(f"Query: {error.__cause__ or error}", self._sql)) from error
        if status:
            raise_native(status, self._sql)
        return Columns.from_native(out[0])

    def is_plain(self, column: int) -> bool:
        """Whether a column of the result is copied from its table as it is, bypassing SQLite; for tests."""
        return bool(lib.sqlamarr_query_is_plain(self.handle, column))

    def close(self) -> None:
        """Release the compiled statement."""
        ffi.release(self.handle)


def _load_library(connection: apsw.Connection) -> None:
    connection.enable_load_extension(True)
    try:
        connection.load_extension(str(library_path()), "sqlite3_sqlamarr_init")
    finally:
        connection.enable_load_extension(False)


def _make_safe(connection: apsw.Connection) -> None:
    """Wait for other programs that use the file, and let nothing in the file run code."""
    connection.set_busy_timeout(BUSY_TIMEOUT)
    connection.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)


def transfer_type(declared: str) -> int:
    """The transfer type of a declared type by SQLite's affinity rules; 0 where none is declared."""
    upper = declared.upper()
    if "INT" in upper:
        return INT64
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return TEXT
    if any(word in upper for word in ("REAL", "FLOA", "DOUB")):
        return FLOAT64
    return 0


def _bind(parameters: Parameters) -> tuple[Any, list[Any]]:
    """Parameters as a C array of ``sqlamarr_value``, and what must be kept alive, one entry each."""
    named = isinstance(parameters, Mapping)
    items = list(parameters.items()) if isinstance(parameters, Mapping) else [("", v) for v in parameters]
    values = ffi.new("sqlamarr_value[]", max(len(items), 1))
    keep: list[Any] = []
    for slot, (name, value) in zip(values, items):
        c_name = ffi.new("char[]", name.encode()) if named else None
        slot.name = c_name if c_name is not None else ffi.NULL
        keep.append((c_name, _bind_one(slot, name, value)))
    return values, keep


def _bind_one(slot: Any, name: str, value: Any) -> Any:
    if value is None:
        slot.type = 0
    elif isinstance(value, float):
        slot.type, slot.real = FLOAT64, value
    elif hasattr(value, "__index__"):
        slot.type, slot.integer = INT64, int(value)
    elif isinstance(value, str):
        encoded = value.encode()
        buffer = ffi.new("char[]", encoded)
        slot.type, slot.text, slot.length = TEXT, buffer, len(encoded)
        return buffer
    else:
        raise DataError(f"Parameter {name or '?'}: cannot bind {value!r}; expected int, float, str or None.")
    return None
