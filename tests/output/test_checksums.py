"""Checksums of rows: the same before they are stored and as they are read back, and the same as in plain Python."""

from __future__ import annotations

import math
import shutil

import checksum_oracle
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sqlamarr
from sqlamarr import Columns, Database
from sqlamarr.native.checksums import block_checksums
from sqlamarr.native.columns import Text
from sqlamarr.output import checksums
from sqlamarr.output.checksums import Hasher, Sums

EVENT = 1_000_000
INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, -1, 2**53 + 1])
REALS = st.none() | st.floats() | st.integers(-(2**60), 2**60).map(float) | st.sampled_from([0.0, -0.0, 1.0, 5e-324])
TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["", "\0", "12", "1.5", "null"])
ROWS = st.lists(st.tuples(st.none() | st.integers(-2_000, 5_000), INTEGERS, REALS, TEXTS), max_size=30)
DECLARED = "CREATE TABLE t (event_id INTEGER, n INTEGER, x REAL, s TEXT)"


def masked(values):
    mask = [value is None for value in values]
    return np.ma.MaskedArray(np.array([0 if value is None else value for value in values], np.int64), mask=mask)


def as_columns(rows):
    """Rows (ordinal, integer, real, text) with None for NULL."""
    ordinals, integers, reals, texts = (list(column) for column in zip(*rows)) if rows else ([], [], [], [])
    return Columns(
        {
            "event_id": masked([None if ordinal is None else ordinal * EVENT + 7 for ordinal in ordinals]),
            "n": masked(integers),
            "x": np.array([np.nan if value is None else value for value in reals], np.float64),
            "s": np.array([*texts, None], dtype=object)[:-1],
        }
    )


def in_plain_python(rows):
    found = Sums()
    for ordinal, n, x, text in rows:
        values = (
            None if ordinal is None else ordinal * EVENT + 7,
            n,
            None if x is None or math.isnan(x) else x,
            None if text is None else text.encode(),
        )
        block = -1 if ordinal is None else ordinal // 1000
        found.add(block, "t", 1, checksum_oracle.row_hash("t", values))
    return dict(found.items())


def of(table, columns, *, declared=DECLARED):
    with Database() as db:
        db.execute(declared)
        return dict(Hasher(db).of(table, columns).items())


@given(ROWS, st.integers(1, 12))
def test_rows_have_the_same_checksums_before_they_are_stored_and_when_they_are_read_back(rows, at_a_time):
    columns = as_columns(rows)
    with Database() as db, pytest.MonkeyPatch.context() as patch:
        patch.setattr(checksums, "ROWS", at_a_time)
        db.execute(DECLARED)
        before = Hasher(db).of("t", columns)
        if rows:
            db.insert("t", columns)
        assert dict(Hasher(db).stored(db, "t").items()) == dict(before.items()) == in_plain_python(rows)


@given(ROWS, st.integers(0, 30))
def test_checksums_add_in_any_split_and_order(rows, cut):
    whole, parts = of("t", as_columns(rows)), Sums()
    for part in (rows[cut:], rows[:cut]):
        for key, (n, checksum) in of("t", as_columns(part[::-1])).items():
            parts.add(*key, n, checksum)
    assert dict(parts.items()) == whole


@given(st.lists(st.none() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text("ab1.\0"), max_size=8))
def test_what_sqlite_converts_is_hashed_as_it_is_stored(values):
    """Columns of other types than the declared ones, left out, in another order, without a type."""
    kinds = {
        "whole numbers in REAL": ("x REAL", [value for value in values if isinstance(value, int)]),
        "numbers in INTEGER": ("x INTEGER", [float(value) for value in values if isinstance(value, int)]),
        "numbers in TEXT": ("x TEXT", [value for value in values if isinstance(value, (int, float))]),
        "text without type": ("x", [value for value in values if isinstance(value, str)]),
        "numbers without type": ("x", [value for value in values if isinstance(value, (int, float))]),
    }
    for declared, given_values in kinds.values():
        with Database() as db:
            db.execute(f"CREATE TABLE t (event_id INTEGER DEFAULT 5000000000, y INTEGER DEFAULT 3, {declared})")
            columns = Columns({"x": given_values, "event_id": [EVENT * 1000] * len(given_values)})
            before = Hasher(db).of("t", columns)
            if given_values:
                db.insert("t", columns)
            assert dict(Hasher(db).stored(db, "t").items()) == dict(before.items())
            assert set(before) == ({(1, "t")} if given_values else set())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 5, 1.0, "a"), (1, 6, 1.0, "a")),
        ((1, 5, 1.0, "a"), (1, 5, np.nextafter(1.0, 2), "a")),
        ((1, 5, 1.0, "a"), (1, 5, 1.0, "a\0")),
        ((1, 5, 1.0, "a"), (1, 5, 1.0, "")),
        ((1, 5, 1.0, ""), (1, 5, 1.0, None)),
        ((1, 0, 1.0, "a"), (1, None, 1.0, "a")),
        ((1, 5, 0.0, "a"), (1, 5, None, "a")),
        ((0, 5, 1.0, "a"), (None, 5, 1.0, "a")),
        ((1, 5, 1.0, "12345678"), (1, 5, 1.0, "12345679")),
    ],
)
def test_every_change_of_a_value_changes_the_checksum(one, other):
    assert of("t", as_columns([one])) != of("t", as_columns([other]))


