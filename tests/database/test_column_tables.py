"""Working tables that are columns: SQL sees them as it would see tables of its own."""

from __future__ import annotations

import numpy as np
import pytest
from column_rows import as_columns
from hypothesis import given
from hypothesis import strategies as st

from sqlamarr import Database
from sqlamarr.database.working_tables import ColumnTables
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.columns import FLOAT64, INT64, TEXT, Text

TYPES = {"id": INT64, "event": INT64, "x": FLOAT64, "word": TEXT}

number = st.integers(-3, 3) | st.none()
real = st.floats(allow_nan=False, allow_infinity=False, width=32) | st.none()
letters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
word = st.text("aA12", max_size=1) | st.text(letters, max_size=3) | st.none()
row = st.tuples(st.integers(-(2**62), 2**62), number, real, word)
table = st.lists(row, max_size=40, unique_by=lambda row: row[0])

QUERIES = [
    "SELECT * FROM t",
    "SELECT * FROM t WHERE event = 2",
    "SELECT * FROM t WHERE event IN (1, -2, NULL, 3) ORDER BY id",
    "SELECT * FROM t WHERE event = '2'",
    "SELECT * FROM t WHERE event = 1.0 OR event = 1.5",
    "SELECT * FROM t WHERE event = x ORDER BY id",
    "SELECT * FROM t WHERE event IS NULL ORDER BY id",
    "SELECT * FROM t WHERE event = 2.0 ORDER BY id",
    "SELECT * FROM t WHERE event IN (1e300, -9223372036854775808.0, 9223372036854775807, x'32')",
    "SELECT * FROM t WHERE word = 'a' ORDER BY id",
    "SELECT * FROM t WHERE word = '' AND event = 1 ORDER BY id",
    "SELECT * FROM t WHERE word IN ('a', '1', 1, NULL, x'61') ORDER BY id",
    "SELECT * FROM t WHERE word = 'A' COLLATE NOCASE ORDER BY id",
    "SELECT a.id, b.id AS other FROM t AS a JOIN t AS b ON b.word = a.word ORDER BY a.id, b.id",
    "SELECT a.id, b.id AS other FROM t AS a JOIN t AS b ON b.word = a.event ORDER BY a.id, b.id",
    "SELECT * FROM t ORDER BY id DESC",
    "SELECT a.id, b.id AS other FROM t AS a JOIN t AS b USING (event) ORDER BY a.id, b.id",
    "SELECT a.id, b.x FROM t AS a LEFT JOIN t AS b ON b.id = a.id + 1 ORDER BY a.id",
    "SELECT event, count(*) AS n, max(word) AS w FROM t GROUP BY event ORDER BY event",
    "SELECT t.id, u.x FROM t JOIN t AS u ON u.id = t.id WHERE t.x > 0 ORDER BY t.id",
]


def made(db):
    tables = ColumnTables(db)
    tables.create("t", TYPES, ["id"], ["id"])
    return tables


@given(table, st.integers(0, 40))
def test_queries_see_what_they_would_see_in_a_table_of_sqlites(rows, cut):
    with Database() as ours, Database() as theirs:
        tables = made(ours)
        tables.append("t", as_columns(rows[:cut]))
        tables.append("t", as_columns(rows[cut:]))
        theirs.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, event INTEGER, x REAL, word TEXT)")
        for one in rows:
            theirs.execute("INSERT INTO t VALUES (?, ?, ?, ?)", one)
        for query in QUERIES:
            assert ours.execute(query).fetchall() == theirs.execute(query).fetchall(), query


def test_a_compiled_query_sees_the_rows_of_the_moment():
    with Database() as db:
        tables = made(db)
        query = db.prepare("SELECT sum(x) AS total FROM t WHERE event = :event", {"event": 1}, [FLOAT64])
        for x in (1.0, 5.0):
            tables.replace("t", {"id": [1, 2], "event": [1, 1], "x": [x, x]})
            assert query()["total"].tolist() == [2 * x]
        tables.clear()
        assert np.isnan(query()["total"]).all()


def test_columns_that_are_not_given_are_null_and_numbers_become_the_tables_type():
    with Database() as db:
        tables = made(db)
        tables.append("t", {"id": [2.0, 1.0], "x": [3, 4]})
        assert db.execute("SELECT id, event, x, word, typeof(id), typeof(x) FROM t").fetchall() == [
            (1, None, 4.0, None, "integer", "real"),
            (2, None, 3.0, None, "integer", "real"),
        ]


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"id": [1], "y": [1]}, SqlError, "table t has no column named y; it has: id, event, x, word"),
        ({"event": [1]}, DataError, 'Table "t": the key column id is NULL in 1 row'),
        ({"id": [1, 1]}, SqlError, r"UNIQUE constraint failed: t\.id; two rows have the same key"),
        ({"id": [1], "event": [0.5]}, DataError, 'column "event": expected INTEGER, found a REAL with a fraction'),
        ({"id": [1], "x": ["a"]}, DataError, 'column "x": expected REAL, found text'),
        ({"id": [1], "word": [1]}, DataError, 'column "word": expected TEXT, found a number'),
    ],
)
def test_rows_that_do_not_fit_are_refused(columns, error, message):
    with Database() as db, pytest.raises(error, match=message):
        made(db).append("t", columns)


def test_a_key_of_several_columns_is_unique():
    with Database() as db:
        tables = ColumnTables(db)
        tables.create("states", {"id": INT64, "place": TEXT, "x": FLOAT64}, ["id", "place"], ["id", "place"])
        tables.append("states", {"id": [1, 1, 2], "place": ["a", "b", "a"], "x": [1.0, 2.0, 3.0]})
        with pytest.raises(SqlError, match=r"UNIQUE constraint failed: states\.id, states\.place"):
            tables.append("states", {"id": [2], "place": ["a"]})


def test_statements_of_a_step_that_does_not_say_so_cannot_change_them():
    with Database() as db:
        made(db)
        with pytest.raises(SqlError, match="table t may not be modified; a step that changes it must list it"):
            db.execute("DELETE FROM t")


def test_views_may_use_them():
    with Database() as db:
        made(db).append("t", {"id": [1], "x": [2.0]})
        db.execute("CREATE VIEW v AS SELECT x FROM t")
        assert db.execute("SELECT x FROM v").fetchall() == [(2.0,)]


@pytest.mark.parametrize("words", [["da", "ab", "da"], ["ab", "da", "da"], ["x", "x"], ["", "a", ""]])
def test_a_key_that_is_there_twice_is_found_whatever_stands_between(words, monkeypatch):
    def check():
        with Database() as db:
            tables = ColumnTables(db)
            tables.create("t", {"id": INT64, "word": TEXT}, ["id", "word"], ["id", "word"])
            tables.create("w", {"word": TEXT}, ["word"], ["word"])
            tables.append("t", {"id": range(len(words)), "word": words})
            with pytest.raises(SqlError, match="UNIQUE constraint failed: t.id, t.word"):
                tables.replace("t", {"id": [1] * len(words), "word": words})
            with pytest.raises(SqlError, match="UNIQUE constraint failed: w.word"):
                tables.append("w", {"word": words})

    check()
    monkeypatch.setattr(Text, "hashes", lambda text: np.zeros(len(text), np.uint64))  # all collide
    check()


def test_texts_of_other_order_have_other_hashes():
    words = ["ab", "ba", "da", "ad", "abc", "cba", "bca", "", "a", "aa"]
    assert len(set(Text.encode(np.array(words, dtype=object)).hashes().tolist())) == len(words)
