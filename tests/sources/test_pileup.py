"""Pile-up: Poisson numbers of whole collisions, at new places, the same in any split."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pytest
from hepmc_tools import EVENT3, hepmc3
from run_tools import TRUTH, hashes
from scipy import stats

import sqlamarr
from sqlamarr.errors import InputError
from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.output import provenance
from sqlamarr.sources.inputs import as_arguments, open_inputs

DATA = Path(__file__).parents[2] / "examples" / "data"
SIGNAL, MINIMUM_BIAS = str(DATA / "bbbar.hepmc.gz"), str(DATA / "minbias.hepmc.gz")
PION = {"gun": {"particle": "pi+", "p": 5000, "theta": 0.1}}
MUON = {"gun": {"particle": "mu+", "p": 9000, "theta": 0.2}}
WIDTHS = np.array([0.035, 0.035, 60.0])


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(TRUTH)
    return path


def pileup(**content):
    return {"pileup": {"mu": 1.1, "collisions": MINIMUM_BIAS, **content}}


def chunks(source, batch_size: int = 100_000, **options):
    return list(open_inputs(as_arguments(source), seed=options.pop("seed", 3), **options).chunks(batch_size))


def parsed(source, **options) -> ParsedChunk:
    (chunk,) = chunks(source, **options)
    return chunk.parse()


def of_collision(parsed: ParsedChunk, genevent_id: int) -> tuple[np.ndarray, ...]:
    """Momenta, links and places of a collision, ids counted from its first rows."""
    vertices, particles = (
        {name: values[columns["genevent_id"] == genevent_id] for name, values in columns.items()}
        for columns in (parsed.tables["GenVertices"], parsed.tables["GenParticles"])
    )
    first = vertices["genvertex_id"][0]
    assert np.array_equal(vertices["genvertex_id"], first + np.arange(len(vertices["x"])))
    links = [np.ma.filled(particles[name] - first, -1) for name in ("production_vertex", "end_vertex")]
    momenta = [particles[name] for name in ("pid", "status", "hepmc_id", "pe", "px", "py", "pz", "m")]
    places = np.stack([vertices[name] for name in ("x", "y", "z", "t")], axis=1)
    return np.stack([*momenta, *links], axis=1), places


# -- whole collisions -------------------------------------------------------------------------------------


def test_events_keep_their_signal_and_get_stored_collisions():
    mixed = parsed(pileup(signal=SIGNAL))
    signal, stored = parsed(SIGNAL), parsed(MINIMUM_BIAS)
    events = mixed.tables["GenEvents"]
    assert not mixed.rejected
    assert events.rows > 60
    for row, genevent_id in enumerate(events["genevent_id"].tolist()):
        event_id, collision = int(events["event_id"][row]), int(events["collision"][row])
        assert genevent_id == event_id + collision
        found, places = of_collision(mixed, genevent_id)
        if collision == 0:
            alone, where = of_collision(signal, event_id)
            assert np.array_equal(places, where)  # the signal has a place already
        else:
            alone, where = of_collision(stored, int(events["event_number"][row]) * 1_000_000)
            steps = places - where
            assert steps == pytest.approx(np.broadcast_to(steps[0], steps.shape), abs=1e-9)
            assert steps[0, :3].all()
            assert steps[0, 3] == 0
        assert np.array_equal(found, alone)


def test_ids_are_without_gaps_and_the_sources_are_named():
    (chunk,) = chunks(pileup(signal=SIGNAL))
    mixed = chunk.parse()
    for table, key in {"GenVertices": "genvertex_id", "GenParticles": "genparticle_id"}.items():
        columns = mixed.tables[table]
        position = columns[key] - columns["event_id"]
        starts = np.flatnonzero(np.diff(columns["event_id"], prepend=-1))
        assert (position[starts] == 0).all()
        assert (np.delete(np.diff(columns[key]), starts[1:] - 1) == 1).all()
    named = {source.datasource_id: Path(source.path).name for source in chunk.sources}
    used = mixed.tables["GenEvents"]
    assert {named[i] for i in used["datasource_id"][used["collision"] == 0].tolist()} == {"bbbar.hepmc.gz"}
    assert {named[i] for i in used["datasource_id"][used["collision"] > 0].tolist()} == {"minbias.hepmc.gz"}


def test_all_records_of_a_file_can_be_one_signal():
    mixed = parsed(pileup(signal=MINIMUM_BIAS), collisions="file")
    (event,) = set(mixed.tables["GenEvents"]["event_id"].tolist())
    assert event == 0
    assert mixed.tables["GenEvents"]["collision"].tolist() == list(range(mixed.tables["GenEvents"].rows))
    assert mixed.tables["GenEvents"].rows >= 10


# -- numbers and places -----------------------------------------------------------------------------------


def numbers(parsed: ParsedChunk) -> np.ndarray:
    _, counts = np.unique(parsed.tables["GenEvents"]["event_id"], return_counts=True)
    return counts


def test_the_number_of_collisions_is_poisson():
    n = 4000
    more = numbers(parsed(pileup(signal=PION, collisions=MUON), max_events=n)) - 1
    assert more.mean() == pytest.approx(1.1, abs=5 * np.sqrt(1.1 / n))
    assert more.var() == pytest.approx(1.1, abs=5 * np.sqrt((1.1 + 2 * 1.1**2) / n))


def test_without_signal_there_is_one_collision_at_least():
    n = 4000
    mixed = parsed(pileup(collisions=MUON, events=n))
    found = numbers(mixed)
    assert found.min() == 1
    mean = 1.1 / -np.expm1(-1.1)
    assert found.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean * (2.1 - mean) / n))
    assert set(mixed.tables["GenParticles"]["pid"].tolist()) == {-13, 90}  # the gun stands for the beams by 90


CENTRED = {"widths": [0.1, 0.2, 3.0], "centre": [0.84, -0.17, 20.0]}


@pytest.mark.parametrize("region", [2016, [0.1, 0.2, 3.0], CENTRED], ids=["year", "widths", "centre"])
def test_collisions_spread_over_the_luminous_region(region):
    mixed = parsed(pileup(signal=PION, collisions=MUON, luminous_region=region), max_events=3000)
    events = mixed.tables["GenEvents"]  # the signal is at the origin, and is placed too
    widths, centre = (region["widths"], region["centre"]) if isinstance(region, dict) else (region, [0, 0, 0])
    places = np.stack([events[name] for name in ("x", "y", "z")], axis=1)
    places = (places - centre) / (WIDTHS if widths == 2016 else widths)
    assert len(places) > 6000
    for axis in places.T:
        assert stats.kstest(axis, "norm").pvalue > 1e-7
    correlations = np.corrcoef([*places.T, np.roll(places[:, 2], 1)])
    assert np.abs(correlations - np.eye(4)).max() < 6 / np.sqrt(len(places))


def test_places_can_be_left_alone():
    mixed = parsed(pileup(signal=PION, collisions=MUON, luminous_region="none"), max_events=50)
    assert not mixed.tables["GenVertices"]["z"].any()


def test_generated_collisions_do_not_repeat():
    collisions = {"gun": {"particle": "mu+", "p": {"flat": [3000, 9000]}, "theta": 0.2}}
    mixed = parsed(pileup(signal=collisions, collisions=collisions), max_events=500)
    particles = mixed.tables["GenParticles"]
    momenta = particles["pe"][particles["pid"] == -13]
    assert len(momenta) > 900
    assert len(set(momenta.tolist())) == len(momenta)


# -- splits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("collisions", [MINIMUM_BIAS, MUON], ids=["stored", "generated"])
def test_no_split_changes_the_events(tmp_path, pipeline, collisions):
    source = pileup(signal=SIGNAL, collisions=collisions)
    for name, batch_size in {"a": 100, "b": 1, "c": 7}.items():
        sqlamarr.run(pipeline, source, tmp_path / f"{name}.db", seed=7, batch_size=batch_size)
    assert hashes(tmp_path / "a.db") == hashes(tmp_path / "b.db") == hashes(tmp_path / "c.db")


def test_jobs_are_parts_of_one_run():
    source = pileup(signal=PION, collisions=MINIMUM_BIAS)
    whole = parsed(source, max_events=20)
    later = parsed(source, max_events=5, first_event=15)
    rows = whole.tables["GenParticles"]["event_id"] >= 15_000_000
    for name in ("genparticle_id", "px", "pid"):
        assert np.array_equal(whole.tables["GenParticles"][name][rows], later.tables["GenParticles"][name])
    rows = whole.tables["GenVertices"]["event_id"] >= 15_000_000
    assert np.array_equal(whole.tables["GenVertices"]["z"][rows], later.tables["GenVertices"]["z"])


def test_a_chunk_travels_and_splits():
    (chunk,) = chunks(pileup(signal=SIGNAL), max_events=5)
    first, second = pickle.loads(pickle.dumps(chunk)).split()
    assert [event.ordinal for event in first.events] == [0, 1]
    together = [part.parse().tables["GenParticles"]["px"] for part in (first, second)]
    assert np.array_equal(np.concatenate(together), chunk.parse().tables["GenParticles"]["px"])


# -- accounts and errors ------------------------------------------------------------------------------------------


def test_reuse_is_counted_and_the_files_are_in_the_provenance(tmp_path, pipeline):
    summary = sqlamarr.run(pipeline, pileup(signal=SIGNAL), tmp_path / "out.db", seed=3)
    with sqlamarr.open(tmp_path / "out.db") as db:
        inputs = provenance.read(db)["inputs"]
        (drawn,) = db.execute("SELECT count(*) FROM GenEvents WHERE collision > 0").fetchone()
    assert any(f"{drawn} collisions were drawn at random from 10 stored ones" in text for text in summary.warnings)
    (pool,) = [entry for entry in inputs if entry.get("role") == "pile-up collisions"]
    assert (pool["path"], pool["events"]) == (MINIMUM_BIAS, 10)
    assert len(pool["sha256"]) == 64


def test_an_unreadable_collision_rejects_the_events_that_draw_it(tmp_path):
    path = tmp_path / "bad.hepmc"
    path.write_text(hepmc3(EVENT3, EVENT3.replace("P 4 -2 211 1", "P 4 -2 211 nonsense")))
    mixed = parsed(pileup(signal=PION, collisions=str(path)), max_events=40)
    assert 3 < len(mixed.rejected) < 37
    assert f"Pile-up ({path}, event 1)" in mixed.rejected[0].message
    kept = set(mixed.tables["GenEvents"]["event_id"].tolist())
    assert kept.isdisjoint({row.event_id for row in mixed.rejected})
    assert len(kept) + len(mixed.rejected) == 40


def test_paths_start_at_the_description(tmp_path, pipeline):
    (tmp_path / "minbias.hepmc").write_bytes(gzip.decompress(Path(MINIMUM_BIAS).read_bytes()))
    path = tmp_path / "pileup.yaml"
    path.write_text(f"pileup: {{mu: 0.5, collisions: 'min*.hepmc', signal: {SIGNAL}, events: 4}}")
    summary = sqlamarr.run(pipeline, path, tmp_path / "out.db", seed=3)
    assert summary.events == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"collisions": "nowhere.hepmc"}, "nowhere.hepmc does not exist"),
        ({"mu": -1}, "pileup.mu: -1 is less than or equal to the minimum of 0"),
        ({"events": None}, "has no end: give the number of events"),
        ({"collisions": [MUON, PION]}, "expected files, or one description of a generator"),
        ({"signal": "-"}, "pile-up cannot be read from standard input"),
        (
            {"luminous_region": 1999},
            r"luminous_region: found 1999\. It is: .* a year \(2015, 2016, 2017, 2018; default",
        ),
        ({"luminous_region": {"width": [1, 1, 1]}}, "luminous_region: unknown key 'width'; .* Did you mean 'widths'"),
        (
            {"luminous_region": [0, 0, -1]},
            r"luminous_region\.2: -1 is less than the minimum of 0\. 'luminous_region' is:",
        ),
        ({"luminous_region": {"widths": [1, 1, 1]}}, r"luminous_region: missing centre\. 'luminous_region' is: Where"),
        ({"collision": 1}, "unknown key 'collision'.* Did you mean 'collisions'"),
    ],
)
def test_a_wrong_description_is_refused(content, message):
    given = {"events": 2, **content}
    with pytest.raises(InputError, match=message):
        parsed(pileup(**{name: value for name, value in given.items() if value is not None}))


@pytest.mark.parametrize("content", [{}, {"signal": MUON}])
def test_inputs_behind_crossings_without_end_would_never_be_read(content):
    with pytest.raises(InputError, match="has no end, and the inputs after it would never be read"):
        chunks([pileup(**content), SIGNAL], max_events=5)
    assert sum(len(chunk.events) for chunk in chunks([SIGNAL, pileup(**content)], max_events=45)) == 45
    ending = pileup(**content, events=3)
    assert sum(len(chunk.events) for chunk in chunks([ending, SIGNAL], max_events=45)) == 43


def test_the_example_runs(tmp_path, pipeline):
    example = Path(__file__).parents[2] / "examples" / "pileup.yaml"
    summary = sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1)
    assert summary.events == 40
