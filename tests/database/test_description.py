"""Types, units and comments of tables and views come from the SQL inside the file."""

from __future__ import annotations

import re

import pytest

import sqlamarr
from sqlamarr import Database
from sqlamarr.errors import DataError, SqlError
from sqlamarr.native.columns import FLOAT64, INT64, TEXT
from sqlamarr.output.tables.description import describe


def described(sql: str, name: str = "t"):
    db = Database()
    db.execute(sql)
    return describe(db, name)


def test_a_comment_gives_the_unit_and_the_text():
    table = described("CREATE TABLE t ( -- of tests\n a REAL, -- energy [MeV], lost\n b INTEGER NOT NULL)")
    assert table.doc == "of tests"
    assert (table.columns["a"].unit, table.columns["a"].doc) == ("MeV", "energy, lost")
    assert table.columns["a"].title == "energy, lost [MeV]"
    assert (table.columns["b"].title, table.columns["b"].nullable) == ("", False)


def test_a_comment_may_go_on_in_the_next_line():
    table = described("CREATE TABLE t (\n a REAL, -- one\n          -- two [mm]\n b REAL -- [cm]\n)")
    assert (table.columns["a"].unit, table.columns["a"].doc) == ("mm", "one two")
    assert table.columns["b"].unit == "cm"


def test_dashes_in_a_text_are_no_comment():
    table = described("CREATE TABLE t (\n a TEXT DEFAULT '--[x]', -- name\n b REAL)")
    assert (table.columns["a"].unit, table.columns["a"].doc) == ("", "name")


def test_odd_names_are_found():
    table = described('CREATE TABLE t (\n "a, b" REAL, -- [mm]\n "c""d" REAL -- [cm]\n)')
    assert table.columns['c"d'].unit == "cm"


def test_columns_of_a_view_have_the_unit_of_their_source_or_their_own():
    sql = """CREATE TABLE t (id INTEGER PRIMARY KEY, p REAL, -- momentum [MeV]
        eta REAL, -- pseudorapidity
        phi REAL  -- azimuth [rad]
        );
        CREATE VIEW v AS -- of t
        SELECT id, p, eta, phi, -- several
            p / 1000 AS p_gev,  -- [GeV]
            norm2(p, p, 0.0) AS r, 'x' AS name FROM t;"""
    view = described(sql, "v")
    units = {name: column.unit for name, column in view.columns.items()}
    assert units == {"id": "", "p": "MeV", "eta": "", "phi": "rad", "p_gev": "GeV", "r": "", "name": ""}
    assert view.is_view
    assert view.doc == "of t"


def test_types_without_declaration_come_from_the_values():
    db = Database()
    db.execute("CREATE TABLE t (a, b, c, d); INSERT INTO t VALUES (1, 1, 'x', NULL), (2, 2.5, NULL, NULL)")
    types = [column.type for column in describe(db, "t").columns.values()]
    assert types == [INT64, FLOAT64, TEXT, FLOAT64]
    db.execute("INSERT INTO t VALUES ('x', 0, 0, 0)")
    with pytest.raises(DataError, match=re.escape("t.a holds values of several types (integer, text); expected one.")):
        describe(db, "t")


def test_an_unknown_table_is_named_with_what_was_probably_meant(db):
    db.execute("CREATE TABLE Tracks (a)")
    with pytest.raises(SqlError, match="There is no table or view 'Track'; there are: Tracks. Did you mean 'Tracks'?"):
        describe(db, "Track")


def test_every_length_and_momentum_of_an_output_file_has_its_unit(everything):
    with sqlamarr.open(everything) as db:
        for name in [*db.tables(), *db.views()]:
            for column in describe(db, name).columns.values():
                if re.fullmatch(r"(?!\w+_over_p)(\w+_)?(x|y|z|px|py|pz|p|pt|pe)", column.name):
                    assert column.unit in ("mm", "MeV"), (name, column.name)
        assert describe(db, "Particles").columns["p_brem"].unit == "MeV"
        assert describe(db, "MCParticles").columns["mother"].refers == ("MCParticles", "mcparticle_id")
        assert describe(db, "RecSummary").per_event
