"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pyhepmc
import pytest
from run_tools import ACROSS, command_line

import sqlamarr
from sqlamarr.cli import main
from sqlamarr.errors import OutputError, PipelineError
from sqlamarr.pipeline.load import load


def test_check_split_catches_a_query_that_looks_across_events(make_pipeline, example, capsys):
    pipeline = make_pipeline(ACROSS, rank="SELECT mcparticle_id, count(*) OVER () AS n FROM MCParticles")
    assert command_line("check", pipeline, "--split", example, "-n", 4) == 1
    assert "give different rows in tmp_rank. A step looks across events" in capsys.readouterr().err


def test_check_split_passes_the_shipped_pipeline(example, capsys):
    assert command_line("check", "lhcb_run2", "--split", example, "-n", 5) == 0
    assert "do not depend on how they are batched" in capsys.readouterr().out


def test_a_split_of_one_event_proves_nothing(example, tmp_path, capsys):

    with pyhepmc.open(str(example)) as file, pyhepmc.open(str(tmp_path / "one.hepmc"), "w") as out:
        out.write(next(iter(file)))
    assert command_line("check", "lhcb_run2", "--split", tmp_path / "one.hepmc") == 1
    assert "has too few events to compare (1)" in capsys.readouterr().err


def test_the_two_commands_of_the_readme(example, tmp_path, capsys):
    out = tmp_path / "out.db"
    summary = tmp_path / "summary.json"
    assert command_line("run", "lhcb_run2", example, "-o", out, "--seed", 42, "-n", 5, "--summary", summary) == 0
    assert "5 events in" in capsys.readouterr().out
    assert json.loads(summary.read_text())["rows"]["Tracks"] > 0
    assert command_line("sql", out, "SELECT count(*) AS n, avg(p) FROM Tracks") == 0
    assert capsys.readouterr().out.splitlines()[0].split() == ["n", "avg(p)"]


def test_show_and_its_hash(reference, capsys):
    assert command_line("show", reference[0]) == 0
    shown = capsys.readouterr().out
    assert "pipeline    lhcb_run2 (period = 2016, polarity = MagUp, sample = b" in shown
    assert "sum of weights" in shown
    assert "pb" in shown
    assert command_line("show", reference[0], "--hash") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].endswith("  total")
    assert {line.split()[1] for line in lines} >= {"Tracks", "Events", "RejectedEvents"}


def test_sql_prints_csv_and_json_and_nulls(reference, capsys):
    query = "SELECT 1 AS a, NULL AS b, norm2(3.0, 4.0, 0.0) AS c"
    command_line("sql", reference[0], query, "--csv")
    assert capsys.readouterr().out.split() == ["a,b,c", "1,,5.0"]
    command_line("sql", reference[0], query, "--json")
    assert json.loads(capsys.readouterr().out) == [{"a": 1, "b": None, "c": 5.0}]
    command_line("sql", reference[0], query)
    assert capsys.readouterr().out.split()[-3:] == ["1", "NULL", "5"]


@pytest.mark.parametrize("options", [[], ["--csv"], ["--json"]])
def test_a_query_without_rows_is_no_error(reference, capsys, options):
    assert command_line("sql", reference[0], "SELECT * FROM RejectedEvents WHERE 0", *options) == 0
    out = capsys.readouterr().out
    assert out.strip() == "[]" if options == ["--json"] else "reason" in out


