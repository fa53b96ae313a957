"""Whole runs through the command line and from Python: the same answer however the work is cut."""

from __future__ import annotations

import gzip
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest

import sqlamarr
from sqlamarr.cli import main
from sqlamarr.database import quote_identifier
from sqlamarr.errors import EventError, InputError, OutputError, PipelineError
from sqlamarr.hashing import content_hashes, total_hash
from sqlamarr.runner import TooManyRejectedError

GENERATOR_ONLY = """
name: test
steps:
  - find_primary_vertices: {}
  - select_particles: {}
output: {tables: [MCParticles, MCVertices]}
"""


@pytest.fixture(scope="module")
def reference(tmp_path_factory, example):
    """One run of the shipped pipeline on the first 40 events of the shipped example."""
    path = tmp_path_factory.mktemp("reference") / "out.db"
    summary = sqlamarr.run("lhcb_run2", [example], path, seed=42, max_events=40)
    return path, summary


def command_line(*arguments) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def hashes(path: Path) -> dict[str, str]:
    with sqlamarr.open(path) as db:
        return content_hashes(db)


def test_every_event_is_accounted_for(reference):
    path, summary = reference
    assert (summary.events, summary.rejected) == (40, 0)
    with sqlamarr.open(path) as db:
        events = db.arrays("SELECT ordinal, event_id, status FROM Events ORDER BY ordinal")
    assert events["ordinal"].tolist() == list(range(40))
    assert events["event_id"].tolist() == [i * 1_000_000 for i in range(40)]
    assert set(events["status"]) == {"simulated"}


def test_tracks_of_all_classes_come_out(reference):
    path, _ = reference
    with sqlamarr.open(path) as db:
        types = dict(db.execute("SELECT type, count(*) FROM Tracks GROUP BY type"))
    assert set(types) == {3, 4, 5}
    assert types[3] > types[4] > 0
    assert types[5] > 0


def test_nothing_in_the_output_is_infinite_and_no_null_is_unexplained(reference):
    path, _ = reference
    documented = {("TrackStates", f"cov{i}{j}") for i in range(5) for j in range(i, 5)}
    documented |= {("MCParticles", "end_vertex"), ("MCParticles", "mother"), ("MCParticles", "charge")}
    documented |= {("GenEvents", "cross_section"), ("GenEvents", "cross_section_error")}
    documented |= {("MCParticles", "production_vertex")}
    with sqlamarr.open(path) as db:
        for table in ("MCVertices", "MCParticles", "Vertices", "Tracks", "TrackStates", "GenEvents"):
            for name, values in db.read_table(table).items():
                if values.dtype.kind == "f":
                    assert not np.isinf(values).any(), (table, name)
                    assert (table, name) in documented or not np.isnan(values).any(), (table, name)
                elif values.dtype.kind == "i":
                    assert (table, name) in documented or not np.ma.getmaskarray(values).any(), (table, name)


def test_foreign_keys_hold(reference, tmp_path, example):
    for generator in ("none", "selected", "full"):
        path = tmp_path / f"{generator}.db"
        sqlamarr.run("lhcb_run2", [example], path, seed=1, max_events=5, generator=generator, weights=True)
        plain = sqlite3.connect(path)  # any client
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        keys = plain.execute("SELECT \"table\" FROM pragma_foreign_key_list('MCParticles')").fetchall()
        assert (("GenParticles",) in keys) == (generator != "none")
        assert plain.execute("SELECT count(*) FROM pragma_foreign_key_list('Tracks')").fetchone()[0] == 2
        plain.close()


def test_the_selected_generator_record_is_what_mc_rows_refer_to(tmp_path, example):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=1, max_events=3, generator="selected")
    with sqlamarr.open(path) as db:
        n_mc, n_gen = db.execute(
            "SELECT (SELECT count(*) FROM MCParticles), (SELECT count(*) FROM GenParticles)"
        ).fetchone()
    assert n_gen == n_mc


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(reference, tmp_path, example, batch_size):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=42, max_events=40, batch_size=batch_size)
    assert hashes(path) == hashes(reference[0])


