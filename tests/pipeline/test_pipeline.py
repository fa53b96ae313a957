"""Pipeline files: what is wrong in them is found before any event, and named."""

from __future__ import annotations

import pytest

import sqlamarr
from sqlamarr import load_pipeline
from sqlamarr.errors import DataError, ModelError, PipelineError, SqlError
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker

BASE = """
name: test
steps:
  - select_particles: {}
  - sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}
output: {tables: [MCParticles]}
"""
QUERY = "SELECT mcparticle_id, px FROM MCParticles"


def prepare(path):
    return Worker(load_pipeline(path), RunOptions(seed=1))


def test_a_good_pipeline_is_prepared(make_pipeline):
    worker = prepare(make_pipeline(BASE, a=QUERY))
    assert worker.output_tables == ["MCParticles"]


def test_a_misspelt_key_is_named_with_the_right_one(make_pipeline):
    with pytest.raises(
        PipelineError, match=r"pipeline\.yaml: steps\[1\]\.sql: unknown key 'tabel'.*Did you mean 'table'"
    ):
        prepare(make_pipeline(BASE.replace("table: tmp_a", "tabel: tmp_a"), a=QUERY))


def test_a_missing_key_is_named(make_pipeline):
    with pytest.raises(PipelineError, match=r"steps\[1\]\.sql: missing template"):
        prepare(make_pipeline(BASE.replace("template: a.sql, ", ""), a=QUERY))


def test_an_unknown_kind_of_step_is_named_with_the_right_one(make_pipeline):
    with pytest.raises(PipelineError, match=r"no kind of step 'slq'.*Did you mean 'sql'"):
        prepare(make_pipeline(BASE.replace("- sql:", "- slq:"), a=QUERY))


def test_two_steps_of_one_name_are_refused(make_pipeline):
    text = BASE.replace("output:", "  - sql: {name: tmp_a, table: b, template: a.sql, key: [mcparticle_id]}\noutput:")
    with pytest.raises(PipelineError, match="two steps are named 'tmp_a'. Names key the random numbers"):
        prepare(make_pipeline(text, a=QUERY))


def test_whole_numbers_may_have_exponents(make_pipeline):
    pipeline = load_pipeline(make_pipeline(BASE.replace("particles: {}", "particles: {statuses: [89e1]}"), a=QUERY))
    assert [type(status) for status in pipeline.steps[0].statuses] == [int]
    assert list(pipeline.steps[0].statuses) == [890]


def test_yaml_that_is_none_is_refused(make_pipeline):
    with pytest.raises(PipelineError, match="is not valid YAML"):
        prepare(make_pipeline("a: [1"))


def test_a_key_that_stands_twice_is_refused_at_any_depth(make_pipeline):
    twice = BASE.replace("output:", "steps:\n  - find_primary_vertices: {}\noutput:")
    with pytest.raises(
        PipelineError, match=r"pipeline\.yaml, line 6: the key 'steps' was already used in line 3; one of"
    ):
        prepare(make_pipeline(twice, a=QUERY))
    with pytest.raises(PipelineError, match=r"line 5: the key 'table' was already used in line 5"):
        prepare(make_pipeline(BASE.replace("template:", "table: tmp_b, template:"), a=QUERY))


def test_a_mapping_that_is_referred_to_may_be_merged_and_changed(make_pipeline):
    text = BASE.replace("table: tmp_a,", "&a table: tmp_a,").replace("- sql: {&a table", "- sql: &a {table")
    text = text.replace("output:", "  - sql: {<<: *a, table: tmp_b}\noutput:")
    assert [step.name for step in prepare(make_pipeline(text, a=QUERY)).pipeline.steps][1:] == ["tmp_a", "tmp_b"]


def test_an_unknown_pipeline_lists_the_shipped_ones():
    with pytest.raises(PipelineError, match=r"no pipeline 'lhcb_run3'.*Did you mean 'lhcb_run2'"):
        load_pipeline("lhcb_run3")


def test_sql_errors_name_the_step_and_show_the_query(make_pipeline):
    with pytest.raises(
        SqlError, match=r"Step 'tmp_a': a\.sql, line 1: Query: no such column: nope\n  in: SELECT mcparticle_id, nope"
    ):
        prepare(make_pipeline(BASE, a="SELECT mcparticle_id, nope FROM MCParticles"))


def test_a_key_that_the_query_does_not_return_is_an_error(make_pipeline):
    with pytest.raises(
        PipelineError, match=r"key \['mcparticle_id'\] is not among the columns of 'tmp_a': mc_particleid"
    ):
        prepare(make_pipeline(BASE, a="SELECT mcparticle_id AS mc_particleid, px FROM MCParticles"))


