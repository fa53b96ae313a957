"""SQL templates: values are bound, names quoted, mistakes named."""

from __future__ import annotations

import pytest

from sqlamarr.errors import PipelineError
from sqlamarr.steps.templates import Templates


@pytest.fixture
def render(tmp_path):
    def render_text(text, macros="", **variables):
        (tmp_path / "t.sql").write_text(text)
        (tmp_path / "m.sql").write_text(macros)
        return Templates(tmp_path).render("t.sql", variables)

    return render_text


def test_values_are_bound_not_written(render, db):
    evil = "x'; DROP TABLE t; --"
    sql, values = render("SELECT {{ a }} AS a, {{ b }} AS b", a=evil, b=2)
    assert sql == "SELECT :v0 AS a, :v1 AS b"
    assert db.execute(sql, values).fetchone() == (evil, 2)


def test_constants_in_the_template_are_bound_too(render):
    assert render("SELECT {{ 'a' }}, {{ 1 + 1 }}") == ("SELECT :v0, :v1", {"v0": "a", "v1": 2})


def test_identifiers_are_quoted(render):
    assert render("SELECT {{ name | identifier }}", name='a "b"')[0] == 'SELECT "a ""b"""'


def test_macros_give_sql_and_take_pieces_of_it(render):
    macros = "{% macro square(x) %}({{ x | sql }} * {{ x | sql }} + {{ 1 }}){% endmacro %}"
    sql, values = render('{% import "m.sql" as m %}SELECT {{ m.square("p.px") }}', macros)
    assert (sql, values) == ("SELECT (p.px * p.px + :v0)", {"v0": 1})


def test_files_of_macros_count_as_used(tmp_path):
    """The provenance keeps the text of what is used, and macros hold numbers."""
    (tmp_path / "t.sql").write_text("{% import 'm.sql' as m %}{{ m.x }}")
    (tmp_path / "m.sql").write_text("{% import 'n.sql' as n %}{% set x = n.y %}")
    (tmp_path / "n.sql").write_text("{% set y = '1' | sql %}")
    (tmp_path / "other.sql").write_text("SELECT 1")
    templates = Templates(tmp_path)
    assert templates.render("t.sql", {}) == ("1", {})
    assert templates.used == ["t.sql", "m.sql", "n.sql"]


def test_undefined_variables_are_named(render):
    with pytest.raises(PipelineError, match=r"t\.sql, line 1: 'nope' is undefined; there are: a"):
        render("SELECT {{ nope }}", a=1)


def test_a_key_that_a_mapping_has_not_is_named_with_the_right_one(render):
    with pytest.raises(
        PipelineError,
        match=r"^Template t\.sql, line 1: there is no 'perod'; there are: period, sample\. Did you mean 'period'\?$",
    ):
        render("SELECT {{ conditions.perod }}", conditions={"period": 2016, "sample": "b"})
    with pytest.raises(PipelineError, match=r"there is no 'a'; there are: none\.$"):
        render("SELECT {{ conditions['a'] }}", conditions={})


def test_syntax_errors_name_file_and_line(render):
    with pytest.raises(PipelineError, match=r"t\.sql, line 2"):
        render("SELECT 1\n{% if %}")


def test_missing_templates_name_the_folder(tmp_path):
    with pytest.raises(PipelineError, match=f"no template 'other.sql' in {tmp_path}"):
        Templates(tmp_path).render("other.sql", {})


def test_values_that_sql_has_not_are_refused(render):
    with pytest.raises(PipelineError, match=r"Cannot bind \[1\]"):
        render("SELECT {{ a }}", a=[1])


def test_the_sandbox_holds(render):
    with pytest.raises(PipelineError, match="unsafe"):
        render("{{ ''.__class__.__mro__ }}")
