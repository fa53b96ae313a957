"""Statements of steps and users stay in their place: escapes are tried, one by one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from run_tools import ACROSS, command_line, run_with_python

import sqlamarr
from sqlamarr import Database
from sqlamarr.errors import SqlError
from sqlamarr.native.library import library_path

#: Statements, and what the refusal says.
ESCAPES = {
    "ATTACH '{folder}/x.db' AS x": "ATTACH a database",
    "DETACH temp": "DETACH a database",
    "VACUUM": "ATTACH a database, which VACUUM also does",
    "VACUUM INTO '{folder}/x.db'": "ATTACH a database, which VACUUM also does",
    "SELECT load_extension('{library}')": "load an extension|no such function|not authorized",
    "PRAGMA trusted_schema = 1": "use PRAGMA trusted_schema",
    "PRAGMA writable_schema = 1": "use PRAGMA writable_schema",
    "PRAGMA foreign_keys": "use PRAGMA foreign_keys",
    "PRAGMA incremental_vacuum": "use PRAGMA incremental_vacuum",
    "CREATE TRIGGER t AFTER INSERT ON own BEGIN DELETE FROM others; END": "may not",
    "CREATE TEMP TRIGGER t AFTER INSERT ON own BEGIN DELETE FROM others; END": "create a trigger",
    "CREATE TABLE more (x)": "create or drop anything that is not temporary",
    "CREATE VIEW v AS SELECT 1": "create or drop anything that is not temporary",
    "CREATE INDEX i ON own (x)": "create or drop anything that is not temporary",
    "CREATE VIRTUAL TABLE temp.v USING fts5(x)": "may not|no such module",
    "ALTER TABLE own RENAME TO mine": "may not",
    "DROP TABLE own": "may not",
    "ANALYZE": "may not",
    "REINDEX": "may not",
    "BEGIN": "begin or end a transaction",
    "COMMIT": "begin or end a transaction",
    "ROLLBACK": "begin or end a transaction",
    "SAVEPOINT s": "set or release a savepoint",
    'RELEASE "_apsw-0"': "set or release a savepoint",
    "INSERT INTO others VALUES (1)": "write to others, only to own and temporary tables",
    "UPDATE others SET x = 2": "write to others",
    "DELETE FROM others": "write to others",
    "REPLACE INTO others VALUES (1)": "write to others",
    "WITH y AS (SELECT 1) INSERT INTO others SELECT * FROM y": "write to others",
    "INSERT INTO own SELECT 1; DELETE FROM others": "write to others",
    "SELECT 1; DELETE FROM others": "write to others",
    "UPDATE sqlite_schema SET sql = ''": "may not",
    "DELETE FROM sqlite_schema": "may not",
    "EXPLAIN DELETE FROM others": "write to others",
    "INSERT INTO own SELECT random()": "function: random; its result does not depend on the seed: use uniform_at",
    "SELECT hex(RandomBlob(4))": "function: RandomBlob; its result does not depend on the seed",
    "DELETE FROM own; INSERT INTO own SELECT changes()": "function: changes; its result depends on earlier writes, and",
    "INSERT INTO own SELECT total_changes()": "function: total_changes; its result depends on earlier writes",
    "INSERT INTO own SELECT last_insert_rowid()": "function: last_insert_rowid; its result depends on earlier writes",
    "INSERT INTO own VALUES (CURRENT_TIMESTAMP)": "function: CURRENT_TIMESTAMP; its result may depend on the",
    "INSERT INTO own SELECT date('now')": "function: date; its result may depend on the time, .*: pass a date",
    "INSERT INTO own SELECT DateTime(x, 'unixepoch') FROM others": "function: DateTime; its result may depend on the",
    "INSERT INTO own SELECT strftime('%s', x) FROM others": "function: strftime; its result may depend on the",
    "INSERT INTO own SELECT 1 WHERE julianday() > 0": "function: julianday; its result may depend on the",
    "UPDATE own SET x = unixepoch()": "function: unixepoch; its result may depend on the",
    "SELECT time(), 'timediff'": "function: time; its result may depend on the",
    "SELECT x FROM others ORDER BY timediff('now', '2016-01-01')": "function: timediff; its result may depend on the",
}


@pytest.fixture
def guarded(db):
    db.execute(
        "CREATE TABLE own (x); CREATE INDEX own_x ON own (x); CREATE TABLE others (x); INSERT INTO others VALUES (7)"
    )
    return db


@pytest.mark.parametrize("sql", ESCAPES)
def test_an_escape_fails_and_tells_what_is_not_allowed(guarded, tmp_path, sql):
    statement = sql.format(folder=tmp_path, library=library_path())
    with guarded.limited(["own"]), pytest.raises(SqlError, match=ESCAPES[sql]):
        guarded.rows(statement)
    assert guarded.execute("SELECT x FROM others").fetchall() == [(7,)]
    assert set(guarded.tables()) == {"own", "others"}
    assert list(tmp_path.iterdir()) == []


def test_what_a_step_needs_is_allowed(guarded):
    with guarded.limited(["OWN"]):  # names of tables know no case
        guarded.execute("INSERT INTO own SELECT norm2(3, 4, 0) UNION SELECT value FROM json_each('[1, 2]')")
        guarded.execute("UPDATE own SET x = x + 1 WHERE x IN (SELECT x FROM own); DELETE FROM own WHERE x = 2")
        guarded.execute("CREATE TEMP TABLE mine AS SELECT * FROM others; CREATE INDEX temp.i ON mine (x)")
        guarded.execute("CREATE TEMP VIEW v AS SELECT * FROM mine; INSERT INTO mine VALUES (8)")
        guarded.execute("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n")
        assert guarded.rows("SELECT name FROM pragma_table_info('own')") == (["name"], [("x",)])
        assert guarded.rows("SELECT * FROM v")[1] == [(7,), (8,)]
        guarded.execute("DROP VIEW v; DROP TABLE mine")
    assert [row[0] for row in guarded.execute("SELECT x FROM own ORDER BY x")] == [3, 6.0]


def test_who_only_reads_a_file_may_shuffle_it_and_ask_the_time(tmp_path):
    with Database(tmp_path / "o.db") as db:
        db.insert("t", {"x": [1, 2, 3]}, create=True)
    with Database(tmp_path / "o.db", readonly=True) as db, db.limited():
        assert sorted(db.execute("SELECT x FROM t ORDER BY random()").fetchall()) == [(1,), (2,), (3,)]
        assert db.execute("SELECT date('now') > '2026-01-01', date(0, 'unixepoch')").fetchall() == [(1, "1970-01-01")]


@pytest.mark.parametrize("call", ["random()", "unixepoch()", "strftime('%J', 'now')"])
def test_a_pipeline_with_numbers_that_the_seed_does_not_decide_is_refused(make_pipeline, example, tmp_path, call):
    pipeline = make_pipeline(ACROSS, rank=f"SELECT mcparticle_id, {call} AS n FROM MCParticles")
    with pytest.raises(
        SqlError,
        match=r"Step 'tmp_rank'.*function: \w+; its result (does not depend|may depend on the time)",
    ):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1)
    assert not (tmp_path / "out.db").exists()


def test_a_statement_that_was_allowed_before_is_not_remembered_as_such(guarded):
    statement = "DELETE FROM others WHERE x = 8"
    guarded.execute(statement)
    with guarded.limited(["others"]):
        guarded.execute(statement)
    with guarded.limited(["own"]), pytest.raises(SqlError, match="write to others"):
        guarded.execute(statement)
    guarded.execute(statement)


def test_limits_nest_and_end_also_after_errors(guarded):
    with pytest.raises(SqlError, match="syntax error"), guarded.limited(["own"]):
        guarded.execute("nonsense")
    guarded.execute("DELETE FROM others")
    with guarded.limited(["own"]):
        with guarded.limited(), pytest.raises(SqlError, match="only to temporary tables"):
            guarded.execute("DELETE FROM own")
        guarded.execute("DELETE FROM own")


def test_savepoints_of_ours_work_within_limits(guarded):
    with guarded.limited(["own"]):
        with guarded.atomic():
            guarded.execute("INSERT INTO own VALUES (1)")
        with pytest.raises(SqlError, match="syntax error"), guarded.atomic():
            guarded.execute("INSERT INTO own VALUES (2); nonsense")
    assert guarded.execute("SELECT x FROM own").fetchall() == [(1,)]


def test_a_compiled_query_only_reads(guarded):
    with pytest.raises(SqlError, match="a statement of a step or a user may not use PRAGMA user_version"):
        guarded.prepare("PRAGMA user_version = 5")


@pytest.mark.parametrize(
    "sql", ["VACUUM INTO '{folder}/stolen.db'", "ATTACH '{folder}/new.db' AS n", "PRAGMA mmap_size=1"]
)
def test_the_command_line_asks_questions_only(reference, tmp_path, capsys, sql):
    assert command_line("sql", reference[0], sql.format(folder=tmp_path)) == 1
    assert "a statement of a step or a user may not" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_python_step_writes_its_own_tables_only(make_pipeline, tmp_path, monkeypatch, example):
    body = "batch.db.execute('DELETE FROM GenVertices')"
    with pytest.raises(sqlamarr.SqlamarrError, match="Step 'f'.*table GenVertices may not be modified"):
        run_with_python(make_pipeline, tmp_path, monkeypatch, example, body)


def test_a_script_that_wants_too_much_is_found_before_any_event(make_pipeline, tmp_path, capsys):
    text = ACROSS.replace("sql: {table: tmp_rank, template: rank.sql, key: [mcparticle_id]}",
                          "script: {template: rank.sql, tables: [Vertices]}")  # fmt: skip
    for sql in (f"ATTACH '{tmp_path}/x.db' AS x", "DELETE FROM MCParticles", "COMMIT"):
        assert command_line("check", make_pipeline(text, rank=sql)) == 1
        message = capsys.readouterr().err
        assert "a statement of a step or a user may not" in message or "may not be modified" in message
    assert not (tmp_path / "x.db").exists()


def test_the_views_and_the_schema_of_a_pipeline_declare_and_no_more(make_pipeline, tmp_path, capsys):
    text = ACROSS.replace("output: {", "output: {views: views.sql, ")
    rank = "SELECT mcparticle_id, pe AS n FROM MCParticles"
    good = make_pipeline(text, rank=rank, views="CREATE VIEW v AS SELECT pe FROM MCParticles")
    assert command_line("check", good) == 0
    for sql in (f"ATTACH '{tmp_path}/x.db' AS x", "DROP TABLE MCParticles", "PRAGMA user_version = 3"):
        assert command_line("check", make_pipeline(text, rank=rank, views=sql)) == 1
        assert command_line("check", make_pipeline(text.replace("views: views.sql, ", "").replace("steps:", "schema: views.sql\nsteps:"), rank=rank, views=sql)) == 1  # fmt: skip # noqa: E501
        assert "a statement of a step or a user may not" in capsys.readouterr().err


@pytest.fixture
def untrusted(reference, tmp_path) -> Path:
    """An output file that somebody has prepared against its readers."""
    path = tmp_path / "bad.db"
    path.write_bytes(reference[0].read_bytes())
    plain = sqlite3.connect(path)
    plain.executescript("""
        CREATE VIEW internal AS SELECT sqlamarr_required(NULL, 'x');
        CREATE VIEW loads AS SELECT load_extension('/tmp/evil.so');
        CREATE VIEW random_view AS SELECT uniform_at(1, 0);
        CREATE TRIGGER spy AFTER INSERT ON Tracks BEGIN DELETE FROM Events; END;
    """)
    plain.close()
    return path


@pytest.mark.parametrize("view", ["internal", "loads", "random_view"])
def test_views_of_a_file_that_is_not_trusted_cannot_reach_what_is_internal(untrusted, view):
    with sqlamarr.open(untrusted) as db, pytest.raises(SqlError, match="unsafe use of"):
        db.rows(f"SELECT * FROM {view}")


def test_opening_and_asking_a_file_that_is_not_trusted_changes_nothing(untrusted, capsys):
    before = untrusted.read_bytes()
    for arguments in (["show", untrusted], ["sql", untrusted, "SELECT p FROM Tracks"]):
        assert command_line(*arguments) == 0
    assert command_line("show", untrusted, "--hash") == 1  # its declarations are not those that were written
    assert untrusted.read_bytes() == before


def test_a_file_cannot_be_made_to_write_its_catalogue(untrusted):
    with Database(untrusted) as db, pytest.raises(SqlError, match="may not be modified"):
        db.execute("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'x'")
