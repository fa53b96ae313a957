"""The order of steps: a table is filled before it is read."""

from __future__ import annotations

import pytest

from sqlamarr import Database, load_pipeline
from sqlamarr.errors import PipelineError
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker
from sqlamarr.steps.table_order import reading

BASE = """
name: test
schema: schema.sql
steps:
  - select_particles: {}
  - sql: {table: Muons, template: muons.sql}
  - sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}
output: {tables: [Muons]}
"""
SCHEMA = "CREATE TABLE Muons (mcparticle_id INTEGER PRIMARY KEY, event_id INTEGER, pz REAL);"
MUONS = "SELECT mcparticle_id, event_id, pz FROM MCParticles WHERE abs(pid) = 13"
QUERY = "SELECT mcparticle_id, pz FROM Muons"


def prepare(make_pipeline, text, **templates):
    path = make_pipeline(text, **{"schema": SCHEMA, "muons": MUONS, "a": QUERY, **templates})
    return Worker(load_pipeline(path), RunOptions(seed=1))


def moved(text, line, behind):
    """The pipeline with the step of one line behind that of another."""
    lines = text.splitlines()
    step = next(each for each in lines if line in each)
    lines.remove(step)
    place = next(i for i, each in enumerate(lines) if behind in each)
    return "\n".join([*lines[: place + 1], step, *lines[place + 1 :]])


@pytest.mark.parametrize(
    "query", [QUERY, "SELECT mcparticle_id FROM MCParticles WHERE (SELECT count(*) FROM Muons) > 0"]
)
def test_a_step_before_the_one_that_fills_its_input_is_refused(make_pipeline, query):
    assert prepare(make_pipeline, BASE, a=query).output_tables == ["Muons"]
    with pytest.raises(
        PipelineError,
        match=r"pipeline\.yaml: step 'tmp_a' reads Muons, which only a later step, 'Muons', fills, so it would "
        r"find no rows\. Put 'tmp_a' after 'Muons'\.",
    ):
        prepare(make_pipeline, moved(BASE, "table: tmp_a", "select_particles"), a=query)


def test_a_step_of_the_package_is_a_writer_too(make_pipeline):
    with pytest.raises(PipelineError, match="step 'Muons' reads MCParticles, which only a later step, 'select_parti"):
        prepare(make_pipeline, moved(BASE, "select_particles", "table: tmp_a"))


def test_the_input_of_a_model_counts(make_pipeline, tmp_path):
    (tmp_path / "m.py").write_text("def f(rows):\n    return rows\n")
    plugin = (
        "  - plugin: {model: m, function: f, query: a.sql, table: b, key: [mcparticle_id], inputs: 1, outputs: [y]}\n"
    )
    text = BASE.replace("steps:\n", f'models: {{m: {{python: "m.py:f"}}}}\nsteps:\n{plugin}')
    with pytest.raises(PipelineError, match="step 'b' reads Muons, which only a later step, 'Muons', fills"):
        prepare(make_pipeline, text)


def test_one_earlier_writer_is_enough(make_pipeline):
    more = "  - sql: {name: more, table: Muons, template: more.sql}\noutput:"
    text = BASE.replace("output:", more)
    prepare(make_pipeline, text, more="SELECT mcparticle_id + 1 AS mcparticle_id, event_id, pz FROM Muons")


def test_a_script_may_read_what_it_writes(make_pipeline):
    script = "- script: {template: s.sql, tables: [Muons]}\n  - sql: {name: more, table: Muons"
    text = BASE.replace("- sql: {table: Muons", script)
    prepare(make_pipeline, text, s=f"INSERT INTO Muons {MUONS};\nUPDATE Muons SET pz = -pz WHERE pz < 0")


def test_what_comes_with_the_event_and_what_nobody_fills_may_be_read(make_pipeline):
    query = "SELECT mcparticle_id, pz FROM MCParticles JOIN GenParticles USING (genparticle_id, pz)"
    text = BASE.replace("  - sql: {table: Muons, template: muons.sql}\n", "")
    prepare(make_pipeline, text, a=query)
    prepare(make_pipeline, text)


def test_reads_are_those_of_the_block_alone():
    with Database() as db:
        db.execute("CREATE TABLE a (x); CREATE TABLE b (x); CREATE TEMP TABLE c (x); CREATE VIEW v AS SELECT x FROM b")
        with reading(db) as found:
            db.execute("SELECT (WITH d AS (SELECT 1 AS x) SELECT x FROM d), c.x FROM v, c")
            assert found == set()
        assert found == {"b"}
        db.execute("SELECT x FROM a")
        with reading(db) as found:
            pass
        assert found == set()
