"""Two runs and one output file: the second is refused while the first lives, and nobody is told what is not so."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_tools import hashes

import sqlamarr
from sqlamarr.candidates.write import write_tuple
from sqlamarr.errors import OutputError
from sqlamarr.files.write_lock import claimed
from sqlamarr.output.file import OutputFile
from sqlamarr.output.merge import merge

HOLDER = """
import sys
from pathlib import Path
from sqlamarr.files.write_lock import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    sys.stdin.read()
"""
REFUSED = r"o\.db is being written by another run \(process \d+ on .+\), so it cannot be overwritten or resumed"


@pytest.fixture
def options(example, tmp_path):
    return {"pipeline": "lhcb_run2", "inputs": example, "output": tmp_path / "o.db", "seed": 42, "batch_size": 10}


def hold(path):
    """A living process that writes ``path``."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}
    command = [sys.executable, "-c", HOLDER, str(path)]
    other = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "claimed\n"
    return other


@pytest.fixture
def no_locks(monkeypatch):
    """A file system that has none."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.parametrize("way", ["overwrite", "resume"])
def test_a_file_that_a_living_run_writes_is_left_alone(reference, options, tmp_path, way):
    tried = []

    def another(_):
        with pytest.raises(OutputError, match=REFUSED):
            sqlamarr.run(**options, **{way: True})
        tried.append(way)

    sqlamarr.run(**options, progress=another)
    assert len(tried) == 4
    assert hashes(tmp_path / "o.db") == hashes(reference[0])
    assert [path.name for path in tmp_path.iterdir()] == ["o.db"]


def test_a_run_that_has_not_written_anything_yet_is_respected(options, tmp_path):
    other = hold(tmp_path / "o.db")
    begin = time.monotonic()
    with pytest.raises(OutputError, match=rf"by another run \(process {other.pid} on "):
        sqlamarr.run(**options)
    assert time.monotonic() - begin < 10
    assert not (tmp_path / "o.db").exists()
    other.communicate("")
    assert sqlamarr.run(**options).events == 40


def test_a_claim_dies_with_its_process(options, tmp_path):
    other = hold(tmp_path / "o.db")
    other.send_signal(signal.SIGKILL)
    other.communicate()
    assert (tmp_path / "o.db.lock").exists()
    assert sqlamarr.run(**options).events == 40
    assert [path.name for path in tmp_path.iterdir()] == ["o.db"]


FORKER = """
import os, sys, time
from pathlib import Path
from sqlamarr.files.write_lock import claimed

path = Path(sys.argv[1])
with claimed(path):
    if os.fork() == 0:
        if sys.argv[2] == "lives":
            time.sleep(5)
        sys.exit()
    if sys.argv[2] == "ends":
        os.wait()
        assert Path(f"{path}.lock").exists()
    os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("child", ["lives", "ends"])
def test_a_claim_is_not_that_of_a_forked_child(options, tmp_path, child):
    """Neither does one that outlives its parent keep the claim, nor does one that ends give it back."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sqlamarr.__file__).parent.parent)}
    command = [sys.executable, "-c", FORKER, str(tmp_path / "o.db"), child]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert sqlamarr.run(**options).events == 40


def test_a_run_that_just_ends_is_waited_for(options, tmp_path, monkeypatch):
    monkeypatch.setattr("sqlamarr.files.write_lock.PATIENCE", 30)
    other = hold(tmp_path / "o.db")
    other.stdin.close()
    assert sqlamarr.run(**options).events == 40
    other.stdout.close()
    other.wait()


def test_two_names_of_one_file_are_one(options, tmp_path):
    (tmp_path / "link.db").symlink_to("o.db")
    with claimed(tmp_path / "o.db"), pytest.raises(OutputError, match="link.db is being written by another run"):
        sqlamarr.run(**{**options, "output": tmp_path / "link.db"}, resume=True)


def test_merge_and_tuple_respect_it_too(reference, options, tmp_path):
    sqlamarr.run(**options)
    before = (tmp_path / "o.db").read_bytes()
    with claimed(tmp_path / "o.db"):
        with pytest.raises(OutputError, match=REFUSED):
            merge([reference[0]], tmp_path / "o.db", overwrite=True)
        with pytest.raises(OutputError, match=REFUSED):
            write_tuple(reference[0], "D0 -> K- pi+", tmp_path / "o.db", overwrite=True)
    assert (tmp_path / "o.db").read_bytes() == before


def test_scratch_is_claimed_for_the_output(options, tmp_path):
    (tmp_path / "scratch").mkdir()

    def another(_):
        with pytest.raises(OutputError, match=REFUSED):
            sqlamarr.run(**options, overwrite=True)

    sqlamarr.run(**options, scratch=tmp_path / "scratch", progress=another)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_without_locks_the_first_of_two_writers_is_told_that_its_file_is_gone(reference, options, tmp_path, no_locks):
    def another(_):
        sqlamarr.run(**options, overwrite=True)

    with pytest.raises(
        OutputError,
        match=r"o\.db, with 10 events of this run in it, was replaced by another file while",
    ):
        sqlamarr.run(**options, progress=another)
    assert hashes(tmp_path / "o.db") == hashes(reference[0])


def test_without_locks_two_runs_do_not_both_append(reference, options, tmp_path, no_locks):
    def another(_):
        sqlamarr.run(**options, resume=True)

    with pytest.raises(OutputError, match=r"Another run is writing to .*o\.db"):
        sqlamarr.run(**options, progress=another)
    assert hashes(tmp_path / "o.db") == hashes(reference[0])


def test_a_folder_that_takes_no_claim_is_no_reason_to_stop(options, tmp_path):
    (tmp_path / "o.db.lock").mkdir()
    assert sqlamarr.run(**options).events == 40


GONE = r"o\.db, with 10 events of this run in it, was removed or renamed while the run was writing\. Run again"


def test_an_output_that_is_taken_away_is_told(options, tmp_path):
    with pytest.raises(OutputError, match=GONE):
        sqlamarr.run(**options, progress=lambda _: (tmp_path / "o.db").unlink())


def test_an_output_whose_folder_is_taken_away_is_told(options, tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()

    def take_away(_):
        folder.rename(tmp_path / "elsewhere")
        folder.write_text("a file")

    with pytest.raises(OutputError, match=GONE):
        sqlamarr.run(**{**options, "output": folder / "o.db"}, progress=take_away)


def test_an_output_that_goes_out_of_reach_is_told(options, tmp_path):
    loop = tmp_path / "o.db"

    def make_loop(_):
        loop.unlink()
        loop.symlink_to("o.db")

    with pytest.raises(OutputError, match=r"can no longer be reached \(Too many levels of symbolic links\)"):
        sqlamarr.run(**options, progress=make_loop)


def test_an_output_that_is_taken_away_within_a_batch_is_told(options, tmp_path, monkeypatch):
    """After the look at its place, before SQLite's own."""
    look = OutputFile.refuse_moved
    seen = []

    def too_early(out):
        look(out)
        seen.append(out)
        if len(seen) == 3:  # the declarations, the first batch, the second
            out.path.unlink()

    monkeypatch.setattr(OutputFile, "refuse_moved", too_early)
    with pytest.raises(OutputError, match=GONE):
        sqlamarr.run(**options)


def test_an_interrupted_run_does_not_promise_what_was_taken_away(options, tmp_path):
    def take_away(_):
        (tmp_path / "o.db").unlink()
        raise KeyboardInterrupt

    with pytest.raises(OutputError, match=GONE):
        sqlamarr.run(**options, progress=take_away)
