"""Batches on a Dask cluster: workers are lost, the answer stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from run_tools import command_line, hashes

import sqlamarr

pytest.importorskip("distributed")

#: In a process of its own: the cluster's threads and warnings are none of the tests'.
SCRIPT = """
import os, signal, sys
import dask
from distributed import Client, LocalCluster
import sqlamarr
from sqlamarr.cli import main

dask.config.set({"distributed.scheduler.allowed-failures": 0 if "%(allow)s" == "none" else 3})
options = dict(n_workers=2, threads_per_worker=1, dashboard_address=None)

if __name__ == "__main__":
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        %(body)s
"""

KILLING = """
        pids = list(client.run(os.getpid).values())
        done = []
        def kill_one(n):
            done.append(n)
            if len(done) == 3:
                os.kill(pids[0], signal.SIGKILL)
        summary = sqlamarr.run(
            "lhcb_run2", sys.argv[1], sys.argv[2], seed=42, batch_size=2, executor=client.get_executor(),
            progress=kill_one,
        )
        print(summary.events, summary.rejected, client.run(os.getpid) != pids)
"""

COMMAND = """
        main(["run", "lhcb_run2", sys.argv[1], "-o", sys.argv[2], "--seed", "42", "--batch-size", "7",
              "--executor", "dask", "--scheduler", cluster.scheduler_address])
"""

CRASHING = """
        main(["run", sys.argv[3], sys.argv[1], "-o", sys.argv[2], "--seed", "1", "--batch-size", "4", "-n", "8",
              "--executor", "dask", "--scheduler", cluster.scheduler_address, "--on-error", "skip"])
"""


def on_cluster(tmp_path, body, *arguments, allow="three"):
    script = tmp_path / "on_cluster.py"
    script.write_text(SCRIPT % {"body": body.strip(), "allow": allow})
    command = [sys.executable, str(script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)


def test_a_cluster_whose_worker_is_killed_gives_the_same(reference, example, tmp_path):
    run = on_cluster(tmp_path, KILLING, example, tmp_path / "o.db")
    assert run.stdout.split() == ["40", "0", "True"], run.stderr
    assert hashes(tmp_path / "o.db") == hashes(reference[0])


def test_the_command_line_uses_a_cluster(reference, example, tmp_path):
    run = on_cluster(tmp_path, COMMAND, example, tmp_path / "o.db")
    assert run.returncode == 0, run.stderr
    assert "o.db: 40 events in" in run.stdout
    assert hashes(tmp_path / "o.db") == hashes(reference[0])


def test_an_event_that_kills_workers_of_a_cluster_is_left_out_alone(compile_plugin, make_pipeline, example, tmp_path):
    from test_crashes import CRASH, ORDINALS, PLUGIN

    pipeline = make_pipeline(PLUGIN.format(library=compile_plugin(CRASH % "abort()")), ordinals=ORDINALS)
    run = on_cluster(tmp_path, CRASHING, example, tmp_path / "o.db", pipeline, allow="none")
    assert run.returncode == 3, run.stderr
    with sqlamarr.open(tmp_path / "o.db") as db:
        assert [row[0] for row in db.execute("SELECT event_id FROM RejectedEvents")] == [3_000_000]
        assert db.execute("SELECT count(*) FROM tmp_answer").fetchone() == (7,)


def test_a_cluster_that_is_not_there_is_told(example, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sqlamarr.running.dask.CONNECTING", 1)
    arguments = ["run", "lhcb_run2", example, "-o", tmp_path / "o.db", "--executor", "dask"]
    assert command_line(*arguments) == 2
    assert "--executor dask and --scheduler ADDRESS must be used together" in capsys.readouterr().err
    assert command_line(*arguments, "--scheduler", "tcp://127.0.0.1:9") == 1
    assert "There is no Dask scheduler at tcp://127.0.0.1:9" in capsys.readouterr().err
