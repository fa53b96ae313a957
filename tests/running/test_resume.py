"""Interrupted runs: killed at any instant, resumed, and the same in the end; never resumed into something else."""

from __future__ import annotations

import gzip
import os
import random
import signal
import time
from pathlib import Path

import pytest
import run_tools
from run_tools import ACROSS, STEP, command_line, hashes, start

import sqlamarr
from sqlamarr.errors import InputError, InterruptedRunError, OutputError
from sqlamarr.output import provenance
from sqlamarr.output.file import is_unborn
from sqlamarr.output.verify import verify
from sqlamarr.steps.registry import KINDS
from sqlamarr.user_code.functions import load_function

OWN_STEPS = """
from sqlamarr.steps import register

def nothing(batch, bad):
    pass

@register("own_kind")
class OwnKind:
    name, tables, SCHEMA = "own", (), {}

    def prepare(self, workspace):
        return lambda batch: None

    @classmethod
    def from_options(cls, options):
        return cls()
"""
ROOT = Path(sqlamarr.__file__).parent.parent


def events_in(path):
    """How many events a file holds that may not be there yet."""
    if not path.exists() or not path.stat().st_size:
        return 0
    try:
        with sqlamarr.open(path) as db:
            return db.execute("SELECT count(*) FROM Events").fetchone()[0]
    except sqlamarr.SqlamarrError:
        return 0


def interrupt(after, **options):
    """Run until so many events are written, then stop as Ctrl-C does."""
    with pytest.raises(InterruptedRunError, match="Continue with the same command and --resume"):
        run_tools.interrupt(after, **options)


@pytest.fixture(scope="module")
def thrice(tmp_path_factory, example):
    """Inputs of 120 events, and the hashes of a run without interruption."""
    out = tmp_path_factory.mktemp("thrice") / "o.db"
    sqlamarr.run("lhcb_run2", [example] * 3, out, seed=42)
    return [example] * 3, hashes(out)


def killed_and_resumed(inputs, out, n, jobs, rng):
    """Kill a run at ``n`` random instants; returns how many of them hit it at work."""
    hit = 0
    arguments = ["lhcb_run2", *inputs, "-o", out, "--seed", 42, "--batch-size", 1, "--jobs", jobs, "--resume"]
    for _ in range(n):
        before = events_in(out)
        run = start(*arguments)
        while events_in(out) == before and run.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.05))
        if run.poll() is None:
            hit += 1
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        assert is_unborn(out) or verify(out).intact
    assert command_line("run", *arguments, "--quiet") == 0
    assert verify(out).intact
    return hit


def test_a_run_killed_at_random_instants_and_resumed_is_the_same(thrice, tmp_path):
    inputs, expected = thrice
    assert killed_and_resumed(inputs, tmp_path / "o.db", 3, 1, random.Random(1)) == 3
    assert hashes(tmp_path / "o.db") == expected


@pytest.mark.long
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_killed_at_twenty_random_instants_is_the_same(example, tmp_path, jobs):
    inputs = [example] * 20  # more events than are written before the last instant
    sqlamarr.run("lhcb_run2", inputs, tmp_path / "whole.db", seed=42)
    assert killed_and_resumed(inputs, tmp_path / "o.db", 20, jobs, random.Random(jobs)) == 20
    assert hashes(tmp_path / "o.db") == hashes(tmp_path / "whole.db")


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGTERM, 1), (signal.SIGINT, 2), (signal.SIGXCPU, 2)])
def test_a_signal_ends_a_run_between_two_batches_and_tells_how_to_go_on(example, tmp_path, number, jobs):
    out = tmp_path / "o.db"
    run = start("lhcb_run2", *[example] * 100, "-o", out, "--seed", 1, "--batch-size", 2, "--jobs", jobs)
    while not events_in(out) and run.poll() is None:
        time.sleep(0.02)
    os.killpg(run.pid, number) if number == signal.SIGINT else run.send_signal(number)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 128 + number
    assert "Traceback" not in errors
    n = events_in(out)
    by = "" if number == signal.SIGINT else f" by {number.name}"
    assert f"Error: Interrupted{by}. {out} holds the first {n} events" in errors
    assert "Continue with the same command and --resume." in errors
    assert not Path(f"{out}-journal").exists()


