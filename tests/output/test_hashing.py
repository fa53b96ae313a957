"""The content hash sees what matters and nothing else."""

from __future__ import annotations

import sqlite3

from run_tools import hashes

from sqlamarr import Database
from sqlamarr.output.content_hash import _table_hash, total_hash


def hash_of(tmp_path, sql):

    with Database() as db:
        db.execute(sql)
        return _table_hash(db, "t")


def test_the_hash_of_a_table_sees_names_types_nulls_and_no_sign_of_zero(tmp_path):
    base = "CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL); INSERT INTO t VALUES (1, 0.0), (2, 1.0);"
    same = hash_of(tmp_path, base)
    assert hash_of(tmp_path, base.replace("0.0", "-0.0")) == same
    assert hash_of(tmp_path, base.replace("(1, 0.0), (2, 1.0)", "(2, 1.0), (1, 0.0)")) == same
    for other in (base.replace("x REAL", "y REAL"), base.replace("0.0", "NULL"), base.replace("x REAL", "x INTEGER")):
        assert hash_of(tmp_path, other) != same


def test_the_hash_does_not_depend_on_how_many_rows_are_read_at_a_time(tmp_path, monkeypatch):
    sql = "CREATE TABLE t (a INTEGER, b TEXT, x REAL, PRIMARY KEY (a, b));"
    sql += "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)"
    sql += "INSERT INTO t SELECT i / 3, 'k' || (i % 3), nullif(i, 50) FROM n;"
    found = set()
    for rows in (1, 7, 1000):
        monkeypatch.setattr("sqlamarr.output.content_hash._ROWS", rows)
        found.add(hash_of(tmp_path, sql))
    assert len(found) == 1


def test_the_hash_sees_every_value(reference, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(reference[0].read_bytes())
    assert hashes(copy) == hashes(reference[0])
    plain = sqlite3.connect(copy)
    plain.execute("UPDATE Tracks SET ghostProb = ghostProb + 1e-15 WHERE track_id = (SELECT max(track_id) FROM Tracks)")
    plain.execute("UPDATE Provenance SET value = '' WHERE key = 'finished'")
    plain.commit()
    plain.close()
    changed = {table for table, digest in hashes(copy).items() if digest != hashes(reference[0])[table]}
    assert changed == {"Tracks"}
    assert total_hash(hashes(copy)) != total_hash(hashes(reference[0]))
