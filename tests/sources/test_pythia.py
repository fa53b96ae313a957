"""Pythia 8 in process: the same events as through HepMC, and each by itself, whatever came before it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hepmc_tools import physical, physical_of_library
from run_tools import TRUTH, hashes

import sqlamarr
from sqlamarr.errors import InputError
from sqlamarr.events.chunk import ParsedChunk
from sqlamarr.events.event import EventRef
from sqlamarr.output import provenance
from sqlamarr.sources.pythia.engine import DEFAULTS, set_random
from sqlamarr.sources.pythia.record import Collision, graph, read, tables
from sqlamarr.sources.pythia.signal import Sampler
from sqlamarr.sources.yaml_inputs import describe

pythia8mc = pytest.importorskip("pythia8mc")

BEAUTY = ["HardQCD:hardbbbar = on", "PhaseSpace:pTHatMin = 2.", "Beams:allowVertexSpread = on"]
CHARM = ["HardQCD:hardccbar = on", "PhaseSpace:pTHatMin = 1."]
SOFT = ["SoftQCD:nonDiffractive = on"]
KEY = 0x0123456789ABCDEF


@pytest.fixture(scope="module")
def pythia():
    generator = pythia8mc.Pythia("", False)
    for line in (*DEFAULTS, "Beams:eCM = 13000.", *BEAUTY):
        assert generator.readString(line)
    assert generator.init()
    return generator


@pytest.fixture
def pipeline(tmp_path):
    path = tmp_path / "pipeline.yaml"
    path.write_text(TRUTH)
    return path


def refs(*ordinals: int) -> tuple[EventRef, ...]:
    return tuple(EventRef(n * 1_000_000, n, 0, n) for n in ordinals)


def prepared(seed: int = 1, **content):
    return describe({"pythia": {"config": BEAUTY, **content}}).prepare(seed).recipe


def rows(parsed: ParsedChunk, table: str, event_id: int, *columns: str) -> list[tuple]:
    """Columns of one event's rows, with ids and links counted from the event's."""
    keep = parsed.tables[table]["event_id"] == event_id
    return list(zip(*(np.ma.filled(parsed.tables[table][name][keep].astype(float), -1).tolist() for name in columns)))


def same(first: ParsedChunk, second: ParsedChunk, event_id: int) -> bool:
    return all(
        rows(first, table, event_id, *columns) == rows(second, table, event_id, *columns)
        for table, columns in first.tables.items()
    )


# -- the record -----------------------------------------------------------------------------------


def test_an_event_is_what_hepmc_makes_of_it(pythia):
    example = importlib.util.spec_from_file_location("make_data", Path("examples/make_data.py").absolute())
    make_data = importlib.util.module_from_spec(example)
    example.loader.exec_module(make_data)
    for ordinal in range(5):
        set_random(pythia.rndm, KEY, ordinal, 0)
        assert pythia.next()
        parsed = ParsedChunk(tables([Collision(ordinal * 1_000_000, 0, {}, read(pythia.event))]))
        assert physical(parsed, ordinal * 1_000_000) == physical_of_library(make_data.convert(pythia, ordinal))


def test_mothers_are_those_that_pythia_lists(pythia):
    for ordinal in range(5):
        set_random(pythia.rndm, KEY, ordinal, 0)
        assert pythia.next()
        particles = list(pythia.event)
        production, end, _ = graph(*zip(*((p.mother1(), p.mother2(), p.status()) for p in particles)))
        for line, particle in enumerate(particles):
            mothers = [mother for mother in particle.motherList() if mother > 0]
            assert (production[line] >= 0) == bool(mothers)
            assert production[line] in {-1, *(end[mother] for mother in mothers)}


# -- random numbers ---------------------------------------------------------------------------------


def test_an_event_has_a_state_of_its_own():
    rndm = pythia8mc.Rndm()
    first = []
    for stream in (0, 1):
        for event_id in range(0, 4_000_000_000, 1_000_000):
            set_random(rndm, KEY, event_id, stream)
            first.append((rndm.flat(), rndm.flat()))
    numbers = np.array(first)
    assert len({tuple(pair) for pair in first}) == len(first)
    for column in numbers.T:
        counts = np.histogram(column, bins=20, range=(0, 1))[0]
        assert np.sum((counts - 400) ** 2 / 400) < 65  # chi2 of 19 degrees: false alarm below 1e-6
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 5 / np.sqrt(len(first))


@pytest.mark.parametrize("config", [SOFT, CHARM, BEAUTY], ids=["soft", "charm", "beauty"])
def test_nothing_leaks_from_event_to_event(config):
    lines = ("Beams:eCM = 13000.", *config)
    one, other = Sampler(lines, None, "test"), Sampler(lines, None, "test")
    forward = {n: one.event(KEY, n)[0] for n in range(8)}
    backward = {n: other.event(KEY, n)[0] for n in reversed(range(8))}
    for n, record in forward.items():
        assert record.momenta.tobytes() == backward[n].momenta.tobytes()
        assert record.vertices.tobytes() == backward[n].vertices.tobytes()
        assert record.pid.tolist() == backward[n].pid.tolist()


def test_any_split_gives_the_same_file(tmp_path, pipeline):
    source = {
        "pythia": {"config": BEAUTY, "signal": {"particle": "B+", "hadronizations": 5}, "redecay": 3, "events": 10}
    }
    for name, options in {"a": {"batch_size": 100}, "b": {"batch_size": 1}, "c": {"batch_size": 4}}.items():
        sqlamarr.run(pipeline, [source], tmp_path / f"{name}.db", seed=7, **options)
    assert hashes(tmp_path / "a.db") == hashes(tmp_path / "b.db") == hashes(tmp_path / "c.db")


def test_jobs_make_the_events_of_one_run():
    recipe = prepared(signal={"particle": "B+"}, redecay=4)
    together = recipe.make(refs(*range(8)))
    for part in (refs(6, 7), refs(3), refs(5)):
        apart = recipe.make(part)
        assert all(same(together, apart, event.event_id) for event in part)


# -- the signal -------------------------------------------------------------------------------------


def signal_of(parsed: ParsedChunk, event_id: int) -> dict[str, float]:
    columns = parsed.tables["GenParticles"]
    (row,) = np.flatnonzero((columns["event_id"] == event_id) & (columns["status"] == 889))
    return {name: columns[name][row] for name in columns}


def daughters(parsed: ParsedChunk, mother: dict[str, float]) -> dict[str, np.ndarray]:
    columns = parsed.tables["GenParticles"]
    keep = np.ma.filled(columns["production_vertex"], -1) == mother["end_vertex"]
    return {name: np.asarray(np.ma.filled(columns[name], -1))[keep] for name in columns}


def test_the_signal_decays_as_it_is_told():
    recipe = prepared(signal={"decay": "B0 -> (K*(892)0 -> K+ pi-) mu+ mu-", "eta": [2, 5], "hadronizations": 5})
    parsed = recipe.make(refs(*range(12)))
    assert not parsed.rejected
    seen = set()
    for event in refs(*range(12)):
        signal = signal_of(parsed, event.event_id)
        seen.add(signal["pid"])
        assert abs(signal["pid"]) == 511
        p = np.sqrt(signal["px"] ** 2 + signal["py"] ** 2 + signal["pz"] ** 2)
        assert 2 <= np.arctanh(signal["pz"] / p) <= 5
        made = daughters(parsed, signal)
        assert sorted(np.abs(made["pid"])) == [13, 13, 313]
        for name in ("pe", "px", "py", "pz"):
            assert made[name].sum() == pytest.approx(signal[name], rel=1e-9, abs=1e-4)
        (kstar,) = np.flatnonzero(np.abs(made["pid"]) == 313)
        assert sorted(np.abs(daughters(parsed, {k: v[kstar] for k, v in made.items()})["pid"])) == [211, 321]
    assert seen == {511, -511}


def test_redecay_keeps_the_rest_of_the_event():
    recipe = prepared(signal={"particle": "B+", "charge_conjugate": False}, redecay=50)
    parsed = recipe.make(refs(*range(100)))
    events = parsed.tables["GenEvents"]
    assert events["original_id"].tolist() == [0] * 50 + [50_000_000] * 50
    times = []
    rest = None
    for event in refs(*range(100)):
        signal = signal_of(parsed, event.event_id)
        names = ("hepmc_id", "pid", "px", "py", "pz")
        now = rows(parsed, "GenParticles", event.event_id, *names)[: int(signal["genparticle_id"]) % 1_000_000 + 1]
        if event.ordinal % 50:
            assert now == rest
        rest = now
        vertices = parsed.tables["GenVertices"]
        made, ended = (
            np.array([vertices[c][vertices["genvertex_id"] == signal[end]][0] for c in ("x", "y", "z")])
            for end in ("production_vertex", "end_vertex")
        )
        p = np.sqrt(signal["px"] ** 2 + signal["py"] ** 2 + signal["pz"] ** 2)
        times.append(np.linalg.norm(ended - made) * signal["m"] / p)
    assert len(set(times)) == 100
    ctau = 0.4911  # mm, of the B+ in Pythia
    assert np.mean(times) == pytest.approx(ctau, abs=5 * ctau / 10)


def test_tries_are_counted():
    single = prepared(signal={"particle": "B+"}).make(refs(*range(40))).tables["GenEvents"]
    repeated = prepared(signal={"particle": "B+", "hadronizations": 20}).make(refs(*range(40))).tables["GenEvents"]
    assert single["collisions_tried"].tolist() == single["hadronizations"].tolist()
    assert repeated["collisions_tried"].sum() < single["collisions_tried"].sum()
    # Both give the chance of a B+ or B- in a hadronization, which is about 0.65 for a bb pair.
    for events in (single, repeated):
        chance = 40 / events["hadronizations"].sum()
        assert chance == pytest.approx(0.65, abs=5 * np.sqrt(0.65**2 * 0.35 / 40))


def test_what_does_not_come_is_rejected():
    parsed = prepared(config=SOFT, signal={"particle": "B_c+"}, max_tries=3).make(refs(4, 5))
    assert [row.event_id for row in parsed.rejected] == [4_000_000, 5_000_000]
    assert "No signal (541) was found in 3 collisions" in parsed.rejected[0].message
    assert parsed.tables["GenEvents"].rows == 0


# -- the cross-section and the description -----------------------------------------------------------


def test_the_cross_section_is_that_of_pythia(pythia):
    sigma = prepared().sigma
    assert 0 < sigma.error < 0.02 * sigma.value
    for _ in range(60):
        pythia.next()
    info = pythia.infoPython()  # in some versions of Pythia a copy
    assert sigma.value == pytest.approx(info.sigmaGen() * 1e9, abs=6 * info.sigmaErr() * 1e9)
    assert prepared(seed=2).sigma.value != sigma.value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            {"config": []},
            r"pythia.config: \[\] should be non-empty\. 'config' is: Pythia's settings, as a list of lines or",
        ),
        ({"config": [3]}, r"pythia.config.0: 3 is not of type 'string'\. 'config' is: Pythia's settings, as a list"),
        ({"config": 3}, r"pythia.config: found 3\. It is: Pythia's settings, as a list of lines or the name of a file"),
        ({"config": ["HardQCD:hardbbar = on"]}, "Did you mean 'HardQCD:hardbbbar'"),
        (
            {"config": ["PhaseSpace:pTHatMin = low"]},
            "Pythia does not understand 'PhaseSpace:pTHatMin = low': check",
        ),
        (
            {"config": ["HardQCD:hardbbbar = maybe"]},
            "line 'HardQCD:hardbbbar = maybe': expected on or off, found 'mayb",
        ),
        (
            {"config": ["PhaseSpace:pTHatMin = 2."]},
            "cannot be initialised with this configuration: .*no process switched on",
        ),
        ({"config": SOFT, "beams": {"energy": 1}}, "cannot be initialised with this configuration: .*too low energy"),
        ({"config": [*BEAUTY, "HadronLevel:all = off"]}, "set how often to hadronize"),
        ({"config": [*BEAUTY, "PhaseSpace:increaseMaximum = on"]}, "events would depend on those before them"),
        ({"config": "no.cmnd"}, "no.cmnd does not exist"),
        ({"config": BEAUTY, "redecay": 3}, "redecay needs pythia.signal"),
        ({"config": BEAUTY, "signal": {}}, "give 'particle' or 'decay'"),
        ({"config": BEAUTY, "signal": {"particle": "B00"}}, "There is no particle 'B00'"),
        ({"config": BEAUTY, "signal": {"particle": "Z0"}}, "is not a hadron"),
        ({"config": BEAUTY, "signal": {"particle": "B0", "eta": [5, 2]}}, "expected a range"),
        (
            {"config": BEAUTY, "signal": {"particle": "B+", "decay": "B0 -> pi+ pi-"}},
            "but 'decay' is the decay of another",
        ),
        ({"config": BEAUTY, "signal": {"decay": "B0 -> pi+ -> pi-"}}, "cannot be understood"),
        (
            {"config": BEAUTY, "signal": {"decay": "B0 -> K+ K+"}},
            "B0 -> K[+] K[+] does not conserve charge: [+]0 becom",
        ),
        ({"config": BEAUTY, "signal": {"decay": "B+ -> (D~0 -> K+) pi+"}}, "D~0 -> K[+] does not conserve charge"),
        ({"config": BEAUTY, "signal": {"decay": "B+ -> K+"}}, "does not conserve energy and momentum: 5279.41 MeV bec"),
        ({"config": BEAUTY, "signals": {}}, "Did you mean 'signal'"),
    ],
)
def test_a_wrong_description_is_refused(content, message):
    with pytest.raises(InputError, match=message):
        describe({"pythia": content}).prepare(1)


def test_a_decay_without_its_baryon_is_said():
    warnings = describe({"pythia": {"config": BEAUTY, "signal": {"decay": "Lambda_b0 -> K- pi+"}}}).prepare(1).warnings
    assert "Lambda_b0 -> K- pi+ does not conserve the baryon number: +1 becomes +0." in warnings[0]


def test_an_energy_in_tev_is_noticed():
    warnings = describe({"pythia": {"config": SOFT, "beams": {"energy": 13}}}).prepare(1).warnings
    assert "pythia.beams.energy: hadrons collide at a centre-of-mass energy of 13 GeV. If that was m" in warnings[0]
    assert not describe({"pythia": {"config": SOFT, "beams": {"energy": 5020}}}).prepare(1).warnings


def test_all_weights_are_kept(tmp_path, pipeline):
    bands = ["UncertaintyBands:doVariations = on", "UncertaintyBands:List = {up fsr:muRfac=0.5, down fsr:muRfac=2.0}"]
    source = {"pythia": {"config": [*BEAUTY, *bands], "events": 2}}
    sqlamarr.run(pipeline, source, tmp_path / "out.db", seed=1, weights=True)
    with sqlamarr.open(tmp_path / "out.db") as db:
        names = provenance.read(db)["weight_names"]
        values = db.execute("SELECT position, value FROM GenWeights WHERE event_id = 0 ORDER BY 1").fetchall()
        (format,) = db.execute("SELECT format FROM DataSources").fetchone()
    assert names == ["Weight", "fsr.murfac=0.5", "fsr.murfac=2.0", "up", "down"]
    assert [position for position, _ in values] == [0, 1, 2, 3, 4]
    assert values[0][1] == 1.0
    assert values[3][1] not in (1.0, values[4][1])
    assert format.startswith("Pythia 8.3")


def test_a_file_of_settings_and_what_the_run_decides_itself(tmp_path):
    (tmp_path / "my.cmnd").write_text("! mine\nHardQCD:hardbbbar = on\n\nRandom:seed = 4\nMain:numberOfEvents = 100\n")
    source = describe({"pythia": {"config": "my.cmnd", "events": 2}}, "my.yaml", tmp_path).prepare(1)
    assert [line for line in source.recipe.lines if not line.startswith("Beams")] == ["HardQCD:hardbbbar = on"]
    assert source.files == (tmp_path / "my.cmnd",)
    assert source.warnings == (
        "my.yaml: config's line 'Random:seed = 4' is ignored; the run's --seed is used instead.",
        "my.yaml: config's line 'Main:numberOfEvents = 100' is ignored; 'events: N' or -n is used instead.",
    )


def test_the_example_has_its_signal(tmp_path, pipeline):
    example = Path(__file__).parents[2] / "examples" / "pythia_bb.yaml"
    sqlamarr.run(pipeline, example, tmp_path / "out.db", seed=1, events=25)
    with sqlamarr.open(tmp_path / "out.db") as db:
        assert db.execute("SELECT count(*), count(DISTINCT original_id) FROM GenEvents").fetchone() == (25, 2)
        signals = "SELECT count(*) FROM MCParticles WHERE is_signal AND abs(pid) = 511"
        assert db.execute(signals).fetchone() == (25,)
