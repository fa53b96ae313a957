"""Entries by name: ours, those of installed packages and of the program; clashes, broken packages, lazy imports."""

from __future__ import annotations

import json
import sys

import pytest
from run_tools import TRUTH, command_line

import sqlamarr
from sqlamarr.cli import commands
from sqlamarr.cli.plugin import registries
from sqlamarr.errors import PackageError, PipelineError, SqlamarrError
from sqlamarr.pipeline.load import load
from sqlamarr.registries.installed import entry_points
from sqlamarr.sources.kind import SOURCES
from sqlamarr.steps import register
from sqlamarr.steps.registry import KINDS

STEP = """
from sqlamarr.steps.protocol import FillsTable

class {name}(FillsTable):
    SCHEMA = {{"type": "object", "properties": {{}}, "additionalProperties": False}}
    name, table, tables = "{name}", "T", ()
    def prepare(self, workspace):
        return lambda batch: None
    @classmethod
    def from_options(cls, options):
        return cls()
"""
REGISTERS = "from sqlamarr.steps import register\n" + STEP + "\nregister({kind!r})({name})\n"
COMMAND = """
import click

@click.command()
def {name}():
    "A command of another package."
    click.echo("hello from {name}")
"""


def pipeline(tmp_path, kind):
    path = tmp_path / f"{kind}.yaml"
    path.write_text(TRUTH.replace("output:", f"  - {kind}: {{}}\noutput:"))
    return path


def test_every_registry_has_entries_and_every_one_of_ours_loads():
    for registry in registries():
        assert registry.ours(), registry.group
        assert [name for name, _ in registry.own()] == registry.ours()


def test_a_kind_of_step_of_a_package_is_found_by_its_object(install, tmp_path):
    install("sqlamarr-one", {"steps": {"glow": "one_steps:Glow"}}, {"one_steps": STEP.format(name="Glow")})
    loaded = load(pipeline(tmp_path, "glow"))
    assert loaded.steps[-1].name == "Glow"
    assert loaded.packages == {"steps": {"glow": "sqlamarr-one 1.0"}}


def test_a_module_of_a_package_registers_kinds_under_names_of_its_own(install, tmp_path):
    install("sqlamarr-two", {"steps": {"any": "two_steps"}}, {"two_steps": REGISTERS.format(name="T", kind="twofold")})
    loaded = load(pipeline(tmp_path, "twofold"))
    assert loaded.packages == {"steps": {"twofold": "sqlamarr-two 1.0"}}
    KINDS.forget("twofold")


def test_nothing_is_imported_for_what_is_ours(install, tmp_path, example, capsys):
    modules = {f"lazy_{group}": "raise RuntimeError('imported')" for group in ("s", "e", "c", "r", "m", "i", "p", "l")}
    install("sqlamarr-lazy", {
        "steps": {"lazy": "lazy_s"}, "exporters": {"lazy": "lazy_e:exporter"}, "commands": {"lazy": "lazy_c:command"},
        "report": {"lazy": "lazy_r:section"}, "models": {"lazy": "lazy_m:kind"}, "sources": {"lazy": "lazy_i:source"},
        "pipelines": {"lazy": "lazy_p:PATH"}, "libraries": {"lazy": "lazy_l:PATH"},
    }, modules)  # fmt: skip
    assert command_line("--help") == 0
    assert "lazy  from sqlamarr-lazy 1.0" in capsys.readouterr().out
    out = tmp_path / "o.db"
    assert command_line("run", "lhcb_run2", example, "-n", 3, "--seed", 1, "-o", out) == 0
    assert command_line("show", out) == 0
    assert command_line("export", "--help") == 0
    assert command_line("export", out, tmp_path / "o.root") == 0
    assert command_line("sql", out, "SELECT count(*) FROM Events") == 0
    with sqlamarr.open(out) as db:
        assert db.execute("SELECT value FROM Provenance WHERE key = 'other_packages'").fetchone() == ("{}",)
    assert not set(modules) & set(sys.modules)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("import no_such_module_here", "broken:exporter", "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("", "broken:exporter", "AttributeError: .*has no attribute 'exporter'"),
        ("exporter = 3", "broken:exporter", r"expected an object of sqlamarr\.exporters\.format\.Format, found int 3"),
        ("raise SystemExit('bye')", "broken", "SystemExit: bye"),
        (
            "from sqlamarr.exporters.format import Format as exporter",
            "broken",
            "the class Format itself",
        ),
    ],
)
def test_a_package_that_is_broken_is_named_with_the_reason(install, tmp_path, reference, text, value, reason):
    install("sqlamarr-broken", {"exporters": {"toy": value}}, {"broken": text})
    with pytest.raises(PackageError, match=f"'toy' of sqlamarr-broken 1.0 cannot be used: .*{reason}") as caught:
        sqlamarr.export(reference[0], tmp_path / "out.toy")
    assert f"'toy = {value}' in the group sqlamarr.exporters" in str(caught.value)
    assert "pip uninstall sqlamarr-broken" in str(caught.value)
    sqlamarr.export(reference[0], tmp_path / "out.root", tables=["Tracks"], layout="flat")