def test_an_output_table_that_no_step_makes_is_an_error(make_pipeline):
    with pytest.raises(PipelineError, match=r"output\.tables names Trakcs, which no step makes"):
        prepare(make_pipeline(BASE.replace("[MCParticles]", "[Trakcs]"), a=QUERY))


def test_an_output_table_without_event_id_is_an_error(make_pipeline):
    with pytest.raises(PipelineError, match="names tmp_a, which has no column event_id"):
        prepare(make_pipeline(BASE.replace("[MCParticles]", "[tmp_a]"), a=QUERY))


def test_a_column_that_the_declared_table_has_not_is_an_error(make_pipeline):
    text = BASE.replace("steps:", "schema: tables.sql\nsteps:")
    with pytest.raises(
        PipelineError, match=r"a\.sql returns px, which is not in table 'tmp_a'; it has: mcparticle_id, pz"
    ):
        prepare(make_pipeline(text, a=QUERY, tables="CREATE TABLE tmp_a (mcparticle_id INTEGER PRIMARY KEY, pz REAL);"))


def test_conditions_that_are_not_available_list_those_that_are():
    pipeline = load_pipeline("lhcb_run2")
    with pytest.raises(PipelineError, match="period = 2012 is not available; there are: 2015, 2016, 2017, 2018"):
        pipeline.with_conditions({"period": 2012})
    with pytest.raises(PipelineError, match="no condition 'polarty'; there are: .*Did you mean 'polarity'"):
        pipeline.with_conditions({"polarty": "MagUp"})


@pytest.mark.parametrize(("value", "allowed"), [("off", '[event, "off"]'), ("event", "[event, off]")])
def test_a_condition_that_yaml_reads_as_a_truth_value_is_explained(make_pipeline, value, allowed):
    text = BASE.replace("steps:", f"conditions: {{calorimeter: {value}}}\nallowed: {{calorimeter: {allowed}}}\nsteps:")
    with pytest.raises(
        PipelineError,
        match=r"calorimeter = ('off'|False) is not available; there are: event, (off|False)\. "
        r"In YAML, unquoted on, off, yes and no mean true and false\.",
    ):
        load_pipeline(make_pipeline(text, a=QUERY)).with_conditions({"calorimeter": "off"})


def test_unknown_models_are_named():
    pipeline = load_pipeline("lhcb_run2")
    with pytest.raises(PipelineError, match="no model 'traking'; there are: .*Did you mean 'tracking'"):
        pipeline.with_models({"traking": "x.so"})
    with pytest.raises(ModelError, match="does not exist"):
        Worker(pipeline.with_models({"tracking": "missing.so"}), RunOptions(seed=1))
    with pytest.raises(ModelError, match="no model library 'lhcb_run9'; there are: lhcb_run2"):
        Worker(pipeline.with_models({"tracking": "plugins:lhcb_run9"}), RunOptions(seed=1))


def test_tables_of_constants_cannot_be_written(make_pipeline, tmp_path):
    (tmp_path / "c.csv").write_text("a,b\n1,x\n2,y\n")
    text = BASE.replace("steps:", "data: {tmp_a: c.csv}\nsteps:")
    with pytest.raises(PipelineError, match="would write 'tmp_a', a table of constants"):
        prepare(make_pipeline(text, a=QUERY))


def test_a_python_function_that_cannot_be_imported_is_named(make_pipeline):
    text = BASE.replace("output:", '  - python: {function: "no_such_module:f"}\noutput:')
    with pytest.raises(PipelineError, match=r"Step 'f': cannot import 'no_such_module:f'.*PYTHONPATH"):
        prepare(make_pipeline(text, a=QUERY))


def test_a_wrong_checksum_of_a_model_is_refused(make_pipeline, compile_plugin):
    library = compile_plugin("float *f(float *out, const float *in) { out[0] = in[0]; return out; }")
    text = BASE.replace("steps:", f"models: {{m: {{library: {library}, sha256: {'ab' * 32}}}}}\nsteps:").replace(
        "output:",
        "  - plugin: {model: m, function: f, query: a.sql, table: b, key: [mcparticle_id],\n"
        "             inputs: 1, outputs: [y]}\noutput:",
    )
    with pytest.raises(ModelError, match="expected sha256 abab"):
        prepare(make_pipeline(text, a=QUERY))


