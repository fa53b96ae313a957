"""The output file: what may be written over, whole batches, other readers."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

import sqlamarr
from sqlamarr.errors import InputError, OutputError
from sqlamarr.output import provenance
from sqlamarr.output.file import OutputFile, open_output
from sqlamarr.output.verify import verify
from sqlamarr.pipeline.load import load
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker
from sqlamarr.sources.inputs import open_inputs

NO_EVENTS = "events must be a number of events, a pair (first, stop) or a text 'A:B'"


def test_an_existing_output_is_not_overwritten_by_chance(tmp_path, example):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=1, events=1)
    before = path.read_bytes()
    with pytest.raises(
        OutputError,
        match="exists. Choose another name, --resume to continue an unfinished run, or use --overwrite to replace it",
    ):
        sqlamarr.run("lhcb_run2", [example], path, seed=1, events=1)
    assert path.read_bytes() == before
    sqlamarr.run("lhcb_run2", [example], path, seed=1, events=2, overwrite=True)
    with sqlamarr.open(path) as db:
        assert db.execute("SELECT count(*) FROM Events").fetchone() == (2,)


def test_only_our_own_files_are_overwritten(tmp_path, example):
    path = tmp_path / "thesis.tex"
    path.write_text("precious")
    with pytest.raises(OutputError, match="is not a file that sqlamarr wrote, so it is not overwritten"):
        sqlamarr.run("lhcb_run2", [example], path, seed=1, events=1, overwrite=True)
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
    sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, events=1)
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
        ({"events": 0}, "at least 1, found 0"),
        ({"first_event": 2**60}, "first_event must be from 0 to"),
        ({"seed": -1}, "seed must be an integer"),
        ({"seed": "a"}, "seed must be an integer"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_options_that_mean_nothing_are_refused_before_anything_is_made(options, message, example, tmp_path):
    with pytest.raises(sqlamarr.SqlamarrError, match=message):
        sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", **{"seed": 1, **options})
    assert not (tmp_path / "out.db").exists()


GUN = {"gun": {"particle": "mu-", "p": 1e4, "eta": 3, "events": 2}}
INPUTS = "inputs must be a path, a description as a dict, a table, or a list of these, found"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"events": "five"}, "events must be a number N or a range A:B, found 'five' (of type str)."),
        (
            {"events": 2.5},
            f"{NO_EVENTS}, found 2.5 (of type float).",
        ),
        (
            {"events": True},
            f"{NO_EVENTS}, found True (of type bool).",
        ),
        ({"jobs": "2"}, "jobs must be an integer, found '2' (of type str)."),
        ({"jobs": None}, "jobs must be an integer, found None (of type NoneType)."),
        ({"batch_size": 2.5}, "batch_size must be an integer, found 2.5 (of type float)."),
        ({"first_event": "1"}, "first_event must be an integer, found '1' (of type str)."),
        ({"events": (1.5, None)}, "events must be an integer, found 1.5 (of type float)."),
        ({"events": (4, 4)}, "events must be at least 1, found (4, 4), which contains none."),
        ({"events": (-1, 4)}, "events must not begin before 0, found (-1, 4)."),
        ({"max_rejected": "0.1"}, "max_rejected must be a number, found '0.1' (of type str)."),
        (
            {"conditions": "period=2016"},
            "conditions must be a dict such as {'period': 2016}, found 'period=2016' (of type str).",
        ),
        ({"conditions": {1: 2}}, "conditions must be a dict such as {'period': 2016}, found {1: 2} (of type dict)."),
        ({"models": ["a"]}, "models must be a dict such as {'tracking': 'my_model.so'}, found ['a'] (of type list)."),
        ({"scratch": 5}, "scratch must be a path, found 5 (of type int)."),
        (
            {"executor": 5},
            "executor must be an Executor of concurrent.futures, or an object like one, found 5 (of type int).",
        ),
        ({"progress": 5}, "progress must be a function of the number of events, found 5 (of type int)."),
        ({"inputs": None}, f"{INPUTS} None (of type NoneType)."),
        ({"inputs": [GUN, 5]}, f"{INPUTS} 5 (of type int)."),
        ({"inputs": b"x"}, f"{INPUTS} b'x' (of type bytes)."),
        ({"output": None}, "output must be a path, found None (of type NoneType)."),
        (
            {"pipeline": {}},
            "pipeline must be the name of a shipped pipeline, or the path of a YAML file, found {} (of type dict).",
        ),
    ],
)
def test_arguments_of_another_type_are_named(options, message, tmp_path):
    arguments = {"pipeline": "lhcb_run2", "inputs": GUN, "output": tmp_path / "out.db", "seed": 1, **options}
    with pytest.raises(sqlamarr.SqlamarrError) as error:
        sqlamarr.run(**arguments)
    assert str(error.value) == message
    assert list(tmp_path.iterdir()) == []


def test_a_float_without_a_fraction_is_a_number_of_events(tmp_path):
    gun = {"gun": {"particle": "mu-", "p": 1e4, "eta": 3}}
    assert sqlamarr.run("lhcb_run2", gun, tmp_path / "out.db", seed=1, events=1e2, batch_size=40.0).events == 100


def test_numbers_of_numpy_are_numbers_too(example, tmp_path):
    options = {"seed": np.int64(4), "events": np.int64(1), "batch_size": np.int32(2), "jobs": np.uint8(1)}
    conditions = {"period": np.int64(2017)}
    sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", **options, conditions=conditions)
    with sqlamarr.open(tmp_path / "out.db") as db:
        made = provenance.read(db)
    assert (made["seed"], made["max_events"], made["batch_size"]) == (4, 1, 2)
    assert made["conditions"]["period"] == 2017


def test_readers_of_the_file_do_not_kill_the_run(example, tmp_path):
    """Somebody holds a read transaction for a while between two batches."""

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

    summary = sqlamarr.run("lhcb_run2", example, path, seed=1, events=4, batch_size=1, progress=read_for_a_while)
    readers[0].join()
    assert summary.events == 4


@pytest.mark.parametrize(("n", "held"), [(1, "the first event, complete"), (2, "the first 2 events, all complete")])
def test_an_interrupted_run_says_what_the_file_holds(example, tmp_path, n, held):
    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(sqlamarr.SqlamarrError, match=f"Interrupted.*o.db holds {held}"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "o.db", seed=1, events=4, batch_size=n, progress=interrupt)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT count(*) FROM Events").fetchone() == (n,)
        assert provenance.read(db)["status"] == "incomplete"


def test_a_batch_is_appended_as_a_whole_or_not_at_all(example, tmp_path):

    worker = Worker(load("lhcb_run2"), RunOptions(seed=1))
    result = worker.pack(worker.process(next(open_inputs([str(example)], max_events=2).chunks(2))))
    out = OutputFile(tmp_path / "out.db", worker.output_tables, worker.workspace.declared)
    broken = dict(result.tables)
    broken["TrackStates"] = sqlamarr.Columns({"nonsense": [1]})
    result.tables, good = broken, result.tables
    with pytest.raises(sqlamarr.SqlamarrError):
        out.append(result)
    tables = [table for table in out.db.tables() if table not in ("Provenance", "Checksums")]
    assert {out.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables} == {0}
    assert verify(tmp_path / "out.db").intact
    result.tables = good
    out.append(result)
    assert verify(tmp_path / "out.db").intact
    assert out.db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert out.db.execute("SELECT count(*) FROM DataSources").fetchone() == (1,)
    out.close()


def test_a_folder_that_is_not_there_is_named(tmp_path, example):
    with pytest.raises(OutputError, match=r"nowhere does not exist; make it first"):
        sqlamarr.run("lhcb_run2", [example], tmp_path / "nowhere" / "out.db", seed=1, events=1)


def test_a_truncated_file_is_named_when_it_is_opened(tmp_path, example):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=1, events=1)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    with pytest.raises(OutputError, match=r"out\.db cannot be read: .*malformed.*copy it again"):
        open_output(path)


def test_a_file_that_is_being_written_can_be_opened_at_any_instant(tmp_path, example):
    """Its journal comes and goes with every batch."""
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=1, events=1)
    journal = Path(f"{path}-journal")
    done = threading.Event()

    def come_and_go():
        while not done.is_set():
            journal.write_bytes(b"")
            journal.unlink()

    writer = threading.Thread(target=come_and_go)
    writer.start()
    try:
        for _ in range(300):
            open_output(path).close()
    finally:
        done.set()
        writer.join()