def test_the_batch_size_does_not_matter_for_lhcbs_files(lhcb_data, tmp_path):
    found = []
    for size in (1, 3, 1000):
        sqlamarr.run("lhcb_run2", [lhcb_data / "*.mc2"], tmp_path / f"{size}.db", seed=3, batch_size=size)
        found.append(hashes(tmp_path / f"{size}.db"))
    assert found[0] == found[1] == found[2]


def test_lhcbs_files_give_the_known_numbers_of_particles(lhcb_data, make_pipeline, tmp_path):
    text = GENERATOR_ONLY.replace(
        "select_particles: {}", "select_particles: {statuses: [1, 777, 888, 889, 999], decayed: false, collapse: false}"
    )
    sqlamarr.run(make_pipeline(text), [lhcb_data / "*.mc2"], tmp_path / "out.db", seed=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rows = db.execute("SELECT count(*) FROM MCParticles GROUP BY event_id ORDER BY event_id").fetchall()
    assert rows == [(951,), (356,), (775,), (401,)]


def test_another_seed_is_another_answer_and_the_same_truth(reference, tmp_path, example):
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=43, max_events=40)
    ours, theirs = hashes(reference[0]), hashes(tmp_path / "out.db")
    assert ours["MCParticles"] == theirs["MCParticles"]
    assert ours["Tracks"] != theirs["Tracks"]


def test_high_bits_of_the_seed_count(tmp_path, example):
    for seed in (1, 1 + 2**40):
        sqlamarr.run("lhcb_run2", [example], tmp_path / f"{seed}.db", seed=seed, max_events=5)
    assert hashes(tmp_path / "1.db")["Vertices"] != hashes(tmp_path / f"{1 + 2**40}.db")["Vertices"]


def test_parts_of_a_production_are_rows_of_the_whole(reference, tmp_path, example):
    """Events keep ids and noise when a job starts later in the production."""
    import pyhepmc

    with pyhepmc.open(str(example)) as file:
        events = [event for _, event in zip(range(40), file)]
    for name, part in {"a": events[:15], "b": events[15:]}.items():
        with pyhepmc.open(str(tmp_path / f"{name}.hepmc"), "w") as out:
            for event in part:
                out.write(event)
    whole = tmp_path / "whole.hepmc"
    with pyhepmc.open(str(whole), "w") as out:
        for event in events:
            out.write(event)
    sqlamarr.run("lhcb_run2", [whole], tmp_path / "whole.db", seed=42)
    sqlamarr.run("lhcb_run2", [tmp_path / "b.hepmc"], tmp_path / "b.db", seed=42, first_event=15)
    query = "SELECT * FROM Tracks WHERE event_id >= 15000000 ORDER BY track_id"
    with sqlamarr.open(tmp_path / "whole.db") as one, sqlamarr.open(tmp_path / "b.db") as two:
        assert one.execute(query).fetchall() == two.execute(query).fetchall()


def test_the_answer_comes_from_tables_alone(reference, tmp_path, example, monkeypatch):
    """No step relies on what another one left in memory."""
    monkeypatch.setattr("sqlamarr.batch.Batch.columns", lambda self, table: self.db.read_table(table))
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=42, max_events=40)
    assert hashes(tmp_path / "out.db") == hashes(reference[0])


def test_the_hash_sees_every_value(reference, tmp_path):
    copy = tmp_path / "copy.db"
    copy.write_bytes(reference[0].read_bytes())
    assert hashes(copy) == hashes(reference[0])
    plain = sqlite3.connect(copy)
    plain.execute("UPDATE Tracks SET ghostProb = ghostProb + 1e-15 WHERE track_id = (SELECT max(track_id) FROM Tracks)")
    plain.execute("UPDATE Provenance SET value = '' WHERE key = 'finished'")
    plain.commit()
    plain.close()
    changed = {table for table, digest in hashes(copy).items() if digest != hashes(reference[0])[table]}
    assert changed == {"Tracks"}
    assert total_hash(hashes(copy)) != total_hash(hashes(reference[0]))


def test_provenance_says_how_the_file_was_made(reference, example):
    with sqlamarr.open(reference[0]) as db:
        made = sqlamarr.output.provenance(db)
    assert made["status"] == "complete"
    assert made["seed"] == 42
    assert made["conditions"]["period"] == 2016
    assert made["inputs"][0]["path"] == str(example)
    assert len(made["inputs"][0]["sha256"]) == 64
    assert len(made["models"]["tracking"]["sha256"]) == 64
    assert "find_primary_vertices" in made["pipeline_text"]
    assert "tracks.sql" in made["templates"]