def test_equal_bits_of_other_types_tables_and_columns_differ():
    bits = np.array([7], np.int64)
    found = [
        list(block_checksums(table, Columns(columns), None))
        for table, columns in (
            ("t", {"a": bits, "b": bits + 1}),
            ("t", {"a": bits + 1, "b": bits}),
            ("t", {"a": bits.view(np.float64), "b": bits + 1}),
            ("u", {"a": bits, "b": bits + 1}),
            ("t", {"a": bits}),
        )
    ]
    assert len({entry[0][2] for entry in found}) == len(found)


def test_minus_zero_is_zero_and_nan_is_null():
    assert of("t", as_columns([(1, 5, -0.0, "a")])) == of("t", as_columns([(1, 5, 0.0, "a")]))
    assert of("t", as_columns([(1, 5, math.nan, "a")])) == of("t", as_columns([(1, 5, None, "a")]))


def test_masked_values_do_not_matter():
    hidden = np.ma.MaskedArray(np.array([1.5, 2.5]), mask=[False, True])
    other = np.ma.MaskedArray(np.array([1.5, 9.5]), mask=[False, True])
    found = [list(block_checksums("t", Columns({"x": values}), None)) for values in (hidden, other)]
    assert found[0] == found[1]


def test_bytes_that_are_not_utf8_are_hashed_as_they_are(db):
    db.execute(DECLARED)
    text = Text(np.frombuffer(b"\xff\xfe", np.uint8), np.array([0, 1, 2]))
    columns = Columns({"event_id": [EVENT, EVENT], "n": [1, 2], "x": [0.5, 1.5], "s": text})
    before = Hasher(db).of("t", columns)
    db.insert("t", columns)
    assert dict(Hasher(db).stored(db, "t").items()) == dict(before.items())


@pytest.mark.parametrize(
    "declared",
    [
        "CREATE TABLE t (a INTEGER, s TEXT, event_id INTEGER, PRIMARY KEY (s, a)) WITHOUT ROWID",
        "CREATE TABLE t (a INTEGER, s TEXT, event_id INTEGER, PRIMARY KEY (s, a))",
        "CREATE TABLE t (rowid TEXT, a INTEGER, s TEXT, event_id INTEGER)",
        "CREATE TABLE t (a INTEGER PRIMARY KEY, s TEXT, event_id INTEGER)",
    ],
)
def test_tables_are_read_in_pieces_whatever_their_keys(declared, db, monkeypatch):
    db.execute(declared)
    db.execute(
        "WITH RECURSIVE k(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM k WHERE i < 99) "
        "INSERT INTO t (a, s, event_id) SELECT i, 'k' || (i % 3), i * 100000000 FROM k"
    )
    found = []
    for rows in (1, 7, 1000):
        monkeypatch.setattr(checksums, "ROWS", rows)
        found.append(dict(Hasher(db).stored(db, "t").items()))
    assert found[0] == found[1] == found[2]
    assert {key: rows for key, (rows, _) in found[0].items()} == {(block, "t"): 10 for block in range(10)}


def test_files_have_the_checksums_of_plain_python(reference, everything, tmp_path):
    for path in (reference[0], everything):
        assert checksum_oracle.stored(path) == checksum_oracle.checksums(path)
    gun = {"gun": {"particle": "mu-", "p": 1e4, "eta": 3, "events": 25}}
    sqlamarr.run("lhcb_run2", gun, tmp_path / "o.db", seed=1, first_event=1990, batch_size=7, keep_tmp=True)
    found = checksum_oracle.stored(tmp_path / "o.db")
    assert {block for block, _ in found} == {-1, 1, 2}
    assert (found[1, "Events"][0], found[2, "Events"][0]) == (10, 15)
    assert found == checksum_oracle.checksums(tmp_path / "o.db")


def test_checksums_do_not_depend_on_batches_or_workers(reference, example, tmp_path):
    wanted = checksum_oracle.stored(reference[0])
    bookkeeping = {"Batches", "Provenance"}
    for size, jobs in ((7, 1), (11, 2)):
        path = tmp_path / f"{size}.db"
        sqlamarr.run("lhcb_run2", [example], path, seed=42, events=40, batch_size=size, jobs=jobs)
        found = checksum_oracle.stored(path)
        assert {key: value for key, value in found.items() if key[1] not in bookkeeping} == {
            key: value for key, value in wanted.items() if key[1] not in bookkeeping
        }
        assert found == checksum_oracle.checksums(path)


def test_a_table_whose_rows_replace_others_is_read_anew(make_pipeline, tmp_path):
    """Batches of one event each, of which every third has a row with the same value."""
    pipeline = make_pipeline(
        "name: test\n"
        "schema: schema.sql\n"
        "steps:\n  - select_particles: {}\n"
        "  - sql: {table: Seen, template: seen.sql}\n"
        "output: {tables: [Seen]}\n",
        schema="CREATE TABLE Seen (event_id INTEGER, kind INTEGER UNIQUE ON CONFLICT REPLACE);",
        seen="SELECT event_id, ordinal % 3 AS kind FROM Events",
    )
    gun = {"gun": {"particle": "mu-", "p": 1e4, "eta": 3, "events": 7}}
    sqlamarr.run(pipeline, gun, tmp_path / "o.db", seed=1, batch_size=1)
    found = checksum_oracle.stored(tmp_path / "o.db")
    assert found[0, "Seen"][0] == 3
    assert found == checksum_oracle.checksums(tmp_path / "o.db")


def test_the_oracle_sees_a_change(reference, tmp_path):
    path = shutil.copy(reference[0], tmp_path / "o.db")
    with Database(path) as db:
        db.execute("UPDATE Tracks SET p = p + 1 WHERE track_id = (SELECT min(track_id) FROM Tracks)")
    assert checksum_oracle.stored(path) != checksum_oracle.checksums(path)