def test_output_files_are_read_only_for_queries(reference, capsys):
    assert command_line("sql", reference[0], "DELETE FROM Tracks") == 1
    assert "may not write to Tracks" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "lhcb_run2", "nowhere.hepmc", "-o", "{tmp}/o.db"], "nowhere.hepmc"),
        (["run", "no_pipeline", "x", "-o", "{tmp}/o.db"], "There is no pipeline 'no_pipeline'"),
        (["show", "{tmp}/missing.db"], "There is no file"),
        (["sql", "pyproject.toml", "SELECT 1"], "is not an SQLite file"),
        (["run", "lhcb_run2", "x", "-o", "{tmp}/o.db", "-c", "period=2011"], "there are: 2015, 2016, 2017, 2018"),
    ],
)
def test_errors_are_one_paragraph_without_traceback(arguments, message, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    assert command_line(*[argument.format(tmp=tmp_path) for argument in arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert message in error
    assert "Traceback" not in error


def test_an_unreadable_command_line_is_exit_code_2(capsys):
    assert command_line("run", "lhcb_run2") == 2
    assert command_line("nonsense") == 2


def test_version_and_environment(capsys):
    assert command_line("--version") == 0
    assert capsys.readouterr().out == f"sqlamarr {sqlamarr.__version__}\n"
    assert command_line("environment") == 0
    assert "SQLite 3." in capsys.readouterr().out


def test_python_errors_carry_their_type(example, tmp_path):
    with pytest.raises(PipelineError):
        sqlamarr.run("nope", [example], tmp_path / "o.db")


def test_conditions_are_read_as_the_pipelines_own_are(example, tmp_path, capsys):
    arguments = ["run", "lhcb_run2", example, "-o", tmp_path / "o.db", "-n", 1]
    for text in ("period=[", "period=abc", "brem_recovery=maybe"):
        assert command_line(*arguments, "-c", text) == 1
        assert "is of type" in capsys.readouterr().err
    assert command_line(*arguments, "-c", "period=2017", "-c", "brem_recovery=false", "--quiet") == 0


def test_a_whole_number_may_become_a_fraction_where_nothing_forbids_it(make_pipeline):
    text = ACROSS.replace("steps:", "conditions: {threshold: 2, name: x}\nsteps:")
    pipeline = load(make_pipeline(text))
    assert pipeline.parse_conditions({"threshold": "2.5", "name": "0456"}) == {"threshold": 2.5, "name": "0456"}
    assert pipeline.parse_conditions({"threshold": "-3"}) == {"threshold": -3}


def test_two_rows_of_one_key_are_explained(make_pipeline, example, tmp_path, capsys):
    pipeline = make_pipeline(ACROSS.replace("[mcparticle_id]", "[event_id]"), rank="SELECT event_id FROM MCParticles")
    assert command_line("run", pipeline, example, "-o", tmp_path / "o.db", "-n", 1) == 1
    assert "two rows have the same key" in capsys.readouterr().err


def test_an_interrupted_file_tells_its_inputs(example, tmp_path, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(sqlamarr.SqlamarrError, match="Interrupted"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "o.db", seed=1, events=4, batch_size=2, progress=interrupt)
    assert command_line("show", tmp_path / "o.db") == 0
    shown = capsys.readouterr().out
    assert "incomplete" in shown
    assert "bbbar.hepmc.gz" in shown


def test_a_summary_into_nowhere_is_refused_before_the_run(example, tmp_path, capsys):
    code = command_line("run", "lhcb_run2", example, "-o", tmp_path / "o.db", "--summary", tmp_path / "no" / "s.json")
    assert code == 2
    assert not (tmp_path / "o.db").exists()


def test_arguments_in_the_wrong_order_are_explained(example, tmp_path, capsys):
    assert command_line("run", example, "lhcb_run2", "-o", tmp_path / "o.db") == 1
    assert "the pipeline comes first" in capsys.readouterr().err


def test_debug_shows_where_an_error_comes_from(tmp_path):
    with pytest.raises(OutputError, match="There is no file"):
        main(["--debug", "show", str(tmp_path / "missing.db")])


def test_progress_is_drawn_on_a_terminal_and_nowhere_else(example, tmp_path, capsys, monkeypatch):
    arguments = ["run", "lhcb_run2", example, "--seed", 1, "-n", 4, "-o"]
    assert command_line(*arguments, tmp_path / "a.db") == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert command_line(*arguments, tmp_path / "b.db") == 0
    assert "4/4" in capsys.readouterr().err
    assert command_line(*arguments, tmp_path / "c.db", "--quiet") == 0
    assert capsys.readouterr() == ("", "")