def test_steps_tables_are_kept_on_request(tmp_path, example):
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=1, max_events=3, keep_tmp=True)
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert "tmp_resolution" in db.tables()
        n_noise, n_tracks = db.execute(
            "SELECT (SELECT count(*) FROM tmp_resolution), (SELECT count(*) FROM Tracks)"
        ).fetchone()
    assert n_noise == n_tracks > 0


def test_an_existing_output_is_not_overwritten_by_chance(tmp_path, example):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=1, max_events=1)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists. Choose another name, or --overwrite"):
        sqlamarr.run("lhcb_run2", [example], path, seed=1, max_events=1)
    assert path.read_bytes() == before
    sqlamarr.run("lhcb_run2", [example], path, seed=1, max_events=2, overwrite=True)
    with sqlamarr.open(path) as db:
        assert db.execute("SELECT count(*) FROM Events").fetchone() == (2,)


def test_only_our_own_files_are_overwritten(tmp_path, example):
    path = tmp_path / "thesis.tex"
    path.write_text("precious")
    with pytest.raises(OutputError, match="is not a file that sqlamarr wrote: it is not overwritten"):
        sqlamarr.run("lhcb_run2", [example], path, seed=1, max_events=1, overwrite=True)
    assert path.read_text() == "precious"


def test_an_input_is_never_the_output(tmp_path, example):
    path = tmp_path / "events.hepmc.gz"
    path.write_bytes(example.read_bytes())
    with pytest.raises(OutputError, match="is one of the inputs"):
        sqlamarr.run("lhcb_run2", [path], path, seed=1, overwrite=True)
    assert path.read_bytes() == example.read_bytes()


