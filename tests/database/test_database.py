"""Columns in and out of a database, its transactions and its borders."""

from __future__ import annotations

import contextlib
import gc
import pickle
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlamarr import Columns, Database
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.library import library_path

INTEGERS = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
REALS = st.one_of(st.none(), st.floats(allow_nan=False))
TEXTS = st.one_of(st.none(), st.text(st.characters(codec="utf-8")))


@given(st.lists(st.tuples(INTEGERS, REALS, TEXTS), max_size=30))
def test_every_value_survives_the_round_trip(rows):
    integers = np.ma.MaskedArray(
        np.array([row[0] or 0 for row in rows], dtype=np.int64), mask=[row[0] is None for row in rows]
    )
    reals = np.array([np.nan if row[1] is None else row[1] for row in rows], dtype=float)
    texts = np.empty(len(rows), dtype=object)
    texts[:] = [row[2] for row in rows]
    with Database() as db:
        db.execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT)")
        db.insert("t", {"i": integers, "r": reals, "s": texts})
        assert db.execute("SELECT i, r, s FROM t ORDER BY rowid").fetchall() == rows
        back = db.read_table("t")
        assert [None if m else int(v) for v, m in zip(np.ma.getdata(back["i"]), np.ma.getmaskarray(back["i"]))] == [
            row[0] for row in rows
        ]
        np.testing.assert_array_equal(back["r"], reals)
        assert list(back["s"]) == [row[2] for row in rows]


def test_ids_beyond_32_bits_survive(db):
    db.insert("t", {"id": [2**31 + 5, 2**62]}, create=True)
    assert db.arrays("SELECT id FROM t")["id"].tolist() == [2**31 + 5, 2**62]


def test_text_is_stored_without_a_terminating_zero_byte(db):
    db.insert("t", {"path": ["a/b.hepmc"]}, create=True)
    query = "SELECT count(*) FROM t WHERE path = 'a/b.hepmc' AND length(CAST(path AS BLOB)) = 9"
    assert db.execute(query).fetchone() == (1,)


def test_rows_come_in_the_order_that_the_query_asks_for(db):
    db.insert("t", {"x": np.arange(5000)}, create=True)
    result = db.arrays("SELECT x FROM t ORDER BY (x * 7919) % 5003")["x"]
    assert result.tolist() == sorted(range(5000), key=lambda x: (x * 7919) % 5003)


def test_parameters_by_name_and_by_position(db):
    assert db.arrays("SELECT ? AS a, ? AS b", (1, "x"))["b"][0] == "x"
    assert db.arrays("SELECT :a + :b AS c", {"b": 0.5, "a": 1})["c"][0] == 1.5
    with pytest.raises(DataError, match="cannot bind"):
        db.arrays("SELECT :a", {"a": object()})


def test_integers_become_reals_when_reals_follow(db):
    assert db.arrays("SELECT 1 AS x UNION ALL SELECT 2.5 ORDER BY x")["x"].tolist() == [1.0, 2.5]


def test_a_column_of_numbers_and_text_is_refused(db):
    with pytest.raises(DataError, match=r'Column "x", row 2: expected INTEGER or NULL, found a TEXT value'):
        db.arrays("SELECT 1 AS x UNION ALL SELECT 'a'")


def test_a_declared_integer_that_holds_a_real_is_refused(db):
    db.execute("CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (1), (1.5)")
    with pytest.raises(DataError, match=r'Column "i", row 2: expected INTEGER or NULL, found a REAL'):
        db.read_table("t")


def test_blobs_are_refused(db):
    with pytest.raises(DataError, match="found a BLOB"):
        db.arrays("SELECT x'00' AS b")


def test_two_columns_of_one_name_are_refused(db):
    with pytest.raises(SqlError, match='two columns named "a"; rename one with AS'):
        db.arrays("SELECT 1 AS a, 2 AS a")


def test_only_one_statement_is_read(db):
    with pytest.raises(SqlError, match="Expected one statement"):
        db.arrays("SELECT 1 AS a; SELECT 2 AS a")


def test_an_error_shows_the_statement(db):
    with pytest.raises(SqlError, match=r"no such table: nope\n  in: SELECT x FROM nope"):
        db.arrays("SELECT x\n  FROM nope")


def test_very_wide_tables_can_be_written_and_read(db):
    columns = {f"c{i}": np.arange(10.0) + i for i in range(1500)}
    db.insert("wide", columns, create=True)
    back = db.arrays("SELECT * FROM wide")
    assert len(back) == 1500
    assert back["c1499"].tolist() == columns["c1499"].tolist()


