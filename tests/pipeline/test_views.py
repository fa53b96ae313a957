"""Views of the output file: they are tried before the run, and work in the file."""

from __future__ import annotations

import pytest

import sqlamarr
from sqlamarr import load_pipeline
from sqlamarr.errors import PipelineError, SqlError
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

BASE = """
name: test
steps:
  - select_particles: {}
output: {tables: [MCParticles], views: views.sql}
"""
VIEW = "CREATE VIEW Status AS SELECT mcparticle_id, pid, e.status FROM MCParticles JOIN Events AS e USING (event_id);"
INNER = "CREATE VIEW Made AS SELECT * FROM MCVertices;\nCREATE VIEW Far AS SELECT mcvertex_id FROM Made WHERE z > 100;"


def prepare(path):
    return Worker(load_pipeline(path), RunOptions(seed=1))


def test_a_view_of_kept_tables_works_in_the_file(make_pipeline, example, tmp_path):
    text = BASE.replace("[MCParticles]", "[MCParticles, MCVertices]")
    sqlamarr.run(make_pipeline(text, views=f"{VIEW}\n{INNER}"), example, tmp_path / "o.db", seed=1, events=2)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT count(*) FROM Status").fetchone() == db.execute(
            "SELECT count(*) FROM MCParticles").fetchone()  # fmt: skip
        assert db.execute("SELECT count(*) > 0 FROM Far").fetchone() == (1,)


@pytest.mark.parametrize(("views", "name"), [(INNER, "Made"), ("CREATE VIEW Counts AS SELECT count(*) FROM MCVertices", "Counts")])  # fmt: skip # noqa: E501
def test_a_view_of_a_table_that_is_not_kept_is_refused(make_pipeline, views, name):
    with pytest.raises(
        PipelineError,
        match=rf"pipeline\.yaml: the view '{name}' of views\.sql reads MCVertices, which is not in "
        r"output\.tables and would be missing in the output file\. Add it there, or leave the view out\.",
    ):
        prepare(make_pipeline(BASE, views=f"{VIEW}\n{views}"))


@pytest.mark.parametrize(
    ("views", "message"),
    [
        (VIEW.replace("pid", "pdg"), r"^views\.sql: view 'Status': Query: no such column: pdg\n"),
        (VIEW.replace("VIEW", "VEIW"), r"^views\.sql, line 1: SQL: near \"VEIW\": syntax error"),
    ],
)
def test_a_view_that_is_wrong_is_named_with_its_file(make_pipeline, views, message):
    with pytest.raises(SqlError, match=message):
        prepare(make_pipeline(BASE, views=views))


@pytest.mark.parametrize("view", ["Particles", "Photons"])
def test_shipped_views_go_over_one_table_and_look_up_the_rest(reference, view):
    """Else they take a time that grows as the square of the number of events."""
    with sqlamarr.open(reference[0]) as db:
        plan = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM {view}").fetchall()]
    assert sum(step.startswith("SCAN") for step in plan) == 1, plan
    assert [step for step in plan if step.startswith("SEARCH") and "USING" not in step] == []


def test_particles_have_the_vertex_of_their_collision(reference):
    with sqlamarr.open(reference[0]) as db:
        found = db.execute("SELECT track_id, vertex_id FROM Particles ORDER BY track_id").fetchall()
        expected = db.execute(
            """SELECT t.track_id, min(v.vertex_id) FROM Tracks AS t JOIN MCParticles AS m USING (mcparticle_id)
            LEFT JOIN Vertices AS v ON v.genevent_id = m.genevent_id GROUP BY t.track_id ORDER BY t.track_id"""
        ).fetchall()
    assert found == expected
    assert sum(vertex is not None for _, vertex in found) > 100