def test_a_run_that_fails_at_once_leaves_nothing_and_spoils_nothing(tmp_path, example):
    (tmp_path / "bad.hepmc").write_text("no events here")
    with pytest.raises(InputError):
        sqlamarr.run("lhcb_run2", [tmp_path / "bad.hepmc"], tmp_path / "out.db", seed=1)
    assert not (tmp_path / "out.db").exists()
    sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, max_events=1)
    before = (tmp_path / "out.db").read_bytes()
    with pytest.raises(InputError):
        sqlamarr.run("lhcb_run2", tmp_path / "bad.hepmc", tmp_path / "out.db", seed=1, overwrite=True)
    assert (tmp_path / "out.db").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generator": "selectd"}, "generator must be one of none, selected, full, found 'selectd'"),
        ({"on_error": "ignore"}, "on_error must be one of stop, skip"),
        ({"max_rejected": 5}, "a fraction from 0 to 1, found 5"),
        ({"max_events": 0}, "at least 1, found 0"),
        ({"first_event": 2**60}, "first_event must be from 0 to"),
        ({"seed": -1}, "seed must be an integer"),
        ({"seed": "a"}, "seed must be an integer"),
        ({"batch_size": 0}, "batch size must be at least 1"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_anything_is_made(options, message, example, tmp_path):
    with pytest.raises(sqlamarr.SqlamarrError, match=message):
        sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", **{"seed": 1, **options})
    assert not (tmp_path / "out.db").exists()


def test_seeds_of_numpy_are_integers_too(example, tmp_path):
    sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=np.int64(4), max_events=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert sqlamarr.output.provenance(db)["seed"] == 4


def test_readers_of_the_file_do_not_kill_the_run(example, tmp_path):
    """Somebody holds a read transaction for a while between two batches."""
    import threading

    path = tmp_path / "out.db"
    readers = []

    def read_for_a_while(_):
        if readers:
            return
        plain = sqlite3.connect(path, check_same_thread=False)
        plain.execute("BEGIN")
        plain.execute("SELECT count(*) FROM Events").fetchone()
        readers.append(threading.Timer(0.5, plain.close))
        readers[0].start()

    summary = sqlamarr.run("lhcb_run2", example, path, seed=1, max_events=4, batch_size=1, progress=read_for_a_while)
    readers[0].join()
    assert summary.events == 4


def test_an_interrupted_run_says_what_the_file_holds(example, tmp_path):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(sqlamarr.SqlamarrError, match="Interrupted.*holds the first 2 events"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "o.db", seed=1, max_events=4, batch_size=2, progress=interrupt)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT count(*) FROM Events").fetchone() == (2,)
        assert sqlamarr.output.provenance(db)["status"] == "incomplete"


def test_a_batch_is_appended_as_a_whole_or_not_at_all(example, tmp_path):
    from sqlamarr.output import OutputFile
    from sqlamarr.pipeline import load
    from sqlamarr.sources import open_inputs
    from sqlamarr.worker import Worker, WorkerOptions

    worker = Worker(load("lhcb_run2"), WorkerOptions(seed=1))
    result = worker.process(next(open_inputs([str(example)], max_events=2).chunks(2)))
    out = OutputFile(tmp_path / "out.db", worker.output_tables, worker.workspace.db)
    broken = dict(result.tables)
    broken["TrackStates"] = sqlamarr.Columns({"nonsense": [1]})
    result.tables, good = broken, result.tables
    with pytest.raises(sqlamarr.SqlamarrError):
        out.append(result)
    tables = [table for table in out.db.tables() if table != "Provenance"]
    assert {out.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables} == {0}
    result.tables = good
    out.append(result)
    assert out.db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert out.db.execute("SELECT count(*) FROM DataSources").fetchone() == (1,)
    out.close()


def test_rejected_fractions_are_judged_at_fixed_events(make_pipeline, example, tmp_path, monkeypatch):
    (tmp_path / "step_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sqlamarr.runner.JUDGED_EVERY", 20)
    bad = [i * 1_000_000 for i in range(5, 16)]
    pipeline = make_pipeline(STEP.replace("[1000000, 3000000]", str(bad)))
    for size in (1, 7, 40):
        with pytest.raises(TooManyRejectedError, match="11 of 20 events were rejected"):
            sqlamarr.run(pipeline, example, tmp_path / f"{size}.db", seed=1, on_error="skip", batch_size=size)


def test_a_folder_that_is_not_there_is_named(tmp_path, example):
    with pytest.raises(OutputError, match=r"nowhere does not exist; make it first"):
        sqlamarr.run("lhcb_run2", [example], tmp_path / "nowhere" / "out.db", seed=1, max_events=1)


# -- events that cannot be processed ---------------------------------------------------------------


@pytest.fixture
def broken(example, tmp_path):
    """Five events, of which the third has a letter where a number should be."""
    text = gzip.decompress(example.read_bytes()).decode()
    head, *events = text.split("\nE ")
    lines = events[2].split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("P "))
    lines[at] = lines[at].replace(".", "x", 1)
    events[2] = "\n".join(lines)
    path = tmp_path / "broken.hepmc"
    path.write_text("\nE ".join([head, *events[:5]]) + "\nHepMC::Asciiv3-END_EVENT_LISTING\n")
    return path


def test_a_malformed_event_stops_the_run_and_is_named(broken, tmp_path):
    with pytest.raises(InputError, match=r"broken\.hepmc, line \d+, event 2: .*--on-error skip"):
        sqlamarr.run("lhcb_run2", [broken], tmp_path / "out.db", seed=1)


def test_a_malformed_event_can_be_skipped(broken, tmp_path):
    code = command_line(
        "run", "lhcb_run2", broken, "-o", tmp_path / "out.db", "--seed", 1, "--on-error", "skip", "--quiet"
    )
    assert code == 3
    with sqlamarr.open(tmp_path / "out.db") as db:
        status = [row[0] for row in db.execute("SELECT status FROM Events ORDER BY event_id")]
        (row,) = db.execute("SELECT event_id, datasource, number, step FROM RejectedEvents").fetchall()
        assert db.execute("SELECT count(*) FROM MCParticles WHERE event_id = 2000000").fetchone() == (0,)
    assert status == ["simulated", "simulated", "rejected", "simulated", "simulated"]
    assert row == (2_000_000, str(broken), 2, "reading")


STEP = """
name: test
steps:
  - find_primary_vertices: {}
  - select_particles: {}
  - python: {function: "step_module:picky", arguments: {bad: [1000000, 3000000]}}
output: {tables: [MCParticles]}
"""

MODULE = """
from sqlamarr.errors import EventError
def picky(batch, bad):
    for (event_id,) in batch.db.execute("SELECT event_id FROM Events").fetchall():
        if event_id in bad:
            raise EventError("not this one", event_id)
"""


