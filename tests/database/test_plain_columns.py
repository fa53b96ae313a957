"""Plain columns of a table in a query's result are taken from it past SQLite, and are what SQLite would give."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest
from column_rows import as_columns
from hypothesis import given
from hypothesis import strategies as st

import sqlamarr
from sqlamarr import Database
from sqlamarr.database.working_tables import ColumnTables
from sqlamarr.errors import SqlError
from sqlamarr.native.columns import FLOAT64, INT64, TEXT
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker
from sqlamarr.sources.inputs import open_inputs
from sqlamarr.steps.kinds.plugin import PluginStep
from sqlamarr.steps.kinds.sql import SqlStep

TYPES = {"id": INT64, "event": INT64, "x": FLOAT64, "word": TEXT}

number = st.integers(-3, 3) | st.none()
reals = st.floats(allow_nan=False, allow_infinity=False, width=32)
real = reals.map(lambda x: x + 0.0) | st.none()  # a table of SQLite keeps -0.0 as 0
word = st.text("ab", max_size=3) | st.none()
row = st.tuples(st.integers(-5, 5), number, real, word)
table = st.lists(row, max_size=8, unique_by=lambda row: row[0]).map(sorted)

# A query, the types of its columns, and which of them are plain.
QUERIES = [
    ("SELECT id, event, x, word FROM t", "iirs", "nyyy"),
    ("SELECT id, event AS e, x FROM t ORDER BY x DESC, id", "irr", "nyy"),
    ("SELECT id, event, x FROM t WHERE x > 0 AND event = 2", "iir", "nyy"),
    ("SELECT x, word, id FROM t ORDER BY id LIMIT 3", "rsi", "yyn"),
    ("WITH a AS (SELECT *, x + 1 AS y FROM t LIMIT -1) SELECT id, x, y, word FROM a", "irrs", "nyny"),
    ("SELECT a.id, a.x, b.x AS other FROM t AS a JOIN u AS b USING (id)", "irr", "nyn"),
    ("SELECT a.id, a.x, b.id AS id2, b.x AS x2 FROM t AS a LEFT JOIN u AS b ON b.id = a.event", "irir", "nyny"),
    ("SELECT a.id, a.x, b.id AS id2, b.word FROM t AS a JOIN u AS b ON b.event > a.event", "iris", "nyny"),
    ("SELECT id, x, (SELECT max(u.x) FROM u) AS m FROM t", "irr", "nyn"),
    ("SELECT event, id, x, max(x) AS m FROM t GROUP BY event", "iirr", "ynyn"),
    ("SELECT id, x FROM t GROUP BY id HAVING count(*) = 1", "ir", "ny"),
    ("SELECT DISTINCT id, event, x FROM t", "iir", "nyy"),
    ("SELECT id, x FROM view_of_t", "ir", "ny"),
    ("SELECT id, word, :nothing AS n FROM t WHERE id > :least", "isr", "nyn"),
    # not plain: a subquery in place of a value, of which SQLite tells where the value comes from, if there is one
    ("SELECT id, x, (SELECT max(u.x) FROM u WHERE u.event = t.event) AS m FROM t", "irr", "nnn"),
    ("SELECT id, (SELECT t.x WHERE t.event = 1) AS x FROM t", "ir", "nn"),
    ("SELECT id, (SELECT t.x FROM u WHERE u.id = t.id) AS x FROM t", "ir", "nn"),
    ("SELECT id, (SELECT t.x FROM u WHERE u.event = t.event ORDER BY u.x LIMIT 1) AS x FROM t", "ir", "nn"),
    ("SELECT id, x FROM (SELECT id, (SELECT t.x WHERE event = 2) AS x FROM t)", "ir", "nn"),
    ("SELECT id, (SELECT x LIMIT 0) AS x FROM t", "ir", "nn"),
    ("SELECT (SELECT t.id WHERE t.event = 1) AS id, x FROM t", "ir", "nn"),
    ("SELECT id, (SELECT s.x FROM (SELECT t.x AS x LIMIT 0) AS s) AS x FROM t", "ir", "nn"),
    ("SELECT id, x FROM view_of_some", "ir", "nn"),
    ("SELECT id, x FROM view_of_two", "ir", "nn"),
    ("SELECT id, x FROM view_of_a_view", "ir", "nn"),
    ("SELECT id, x FROM view_of_a_difference", "ir", "nn"),
    # nor: the id is missing, or is another's; the table is read in two places; two parts
    ("SELECT event, x FROM t", "ir", "nn"),
    ("SELECT id + 0 AS id, x FROM t", "ir", "nn"),
    ("SELECT b.id, a.x FROM t AS a JOIN u AS b USING (id)", "ir", "nn"),
    ("SELECT a.id, b.x FROM t AS a JOIN t AS b ON b.id = a.event", "ir", "nn"),
    ("SELECT a.id, b.x FROM t AS a LEFT JOIN t AS b ON b.id = a.id + 1", "ir", "nn"),
    ("WITH c AS (SELECT id, x FROM t) SELECT a.id, b.x FROM c AS a JOIN c AS b ON b.id = a.id + 1", "ir", "nn"),
    (
        "WITH c AS MATERIALIZED (SELECT id, x FROM t) SELECT a.id, b.x FROM c AS a JOIN c AS b ON b.id < a.id",
        "ir",
        "nn",
    ),
    ("SELECT a.id, b.x FROM view_of_t AS a JOIN view_of_t AS b ON b.id = a.id + 1", "ir", "nn"),
    ("SELECT a.id, b.x FROM ordered_t AS a JOIN ordered_t AS b ON b.id = a.id + 1", "ir", "nn"),
    ("SELECT id, (SELECT x FROM t AS s WHERE s.id = t.event) AS x FROM t", "ir", "nn"),
    ("SELECT id, x FROM t WHERE event IN (SELECT event FROM t WHERE x > 0)", "ir", "nn"),
    ("SELECT id, x FROM t UNION ALL SELECT id, x FROM u", "ir", "nn"),
    ("SELECT id, x FROM (SELECT id, x FROM t UNION ALL SELECT event, x FROM u WHERE event IS NOT NULL)", "ir", "nn"),
    ("SELECT id, x FROM t\nexcept SELECT id, x FROM u", "ir", "nn"),
    ("SELECT a.id, a.x FROM t AS a FULL JOIN u AS b ON b.event = a.id", "ir", "ny"),
    ("SELECT id, t.x FROM t FULL JOIN u USING (id)", "ir", "nn"),
    ("SELECT id, x, max(x) OVER (PARTITION BY event) AS m FROM t", "irr", "nnn"),
    ("SELECT id, x FROM t", "rr", "nn"),
    ("SELECT id, x, x AS i FROM t WHERE x IS NULL", "iri", "nyn"),
]
KINDS = {"i": INT64, "r": FLOAT64, "s": TEXT}
VIEWS = """
    CREATE VIEW view_of_t AS SELECT * FROM t;
    CREATE VIEW view_of_some AS SELECT id, (SELECT t.x WHERE t.event > 0) AS x FROM t;
    CREATE VIEW view_of_two AS SELECT id, x FROM t UNION ALL SELECT id, x FROM u;
    CREATE VIEW view_of_a_view AS SELECT * FROM view_of_two WHERE id > 0;
    CREATE VIEW view_of_a_difference AS SELECT id, x FROM t EXCEPT SELECT id, x FROM u;
    CREATE VIEW ordered_t AS SELECT id, x FROM t ORDER BY x LIMIT 5;