def test_seeds_must_fit_64_bits(make_pipeline):
    from sqlamarr.native.random import stream_key

    with pytest.raises(DataError, match="seed"):
        stream_key(2**64, "x")


def test_the_small_pipeline_of_the_documentation_runs(make_pipeline, example, tmp_path):
    import re
    from pathlib import Path

    import sqlamarr

    text = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text()
    pipeline = re.search(r"```yaml\n(.*?)```", text, re.DOTALL).group(1)
    query = re.search(r"```sql\n(.*?)```", text, re.DOTALL).group(1)
    schema = "CREATE TABLE Muons (mcparticle_id INTEGER PRIMARY KEY, event_id INTEGER, pt REAL)"
    summary = sqlamarr.run(make_pipeline(pipeline, muons=query, schema=schema), [example], tmp_path / "o.db", seed=1)
    assert summary.rows["Muons"] > 0
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT min(pt) > 1000 FROM Muons").fetchone() == (1,)


def test_the_python_step_of_the_documentation_runs(make_pipeline, example, tmp_path, monkeypatch):
    import re
    from pathlib import Path

    import sqlamarr

    text = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text()
    (tmp_path / "doc_steps.py").write_text(re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1))
    monkeypatch.syspath_prepend(tmp_path)
    step = (
        '  - python: {function: "doc_steps:smear", arguments: {width: 10},\n'
        "             creates: {Smeared: {columns: {mcparticle_id: INTEGER, pz: REAL}, key: [mcparticle_id]}}}\noutput:"
    )
    worker_pipeline = make_pipeline(BASE.replace("output:", step), a=QUERY)
    sqlamarr.run(worker_pipeline, [example], tmp_path / "o.db", seed=1, events=5, keep_tmp=True)
    with sqlamarr.open(tmp_path / "o.db") as db:
        shift = db.arrays("SELECT s.pz - m.pz AS d FROM Smeared s JOIN MCParticles m USING (mcparticle_id)")["d"]
    assert abs(shift.std() - 10) < 1


@pytest.mark.parametrize("nothing", ["", "\n", "-- SELECT 1\n/* nor\nthis */ ;", "/* SELECT 1", "{# not yet #}\n"])
def test_a_template_without_a_statement_is_refused(make_pipeline, nothing):
    for step in ("sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}", "script: {template: a.sql, tables: []}"):
        text = BASE.replace("sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}", step)
        with pytest.raises(PipelineError, match=r"Template a\.sql contains no statement: it is empty or has only comm"):
            prepare(make_pipeline(text, a=nothing))


def test_a_template_may_come_out_empty_for_some_conditions(make_pipeline):
    text = BASE.replace(
        "sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}", "script: {template: a.sql, tables: []}"
    )
    prepare(make_pipeline(text + "conditions: {x: 1}\n", a="-- never\n{% if conditions.x == 2 %}SELECT 1{% endif %}"))


def test_a_key_that_is_no_column_is_explained_by_what_stands_there(make_pipeline):
    python = 'python: {function: "json:dumps", creates: {tmp_a: {columns: {x: REAL}, key: [mcparticle_id]}}}'
    text = BASE.replace("sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}", python)
    with pytest.raises(
        PipelineError, match=r"columns of 'tmp_a': x\. List every key column under 'columns' of creates\.tmp"
    ):
        prepare(make_pipeline(text))
    with pytest.raises(PipelineError, match=r"of 'tmp_a': px\. The query must return every key column"):
        prepare(make_pipeline(BASE, a="SELECT px FROM MCParticles"))
    with pytest.raises(
        PipelineError, match=r"'tmp_a' is not in the schema, so .* key: \[\.\.\.\], some of mcparticle_id, px"
    ):
        prepare(make_pipeline(BASE.replace(", key: [mcparticle_id]", ""), a=QUERY))


#: Columns that events of the example do not fill.
ONLY_ELSEWHERE = {
    "DataSources": {"run_number", "evt_number"},  # of LHCb's files
    "GenEvents": {"original_id", "collisions_tried", "hadronizations"},  # of Pythia in this process
}


def test_every_column_that_the_shipped_pipeline_declares_is_filled(reference):
    """A column that is in the schema but not in the template would be NULL, without a word."""
    with sqlamarr.open(reference[0]) as db:
        for table in reference[1].rows:
            for column in set(db.declared_types(table)) - ONLY_ELSEWHERE.get(table, set()):
                (filled,) = db.execute(f'SELECT count("{column}") FROM "{table}"').fetchone()
                assert filled, (table, column)