def test_a_broken_package_of_steps_does_not_hide_what_another_has(install, tmp_path):
    install("sqlamarr-bad", {"steps": {"bad": "bad_steps"}}, {"bad_steps": "import no_such_module_here"})
    install("sqlamarr-good", {"steps": {"good": "good_steps"}}, {"good_steps": REGISTERS.format(name="G", kind="fine")})
    assert load(pipeline(tmp_path, "fine")).steps[-1].name == "G"
    with pytest.raises(PipelineError, match=r"no kind of step 'fin'; .* mean 'fine'\? The kind of step 'bad' of"):
        load(pipeline(tmp_path, "fin"))
    KINDS.forget("fine")


def test_a_step_that_lacks_what_a_step_needs_is_refused(install, tmp_path):
    install("sqlamarr-half", {"steps": {"half": "half_steps:Half"}}, {"half_steps": "class Half:\n    SCHEMA = {}"})
    with pytest.raises(PackageError, match="Half has no from_options, name, tables, prepare"):
        load(pipeline(tmp_path, "half"))


def test_a_name_that_two_packages_have_is_refused_when_it_is_used(install, tmp_path):
    install("sqlamarr-a", {"steps": {"same": "a_steps:A"}}, {"a_steps": STEP.format(name="A")})
    install("sqlamarr-b", {"steps": {"same": "b_steps:B"}}, {"b_steps": STEP.format(name="B")})
    with pytest.raises(PackageError, match=r"'same' is taken more than once: .*sqlamarr-b 1.0 .* and .*sqlamarr-a 1.0"):
        load(pipeline(tmp_path, "same"))
    path = tmp_path / "plain.yaml"
    path.write_text(TRUTH)
    assert len(load(path).steps) == 2


def test_one_package_may_name_one_thing_twice(install, tmp_path):
    modules = {"twice_steps": REGISTERS.format(name="Twice", kind="twice")}
    install("sqlamarr-twice", {"steps": {"twice": "twice_steps:Twice", "all": "twice_steps"}}, modules)
    assert load(pipeline(tmp_path, "twice")).steps[-1].name == "Twice"
    KINDS.forget("twice")


def test_a_package_replaces_nothing_of_ours(install, reference, capsys):
    install(
        "sqlamarr-bold",
        {"commands": {"show": "bold:show", "plugin": "bold:show"}},
        {"bold": COMMAND.format(name="show")},
    )
    assert command_line("show", reference[0]) == 1
    message = capsys.readouterr().err
    assert "'show' is taken more than once: that of sqlamarr itself (sqlamarr.cli.show)" in message
    assert "that of sqlamarr-bold 1.0 (bold:show)" in message
    assert command_line("sql", reference[0], "SELECT 1") == 0
    assert command_line("--help") == 0
    assert command_line("plugin", "list") == 1
    listed = capsys.readouterr()
    assert "(unusable)" in listed.out
    assert "Warning: The name of the command 'show' is taken" in listed.err


def test_a_pipeline_of_a_package_named_as_ours_is_refused(install, tmp_path):
    install("sqlamarr-alike", {"pipelines": {"lhcb_run2": "alike:PATH"}}, {"alike": "PATH = '/nowhere'"})
    with pytest.raises(PackageError, match=r"the pipeline 'lhcb_run2' is taken more than once: .*sqlamarr-alike"):
        load("lhcb_run2")


