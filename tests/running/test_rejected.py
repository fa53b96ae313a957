"""Events that cannot be processed: named, left out alone, and counted."""

from __future__ import annotations

import gzip

import pytest
from run_tools import MODULE, STEP, command_line

import sqlamarr
from sqlamarr.errors import EventError, InputError, TooManyRejectedError


@pytest.fixture
def broken(example, tmp_path):
    """Five events, of which the third has a letter where a number should be."""
    text = gzip.decompress(example.read_bytes()).decode()
    head, *events = text.split("\nE ")
    lines = events[2].split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("P "))
    lines[at] = lines[at].replace(".", "x", 1)
    events[2] = "\n".join(lines)
    path = tmp_path / "broken.hepmc"
    path.write_text("\nE ".join([head, *events[:5]]) + "\nHepMC::Asciiv3-END_EVENT_LISTING\n")
    return path


def test_a_malformed_event_stops_the_run_and_is_named(broken, tmp_path):
    with pytest.raises(InputError, match=r"broken\.hepmc, line \d+, event 2: .*--on-error skip"):
        sqlamarr.run("lhcb_run2", [broken], tmp_path / "out.db", seed=1)


def test_a_malformed_event_can_be_skipped(broken, tmp_path):
    code = command_line(
        "run", "lhcb_run2", broken, "-o", tmp_path / "out.db", "--seed", 1, "--on-error", "skip", "--quiet"
    )
    assert code == 3
    with sqlamarr.open(tmp_path / "out.db") as db:
        status = [row[0] for row in db.execute("SELECT status FROM Events ORDER BY event_id")]
        (row,) = db.execute("SELECT event_id, datasource, number, step FROM RejectedEvents").fetchall()
        assert db.execute("SELECT count(*) FROM MCParticles WHERE event_id = 2000000").fetchone() == (0,)
    assert status == ["simulated", "simulated", "rejected", "simulated", "simulated"]
    assert row == (2_000_000, str(broken), 2, "reading")


def test_an_event_that_a_step_refuses_stops_the_run(picky, example, tmp_path):
    with pytest.raises(EventError, match=r"bbbar\.hepmc\.gz, event 1: step 'picky': not this one"):
        sqlamarr.run(picky, [example], tmp_path / "out.db", seed=1, events=5)


def test_only_the_guilty_events_are_left_out(picky, example, tmp_path):
    summary = sqlamarr.run(picky, [example], tmp_path / "out.db", seed=1, events=5, on_error="skip")
    assert (summary.events, summary.rejected) == (5, 2)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rejected = db.execute("SELECT event_id, step, reason FROM RejectedEvents ORDER BY event_id").fetchall()
        kept = [row[0] for row in db.execute("SELECT DISTINCT event_id FROM MCParticles ORDER BY event_id")]
    assert rejected == [(1_000_000, "picky", "not this one"), (3_000_000, "picky", "not this one")]
    assert kept == [0, 2_000_000, 4_000_000]


def test_too_many_rejected_events_stop_the_run(make_pipeline, example, tmp_path, monkeypatch):
    (tmp_path / "step_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    bad = [i * 1_000_000 for i in range(20)]
    with pytest.raises(TooManyRejectedError, match="20 of 40 events were rejected, more than --max-rejected 0.01"):
        sqlamarr.run(
            make_pipeline(STEP.replace("[1000000, 3000000]", str(bad))),
            [example], tmp_path / "out.db", seed=1, on_error="skip", batch_size=1,
        )  # fmt: skip


def test_rejected_fractions_are_judged_at_fixed_events(make_pipeline, example, tmp_path, monkeypatch):
    (tmp_path / "step_module.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sqlamarr.running.rejection_limit.JUDGED_EVERY", 20)
    bad = [i * 1_000_000 for i in range(5, 16)]
    pipeline = make_pipeline(STEP.replace("[1000000, 3000000]", str(bad)))
    for size in (1, 7, 40):
        with pytest.raises(TooManyRejectedError, match="11 of 20 events were rejected"):
            sqlamarr.run(pipeline, example, tmp_path / f"{size}.db", seed=1, on_error="skip", batch_size=size)
