"""Workers that die: what they worked on is done by others, and an event that kills is named and left out."""

from __future__ import annotations

import pytest
from run_tools import command_line, hashes

import sqlamarr
from sqlamarr.errors import WorkerDiedError

CRASH = """
#include <stdlib.h>
float *f(float *out, const float *in) {
    if (in[0] == 3) %s;
    out[0] = in[0];
    return out;
}
"""

PLUGIN = """
name: test
models: {{crashing: {{library: "{library}"}}}}
steps:
  - select_particles: {{}}
  - plugin: {{model: crashing, function: f, query: ordinals.sql, table: tmp_answer, key: [event_id],
             inputs: 1, outputs: [answer]}}
output: {{tables: [MCParticles, tmp_answer]}}
"""
ORDINALS = "SELECT event_id, ordinal FROM Events"

KILL = """
name: test
steps:
  - select_particles: {}
  - python: {function: "killing_module:f"}
output: {tables: [MCParticles]}
"""
#: Kills its process at the sight of the fourth event, as long as a file is not there.
KILLING = """
import os, signal
from pathlib import Path
def f(batch):
    marker = Path(__file__).parent / "was_here"
    seen = batch.db.execute("SELECT 1 FROM Events WHERE ordinal = 3").fetchone()
    if seen and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def crashing(compile_plugin, make_pipeline):
    def make(how):
        return make_pipeline(PLUGIN.format(library=compile_plugin(CRASH % how)), ordinals=ORDINALS)

    return make


def test_an_event_that_crashes_a_model_stops_the_run_and_is_named(crashing, example, tmp_path, capsys):
    out = tmp_path / "o.db"
    code = command_line(
        "run", crashing("*(volatile int *)0 = 1"), example, "-o", out, "--seed", 1, "--jobs", 2, "--batch-size", 2
    )
    assert code == 1
    message = capsys.readouterr().err
    assert "bbbar.hepmc.gz, event 3: step 'tmp_answer': a worker process died on it, twice (SIGSEGV)." in message
    with sqlamarr.open(out) as db:  # the batch before it is there
        assert db.execute("SELECT count(*), max(ordinal) FROM Events").fetchone() == (2, 1)


def test_an_event_that_crashes_a_model_is_left_out_alone(crashing, example, tmp_path, capsys):
    out = tmp_path / "o.db"
    code = command_line(
        "run", crashing("abort()"), example, "-o", out, "--seed", 1, "--jobs", 2, "--batch-size", 7,
        "--on-error", "skip", "--quiet",
    )  # fmt: skip
    assert code == 3
    with sqlamarr.open(out) as db:
        rejected = db.execute("SELECT event_id, number, step, reason FROM RejectedEvents").fetchall()
        answers = [row[0] for row in db.execute("SELECT answer FROM tmp_answer ORDER BY event_id")]
        assert db.execute("SELECT count(*), count(DISTINCT event_id) FROM Events").fetchone() == (40, 40)
    assert rejected == [(3_000_000, 3, "tmp_answer", "A worker process died on it, twice (SIGABRT).")]
    assert answers == [float(i) for i in range(40) if i != 3]


def test_a_worker_that_somebody_kills_costs_nothing(make_pipeline, example, tmp_path):
    (tmp_path / "killing_module.py").write_text(KILLING)
    pipeline = make_pipeline(KILL)
    summary = sqlamarr.run(pipeline, example, tmp_path / "killed.db", seed=1, batch_size=3, jobs=2)
    assert (tmp_path / "was_here").exists()
    assert (summary.events, summary.rejected) == (40, 0)
    sqlamarr.run(pipeline, example, tmp_path / "quiet.db", seed=1)
    assert hashes(tmp_path / "killed.db") == hashes(tmp_path / "quiet.db")


def test_the_error_of_a_killing_event_carries_its_id(crashing, example, tmp_path):
    with pytest.raises(WorkerDiedError) as caught:
        sqlamarr.run(crashing("abort()"), example, tmp_path / "o.db", seed=1, jobs=2, events=4)
    assert caught.value.event_id == 3_000_000
    assert caught.value.step == "tmp_answer"
