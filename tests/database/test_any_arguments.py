"""Every SQL function of the library with any arguments: a value or a clear error, never a crash or a hang."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import nullcontext, suppress

import apsw
import pytest
from test_sql_functions import connect

from sqlamarr import Database
from sqlamarr.errors import SqlError
from sqlamarr.native.random import active

VALUES = [
    None, 0, 1, -1, 11, 2**31, 2**63 - 1, -(2**63), 0.0, -0.5, 1.0, 1e308, 5e-324, math.inf, -math.inf,
    "", "text", "12", "é\0x", "x" * 100_000, b"", b"\0\xff", b"12",
]  # fmt: skip
SAMPLES = 100


def ours() -> list[tuple[str, int]]:
    """Names of the functions that loading the library adds, with their number of arguments (-1: any)."""
    listed = "SELECT name, narg FROM pragma_function_list"
    return sorted(set(connect().execute(listed)) - set(apsw.Connection(":memory:").execute(listed)))


def argument_lists(n: int) -> Iterator[list[object]]:
    if n == 0:
        yield []
        return
    for value in VALUES:
        yield [value] * n
        for place in range(n):
            yield [1] * place + [value] + [1] * (n - place - 1)
    draw = random.Random(n)
    for _ in range(SAMPLES):
        yield draw.choices(VALUES, k=n)


def outcome(connection: apsw.Connection, sql: str, arguments: list[object]) -> object:
    """The value, or the text of the error."""
    try:
        return connection.execute(sql, arguments).fetchall()[0][0]
    except apsw.SQLError as error:
        refusal = str(error)
    assert refusal
    return refusal


def test_the_functions_are_found() -> None:
    assert {"norm2", "uniform_at", "correlation_shrink", "sqlamarr_sink", "sqlamarr_required"} <= {f for f, _ in ours()}


@pytest.mark.parametrize("inside_a_step", [False, True])
@pytest.mark.parametrize(("function", "declared"), ours())
def test_any_arguments_give_a_value_or_an_error(function: str, declared: int, inside_a_step: bool) -> None:
    connection = connect()
    with active(connection.sqlite3_pointer(), 7) if inside_a_step else nullcontext():
        for n in sorted({*range(7), max(declared, 0)}):
            call = f"SELECT {function}({', '.join('?' * n)})"
            for arguments in argument_lists(n):
                value = outcome(connection, call, arguments)
                if isinstance(value, float) and function != "sqlamarr_required":
                    assert math.isfinite(value), arguments
                if declared not in (-1, n):
                    assert value == f"wrong number of arguments to function {function}()"
                    break


@pytest.mark.parametrize("n", range(7))
def test_the_sink_refuses_what_is_not_the_librarys(n: int) -> None:
    connection = connect()
    marks = ", ".join("?" * n)
    for arguments in argument_lists(n):
        for rows in ("", " FROM (VALUES (1), (2))"):
            refusal = outcome(connection, f"SELECT sqlamarr_sink({marks}){rows}", arguments)
            assert refusal == "sqlamarr_sink is only for internal use"
        assert outcome(connection, f"SELECT sqlamarr_sink({marks}) FROM (VALUES (1)) WHERE 0", arguments) is None


@pytest.mark.parametrize("name", ["sqlamarr_source", "sqlamarr_wide_source"])
def test_the_sources_refuse_what_is_not_the_librarys(name: str) -> None:
    connection = connect()
    for value in VALUES:
        assert "are only for internal use" in str(outcome(connection, f"SELECT * FROM {name}(?)", [value]))
    assert outcome(connection, f"SELECT * FROM {name}", []) == "no query solution"
    with pytest.raises(apsw.SQLError, match="no such module"):
        connection.execute(f"CREATE VIRTUAL TABLE t USING {name}(1)")


@pytest.mark.parametrize("words", ["", "ascending", "ascending, x INTEGER", "x INTEGER, y TEXT", "x", "'", "x,, y"])
def test_a_table_of_columns_that_nobody_filled_is_empty_or_an_error(words: str) -> None:
    connection = connect()
    with suppress(apsw.SQLError):  # some are refused
        connection.execute(f"CREATE VIRTUAL TABLE t USING sqlamarr_table({words})")
    if not connection.table_exists("main", "t"):
        assert words in {"", "ascending", "'", "x,, y"}
        return
    for value in VALUES:
        assert connection.execute("SELECT * FROM t WHERE x = ?", [value]).fetchall() == []


def test_a_query_cannot_reach_the_reader_that_takes_its_rows(db: Database) -> None:
    for name in (":sqlamarr_sink", "?1", "?2"):
        with pytest.raises(SqlError, match="only for internal use|no value for the parameter"):
            db.arrays(f"SELECT sqlamarr_sink({name}, 5) AS x, 1 AS y", (1,))
    assert db.arrays("SELECT :sqlamarr_sink AS x", {"sqlamarr_sink": 3})["x"].tolist() == [3]
