"""Tables as the content of a database file: SQLite reads them as if it had written them itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqlamarr import Columns, Database
from sqlamarr.database.page_images import ImageMaker, attached, take_over

DECLARED = "CREATE TABLE T (a INTEGER, id INTEGER PRIMARY KEY, x REAL, word TEXT, b INTEGER NOT NULL)"

integer = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [sign * (2**bits + d) for bits in (7, 8, 15, 23, 31, 47, 48, 62) for sign in (1, -1) for d in (-1, 0, 1)]
)
real = st.floats(allow_nan=False) | st.integers(-(2**54), 2**54).map(float) | st.sampled_from([2.0**47, 2.0**47 - 1])
word = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80)
row = st.tuples(integer | st.none(), integer, real | st.none(), word | st.none(), integer)
rows_of = st.lists(row, min_size=1, max_size=60, unique_by=lambda row: row[1])


def made(declared=DECLARED):
    db = Database()
    db.execute(declared)
    return db, ImageMaker(db, db.tables())


def as_columns(rows):
    a, ids, x, words, b = (list(column) for column in zip(*sorted(rows, key=lambda row: row[1])))
    return Columns(
        {
            "a": np.ma.MaskedArray(np.array([v or 0 for v in a], np.int64), mask=[v is None for v in a]),
            "id": np.array(ids, np.int64),
            "x": np.array([np.nan if v is None else v for v in x]),
            "word": np.array([*words, None], dtype=object)[:-1],
            "b": np.array(b, np.int64),
        }
    )


def stored(db, schema="main"):
    sql = f"SELECT a, id, x, typeof(x), word, b, typeof(b) FROM {schema}.T ORDER BY id"
    return db.execute(sql).fetchall()


def check_same(columns):
    db, maker = made()
    image, rest = maker.make({"T": columns})
    assert image is not None and rest == {}
    assert image.rows == {"T": columns.rows}
    plain = Database()
    plain.execute(DECLARED)
    plain.insert("T", columns)
    with attached(db, image):
        assert db.execute("PRAGMA batch.integrity_check").fetchall() == [("ok",)]
        assert stored(db, "batch") == stored(plain)
        take_over(db, image)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert stored(db) == stored(plain)


@given(rows_of)
def test_an_image_holds_what_inserting_would(rows):
    check_same(as_columns(rows))


@pytest.mark.parametrize("n", [1, 500, 30_000])
def test_tables_of_many_pages(n):
    rng = np.random.default_rng(1)
    check_same(
        Columns(
            {
                "a": rng.integers(-(2**63), 2**63 - 1, n) >> rng.integers(0, 63, n),
                "id": np.arange(n) * 7 - 300,
                "x": rng.normal(size=n),
                "word": np.array(["é" * (i % 300) for i in range(n)], dtype=object),
                "b": np.arange(n),
            }
        )
    )


@pytest.mark.parametrize("n", [40, pytest.param(4500, marks=pytest.mark.long)])
def test_rows_that_fill_a_page_each(n):
    # A page of 64 kB for each; one of 4369 children is above them, so that 4500 need three levels.
    check_same(as_columns([(1, i, 0.5, chr(65 + i % 26) * 40_000, 2) for i in range(n)]))


def test_a_null_where_none_may_be_is_left_to_others():
    _, maker = made()
    columns = as_columns([(1, 1, 1.0, "a", 1), (2, 2, 2.0, "b", 2)])
    missing = np.ma.MaskedArray(columns["b"], mask=[False, True])
    image, rest = maker.make({"T": Columns({**columns, "b": missing})})
    assert image is None and list(rest) == ["T"]


def test_rows_of_the_file_and_of_the_image_are_one_table_afterwards():
    db, maker = made()
    for begin in (0, 1000, 2000):
        image, _ = maker.make({"T": as_columns([(i, i, i / 7, str(i), i) for i in range(begin, begin + 1000)])})
        with attached(db, image), db.atomic():
            take_over(db, image)
    assert db.execute("SELECT count(*), min(id), max(id), sum(a) FROM T").fetchone() == (3000, 0, 2999, 2999 * 1500)
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_sqlite_copies_the_rows_as_they_are():
    db, maker = made()
    image, _ = maker.make({"T": as_columns([(1, 1, 1.0, "a", 1)])})
    with attached(db, image):
        opcodes = {row[1] for row in db.execute("EXPLAIN INSERT INTO main.T SELECT * FROM batch.T")}
    assert not opcodes & {"Column", "MakeRecord"}, opcodes


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 1, 1.0, "x" * 70_000, 1)],  # no page has room for it
        [(1, 1, 1.0, "x" * 65_520, 1)],
    ],
)
def test_a_row_longer_than_a_page_is_left_to_others(rows):
    _, maker = made()
    columns = as_columns(rows)
    image, rest = maker.make({"T": columns})
    assert image is None
    assert rest == {"T": columns}


def test_ids_that_do_not_ascend_are_left_to_others():
    _, maker = made()
    columns = as_columns([(1, 1, 1.0, "a", 1), (2, 2, 2.0, "b", 2)])
    for order in ([1, 0], [0, 0]):
        image, rest = maker.make({"T": columns.take(np.array(order))})
        assert image is None and list(rest) == ["T"]


def test_types_that_sqlite_would_have_to_convert_are_left_to_others():
    _, maker = made()
    columns = as_columns([(1, 1, 1.0, "a", 1)])
    image, rest = maker.make({"T": Columns({**columns, "a": np.array([1.0])})})
    assert image is None and list(rest) == ["T"]


def test_columns_of_another_order_or_name_are_left_to_others():
    _, maker = made()
    columns = as_columns([(1, 1, 1.0, "a", 1)])
    swapped = Columns({name: columns[name] for name in ("b", "id", "x", "word", "a")})
    renamed = Columns({{"x": "y"}.get(name, name): values for name, values in columns.items()})
    for other in (swapped, renamed):
        image, rest = maker.make({"T": other})
        assert image is None and list(rest) == ["T"]


@pytest.mark.parametrize(
    "declared",
    [
        "CREATE TABLE T (a INTEGER, b INTEGER, PRIMARY KEY (a, b))",
        "CREATE TABLE T (a INTEGER PRIMARY KEY, b TEXT UNIQUE)",
        "CREATE TABLE T (a INT PRIMARY KEY, b TEXT)",
        "CREATE TABLE T (a INTEGER, b TEXT)",
        "CREATE TABLE T (a INTEGER PRIMARY KEY, b BLOB)",
        "CREATE TABLE T (a INTEGER PRIMARY KEY, b INTEGER AS (a + 1))",
    ],
)
def test_only_tables_with_an_integer_id_and_no_other_key_are_taken(declared):
    _, maker = made(declared)
    assert maker.tables == []


def test_several_tables_and_what_does_not_fit():
    db = Database()
    db.execute("CREATE TABLE A (id INTEGER PRIMARY KEY, x REAL); CREATE TABLE B (id INTEGER PRIMARY KEY, t TEXT)")
    db.execute("CREATE TABLE C (id INTEGER PRIMARY KEY, x REAL); CREATE TABLE D (id INTEGER PRIMARY KEY, x REAL)")
    tables = {
        "A": Columns({"id": [1, 2], "x": [1.5, np.nan]}),
        "B": Columns({"id": [1], "t": ["x" * 100_000]}),
        "C": Columns({"id": [5], "x": [0.25]}),
        "D": Columns({"id": np.empty(0, np.int64), "x": np.empty(0)}),
    }
    image, rest = ImageMaker(db, db.tables()).make(tables)
    assert image.rows == {"A": 2, "C": 1}
    assert list(rest) == ["B", "D"]
    with attached(db, image):
        take_over(db, image)
    assert db.execute("SELECT * FROM A").fetchall() == [(1, 1.5), (2, None)]
    assert db.execute("SELECT * FROM C").fetchall() == [(5, 0.25)]


def test_memory_is_used_again_only_when_nobody_looks_at_it():
    _, maker = made()
    first, _ = maker.make({"T": as_columns([(1, 1, 0.5, "first", 1)])})
    content = bytes(first.data)
    second, _ = maker.make({"T": as_columns([(2, 2, 1.5, "second", 2)])})
    assert bytes(first.data) == content != bytes(second.data)
    view, place = second.data[10:20], second.data.ctypes.data
    del second
    third, _ = maker.make({"T": as_columns([(3, 3, 2.5, "third", 3)])})
    assert third.data.ctypes.data != place
    place = third.data.ctypes.data
    del third, view
    fourth, _ = maker.make({"T": as_columns([(4, 4, 3.5, "fourth", 4)])})
    assert fourth.data.ctypes.data == place


def test_the_memory_of_a_large_image_is_not_kept_for_small_ones():
    _, maker = made()
    large, _ = maker.make({"T": as_columns([(i, i, i / 7, "x" * 50, i) for i in range(30_000)])})
    assert len(maker._memory) > 4_000_000
    del large
    maker.make({"T": as_columns([(1, 1, 0.5, "small", 1)])})
    assert len(maker._memory) < 1_000_000
