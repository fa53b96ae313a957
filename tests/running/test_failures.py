"""What goes wrong while a run writes: the file stays whole, the message tells, and the run can go on."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from run_tools import command_line, hashes

import sqlamarr
from sqlamarr.errors import EventError, OutputError

SMALL_DISK = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from sqlamarr.cli import main
main(sys.argv[1:])
"""

NAN = """
float *f(float *out, const float *in) {
    out[0] = in[0] == 3 ? 0.0f / (in[0] - 3) : in[0];
    return out;
}
"""
PLUGIN = """
name: test
models: {{odd: {{library: "{library}"}}}}
steps:
  - select_particles: {{}}
  - plugin: {{model: odd, function: f, query: ordinals.sql, table: tmp_answer, key: [event_id],
             inputs: 1, outputs: [answer]}}
output: {{tables: [MCParticles, tmp_answer]}}
"""


def integrity(path):
    """As any client sees the file, after it has rolled back what was not finished."""
    plain = sqlite3.connect(path)
    result = plain.execute("PRAGMA integrity_check").fetchone()[0]
    (n,) = plain.execute("SELECT count(*) FROM Events").fetchone()
    plain.close()
    return result, n


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_full_disk_ends_a_run_that_can_go_on_later(reference, example, tmp_path, jobs):
    out = tmp_path / "o.db"
    size = reference[0].stat().st_size // 2
    arguments = ["run", "lhcb_run2", example, "-o", out, "--seed", 42, "--batch-size", 4, "--jobs", jobs]
    command = [sys.executable, "-c", SMALL_DISK.format(size=size), *map(str, arguments)]
    folder = Path(sqlamarr.__file__).parent.parent
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    status, n = integrity(out)
    assert status == "ok"
    assert 0 < n < 40
    assert n % 4 == 0
    assert "o.db cannot be written: " in run.stderr
    assert f"o.db holds the first {n} events, all complete; its status is 'incomplete'." in run.stderr
    assert "Continue with the same command and --resume." in run.stderr
    assert command_line(*arguments, "--resume", "--quiet") == 0
    assert hashes(out) == hashes(reference[0])


LOCKER = """
import sqlite3, sys
other = sqlite3.connect(sys.argv[1])
other.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_file_that_somebody_else_locks_is_named_and_whole(reference, example, tmp_path, monkeypatch):
    out = tmp_path / "o.db"
    monkeypatch.setattr("sqlamarr.database.connection.BUSY_TIMEOUT", 300)
    others = []

    def lock(_):
        command = [sys.executable, "-c", LOCKER, str(out)]
        others.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert others[0].stdout.readline() == "locked\n"

    options = {"pipeline": "lhcb_run2", "inputs": example, "output": out, "seed": 42, "batch_size": 10}
    with pytest.raises(OutputError, match=r"cannot be written: .*locked.* holds the first 10 events.* --resume"):
        sqlamarr.run(**options, progress=lock)
    others[0].communicate("")
    assert integrity(out) == ("ok", 10)
    sqlamarr.run(**options, resume=True)
    assert hashes(out) == hashes(reference[0])


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_model_that_gives_no_number_is_an_event_that_fails(compile_plugin, make_pipeline, example, tmp_path, jobs):
    text = PLUGIN.format(library=compile_plugin(NAN))
    pipeline = make_pipeline(text, ordinals="SELECT event_id, ordinal FROM Events")
    out = tmp_path / "o.db"
    with pytest.raises(EventError, match=r"event 3: step 'tmp_answer': The model returned -?nan as 'answer' for"):
        sqlamarr.run(pipeline, example, out, seed=1, batch_size=4, jobs=jobs)
    summary = sqlamarr.run(pipeline, example, out, seed=1, batch_size=4, jobs=jobs, on_error="skip", resume=True)
    assert (summary.events, summary.rejected) == (40, 1)
    with sqlamarr.open(out) as db:
        answers = [row[0] for row in db.execute("SELECT answer FROM tmp_answer ORDER BY event_id")]
        assert db.execute("SELECT event_id, step FROM RejectedEvents").fetchall() == [(3_000_000, "tmp_answer")]
    assert answers == [float(i) for i in range(40) if i != 3]


def test_a_script_that_is_not_protected_is_told_how(example, tmp_path, run_python):
    (tmp_path / "script.py").write_text(
        f"import sqlamarr\nsqlamarr.run('lhcb_run2', {str(example)!r}, 'o.db', seed=1, events=2, jobs=2)\n"
    )
    run = run_python("script.py")
    assert run.returncode == 1
    assert "put the call under 'if __name__ == \"__main__\":'" in run.stderr
