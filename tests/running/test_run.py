"""Whole runs: the same answer however the work is cut, and nothing lost."""

from __future__ import annotations

import sqlite3

import numpy as np
import pyhepmc
import pytest
from run_tools import hashes

import sqlamarr
from sqlamarr.output import provenance
from sqlamarr.output.file import data_tables

GENERATOR_ONLY = """
name: test
steps:
  - find_primary_vertices: {}
  - select_particles: {}
output: {tables: [MCParticles, MCVertices]}
"""


def test_every_event_is_accounted_for(reference):
    path, summary = reference
    assert (summary.events, summary.rejected) == (40, 0)
    with sqlamarr.open(path) as db:
        events = db.arrays("SELECT ordinal, event_id, status FROM Events ORDER BY ordinal")
    assert events["ordinal"].tolist() == list(range(40))
    assert events["event_id"].tolist() == [i * 1_000_000 for i in range(40)]
    assert set(events["status"]) == {"simulated"}


def test_tracks_of_all_classes_come_out(reference):
    path, _ = reference
    with sqlamarr.open(path) as db:
        types = dict(db.execute("SELECT type, count(*) FROM Tracks GROUP BY type"))
    assert set(types) == {3, 4, 5}
    assert types[3] > types[4] > 0
    assert types[5] > 0


def test_nothing_in_the_output_is_infinite_and_no_null_is_unexplained(reference):
    path, _ = reference
    documented = {("TrackStates", f"cov{i}{j}") for i in range(5) for j in range(i, 5)}
    documented |= {("MCParticles", "end_vertex"), ("MCParticles", "mother"), ("MCParticles", "charge")}
    documented |= {("GenEvents", "cross_section"), ("GenEvents", "cross_section_error")}
    documented |= {("GenEvents", name) for name in ("original_id", "collisions_tried", "hadronizations")}  # files
    documented |= {("MCParticles", "production_vertex"), ("PID", "isMuon"), ("PID", "MuonMuLL"), ("PID", "MuonBkgLL")}
    documented |= {("Clusters", "merged_id"), ("Clusters", "vertex_id")}
    # Upstream tracks have only passed RICH1.
    documented |= {("PID", f"PID{x}") for x in ("e", "mu", "K", "p")}
    documented |= {("PID", f"ProbNN{x}") for x in ("e", "mu", "pi", "k", "p")}
    with sqlamarr.open(path) as db:
        for table in data_tables(db):
            for name, values in db.read_table(table).items():
                if values.dtype.kind == "f":
                    assert not np.isinf(values).any(), (table, name)
                    assert (table, name) in documented or not np.isnan(values).any(), (table, name)
                elif values.dtype.kind == "i":
                    assert (table, name) in documented or not np.ma.getmaskarray(values).any(), (table, name)


def test_foreign_keys_hold(reference, tmp_path, example):
    for generator in ("none", "selected", "full"):
        path = tmp_path / f"{generator}.db"
        sqlamarr.run("lhcb_run2", [example], path, seed=1, events=5, generator=generator, weights=True)
        plain = sqlite3.connect(path)  # any client
        assert plain.execute("PRAGMA foreign_key_check").fetchall() == []
        keys = plain.execute("SELECT \"table\" FROM pragma_foreign_key_list('MCParticles')").fetchall()
        assert (("GenParticles",) in keys) == (generator != "none")
        assert plain.execute("SELECT count(*) FROM pragma_foreign_key_list('Tracks')").fetchone()[0] == 2
        plain.close()


def test_the_selected_generator_record_is_what_mc_rows_refer_to(tmp_path, example):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=1, events=3, generator="selected")
    with sqlamarr.open(path) as db:
        n_mc, n_gen = db.execute(
            "SELECT (SELECT count(*) FROM MCParticles), (SELECT count(*) FROM GenParticles)"
        ).fetchone()
    assert n_gen == n_mc


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_batch_size_does_not_matter(reference, tmp_path, example, batch_size):
    path = tmp_path / "out.db"
    sqlamarr.run("lhcb_run2", [example], path, seed=42, events=40, batch_size=batch_size)
    assert hashes(path) == hashes(reference[0])


def test_the_batch_size_does_not_matter_for_lhcbs_files(lhcb_data, tmp_path):
    found = []
    for size in (1, 3, 1000):
        sqlamarr.run("lhcb_run2", [lhcb_data / "*.mc2"], tmp_path / f"{size}.db", seed=3, batch_size=size)
        found.append(hashes(tmp_path / f"{size}.db"))
    assert found[0] == found[1] == found[2]