@pytest.fixture
def picky(make_pipeline, tmp_path, monkeypatch):
    (tmp_path / "step_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return make_pipeline(STEP)


def test_an_event_that_a_step_refuses_stops_the_run(picky, example, tmp_path):
    with pytest.raises(EventError, match=r"bbbar\.hepmc\.gz, event 1: step 'picky': not this one"):
        sqlamarr.run(picky, [example], tmp_path / "out.db", seed=1, max_events=5)


def test_only_the_guilty_events_are_left_out(picky, example, tmp_path):
    summary = sqlamarr.run(picky, [example], tmp_path / "out.db", seed=1, max_events=5, on_error="skip")
    assert (summary.events, summary.rejected) == (5, 2)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rejected = db.execute("SELECT event_id, step, reason FROM RejectedEvents ORDER BY event_id").fetchall()
        kept = [row[0] for row in db.execute("SELECT DISTINCT event_id FROM MCParticles ORDER BY event_id")]
    assert rejected == [(1_000_000, "picky", "not this one"), (3_000_000, "picky", "not this one")]
    assert kept == [0, 2_000_000, 4_000_000]


def test_too_many_rejected_events_stop_the_run(make_pipeline, example, tmp_path, monkeypatch):
    (tmp_path / "step_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    bad = [i * 1_000_000 for i in range(20)]
    with pytest.raises(TooManyRejectedError, match="20 of 40 events were rejected, more than --max-rejected 0.01"):
        sqlamarr.run(
            make_pipeline(STEP.replace("[1000000, 3000000]", str(bad))),
            [example], tmp_path / "out.db", seed=1, on_error="skip", batch_size=1,
        )  # fmt: skip


def test_a_step_that_fails_takes_its_rows_back_and_the_next_batch_works(picky, example, tmp_path):
    from sqlamarr.pipeline import load
    from sqlamarr.sources import open_inputs
    from sqlamarr.worker import Worker, WorkerOptions

    worker = Worker(load(picky), WorkerOptions(seed=1))
    chunks = open_inputs([str(example)], max_events=4).chunks(2)
    with pytest.raises(EventError):
        worker.process(next(chunks))
    assert quoted_counts(worker) == {0}


def quoted_counts(worker):
    db = worker.workspace.db
    return {
        db.execute(f"SELECT count(*) FROM {quote_identifier(t)}").fetchone()[0] for t in worker.workspace.event_tables
    }


# -- a step that looks across events ------------------------------------------------------------------

ACROSS = """
name: test
steps:
  - select_particles: {}
  - sql: {table: tmp_rank, template: rank.sql, key: [mcparticle_id]}
output: {tables: [MCParticles]}
"""


def test_check_split_catches_a_query_that_looks_across_events(make_pipeline, example, capsys):
    pipeline = make_pipeline(ACROSS, rank="SELECT mcparticle_id, count(*) OVER () AS n FROM MCParticles")
    assert command_line("check", pipeline, "--split", example, "-n", 4) == 1
    assert "give different rows in tmp_rank. Some step looks across events" in capsys.readouterr().err


def test_check_split_passes_the_shipped_pipeline(example, capsys):
    assert command_line("check", "lhcb_run2", "--split", example, "-n", 5) == 0
    assert "do not depend on how they are batched" in capsys.readouterr().out


# -- the command line ------------------------------------------------------------------------------------


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


def test_output_files_are_read_only_for_queries(reference, capsys):
    assert command_line("sql", reference[0], "DELETE FROM Tracks") == 1
    assert "readonly" in capsys.readouterr().err


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
    monkeypatch.chdir(Path(__file__).parent.parent)
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


# -- another library in the place of ours ---------------------------------------------------------------

# What LHCb publishes: functions for one row each, with neither names nor sizes.
FOREIGN = """
#include <math.h>
float *acceptance(float *out, const float *in) {
    float sum = 0; for (int i = 0; i < 12; ++i) sum += in[i];
    out[0] = sum == sum ? 1 : 0; return out; }
float *efficiency(float *out, const float *in) {
    float sum = 0; for (int i = 0; i < 12; ++i) sum += in[i];
    /* Rounded in float32, such probabilities may sum to more than 1. */
    out[0] = 0.1f; out[1] = 0.7000001f; out[2] = 0.1f; out[3] = sum == sum ? 0.1000001f : 0; return out; }
float *resolution(float *out, const float *in, const float *random) {
    float sum = 0; for (int i = 0; i < 12; ++i) sum += in[i];
    for (int i = 0; i < 128; ++i) sum += random[i];
    for (int i = 0; i < 9; ++i) out[i] = 0.001f * random[i];
    out[7] = sum == sum ? 1e6f : 0; out[5] = -1e9f; return out; }
float *covariance(float *out, const float *in, const float *random) {
    float sum = 0; for (int i = 0; i < 15; ++i) sum += in[i];
    for (int i = 0; i < 128; ++i) sum += random[i];
    for (int i = 0; i < 5; ++i) out[i] = -10;
    for (int i = 5; i < 15; ++i) out[i] = sum == sum ? 0.9f - 1.8f * (i % 2) : 0; return out; }
"""


def test_a_foreign_library_takes_the_place_of_ours_by_one_word(compile_plugin, example, tmp_path, capsys):
    library = compile_plugin(FOREIGN)
    out = tmp_path / "out.db"
    arguments = ["run", "lhcb_run2", example, "-o", out, "--seed", 1, "-n", 3, "--model", f"tracking={library}"]
    assert command_line(*arguments) == 0
    with sqlamarr.open(out) as db:
        made = sqlamarr.output.provenance(db)
        lowest, n = db.execute("SELECT min(p), count(*) FROM Tracks").fetchone()
        states = db.arrays("SELECT * FROM TrackStates WHERE location = 'ClosestToBeam'")
    assert made["models"]["tracking"]["library"] == str(library)
    assert n > 10
    assert lowest == 1.0  # MeV: more is not taken away
    # Correlations that no matrix can have are shrunk until one has them.
    matrix = np.empty((n, 5, 5))
    for i in range(5):
        for j in range(i, 5):
            matrix[:, i, j] = matrix[:, j, i] = states[f"cov{i}{j}"]
    assert np.linalg.eigvalsh(matrix / matrix[:, :1, :1]).min() > 0


def test_a_foreign_library_of_wrong_sizes_is_refused_before_any_event(compile_plugin, example, tmp_path, capsys):
    library = compile_plugin(FOREIGN.replace("i < 9", "i < 12"))
    out = tmp_path / "out.db"
    assert command_line("run", "lhcb_run2", example, "-o", out, "--model", f"tracking={library}") == 1
    message = "function 'resolution' of model.so: writes 12 values per row, the pipeline declares 9 outputs"
    assert message in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.long
def test_one_hash_whatever_the_batches_for_everything_that_can_be_kept(example, tmp_path):
    found = []
    for size in (1, 7, 64, 1000):
        path = tmp_path / f"{size}.db"
        sqlamarr.run(
            "lhcb_run2", [example], path, seed=7, batch_size=size, keep_tmp=True, generator="full", weights=True,
            conditions={"luminous_region": "lhcb", "polarity": "MagDown", "period": 2018},
        )  # fmt: skip
        found.append(hashes(path))
    assert all(other == found[0] for other in found)
    assert "GenParticles" in found[0]
    assert "tmp_covariance" in found[0]


# -- what steps may not do ---------------------------------------------------------------------------------------


def run_with_python(make_pipeline, tmp_path, monkeypatch, example, body, **options):
    """A run whose pipeline has the function ``f(batch)`` with this body as its last step."""
    name = f"made_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(f"from sqlamarr.errors import EventError\ndef f(batch):\n    {body}\n")
    text = STEP.replace("step_module:picky", f"{name}:f").replace(", arguments: {bad: [1000000, 3000000]}", "")
    return sqlamarr.run(make_pipeline(text), example, tmp_path / "out.db", seed=1, max_events=4, **options)


@pytest.mark.parametrize("body", ["raise KeyError('lost')", "raise SystemExit(0)"])
def test_exceptions_of_a_python_step_name_step_function_and_line(body, make_pipeline, tmp_path, monkeypatch, example):
    with pytest.raises(PipelineError, match=r"Step 'f': made_\d+:f raised (KeyError|SystemExit).*\n.*line 3: raise"):
        run_with_python(make_pipeline, tmp_path, monkeypatch, example, body)


def test_what_a_step_leaves_behind_is_gone_with_the_batch(make_pipeline, tmp_path, monkeypatch, example):
    body = "batch.execute('CREATE TEMP TABLE left (x); CREATE TABLE main.over (x); CREATE TEMP VIEW v AS SELECT 1')"
    summary = run_with_python(make_pipeline, tmp_path, monkeypatch, example, body, batch_size=1)
    assert summary.events == 4


def test_a_step_that_fails_leaves_no_row(picky, example, monkeypatch):
    from sqlamarr.pipeline import load
    from sqlamarr.sources import open_inputs
    from sqlamarr.worker import Worker, WorkerOptions

    worker = Worker(load(picky), WorkerOptions(seed=1))
    step, _ = worker._runs[-1]

    def write_and_fail(batch):
        batch.execute("DELETE FROM MCParticles")
        raise EventError("after writing", 0)

    worker._runs[-1] = (step, write_and_fail)
    monkeypatch.setattr(worker, "_clear", lambda: None)
    with pytest.raises(EventError):
        worker.process(next(open_inputs([str(example)], max_events=2).chunks(2)))
    assert worker.workspace.db.execute("SELECT count(*) FROM MCParticles").fetchone()[0] > 0


def test_rows_without_key_are_refused_not_numbered(make_pipeline, example, tmp_path):
    text = ACROSS.replace("tmp_rank", "tmp_key")
    pipeline = make_pipeline(text, rank="SELECT nullif(mcparticle_id, mcparticle_id) AS mcparticle_id FROM MCParticles")
    with pytest.raises(sqlamarr.SqlamarrError, match="Step 'tmp_key'.*the key column mcparticle_id is NULL"):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, max_events=2)


def test_a_value_of_another_type_is_refused_with_the_column(make_pipeline, example, tmp_path):
    pipeline = make_pipeline(ACROSS, rank="SELECT mcparticle_id, 'a' AS n FROM MCParticles")
    with pytest.raises(sqlamarr.SqlamarrError, match=r"cannot store TEXT value in REAL column tmp_rank\.n"):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, max_events=2)


