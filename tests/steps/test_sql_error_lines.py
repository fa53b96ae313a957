"""Errors of rendered SQL: which template, which line, and which macro in another file."""

from __future__ import annotations

import pytest

import sqlamarr
from sqlamarr import load_pipeline
from sqlamarr.errors import DataError, PipelineError, SqlError
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker
from sqlamarr.steps.templates import Templates

MACROS = """{# Squares, and things that are wrong. #}
{% macro wrong(x) %}
(
    {{ x | sql }} + nowhere
)
{% endmacro %}
{% macro square(x) -%}
    ({{ x | sql }} * {{ x | sql }})
{%- endmacro %}
{% macro unknown() %}

{{ missing }}{% endmacro %}
"""
STEPS = """
name: test
steps:
  - select_particles: {{}}
  - {step}
output: {{tables: [MCParticles]}}
"""
SQL = STEPS.format(step="sql: {table: tmp_a, template: a.sql, key: [mcparticle_id]}")
IMPORT = '{% import "m.sql" as m %}\n'


def prepare(path):
    return Worker(load_pipeline(path), RunOptions(seed=1))


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("SELECT mcparticle_id,\n  px,\n  nope\nFROM MCParticles", "a.sql, line 3"),
        ("{# One\n   two #}\nSELECT event_id,\n{% if 1 %}\n{% endif %}\n  nope\nFROM Events", "a.sql, line 6"),
        ("SELECT\n{% for c in ['event_id', 'q'] %}\n{{ c | identifier }},\n{% endfor %}1 FROM Events", "a.sql, line 3"),
        ("SELECT 1 AS a, {{\n 1 }} AS é, {{ 'ö' }} AS o,\n  'ü' AS u, nope\nFROM MCParticles", "a.sql, line 3"),
        ("SELECT mcparticle_id\nFRM\nMCParticles WHERE", "a.sql, line 3"),
        ("SELECT mcparticle_id\n\nFROM Nowhere", "a.sql, line 3"),
        ("SELECT mcparticle_id -- Nowhere\n\nFROM Nowhere", "a.sql"),
        ("SELECT mcparticle_id FROM (\nSELECT 1", "a.sql"),
        (IMPORT + "SELECT\n  {{ m.wrong('px') }} AS x\nFROM MCParticles", "a.sql, line 3 (m.sql, line 4)"),
        (IMPORT + "SELECT {{ m.square('1') }},\n{{ m.square('p') }}\nFROM Events", "a.sql, line 3 (m.sql, line 8)"),
        (IMPORT + "SELECT mcparticle_id,\n  {{ m.square('px') }} AS x, nope\nFROM MCParticles", "a.sql, line 3"),
        ("{% set x %}\nnope\n{% endset %}\nSELECT mcparticle_id,\n{{ x }}\nFROM MCParticles", "a.sql, line 2"),
    ],
)  # fmt: skip
def test_an_error_names_template_and_line(make_pipeline, template, where):
    with pytest.raises(SqlError) as caught:
        prepare(make_pipeline(SQL, a=template, m=MACROS))
    assert str(caught.value).startswith(f"Step 'tmp_a': {where}: Query: ")
    assert "\n  in: " in str(caught.value)


def test_a_line_that_is_not_certain_is_not_named(make_pipeline):
    """Marks are how lines are found; a template that sees them may do something else."""
    text = (
        "SELECT mcparticle_id,\n{{% set x %}}\n\n{{% endset %}}\n{{% if {} %}}\nnope\n{{% endif %}}\nFROM MCParticles"
    )
    with pytest.raises(SqlError, match=r"^Step 'tmp_a': a\.sql, line 6: Query: no such column: nope"):
        prepare(make_pipeline(SQL, a=text.format("x | length < 1000")))
    with pytest.raises(SqlError, match=r"^Step 'tmp_a': a\.sql: Query: no such column: nope"):
        prepare(make_pipeline(SQL, a=text.format("x | length < 4")))


SCRIPT = STEPS.format(step="script: {template: a.sql, tables: [MCParticles]}")