def test_the_program_registers_and_may_do_so_again(tmp_path):
    namespace: dict[str, type] = {}
    exec(STEP.format(name="One") + STEP.format(name="Other"), {"__name__": "program"}, namespace)
    register("of_mine")(namespace["One"])
    register("of_mine")(namespace["Other"])
    loaded = load(pipeline(tmp_path, "of_mine"))
    assert loaded.steps[-1].name == "Other"
    assert loaded.packages == {}
    with pytest.raises(PackageError, match="'sql' is part of sqlamarr itself"):
        register("sql")(namespace["One"])
    KINDS.forget("of_mine")


def test_what_the_program_registers_and_a_package_has_is_a_clash(install, tmp_path):
    namespace: dict[str, type] = {}
    exec(STEP.format(name="Mine"), {"__name__": "program"}, namespace)
    install("sqlamarr-c", {"steps": {"shared": "c_steps:C"}}, {"c_steps": STEP.format(name="C")})
    register("shared")(namespace["Mine"])
    with pytest.raises(PackageError, match=r"that of the running program \(program:Mine\) and that of sqlamarr-c 1.0"):
        load(pipeline(tmp_path, "shared"))
    KINDS.forget("shared")


def test_other_registries_take_what_the_program_registers():
    with pytest.raises(PackageError, match="cannot be registered as kind of source 'mine': expected an object of"):
        SOURCES.register("mine", 3)
    with pytest.raises(PackageError, match="The command 'run' belongs to sqlamarr itself"):
        commands().register("run", commands().get("show"))
    commands().register("mine", commands().get("show"))
    assert commands().get("mine") is commands().get("show")
    commands().forget("mine")
    with pytest.raises(SqlamarrError, match="There is no command 'mine'"):
        commands().get("mine")


def test_a_package_that_is_found_twice_counts_once(install):
    install("sqlamarr-dev", {"steps": {"old": "x:Y"}}, version="1.0")
    install("Sqlamarr_Dev", {"steps": {"new": "x:Y"}}, version="2.0")
    assert [(point.name, point.version) for point in entry_points("steps")] == [("new", "2.0")]


def test_metadata_that_cannot_be_read_harm_nothing_and_are_listed(install, capsys, reference):
    folder = install("sqlamarr-odd", {"steps": {"odd": "x:Y"}})
    (folder / "sqlamarr_odd-1.0.dist-info" / "entry_points.txt").write_bytes(b"[sqlamarr.steps]\n\xff\xfe = x")
    assert command_line("show", reference[0]) == 0
    assert command_line("plugin", "list") == 1
    assert "sqlamarr_odd-1.0.dist-info cannot be read" in capsys.readouterr().err


def test_the_list_tells_of_every_entry_where_it_is_and_what_is_wrong(install, capsys):
    modules = {
        "list_steps": REGISTERS.format(name="L", kind="listed"),
        "list_other": "",
        "list_c": COMMAND.format(name="hi"),
    }
    points = {"steps": {"a": "list_steps", "b": "list_other"}, "commands": {"hi": "list_c:hi"}}
    install("sqlamarr-list", points, modules)
    assert command_line("plugin", "list", "--json") == 1
    rows = {(row["group"], row["name"]): row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {("steps", "listed"), ("steps", "b"), ("commands", "hi")}
    assert rows["steps", "listed"] == {
        "group": "steps", "name": "listed", "distribution": "sqlamarr-list", "version": "1.0",
        "module": "list_steps:L", "problem": "",
    }  # fmt: skip
    assert "expected a module that registers a kind of step" in rows["steps", "b"]["problem"]
    assert command_line("hi") == 0
    assert "hello from hi" in capsys.readouterr().out
    KINDS.forget("listed")


def test_the_list_of_all_has_ours_too(capsys):
    assert command_line("plugin", "list", "--all", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["group"] for row in rows} == {registry.group for registry in registries()}
    ours = {row["version"] for row in rows if row["distribution"] == "sqlamarr"}
    assert ours == {sqlamarr.__version__}
    assert command_line("plugin", "list") == 0
    assert capsys.readouterr().out == "No installed package adds anything to sqlamarr.\n"


def test_an_unknown_command_is_told_with_the_one_that_was_meant(install, capsys):
    install("sqlamarr-cmd", {"commands": {"toywalk": "cmd_x:c"}})
    assert command_line("toywlk") == 2
    assert "No such command 'toywlk'. Did you mean 'toywalk'?" in capsys.readouterr().err
