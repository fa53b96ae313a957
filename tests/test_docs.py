"""What exists is documented."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest

import sqlamarr
from sqlamarr.cli import group, main
from sqlamarr.output import quoted_count
from sqlamarr.pipeline import SCHEMA
from sqlamarr.runner import run
from sqlamarr.steps import KINDS

ROOT = Path(__file__).parent.parent


def test_every_sql_function_is_documented_and_every_documented_one_exists(db):
    builtin = {row[0] for row in apsw.Connection(":memory:").execute("SELECT name FROM pragma_function_list")}
    ours = {row[0] for row in db.execute("SELECT name FROM pragma_function_list")} - builtin
    text = (ROOT / "docs" / "sql_functions.md").read_text()
    assert set(re.findall(r"`(\w+)\(", text)) == ours - {"sqlamarr_sink", "sqlamarr_required"}


def test_no_builtin_function_is_shadowed(db):
    assert db.execute("SELECT log(100.0)").fetchone() == (2.0,)


def test_every_command_is_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for name in group.list_commands(None):
        assert f"`sqlamarr {name}" in text, name


def test_every_command_and_option_has_a_help_text():
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        assert command.help, name
        for parameter in command.params:
            if parameter.param_type_name == "option":
                assert parameter.help, (name, parameter.name)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_option_of_every_step_is_described(kind):
    schema = KINDS[kind].SCHEMA
    assert schema["additionalProperties"] is False
    for name, option in schema["properties"].items():
        assert option.get("description"), name


def test_every_kind_of_step_and_every_key_of_a_pipeline_is_documented():
    text = (ROOT / "docs" / "pipelines.md").read_text()
    for kind, step in KINDS.items():
        assert f"**`{kind}`**" in text, kind
        for option in step.SCHEMA["properties"]:
            assert f"`{option}`" in text, (kind, option)
    for key in SCHEMA["properties"]:
        assert f"`{key}`" in text, key


def test_every_column_of_lengths_and_momenta_has_its_unit():
    units = {"x": "mm", "y": "mm", "z": "mm", "t": "mm/c", "p": "MeV", "pt": "MeV", "pe": "MeV", "m": "MeV"}
    units |= {"px": "MeV", "py": "MeV", "pz": "MeV", "qop": "1/MeV"}
    for path in (ROOT / "sqlamarr" / "schema.sql", ROOT / "pipelines" / "lhcb_run2" / "schema.sql"):
        for line in path.read_text().splitlines():
            match = re.match(r"\s+(\w+) REAL", line)
            if match and match.group(1) in units:
                assert f"[{units[match.group(1)]}" in line, f"{path.name}: {line}"


def test_the_readme_shows_what_the_example_gives(example, tmp_path, capsys):
    text = (ROOT / "README.md").read_text()
    run("lhcb_run2", [example], tmp_path / "out.db", seed=42)
    for query, shown in re.findall(r'\$ sqlamarr sql out\.db "(.*?)"\n(.*?)\n```', text, re.DOTALL):
        with pytest.raises(SystemExit):
            main(["sql", str(tmp_path / "out.db"), query])
        assert capsys.readouterr().out.rstrip() == shown.rstrip()
    for table, rows in re.findall(r"^  (\w+) +([\d,]+) rows$", text, re.MULTILINE):
        with sqlamarr.open(tmp_path / "out.db") as db:
            assert f"{quoted_count(db, table):,}" == rows, table


def test_the_readme_shows_what_the_export_gives(example, tmp_path, capsys):
    text = (ROOT / "README.md").read_text().partition("<!-- root -->")[2]
    run("lhcb_run2", [example], tmp_path / "out.db", seed=42)
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path / "out.db"), str(tmp_path / "out.root")])
    shown = re.findall(r"^  (\w+) +([\d,]+) entries, +(\d+) columns$", text, re.MULTILINE)
    given = re.findall(r"^  (\w+) +([\d,]+) entries, +(\d+) columns$", capsys.readouterr().out, re.MULTILINE)
    assert shown
    assert set(shown) <= set(given)