def test_a_resumed_run_tells_what_was_there_and_counts_all(reference, example, tmp_path, capsys):
    out = tmp_path / "o.db"
    interrupt(12, pipeline="lhcb_run2", inputs=example, output=out, seed=42, batch_size=6)
    assert command_line("run", "lhcb_run2", example, "-o", out, "--seed", 42, "--resume") == 0
    assert "o.db: 12 events were there, 28 new ones in " in capsys.readouterr().out
    assert hashes(out) == hashes(reference[0])
    with sqlamarr.open(out) as db, sqlamarr.open(reference[0]) as other:
        made, expected = provenance.read(db), provenance.read(other)
    assert made["status"] == "complete"
    assert made["summary"]["rows"] == expected["summary"]["rows"]
    assert made["summary"]["counts"] == expected["summary"]["counts"]
    assert made["inputs"][0]["sha256"] == expected["inputs"][0]["sha256"]


def test_the_seed_of_a_resumed_run_need_not_be_known(example, tmp_path):
    out = tmp_path / "o.db"
    interrupt(4, pipeline="lhcb_run2", inputs=example, output=out, batch_size=4, events=8)
    summary = sqlamarr.run("lhcb_run2", example, out, batch_size=4, events=8, resume=True)
    sqlamarr.run("lhcb_run2", example, tmp_path / "again.db", seed=summary.seed, events=8)
    assert hashes(out) == hashes(tmp_path / "again.db")


def test_to_resume_what_was_not_begun_begins_it_and_what_is_finished_stays(reference, example, tmp_path):
    out = tmp_path / "o.db"
    assert sqlamarr.run("lhcb_run2", example, out, seed=42, resume=True).resumed == 0
    summary = sqlamarr.run("lhcb_run2", example, out, seed=42, resume=True)
    assert (summary.events, summary.resumed) == (40, 40)
    assert hashes(out) == hashes(reference[0])


def test_a_generated_source_goes_on_where_it_stopped(tmp_path):
    gun = {"gun": {"particles": [{"particle": "pi+", "p": 5000, "eta": 3.0, "phi": 1.0}], "events": 20}}
    options = {"pipeline": "lhcb_run2", "inputs": gun, "seed": 5}
    sqlamarr.run(**options, output=tmp_path / "whole.db")
    interrupt(9, **options, output=tmp_path / "o.db", batch_size=3)
    assert sqlamarr.run(**options, output=tmp_path / "o.db", resume=True).resumed == 9
    assert hashes(tmp_path / "o.db") == hashes(tmp_path / "whole.db")


@pytest.mark.parametrize("described", [False, True])
def test_a_table_goes_on_where_it_stopped_unless_it_has_changed(tmp_path, described):
    path = tmp_path / "events.csv"
    rows = [f"{event},211,{event}.5,0.25,9000,139.57" for event in range(20)]
    path.write_text("\n".join(["event,pid,px,py,pz,m", *rows]))
    inputs = {"table": {"file": str(path)}} if described else path
    options = {"pipeline": "lhcb_run2", "inputs": inputs, "seed": 5}
    sqlamarr.run(**options, output=tmp_path / "whole.db")
    interrupt(9, **options, output=tmp_path / "o.db", batch_size=3)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"19.5", b"19.6"))
    with pytest.raises(InputError, match="is not what the interrupted run read"):
        sqlamarr.run(**options, output=tmp_path / "o.db", resume=True)
    path.write_bytes(whole)
    assert sqlamarr.run(**options, output=tmp_path / "o.db", resume=True).resumed == 9
    assert sqlamarr.run(**options, output=tmp_path / "o.db", resume=True).resumed == 20
    assert hashes(tmp_path / "o.db") == hashes(tmp_path / "whole.db")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, r"What differs: the seed \(1 there, 2 here\)\. Resume with what it was started with"),
        ({"conditions": {"period": 2017}}, r"condition period \(2016 there, 2017 here\)"),
        ({"generator": "full"}, r"--generator \(none there, full here\)"),
        ({"first_event": 5}, r"--first-event \(0 there, 5 here\)"),
        ({"events": (5, 25)}, r"--events \(its beginning\) \(0 there, 5 here\)"),
        ({"events": 30}, r"--events \(its end\) \(20 there, 30 here\)"),
        ({"events": 2}, r"--events \(its end\) \(20 there, 2 here\)"),  # fewer than are done
        ({"weights": True}, r"--weights \(False there, True here\)"),
        ({"inputs": ["{example}", "{example}"]}, r"the inputs \(bbbar.hepmc.gz there, bbbar.hepmc.gz, bbbar"),
    ],
)
def test_a_run_is_not_resumed_as_another_one(example, tmp_path, change, message):
    options = {
        "pipeline": "lhcb_run2", "inputs": [example], "output": tmp_path / "o.db", "seed": 1, "events": 20,
        "batch_size": 5,
    }  # fmt: skip
    interrupt(5, **options)
    before = hashes(tmp_path / "o.db")
    if "inputs" in change:
        change = {"inputs": [example, example]}
    with pytest.raises(OutputError, match=message):
        sqlamarr.run(**{**options, **change}, resume=True)
    assert hashes(tmp_path / "o.db") == before