def test_tables_keep_their_types_whatever_the_batch(make_pipeline, example, tmp_path):
    query = "SELECT mcparticle_id, CASE WHEN event_id > 1000000 THEN pe ELSE 1 END AS v FROM MCParticles"
    pipeline = make_pipeline(ACROSS, rank=query)
    for size in (1, 4):
        sqlamarr.run(pipeline, example, tmp_path / f"{size}.db", seed=1, max_events=4, batch_size=size, keep_tmp=True)
    assert hashes(tmp_path / "1.db") == hashes(tmp_path / "4.db")
    plain = sqlite3.connect(tmp_path / "1.db")
    assert plain.execute("SELECT DISTINCT typeof(v) FROM tmp_rank").fetchall() == [("real",)]
    plain.close()


# -- the cache of columns ----------------------------------------------------------------------------------------


@pytest.fixture
def batch(db):
    from sqlamarr.batch import Batch

    db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL)")
    return Batch(db, {}, 1)


def test_columns_are_forgotten_at_any_other_write(batch):
    batch.write("t", sqlamarr.Columns({"id": [1, 2], "x": [1.0, 2.0]}))
    assert batch.columns("t")["x"].tolist() == [1.0, 2.0]
    batch.db.execute("UPDATE t SET x = 7 WHERE id = 2").fetchall()
    assert batch.columns("t")["x"].tolist() == [1.0, 7.0]
    batch.db.insert("t", {"id": [3], "x": [3.0]})
    assert batch.columns("t")["x"].tolist() == [1.0, 7.0, 3.0]


