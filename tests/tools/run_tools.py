"""What tests of whole runs share: commands, hashes and small pipelines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import sqlamarr
from sqlamarr.cli import main
from sqlamarr.output.content_hash import content_hashes

TRUTH = """
name: test
steps:
  - find_primary_vertices: {}
  - select_particles: {}
output: {tables: [GenEvents, MCParticles, MCVertices]}
"""

ACROSS = """
name: test
steps:
  - select_particles: {}
  - sql: {table: tmp_rank, template: rank.sql, key: [mcparticle_id]}
output: {tables: [MCParticles]}
"""

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


def command_line(*arguments) -> int:
    """Exit code of a command."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def hashes(path: Path) -> dict[str, str]:
    with sqlamarr.open(path) as db:
        return content_hashes(db)


def start(*arguments):
    """A run in a process of its own, in a process group of its own."""
    command = [sys.executable, "-m", "sqlamarr", "run", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def interrupt(after, **options):
    """Stop a run as Ctrl-C does, when so many events are written."""
    seen = 0

    def count(n):
        nonlocal seen
        seen += n
        if seen >= after:
            raise KeyboardInterrupt

    sqlamarr.run(**options, progress=count)


_KILLED = """
import json, os, signal, sys
import sqlamarr
after, options, seen = int(sys.argv[1]), json.loads(sys.argv[2]), 0
def count(n):
    global seen
    seen += n
    if seen >= after:
        os.kill(os.getpid(), signal.SIGKILL)
sqlamarr.run(**options, progress=count)
"""


def kill(after, **options):
    """A run in a process of its own that is killed when so many events are written."""
    plain = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}
    command = [sys.executable, "-c", _KILLED, str(after), json.dumps(plain)]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL


def run_with_python(make_pipeline, tmp_path, monkeypatch, example, body, **options):
    """A run whose pipeline has the function ``f(batch)`` with this body as its last step."""
    name = f"made_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(f"from sqlamarr.errors import EventError\ndef f(batch):\n    {body}\n")
    text = STEP.replace("step_module:picky", f"{name}:f").replace(", arguments: {bad: [1000000, 3000000]}", "")
    return sqlamarr.run(make_pipeline(text), example, tmp_path / "out.db", seed=1, events=4, **options)
