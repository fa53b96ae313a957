"""What the command line says to mistakes that people make."""

from __future__ import annotations

import shutil
import sys

import pytest
from run_tools import ACROSS, command_line

from sqlamarr import Database


@pytest.fixture
def said(capsys):
    """The error message of a command line that fails."""

    def fail(*arguments, code=1):
        assert command_line(*arguments) == code
        message = capsys.readouterr().err
        assert "Traceback" not in message
        return message

    return fail


@pytest.mark.parametrize("command", [["show"], ["sql", "SELECT 1"], ["report", "-o", "p.html"]])
def test_a_folder_in_place_of_an_output_file_is_called_so(said, tmp_path, command):
    name, *rest = command
    assert f"{tmp_path} is a folder; expected a file that sqlamarr wrote" in said(name, tmp_path, *rest)


def test_a_folder_that_takes_no_files_is_told_before_the_run(said, example):
    message = said("run", "lhcb_run2", example, "-o", "/proc/x.db", "--seed", 1)
    assert "Error: /proc/x.db cannot be written: no file can be created in its folder (" in message
    assert "Choose another folder." in message


@pytest.mark.parametrize("length", [250, 300])
def test_a_name_that_is_too_long_is_told_before_the_run(said, example, tmp_path, length):
    message = said("run", "lhcb_run2", example, "-o", tmp_path / f"{'x' * length}.db", "--seed", 1)
    assert "x.db cannot be written: " in message
    assert "File name too long" in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", ["", " ", ";", "/* SELECT 1 */"])
def test_a_query_that_is_none_is_an_error(said, reference, query):
    message = said("sql", reference[0], query)
    assert f"There is nothing to show: expected a query such as 'SELECT ...', found {query!r}." in message


def test_two_queries_at_once_are_refused(said, reference):
    assert "Expected one query, found two that return rows." in said("sql", reference[0], "SELECT 1; SELECT 2, 3")


@pytest.mark.parametrize("seed", ["x", "-1", "1.5", str(2**64), ""])
def test_a_seed_that_is_none_is_told_what_one_is(said, example, tmp_path, seed):
    message = said("run", "lhcb_run2", example, "-o", tmp_path / "o.db", f"--seed={seed}", code=2)
    assert f"expected an integer from 0 to 2^64 - 1, found '{seed}'" in message


def test_the_largest_seed_is_one(example, tmp_path):
    seed = f"--seed={2**64 - 1}"
    assert command_line("run", "lhcb_run2", example, "-o", tmp_path / "o.db", seed, "-n", 1, "--quiet") == 0


def test_a_file_that_is_no_model_is_told_what_one_is(said, example, tmp_path):
    junk = tmp_path / "junk"
    junk.write_text("junk")
    message = said("run", "lhcb_run2", example, "-o", tmp_path / "o.db", "--model", f"tracking={junk}")
    assert f"Cannot load the model library: {junk}: " in message
    assert "Expected a shared library for this machine, as made by 'sqlamarr compile' or a C compiler." in message
    for functions in ([], ["f"]):
        message = said("model", junk, *functions)
        assert "xpected" in message
        assert "sqlamarr compile" in message
        assert "nm:" not in message


def test_a_folder_in_place_of_a_model_is_called_so(said, tmp_path):
    assert f"{tmp_path} is a folder; expected the file of a model" in said("model", tmp_path)


def test_a_library_without_functions_is_none_of_models(said, compile_plugin):
    library = compile_plugin("int number = 1;")
    assert f"{library} exports no function, so it is not a library of models." in said("model", library)


def test_a_folder_in_place_of_a_page_is_called_so(said, reference, tmp_path):
    message = said("report", reference[0], "-o", tmp_path)
    assert f"{tmp_path} is a folder; expected the name of a page to write, such as {tmp_path}/report.html" in message


def test_a_function_that_a_library_lacks_points_to_what_it_has(said):
    message = said("model", "plugins:lhcb_run2", "efficency")
    assert "has no function 'efficency'. 'sqlamarr model " in message
    assert "lists its functions" in message