def test_lhcbs_files_give_the_known_numbers_of_particles(lhcb_data, make_pipeline, tmp_path):
    text = GENERATOR_ONLY.replace(
        "select_particles: {}", "select_particles: {statuses: [1, 777, 888, 889, 999], decayed: false, collapse: false}"
    )
    sqlamarr.run(make_pipeline(text), [lhcb_data / "*.mc2"], tmp_path / "out.db", seed=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        rows = db.execute("SELECT count(*) FROM MCParticles GROUP BY event_id ORDER BY event_id").fetchall()
    assert rows == [(951,), (356,), (775,), (401,)]


def test_another_seed_is_another_answer_and_the_same_truth(reference, tmp_path, example):
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=43, events=40)
    ours, theirs = hashes(reference[0]), hashes(tmp_path / "out.db")
    assert ours["MCParticles"] == theirs["MCParticles"]
    assert ours["Tracks"] != theirs["Tracks"]


def test_high_bits_of_the_seed_count(tmp_path, example):
    for seed in (1, 1 + 2**40):
        sqlamarr.run("lhcb_run2", [example], tmp_path / f"{seed}.db", seed=seed, events=5)
    assert hashes(tmp_path / "1.db")["Vertices"] != hashes(tmp_path / f"{1 + 2**40}.db")["Vertices"]


def test_parts_of_a_production_are_rows_of_the_whole(reference, tmp_path, example):
    """Events keep ids and noise when a job starts later in the production."""

    with pyhepmc.open(str(example)) as file:
        events = [event for _, event in zip(range(40), file)]
    for name, part in {"a": events[:15], "b": events[15:]}.items():
        with pyhepmc.open(str(tmp_path / f"{name}.hepmc"), "w") as out:
            for event in part:
                out.write(event)
    whole = tmp_path / "whole.hepmc"
    with pyhepmc.open(str(whole), "w") as out:
        for event in events:
            out.write(event)
    sqlamarr.run("lhcb_run2", [whole], tmp_path / "whole.db", seed=42)
    sqlamarr.run("lhcb_run2", [tmp_path / "b.hepmc"], tmp_path / "b.db", seed=42, first_event=15)
    query = "SELECT * FROM Tracks WHERE event_id >= 15000000 ORDER BY track_id"
    with sqlamarr.open(tmp_path / "whole.db") as one, sqlamarr.open(tmp_path / "b.db") as two:
        assert one.execute(query).fetchall() == two.execute(query).fetchall()


def test_the_answer_comes_from_tables_alone(reference, tmp_path, example, monkeypatch):
    """No step relies on what another one left in memory."""
    monkeypatch.setattr("sqlamarr.steps.batch.Batch.columns", lambda self, table: self.db.read_table(table))
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=42, events=40)
    assert hashes(tmp_path / "out.db") == hashes(reference[0])


def test_provenance_says_how_the_file_was_made(reference, example):
    with sqlamarr.open(reference[0]) as db:
        made = provenance.read(db)
    assert made["status"] == "complete"
    assert made["seed"] == 42
    assert made["conditions"]["period"] == 2016
    assert made["inputs"][0]["path"] == str(example)
    assert len(made["inputs"][0]["sha256"]) == 64
    assert len(made["models"]["tracking"]["sha256"]) == 64
    assert "find_primary_vertices" in made["pipeline_text"]
    assert "tracks.sql" in made["templates"]
    assert "12490.0" in made["templates"]["detector.sql"]


def test_steps_tables_are_kept_on_request(tmp_path, example):
    sqlamarr.run("lhcb_run2", [example], tmp_path / "out.db", seed=1, events=3, keep_tmp=True)
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert "tmp_resolution" in db.tables()
        n_noise, n_tracks = db.execute(
            "SELECT (SELECT count(*) FROM tmp_resolution), (SELECT count(*) FROM Tracks)"
        ).fetchone()
    assert n_noise == n_tracks > 0


@pytest.mark.long
def test_one_hash_whatever_the_batches_for_everything_that_can_be_kept(example, tmp_path):
    found = []
    for size in (1, 7, 64, 1000):
        path = tmp_path / f"{size}.db"
        sqlamarr.run(
            "lhcb_run2", [example], path, seed=7, batch_size=size, keep_tmp=True, generator="full", weights=True,
            conditions={"luminous_region": "lhcb", "polarity": "MagDown", "period": 2018},
        )  # fmt: skip
        found.append(hashes(path))
    assert all(other == found[0] for other in found)
    assert "GenParticles" in found[0]
    assert "tmp_covariance" in found[0]


def test_the_summary_has_the_tables_in_the_pipelines_order(example, tmp_path):
    summary = sqlamarr.run("lhcb_run2", example, tmp_path / "out.db", seed=1, events=1)
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert [name for name in db.tables() if name in summary.rows] == list(summary.rows)