def test_the_second_statement_of_a_script_has_its_line(make_pipeline):
    script = "-- é\nUPDATE MCParticles SET px = 1; /* ü */\n\nUPDATE MCParticles\nSET pq = 2;\n"
    with pytest.raises(SqlError, match=r"^Step 'a': a\.sql, line 5: SQL: no such column: pq"):
        prepare(make_pipeline(SCRIPT, a=script))


def test_schema_and_views_have_their_lines_too(make_pipeline):
    text = SQL.replace("steps:", "schema: tables.sql\nsteps:")
    query = "SELECT mcparticle_id, px FROM MCParticles"
    with pytest.raises(SqlError, match=r'^tables\.sql, line 3: SQL: near "TABEL": syntax error'):
        prepare(make_pipeline(text, a=query, tables="CREATE TABLE A (x);\n\nCREATE TABEL B (y);"))
    views = "CREATE VIEW A AS SELECT 1;\nCREATE VIEW B AS\nSELECT FROM;"
    with pytest.raises(SqlError, match=r'^views\.sql, line 3: SQL: near "FROM": syntax error'):
        prepare(make_pipeline(SQL.replace("[MCParticles]", "[MCParticles], views: views.sql"), a=query, views=views))


MODEL = """name: test
models: {m: {python: "mine.py:f"}}
steps:
  - select_particles: {}
  - plugin: {model: m, function: f, query: a.sql, table: answers, key: [mcparticle_id], inputs: 1, outputs: [y]}
output: {tables: [MCParticles]}
"""


def test_the_query_of_a_model_has_its_line(make_pipeline, tmp_path):
    (tmp_path / "mine.py").write_text("def f(inputs):\n    return inputs\n")
    with pytest.raises(SqlError, match=r"^Step 'answers': a\.sql, line 2: Query: no such column: nope"):
        prepare(make_pipeline(MODEL, a="SELECT mcparticle_id,\n  nope FROM MCParticles"))


OVERFLOW = "SELECT mcparticle_id, abs(-9223372036854775807 - (px < 1e9)) AS x FROM MCParticles"


@pytest.mark.parametrize("options", [{}, {"jobs": 2, "batch_size": 1}])
def test_an_error_among_the_events_names_the_template(make_pipeline, example, tmp_path, options):
    with pytest.raises(SqlError, match=r"Step 'tmp_a': a\.sql: .*integer overflow"):
        sqlamarr.run(make_pipeline(SQL, a=OVERFLOW), example, tmp_path / "out.db", seed=1, events=3, **options)


def test_a_value_of_another_type_among_the_events_names_the_template(make_pipeline, example, tmp_path):
    path = make_pipeline(SQL, a="SELECT mcparticle_id, CASE WHEN px > 0 THEN 'text' END AS x FROM MCParticles")
    with pytest.raises((SqlError, DataError), match=r"Step 'tmp_a': a\.sql: "):
        sqlamarr.run(path, example, tmp_path / "out.db", seed=1, events=1)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("SELECT 1\n\n{{ nope }}", r"^Template t\.sql, line 3: 'nope' is undefined; there are: a\.$"),
        ("SELECT 1\n{{ [1] }}", r"^Template t\.sql, line 2: Cannot bind \[1\] in a template"),
        ("SELECT 1\n{{ '' | identifier }}", r"^Template t\.sql, line 2: '' cannot be an SQL name\.$"),
        (IMPORT + "SELECT\n{{ m.unknown() }}", r"^Template t\.sql, line 3 \(m\.sql, line 12\): 'missing' is"),
        ("SELECT 1\n{% import 'bad.sql' as m %}", r"^Template t\.sql \(bad\.sql, line 2\): "),
        ("SELECT\n{{ a.__class__.__mro__ }}", r"^Template t\.sql, line 2: .*unsafe"),
    ],
)
def test_an_error_of_jinja_names_template_and_line(tmp_path, template, message):
    for name, text in {"t": template, "m": MACROS, "bad": "\n{% if %}"}.items():
        (tmp_path / f"{name}.sql").write_text(text)
    with pytest.raises(PipelineError, match=message):
        Templates(tmp_path).render("t.sql", {"a": 1})