def test_yaml_that_is_none_names_file_line_and_column(said, make_pipeline, example, tmp_path):
    pipeline = make_pipeline(ACROSS.replace("steps:", "  steps: a: b"))
    message = said("check", pipeline)
    assert "pipeline.yaml is not valid YAML, line 3, column 8: mapping values are not allowed here." in message
    (tmp_path / "gun.yaml").write_text("gun:\n  decay: [B0 -> K+ pi-\n")
    message = said("run", "lhcb_run2", tmp_path / "gun.yaml", "-o", tmp_path / "o.db")
    assert (
        "gun.yaml is not valid YAML, line 3, column 1: while parsing a flow sequence (started in line 2), expected"
        in message
    )
    assert "Decay descriptors must be quoted." in message
    (tmp_path / "gun.yaml").write_bytes(b"gun: {\x01}\n")
    message = said("run", "lhcb_run2", tmp_path / "gun.yaml", "-o", tmp_path / "o.db")
    assert "gun.yaml is not valid YAML: " in message
    assert "string" not in message


def test_a_report_on_a_file_that_is_not_there_says_so_first(said, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mplhep", None)
    assert "There is no file" in said("report", tmp_path / "no.db", "-o", tmp_path / "p.html")


def test_a_report_without_its_packages_says_what_to_install(said, reference, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mplhep", None)
    message = said("report", reference[0], "-o", tmp_path / "p.html")
    assert 'pip install "sqlamarr-flashsim[plot]"' in message


def test_a_misspelt_column_of_a_cut_is_told_the_right_one(said, reference, tmp_path):
    message = said("tuple", reference[0], "[D0 -> K- pi+]CC", "-o", tmp_path / "t.root", "--where", "D0_MASS > 1800")
    assert "--where: 'D0_MASS > 1800': no such column: D0_MASS. Did you mean 'D0_M" in message


def test_a_table_of_a_header_alone_has_no_events(example, tmp_path, capsys):
    (tmp_path / "e.csv").write_text("event,pid,px,py,pz\n")
    assert command_line("run", "lhcb_run2", tmp_path / "e.csv", "-o", tmp_path / "o.db", "--seed", 1) == 0
    assert "e.csv contains no events: it has columns, but no rows." in capsys.readouterr().out


def test_text_in_a_column_of_numbers_is_shown(said, tmp_path):
    (tmp_path / "e.csv").write_text("event,pid,px,py,pz\n0,211,1,2,3\n0,pi+,1,2,3\n")
    message = said("run", "lhcb_run2", tmp_path / "e.csv", "-o", tmp_path / "o.db", "--seed", 1)
    assert "column 'pid' (pid) holds something that is not a number, such as 'pi+'; expected numbers" in message


def test_a_particle_without_known_mass_is_named(said, tmp_path):
    (tmp_path / "e.csv").write_text("event,pid,px,py,pz\n0,211,1,2,3\n0,9999999,1,2,3\n")
    message = said("run", "lhcb_run2", tmp_path / "e.csv", "-o", tmp_path / "o.db", "--seed", 1)
    assert "Row 1 of the table: no mass is known for the PDG code 9999999; give the table a column m or e." in message


def test_one_is_not_many(example, tmp_path, capsys):
    assert command_line("run", "lhcb_run2", example, "-o", tmp_path / "o.db", "--seed", 1, "-n", 1) == 0
    assert command_line("show", tmp_path / "o.db") == 0
    assert command_line("merge", tmp_path / "o.db", "-o", tmp_path / "m.db") == 0
    out = capsys.readouterr().out
    assert "o.db: 1 event in" in out
    assert "1 event of 1 part, 0 of them rejected" in out
    assert out.count(" 1 row\n") >= 6  # GenEvents and RecSummary, three times
    assert " 1 rows" not in out


@pytest.mark.parametrize(("command", "output"), [(["export"], "o.root"), (["tuple"], "o.db")])
def test_what_was_taken_from_an_unfinished_run_says_so(capsys, reference, tmp_path, command, output):
    copy = tmp_path / "cut.db"
    shutil.copyfile(reference[0], copy)
    with Database(copy) as db:
        db.execute("UPDATE Provenance SET value = 'incomplete' WHERE key = 'status'")
    words = ["[B0 -> K+ pi-]CC", "-o", tmp_path / output] if command == ["tuple"] else [tmp_path / output]
    for file, is_noted in ((copy, True), (reference[0], False)):
        assert command_line(*command, file, *words, "--overwrite", "--quiet") == 0
        assert ("The run is not complete: its status is incomplete." in capsys.readouterr().err) == is_noted