def test_queries_that_cannot_be_wrapped_are_read_too(db):
    db.execute("CREATE TABLE t (a, b)")
    assert list(db.arrays("PRAGMA table_info(t)")["name"]) == ["a", "b"]


def test_a_failing_insert_leaves_nothing(db):
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(SqlError, match=r"UNIQUE constraint failed: t\.id"):
        db.insert("t", {"id": [1, 2, 2]})
    assert db.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_unknown_tables_and_columns_are_named(db):
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
    with pytest.raises(SqlError, match="no such table: other"):
        db.insert("other", {"id": [1]})
    with pytest.raises(SqlError, match="no column named x"):
        db.insert("t", {"x": [1]})
    with pytest.raises(SqlError, match="There is no table 'other'; there are: t"):
        db.read_table("other")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1], "b": [1, 2]}, "equal lengths"),
        ({"a": np.zeros((2, 2))}, "one dimension, found 2"),
        ({"a": np.array([2**63], dtype=np.uint64)}, "exceed SQLite's 64 bits"),
        ({"a": np.array([1j])}, "expected integers, floats or text"),
        ({"a": np.array(["x", 1.5], dtype=object)}, "expected text or None"),
    ],
)
def test_columns_that_sqlite_cannot_hold_are_refused(columns, message):
    with pytest.raises(DataError, match=message):
        Columns(columns)


def test_atomic_blocks_nest_and_undo_only_themselves(db):
    db.execute("CREATE TABLE t (x)")
    with db.atomic():
        db.execute("INSERT INTO t VALUES (1)")
        with contextlib.suppress(ZeroDivisionError), db.atomic():
            db.execute("INSERT INTO t VALUES (2)")
            _ = 1 / 0
        db.execute("INSERT INTO t VALUES (3)")
    assert db.arrays("SELECT x FROM t ORDER BY x")["x"].tolist() == [1, 3]


def test_the_tracer_sees_every_statement(db):
    seen: list[str] = []
    with db.tracer(seen.append):
        db.execute("SELECT ?", (7,))
    db.execute("SELECT 8")
    assert seen == ["SELECT ?"]


def test_a_backup_is_a_file_of_the_same_content(db, tmp_path):
    db.insert("t", {"x": [1.5]}, create=True)
    db.backup(tmp_path / "copy.db")
    with Database(tmp_path / "copy.db", readonly=True) as copy:
        assert copy.arrays("SELECT x FROM t")["x"].tolist() == [1.5]
        with pytest.raises(SqlError, match="readonly"):
            copy.execute("DELETE FROM t")


def test_dataframes_keep_integers_with_nulls(db):
    frame = db.dataframe("SELECT 1 AS a, 2.5 AS b UNION ALL SELECT NULL, NULL")
    assert str(frame["a"].dtype) == "Int64"
    assert frame["a"].isna().tolist() == [False, True]
    assert frame["b"].isna().tolist() == [False, True]


def test_arrays_outlive_the_query_and_the_database():
    db = Database()
    db.insert("t", {"x": np.arange(100_000)}, create=True)
    part = db.arrays("SELECT x FROM t")["x"][10:13]
    for _ in range(5):
        db.arrays("SELECT x FROM t")
    db.close()
    gc.collect()
    assert part.tolist() == [10, 11, 12]


def test_columns_can_be_pickled(db):
    columns = db.columns("SELECT 1 AS i, 'a' AS s UNION ALL SELECT NULL, NULL ORDER BY i DESC")
    copy = pickle.loads(pickle.dumps(columns))
    assert copy["i"].tolist() == [1, None]
    assert list(copy["s"]) == ["a", None]


@pytest.mark.parametrize(
    "use",
    [
        lambda db, _: db.arrays("SELECT 1 AS x"),
        lambda db, _: db.execute("SELECT 1 AS x"),
        lambda db, _: db.prepare("SELECT 1 AS x"),
        lambda db, _: db.limited().__enter__(),
        lambda _, query: query(),
    ],
)
def test_a_closed_database_is_refused_not_crashed(use):
    db = Database()
    query = db.prepare("SELECT 1 AS x")
    db.close()
    with pytest.raises(SqlError, match=r"closed"):
        use(db, query)


