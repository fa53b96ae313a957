"""Work spread over processes and threads: the same answer, in order, and within bounds."""

from __future__ import annotations

from concurrent.futures import Executor, Future, ThreadPoolExecutor

import numpy as np
import pytest
from run_tools import command_line, hashes

import sqlamarr
from sqlamarr.errors import EventError, InputError, WorkersLostError
from sqlamarr.output.batch_result import BatchResult
from sqlamarr.running.worker_process import pack, unpack


class Late(Executor):
    """Does nothing before its results are asked for, and remembers how much it was given."""

    def __init__(self):
        self.waiting, self.most = 0, 0

    def submit(self, function, /, *arguments):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        late = self

        class Deferred(Future):
            def result(self, timeout=None):
                late.waiting -= 1
                return function(*arguments)

        return Deferred()


def test_the_number_of_processes_does_not_matter(reference, tmp_path, example):
    out = tmp_path / "out.db"
    arguments = ["run", "lhcb_run2", example, "-o", out, "--seed", 42, "--batch-size", 7, "--jobs", 2, "--quiet"]
    assert command_line(*arguments) == 0
    assert hashes(out) == hashes(reference[0])


def test_any_executor_will_do(reference, tmp_path, example):
    with ThreadPoolExecutor(3) as executor:
        sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=42, batch_size=5, executor=executor)
    assert hashes(tmp_path / "out.db") == hashes(reference[0])


def test_no_more_chunks_are_under_way_than_workers_need(tmp_path, example):
    executor = Late()
    sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, batch_size=1, executor=executor, jobs=4)
    assert executor.most == 12


def test_an_executor_that_is_closed_already_is_told(tmp_path, example):
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(WorkersLostError, match="accepts no more work: cannot schedule new futures after shutdown"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, executor=executor)


def test_a_number_of_jobs_below_one_is_refused(tmp_path, example):
    with pytest.raises(sqlamarr.SqlamarrError, match="jobs must be at least 1, found 0"):
        sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", jobs=0)


def test_an_event_that_a_step_refuses_in_another_process_is_named(picky, example, tmp_path):
    with pytest.raises(EventError, match=r"bbbar\.hepmc\.gz, event 1: step 'picky': not this one") as caught:
        sqlamarr.run(picky, [example], tmp_path / "out.db", seed=1, events=5, jobs=2)
    assert caught.value.event_id == 1_000_000


def test_only_the_guilty_events_are_left_out_by_other_processes(picky, example, tmp_path):
    options = {"seed": 1, "events": 5, "on_error": "skip"}
    sqlamarr.run(picky, [example], tmp_path / "one.db", **options)
    summary = sqlamarr.run(picky, [example], tmp_path / "two.db", **options, jobs=2, batch_size=2)
    assert (summary.events, summary.rejected) == (5, 2)
    assert hashes(tmp_path / "one.db") == hashes(tmp_path / "two.db")


def test_what_comes_before_a_bad_input_is_in_the_file(example, tmp_path):
    (tmp_path / "bad.hepmc").write_text("no events here")
    with pytest.raises(InputError, match="not in a known format"):
        sqlamarr.run("lhcb_run2", [example, tmp_path / "bad.hepmc"], tmp_path / "o.db", seed=1, batch_size=4, jobs=2)
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert db.execute("SELECT count(*), max(ordinal) FROM Events").fetchone() == (40, 39)


def test_results_travel_unchanged():
    columns = sqlamarr.Columns(
        {
            "id": [3, None, 2**60],
            "x": np.array([1.5, np.nan, -0.0]),
            "text": ["a", None, "µ"],
            "whole": np.ma.MaskedArray([1, 2, 3], mask=False),
        }
    )
    (sent,) = unpack(pack([BatchResult({"t": columns}, (), (), [], {}, set())]))
    received = sent.tables["t"]
    assert list(received) == list(columns)
    for name in columns:
        assert received[name].dtype == columns[name].dtype
        assert np.ma.isMA(received[name]) == np.ma.isMA(columns[name])
        assert np.ma.getmaskarray(received[name]).tolist() == np.ma.getmaskarray(columns[name]).tolist()
    assert received["x"].tobytes() == columns["x"].tobytes()
    assert received["text"].tolist() == ["a", None, "µ"]
    assert received["id"].tolist() == [3, None, 2**60]


@pytest.mark.long
@pytest.mark.parametrize("jobs", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_one_hash_for_everything_that_can_be_kept(example, tmp_path, jobs, batch_size):
    options = {"seed": 7, "keep_tmp": True, "generator": "full", "weights": True}
    sqlamarr.run("lhcb_run2", [example] * 2, tmp_path / "one.db", **options, batch_size=30)
    sqlamarr.run("lhcb_run2", [example] * 2, tmp_path / "two.db", **options, batch_size=batch_size, jobs=jobs)
    assert hashes(tmp_path / "one.db") == hashes(tmp_path / "two.db")