"""


@contextmanager
def in_memory(contents):
    with Database() as db:
        tables = ColumnTables(db)  # holds the rows
        for name, rows in contents.items():
            tables.create(name, TYPES, ["id"], ["id"])
            tables.append(name, as_columns(rows))
        db.execute(VIEWS)
        yield db


def in_sqlite(contents):
    db = Database()
    for name, rows in contents.items():
        db.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, event INTEGER, x REAL, word TEXT)")
        for one in rows:
            db.execute(f"INSERT INTO {name} VALUES (?, ?, ?, ?)", one)
    db.execute(VIEWS)
    return db


def rows_of(columns, sql):
    rows = list(zip(*listed(columns)))
    return rows if "ORDER BY" in sql else sorted(rows, key=repr)


def listed(columns):
    return [[None if v != v else v for v in np.ma.filled(a.astype(object), None).tolist()] for a in columns.values()]


@given(table, table)
def test_the_result_is_sqlites(t, u):
    contents = {"t": t, "u": u}
    with in_memory(contents) as ours, in_sqlite(contents) as theirs:
        for sql, kinds, _ in QUERIES:
            values = {"least": -2, "nothing": None} if ":" in sql else {}
            types = [KINDS[kind] for kind in kinds]
            found, expected = (db.prepare(sql, values, types)() for db in (ours, theirs))
            assert rows_of(found, sql) == rows_of(expected, sql), sql


@pytest.mark.parametrize(("sql", "kinds", "plain"), QUERIES)
def test_only_what_stands_beside_its_id_is_plain(sql, kinds, plain):
    values = {"least": -2, "nothing": None} if ":" in sql else {}
    with in_memory({"t": [], "u": []}) as db:
        query = db.prepare(sql, values, [KINDS[kind] for kind in kinds])
        assert "".join("y" if query.is_plain(i) else "n" for i in range(len(kinds))) == plain


@pytest.mark.parametrize("temp", ["", "TEMP"])
def test_a_view_of_two_parts_is_seen_through(temp):
    rows = {"t": [(1, 1, 1.0, "a")], "u": [(1, 2, 2.0, "b"), (7, 2, 3.0, "c")]}
    with in_memory(rows) as db:
        db.execute(f"CREATE {temp} VIEW both AS SELECT id, x FROM t Union All SELECT id, x FROM u")
        db.execute("CREATE TEMP VIEW through AS SELECT * FROM both")
        query = db.prepare("SELECT id, x FROM through", (), [INT64, FLOAT64])
        assert not query.is_plain(1)
        assert listed(query()) == [[1, 1, 7], [1.0, 2.0, 3.0]]


def test_without_types_nothing_is_plain():
    with in_memory({"t": [(1, 2, 3.0, "a")], "u": []}) as db:
        query = db.prepare("SELECT id, x FROM t")
        assert not query.is_plain(1)
        assert query()["x"].tolist() == [3.0]


def test_the_rows_are_those_of_the_moment():
    with Database() as db:
        tables = ColumnTables(db)
        tables.create("t", TYPES, ["id"], ["id"])
        query = db.prepare("SELECT id, x, word FROM t WHERE x > 0", (), [INT64, FLOAT64, TEXT])
        for x in (1.0, 5.0):
            tables.replace("t", {"id": [1, 2, 3], "x": [x, -x, x], "word": ["a", "b", None]})
            assert listed(query()) == [[1, 3], [x, x], ["a", None]]
        tables.clear()
        assert listed(query()) == [[], [], []]


def test_a_table_made_anew_is_not_taken_for_the_old_one():
    with Database() as db:
        tables = ColumnTables(db)
        tables.create("t", TYPES, ["id"], ["id"])
        tables.append("t", {"id": [1], "x": [2.0]})
        query = db.prepare("SELECT id, x FROM t", (), [INT64, FLOAT64])
        db.execute("CREATE TABLE other (a)")  # the statement is compiled again
        assert listed(query()) == [[1], [2.0]]
        db.execute("DROP TABLE t")
        tables.create("t", {"id": INT64, "y": FLOAT64, "x": FLOAT64}, ["id"], ["id"])
        tables.append("t", {"id": [1], "x": [3.0]})
        with pytest.raises(SqlError, match="after the query was prepared"):
            query()


def test_every_query_of_the_shipped_pipeline_gives_what_sqlite_gives(example):
    """Step by step on the example: the compiled query, and the same rows by SQLite alone."""
    pipeline = sqlamarr.load_pipeline("lhcb_run2")
    worker = Worker(pipeline, RunOptions(seed=1))
    workspace, db = worker.workspace, worker.workspace.db
    example = next(iter(open_inputs([str(example)], seed=1, max_events=20).chunks(20)))
    plain = 0

    def compare(step, batch):
        nonlocal plain
        sql, values = workspace.render(step.template if isinstance(step, SqlStep) else step.query, step.variables)
        names = list(db.describe(sql, values))
        declared = db.declared_types(step.table)
        key = step.key if isinstance(step, PluginStep) else names
        types = [declared[name] if name in key else FLOAT64 for name in names]
        query = db.prepare(sql, values, types)
        with batch.random_functions(step.name):
            found, expected = query(), db.columns(sql, values)  # without types nothing is plain
        plain += sum(query.is_plain(i) for i in range(len(names)))
        for name in names:
            assert (
                np.ma.allequal(np.ma.masked_invalid(found[name]), np.ma.masked_invalid(expected[name]))
                if (found[name].dtype != object)
                else found[name].tolist() == expected[name].tolist()
            ), (step.name, name)
        query.close()

    def watched(step, run):
        def watch(batch):
            if isinstance(step, SqlStep | PluginStep):
                compare(step, batch)
            run(batch)

        return step, watch

    worker._runs = [watched(step, run) for step, run in worker._runs]
    worker.process(example)
    assert plain > 100
