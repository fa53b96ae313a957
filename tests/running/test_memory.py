"""Memory does not grow with the input."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sqlamarr

PIPELINE = """
name: test
steps:
  - find_primary_vertices: {}
  - select_particles: {}
output: {tables: [GenEvents, Vertices]}
"""

#: Reads the standard input; prints the events and the highest memory in MB, its own and that of its largest worker.
CHILD = """
import pathlib, re, resource, sys
import sqlamarr
from sqlamarr.sources import inputs
if __name__ == "__main__":
    pipeline, output, jobs, inputs.CHUNK_BYTES = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    summary = sqlamarr.run(pipeline, "-", output, seed=1, jobs=jobs)
    # The workers have been waited for.
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # Linux begins ru_maxrss with the peak of who started this process
        used[0] = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1])
    print(summary.events, *(n // (1024 if sys.platform == "linux" else 1024**2) for n in used))
"""


def feed(tmp_path, pipeline, text, times, jobs, chunk):
    """Events, and memory of the reader and of its largest worker, for so many copies of a text down a pipe."""
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    command = [sys.executable, str(script), str(pipeline), str(tmp_path / f"{times}.db"), str(jobs), str(chunk)]
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as run:
        for _ in range(times):
            run.stdin.write(text)
        run.stdin.close()
        answer = run.stdout.read()
    assert run.returncode == 0
    return [int(word) for word in answer.split()]


@pytest.mark.parametrize("jobs", [1, 2])
def test_ten_times_the_input_takes_no_more_memory(make_pipeline, example, tmp_path, jobs):
    text, pipeline = gzip.decompress(example.read_bytes()), make_pipeline(PIPELINE)
    few, *before = feed(tmp_path, pipeline, text, 2, jobs, 1 << 20)
    many, *after = feed(tmp_path, pipeline, text, 20, jobs, 1 << 20)
    assert (few, many) == (80, 800)
    assert max(after[0] - before[0], after[1] - before[1]) < 30  # MB, for 103 MB more


@pytest.mark.long
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stream_of_2_gb_stays_below_a_ceiling(make_pipeline, example, tmp_path, jobs):
    text, pipeline = gzip.decompress(example.read_bytes()), make_pipeline(PIPELINE)
    times = 2 * 10**9 // len(text) + 1
    events, reader, worker = feed(tmp_path, pipeline, text, times, jobs, 16 << 20)
    assert events == 40 * times
    assert reader < 600  # MB
    assert worker < 500