def test_a_changed_template_and_a_changed_pipeline_are_named(make_pipeline, example, tmp_path):
    query = "SELECT mcparticle_id, pe AS n FROM MCParticles"
    options = {"inputs": example, "output": tmp_path / "o.db", "seed": 1, "events": 4, "batch_size": 2}
    interrupt(2, pipeline=make_pipeline(ACROSS, rank=query), **options)
    with pytest.raises(OutputError, match=r"What differs: template rank.sql\. "):
        sqlamarr.run(make_pipeline(ACROSS, rank=query + " WHERE pe > 0"), **options, resume=True)
    with pytest.raises(OutputError, match=r"What differs: the pipeline file\. "):
        sqlamarr.run(make_pipeline(ACROSS + "# changed\n", rank=query), **options, resume=True)


def test_changed_code_of_a_step_is_named(make_pipeline, example, tmp_path, request):
    """Of a function, and of a kind of step of the user's."""
    (tmp_path / "own_steps.py").write_text(OWN_STEPS)
    options = {"inputs": example, "output": tmp_path / "o.db", "seed": 1, "events": 4, "batch_size": 2}
    text = STEP.replace("step_module:picky", "own_steps:nothing").replace("[1000000, 3000000]", "[]")
    request.addfinalizer(lambda: KINDS.forget("own_kind"))
    load_function("own_steps", "nothing", tmp_path)  # it registers the kind
    options["pipeline"] = make_pipeline(text.replace("output:", "  - own_kind: {}\noutput:"))
    interrupt(2, **options)
    (tmp_path / "own_steps.py").write_text(OWN_STEPS.replace("pass", "..."))
    with pytest.raises(OutputError, match=r"What differs: the code of step nothing; the code of step own\. "):
        sqlamarr.run(**options, resume=True)
    (tmp_path / "own_steps.py").write_text(OWN_STEPS)
    assert sqlamarr.run(**options, resume=True).resumed == 2


def test_a_changed_input_is_named_and_one_that_was_repaired_is_taken(example, tmp_path):
    text = gzip.decompress(example.read_bytes()) * 3
    path = tmp_path / "events.hepmc.gz"
    whole = gzip.compress(text, 1)
    path.write_bytes(whole[: len(whole) // 2])  # as if copying it had stopped
    options = {"pipeline": "lhcb_run2", "inputs": path, "output": tmp_path / "o.db", "seed": 42, "batch_size": 3}
    with pytest.raises(InputError, match="truncated: its gzip data stop before their end marker"):
        sqlamarr.run(**options)
    n = events_in(tmp_path / "o.db")
    assert 20 < n < 80
    path.write_bytes(gzip.compress(text.replace(b"1", b"2", 1), 1))
    with pytest.raises(InputError, match=r"events.hepmc.gz is not what the interrupted run read: the SHA-256 of"):
        sqlamarr.run(**options, resume=True)
    assert events_in(tmp_path / "o.db") == n
    path.write_bytes(whole)
    assert sqlamarr.run(**options, resume=True).resumed == n
    sqlamarr.run(**{**options, "output": tmp_path / "whole.db"})
    assert hashes(tmp_path / "o.db") == hashes(tmp_path / "whole.db")