def test_columns_at_hand_are_those_that_the_table_would_give(batch):
    batch.write("t", sqlamarr.Columns({"id": [3, 1], "x": np.array([3, 1])}))
    assert batch.columns("t")["id"].tolist() == [1, 3]
    assert batch.columns("t")["x"].dtype == float


def test_a_callers_array_is_not_the_cache(batch):
    x = np.array([1.0])
    batch.write("t", {"id": [1], "x": x})
    x[0] = 99
    assert batch.columns("t")["x"].tolist() == [1.0]


# -- the content hash --------------------------------------------------------------------------------------------


def hash_of(tmp_path, sql):
    from sqlamarr import Database
    from sqlamarr.hashing import _table_hash

    with Database() as db:
        db.execute(sql)
        return _table_hash(db, "t")


def test_the_hash_of_a_table_sees_names_types_nulls_and_no_sign_of_zero(tmp_path):
    base = "CREATE TABLE t (id INTEGER PRIMARY KEY, x REAL); INSERT INTO t VALUES (1, 0.0), (2, 1.0);"
    same = hash_of(tmp_path, base)
    assert hash_of(tmp_path, base.replace("0.0", "-0.0")) == same
    assert hash_of(tmp_path, base.replace("(1, 0.0), (2, 1.0)", "(2, 1.0), (1, 0.0)")) == same
    for other in (base.replace("x REAL", "y REAL"), base.replace("0.0", "NULL"), base.replace("x REAL", "x INTEGER")):
        assert hash_of(tmp_path, other) != same