def test_internal_functions_are_out_of_reach_of_views(db):
    db.execute("CREATE VIEW v AS SELECT sqlamarr_sink(1, 2) AS x")
    with pytest.raises(SqlError, match="unsafe use"):
        db.execute("SELECT * FROM v")
    with pytest.raises(SqlError, match="only for internal use"):
        db.execute("SELECT sqlamarr_sink(1, 2)").fetchall()


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 shell is not installed")
def test_the_library_loads_into_the_sqlite3_shell():
    script = f".load {library_path()} sqlite3_sqlamarr_init\nSELECT norm2(3.0, 4.0, 0.0);\n"
    shell = subprocess.run(["sqlite3"], input=script, capture_output=True, text=True, check=True)
    assert shell.stdout.strip() == "5.0"


SECOND_SQLITE = """
import ctypes, ctypes.util, sys
from sqlamarr import Database
from sqlamarr.native.library import library_path
name = ctypes.util.find_library("sqlite3")
if name is None: sys.exit("no system SQLite")
other = ctypes.CDLL(name)
db, message = ctypes.c_void_p(), ctypes.c_char_p()
other.sqlite3_open(b":memory:", ctypes.byref(db))
other.sqlite3_enable_load_extension(db, 1)
ours = Database()
path = str(library_path()).encode()
rc = other.sqlite3_load_extension(db, path, b"sqlite3_sqlamarr_init", ctypes.byref(message))
print(rc, message.value.decode())
print(ours.arrays("SELECT norm2(3.0, 4.0, 0.0) AS x")["x"][0])
"""


def test_a_second_sqlite_in_the_process_is_refused(run_python):
    child = run_python("-c", SECOND_SQLITE)
    if "no system SQLite" in child.stderr:
        pytest.skip("no system SQLite to try it with")
    assert "already in use by another SQLite library" in child.stdout
    assert child.stdout.splitlines()[-1] == "5.0"


def test_a_native_call_before_the_library_is_loaded_is_an_error(run_python):
    code = (
        "from sqlamarr.native.library import lib, ffi\n"
        "out = ffi.new('sqlamarr_query **')\n"
        "print(lib.sqlamarr_query_open(ffi.cast('sqlite3 *', 0), b'SELECT 1', ffi.NULL, out))\n"
        "print(ffi.string(lib.sqlamarr_last_error()).decode())\n"
    )
    # Without the package's own import, which opens no database either.
    child = run_python("-c", code)
    assert child.stdout.startswith("1\nlibsqlamarr was not loaded")


def test_opening_a_missing_file_for_reading_is_an_error(tmp_path: Path):
    with pytest.raises(SqlError, match="Opening"):
        Database(tmp_path / "missing.db", readonly=True)


def test_parameters_that_are_missing_or_too_many_are_named(db):
    with pytest.raises(SqlError, match="no value for the parameter :b"):
        db.arrays("SELECT :a + :b AS c", {"a": 1})
    with pytest.raises(SqlError, match="has 1 parameters, found 2 values"):
        db.arrays("SELECT ? AS a", (1, 2))
    for prefix in ":@$":
        assert db.arrays(f"SELECT {prefix}x AS x", {"x": 3})["x"].tolist() == [3]


def test_an_exception_in_a_python_sql_function_is_an_error_of_the_query(db):
    def broken(_):
        raise ZeroDivisionError("by hand")

    db.connection.create_scalar_function("broken", broken)
    with pytest.raises(SqlError, match="by hand"):
        db.arrays("SELECT broken(1) AS x")


def test_a_null_key_is_refused(db):
    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL)")
    with pytest.raises(DataError, match="the key column 'id' is NULL in 1 row"):
        db.insert("t", {"id": [1, None], "x": [1.0, 2.0]})


def test_dataframes_go_in_as_they_came_out(db):
    db.execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT); INSERT INTO t VALUES (1, 2.5, 'a'), (NULL, NULL, NULL)")
    db.execute("CREATE TABLE u (i INTEGER, r REAL, s TEXT)")
    db.insert("u", db.dataframe("SELECT * FROM t"))
    assert db.execute("SELECT * FROM u").fetchall() == db.execute("SELECT * FROM t").fetchall()


def test_double_quoted_text_is_a_name_and_not_a_string(db):
    with pytest.raises(SqlError, match="no such column"):
        db.execute('SELECT "no column"')


def test_a_comment_after_the_statement_is_part_of_it(db):
    assert db.arrays("SELECT 1 AS x; -- the end")["x"].tolist() == [1]
