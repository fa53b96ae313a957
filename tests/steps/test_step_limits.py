"""What steps may not do: leave things behind, lose rows, hide their errors."""

from __future__ import annotations

import sqlite3

import pytest
from run_tools import ACROSS, hashes, run_with_python

import sqlamarr
from sqlamarr.database.connection import quote_identifier
from sqlamarr.errors import EventError, PipelineError
from sqlamarr.pipeline.load import load
from sqlamarr.running.options import RunOptions
from sqlamarr.running.worker import Worker
from sqlamarr.sources.inputs import open_inputs


@pytest.mark.parametrize("body", ["raise KeyError('lost')", "raise SystemExit(0)"])
def test_exceptions_of_a_python_step_name_step_function_and_line(body, make_pipeline, tmp_path, monkeypatch, example):
    with pytest.raises(PipelineError, match=r"Step 'f': made_\d+:f raised (KeyError|SystemExit).*\n.*line 3: raise"):
        run_with_python(make_pipeline, tmp_path, monkeypatch, example, body)


def test_what_a_step_leaves_behind_is_gone_with_the_batch(make_pipeline, tmp_path, monkeypatch, example):
    body = "batch.execute('CREATE TEMP TABLE left (x); CREATE TEMP VIEW v AS SELECT x FROM left')"
    summary = run_with_python(make_pipeline, tmp_path, monkeypatch, example, body, batch_size=1)
    assert summary.events == 4


def quoted_counts(worker):
    db = worker.workspace.db
    return {
        db.execute(f"SELECT count(*) FROM {quote_identifier(t)}").fetchone()[0] for t in worker.workspace.event_tables
    }


def test_a_step_that_fails_takes_its_rows_back_and_the_next_batch_works(picky, example, tmp_path):

    worker = Worker(load(picky), RunOptions(seed=1))
    chunks = open_inputs([str(example)], max_events=4).chunks(2)
    with pytest.raises(EventError):
        worker.process(next(chunks))
    assert quoted_counts(worker) == {0}


def test_a_step_that_fails_changes_nothing(picky, example, monkeypatch):

    worker = Worker(load(picky), RunOptions(seed=1))
    step, _ = worker._runs[-1]

    worker.workspace.db.execute("CREATE TABLE notes (text); INSERT INTO notes VALUES ('here')")

    def write_and_fail(batch):
        with batch.db.limited(["notes"]):
            batch.execute("DELETE FROM notes")
        raise EventError("after writing", 0)

    worker._runs[-1] = (step, write_and_fail)
    monkeypatch.setattr(worker, "_clear", lambda: None)
    with pytest.raises(EventError, match="after writing"):
        worker.process(next(open_inputs([str(example)], max_events=2).chunks(2)))
    assert worker.workspace.db.execute("SELECT count(*) FROM notes").fetchone() == (1,)


def test_rows_without_key_are_refused_not_numbered(make_pipeline, example, tmp_path):
    text = ACROSS.replace("tmp_rank", "tmp_key")
    pipeline = make_pipeline(text, rank="SELECT nullif(mcparticle_id, mcparticle_id) AS mcparticle_id FROM MCParticles")
    with pytest.raises(sqlamarr.SqlamarrError, match="Step 'tmp_key'.*the key column mcparticle_id is NULL"):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=2)


def test_a_value_of_another_type_is_refused_with_the_column(make_pipeline, example, tmp_path):
    pipeline = make_pipeline(ACROSS, rank="SELECT mcparticle_id, 'a' AS n FROM MCParticles")
    with pytest.raises(
        sqlamarr.SqlamarrError, match=r"Step 'tmp_rank': rank\.sql: Column \"n\", row 1: expected REAL.*found a TEXT"
    ):
        sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=2)


def test_tables_keep_their_types_whatever_the_batch(make_pipeline, example, tmp_path):
    query = "SELECT mcparticle_id, CASE WHEN event_id > 1000000 THEN pe ELSE 1 END AS v FROM MCParticles"
    pipeline = make_pipeline(ACROSS, rank=query)
    for size in (1, 4):
        sqlamarr.run(pipeline, example, tmp_path / f"{size}.db", seed=1, events=4, batch_size=size, keep_tmp=True)
    assert hashes(tmp_path / "1.db") == hashes(tmp_path / "4.db")
    plain = sqlite3.connect(tmp_path / "1.db")
    assert plain.execute("SELECT DISTINCT typeof(v) FROM tmp_rank").fetchall() == [("real",)]
    plain.close()