def test_the_hash_does_not_depend_on_how_many_rows_are_read_at_a_time(tmp_path, monkeypatch):
    sql = "CREATE TABLE t (a INTEGER, b TEXT, x REAL, PRIMARY KEY (a, b));"
    sql += "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99)"
    sql += "INSERT INTO t SELECT i / 3, 'k' || (i % 3), nullif(i, 50) FROM n;"
    found = set()
    for rows in (1, 7, 1000):
        monkeypatch.setattr("sqlamarr.hashing._ROWS", rows)
        found.add(hash_of(tmp_path, sql))
    assert len(found) == 1


# -- small things of the command line ----------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--csv"], ["--json"]])
def test_a_query_without_rows_is_no_error(reference, capsys, options):
    assert command_line("sql", reference[0], "SELECT * FROM RejectedEvents WHERE 0", *options) == 0
    out = capsys.readouterr().out
    assert out.strip() == "[]" if options == ["--json"] else "reason" in out


def test_conditions_are_read_as_the_pipelines_own_are(example, tmp_path, capsys):
    arguments = ["run", "lhcb_run2", example, "-o", tmp_path / "o.db", "-n", 1]
    for text in ("period=[", "period=abc", "brem_recovery=maybe"):
        assert command_line(*arguments, "-c", text) == 1
        assert "is of type" in capsys.readouterr().err
    assert command_line(*arguments, "-c", "period=2017", "-c", "brem_recovery=false", "--quiet") == 0


def test_a_summary_into_nowhere_is_refused_before_the_run(example, tmp_path, capsys):
    code = command_line("run", "lhcb_run2", example, "-o", tmp_path / "o.db", "--summary", tmp_path / "no" / "s.json")
    assert code == 2
    assert not (tmp_path / "o.db").exists()


def test_arguments_in_the_wrong_order_are_explained(example, tmp_path, capsys):
    assert command_line("run", example, "lhcb_run2", "-o", tmp_path / "o.db") == 1
    assert "The pipeline comes first" in capsys.readouterr().err


def test_a_split_of_one_event_proves_nothing(example, tmp_path, capsys):
    import pyhepmc

    with pyhepmc.open(str(example)) as file, pyhepmc.open(str(tmp_path / "one.hepmc"), "w") as out:
        out.write(next(iter(file)))
    assert command_line("check", "lhcb_run2", "--split", tmp_path / "one.hepmc") == 1
    assert "has 1 event, which shows nothing" in capsys.readouterr().err


def test_models_beside_a_relative_pipeline_are_found(compile_plugin, example, tmp_path, monkeypatch):
    library = compile_plugin(FOREIGN)
    folder = tmp_path / "mine"
    import shutil

    from sqlamarr._library import native_folder

    shutil.copytree(native_folder() / "pipelines" / "lhcb_run2", folder)
    (folder / "model.so").write_bytes(library.read_bytes())
    text = (folder / "pipeline.yaml").read_text().replace('"plugins:lhcb_run2"', "model.so")
    (folder / "pipeline.yaml").write_text(text)
    monkeypatch.chdir(folder)
    sqlamarr.run("pipeline.yaml", example, tmp_path / "o.db", seed=1, max_events=1)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert sqlamarr.output.provenance(db)["models"]["tracking"]["library"] == str(folder / "model.so")
