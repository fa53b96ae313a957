"""The default particle identification against LHCb's published performance.

The numbers called A27 ... A37 are fidelity checks: an expected value and the tolerance within which a
parametrization counts as LHCb-like.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt
import populations as pop
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import GEV, Array, Range, Table
from test_tracking_model import Model

from sqlamarr.native.library import native_folder

N = 200_000
CHUNK = 50_000
SPECIES = ("electron", "muon", "pion", "kaon", "proton")
HADRONS = ("pion", "kaon", "proton")
PARTS = ("isMuon", "rich", "muon", "global", "full")
N_NORMALS = {"isMuon": 0, "rich": 128, "muon": 32, "global": 64, "full": 256}

TRACK = ["p", "eta", "nTracks", "charge"]
RICH = ["RichDLLe", "RichDLLmu", "RichDLLK", "RichDLLp"]
MUON = ["MuonMuLL", "MuonBkgLL"]
COMBINED = ["PIDe", "PIDK", "PIDp", "ProbNNe", "ProbNNpi", "ProbNNk", "ProbNNp", "PIDmu", "ProbNNmu"]
IN_NAMES = {
    "isMuon": [*TRACK, "unused"],
    "rich": [*TRACK, "upstream"],
    "muon": [*TRACK, "isMuon"],
    "global": [*TRACK, "isMuon", *RICH, *MUON],
    "full": [*TRACK, "isMuon"],
}
OUT_NAMES = {
    "isMuon": ["isMuon_probability"],
    "rich": RICH,
    "muon": MUON,
    "global": COMBINED,
    "full": [*RICH, *MUON, *COMBINED],
}
PROBABILITIES = [name for name in COMBINED if name.startswith("ProbNN")]

_folder = native_folder() / "plugins"
_library = ctypes.CDLL(str(_folder / "lhcb_run2_pid.so"))
_electrons = ctypes.CDLL(str(_folder / "lhcb_run2_pid_electron.so"))
MODELS = {
    (part, species): Model(_electrons if species == "electron" else _library, f"{part}_{species}_pipe")
    for part in PARTS
    for species in SPECIES
}
STANDARD: Range = (3 * GEV, 100 * GEV)
KINEMATICS = pytest.mark.parametrize("species", SPECIES)


def occupancy(rng: np.random.Generator, n: int) -> Array:
    """nTracks of b events: log-normal, median 195, sigma 0.5, within 5 and 1000."""
    drawn = np.exp(rng.normal(np.log(195), 0.5, 2 * n + 100))
    return drawn[(drawn > 5) & (drawn < 1000)][:n]


def population(
    seed: int, p: float | Range = STANDARD, eta: float | Range = pop.ETA, n_tracks: float | None = None, n: int = N
) -> Table:
    """(n, 5) inputs, without isMuon."""
    rng = np.random.default_rng(seed)
    found = pop.prompt(rng, n, "h", p, eta)
    crowd = occupancy(rng, n) if n_tracks is None else np.full(n, n_tracks)
    return np.column_stack([found.p, found.eta, crowd, found.charge, np.zeros(n)]).astype(np.float32)


def noise(rng: np.random.Generator, n: int, part: str) -> Table:
    return rng.standard_normal((n, N_NORMALS[part]), dtype=np.float32)


def run(part: str, species: str, inputs: Table, seed: int = 1) -> dict[str, Array]:
    """Outputs by name; in pieces, because the noise is large."""
    rng = np.random.default_rng([seed, SPECIES.index(species)])
    model = MODELS[part, species]
    pieces = [inputs[i : i + CHUNK] for i in range(0, len(inputs), CHUNK)]
    found = np.concatenate([model(piece, noise(rng, len(piece), part)) for piece in pieces])
    return {name: found[:, k].astype(np.float64) for k, name in enumerate(OUT_NAMES[part])}


def is_muon_probability(species: str, inputs: Table) -> Array:
    return MODELS["isMuon", species](inputs)[:, 0].astype(np.float64)


def with_is_muon(inputs: Table, value: float | Array | npt.NDArray[np.bool_]) -> Table:
    found: Table = inputs.copy()
    found[:, 4] = value
    return found


def drawn(species: str, inputs: Table) -> Table:
    """Inputs with isMuon drawn from its probability."""
    uniform = np.random.default_rng(3).random(len(inputs))
    return with_is_muon(inputs, uniform < is_muon_probability(species, inputs))


@cache
def standard() -> Table:
    return population(11)


@cache
def rich_of(species: str) -> dict[str, Array]:
    """The RICH's response to the population of A27-A29."""
    return run("rich", species, standard())


@cache
def soft(species: str) -> dict[str, Array]:
    """The whole response to the population of A36 and A37: 3-40 GeV, eta 2-5."""
    return run("full", species, drawn(species, population(12, (3 * GEV, 40 * GEV), (2.0, 5.0))))


def passing(values: Array, cut: float) -> float:
    return float(np.mean(values > cut))


def between(inputs: Table, low: float, high: float) -> npt.NDArray[np.bool_]:
    """Rows with a momentum in a range [GeV]."""
    return (inputs[:, 0] >= low * GEV) & (inputs[:, 0] < high * GEV)


# --- RICH -------------------------------------------------------------------------------------------------


def test_a27_a28_kaons_and_pions() -> None:
    assert passing(rich_of("kaon")["RichDLLK"], 0) == pytest.approx(0.95, abs=0.03)
    assert passing(rich_of("pion")["RichDLLK"], 0) == pytest.approx(0.10, abs=0.04)


def test_a29_kaons_and_pions_with_a_tight_cut() -> None:
    assert passing(rich_of("kaon")["RichDLLK"], 5) == pytest.approx(0.85, abs=0.05)
    assert passing(rich_of("pion")["RichDLLK"], 5) == pytest.approx(0.03, abs=0.015)


@pytest.mark.parametrize("name", ["RichDLLK", "RichDLLp"])
def test_a30_slow_pions_have_a_spike_at_zero(name: str) -> None:
    spike = np.abs(rich_of("pion")[name]) < 0.1
    slow, fast = (float(spike[between(standard(), *limits)].mean()) for limits in ((3, 9.3), (15, 30)))
    assert slow > 3 * fast
    assert slow > 0.02


def test_tracks_without_rich_information_have_no_likelihoods_at_all() -> None:
    found = np.column_stack(list(rich_of("pion").values()))
    none = found == 0
    slow = between(standard(), 3, 9.3)
    blind = none.all(axis=1)
    assert 0.01 < blind[slow].mean() < 0.06
    assert np.array_equal(none[slow].any(axis=1), blind[slow])


@pytest.mark.parametrize("species", ["muon", "pion", "kaon", "proton"])
def test_protons_and_kaons_are_alike_where_neither_radiates(species: str) -> None:
    found = rich_of(species)
    below, above = between(standard(), 3, 9.3), between(standard(), 10, 30)
    assert np.array_equal(found["RichDLLp"][below], found["RichDLLK"][below])
    assert np.mean(found["RichDLLp"][above] == found["RichDLLK"][above]) < 0.03


@pytest.mark.parametrize(("hypothesis", "mass"), [("RichDLLmu", 0.105658), ("RichDLLK", 0.493677)])
def test_a_hypothesis_differs_from_a_silent_one_above_its_threshold_only(hypothesis: str, mass: float) -> None:
    threshold = mass / np.sqrt(1.0014**2 - 1) * GEV
    p = threshold * np.array([0.9, 0.95, 0.99, 1.01, 1.05, 1.1])
    inputs = np.column_stack([p, np.tile([3.0, 200.0, 1.0, 1.0], (6, 1))]).astype(np.float32)
    normals = np.tile(noise(np.random.default_rng(4), 1, "rich"), (6, 1))
    found = dict(zip(RICH, MODELS["rich", "pion"](inputs, normals).T, strict=True))
    assert np.array_equal(found[hypothesis] != found["RichDLLp"], p > threshold)


def efficiency(species: str, name: str, low: float, high: float, cut: float = 0) -> float:
    return passing(rich_of(species)[name][between(standard(), low, high)], cut)


def test_kaons_and_pions_separate_best_between_10_and_50_gev() -> None:
    gain = {
        limits: efficiency("kaon", "RichDLLK", *limits, 5) - efficiency("pion", "RichDLLK", *limits, 5)
        for limits in ((3, 4), (10, 20), (20, 40), (80, 100))
    }
    assert min(gain[10, 20], gain[20, 40]) > 0.9
    assert 0.6 < gain[3, 4] < 0.9
    assert 0.05 < gain[80, 100] < 0.5
    assert efficiency("kaon", "RichDLLK", 10, 40) > 0.95
    assert efficiency("pion", "RichDLLK", 10, 30) == pytest.approx(0.04, abs=0.02)
    assert efficiency("pion", "RichDLLK", 80, 100) == pytest.approx(0.28, abs=0.08)


def test_protons_and_pions_separate_up_to_100_gev() -> None:
    assert efficiency("proton", "RichDLLp", 18, 100) > 0.9
    assert efficiency("pion", "RichDLLp", 18, 100) < 0.08
    assert efficiency("proton", "RichDLLp", 18, 60, 5) > 0.9


def test_protons_and_kaons_separate_above_20_gev() -> None:
    chosen = between(standard(), 30, 100)
    protons, kaons = (passing((rich_of(s)["RichDLLp"] - rich_of(s)["RichDLLK"])[chosen], 0) for s in ("proton", "kaon"))
    assert protons > 0.85
    assert kaons < 0.10


def test_muons_are_like_pions_at_high_momentum() -> None:
    fast = between(standard(), 50, 100)
    assert np.median(np.abs(rich_of("muon")["RichDLLmu"][fast])) < 1
    overlap = passing(rich_of("muon")["RichDLLmu"][fast], 0) - passing(rich_of("pion")["RichDLLmu"][fast], 0)
    assert 0 < overlap < 0.15


@pytest.mark.parametrize(("p", "separated"), [(5.0, True), (12.0, True), (60.0, False)])
def test_electrons_separate_from_pions_at_low_momentum_only(p: float, separated: bool) -> None:
    inputs = population(13, p * GEV, 3.2, n=20_000)
    electrons, pions = (passing(run("rich", s, inputs)["RichDLLe"], 0) for s in ("electron", "pion"))
    assert (electrons - pions > 0.7) == separated


def test_identification_suffers_from_crowded_events() -> None:
    kaons, pions = (
        [passing(run("rich", s, population(14, n_tracks=crowd))["RichDLLK"], 0) for crowd in (100, 200, 400)]
        for s in ("kaon", "pion")
    )
    assert kaons[0] > kaons[1] > kaons[2]
    assert pions[0] < pions[1] < pions[2]
    assert pions[2] > 1.5 * pions[0]


def test_upstream_tracks_have_one_ring() -> None:
    inputs = population(15, (30 * GEV, 60 * GEV), (3.2, 4.2), n=50_000)
    both, first = (run("rich", "kaon", with_is_muon(inputs, upstream))["RichDLLK"] for upstream in (0, 1))
    assert passing(first, 0) < passing(both, 0) - 0.02
    assert np.median(first) < 0.5 * np.median(both)
    slow = population(15, (3 * GEV, 4 * GEV), 3.2, n=1000)  # nothing but electrons and muons radiates in RICH2
    both, first = (run("rich", "kaon", with_is_muon(slow, upstream))["RichDLLK"] for upstream in (0, 1))
    assert np.mean(both == first) > 0.5


# --- MUON -------------------------------------------------------------------------------------------------

IN_CHAMBERS = (2.2, 4.4)  # pseudorapidity


def in_chambers(p: float | Range, n_tracks: float | None = None, n: int = N) -> Table:
    return population(16, p, IN_CHAMBERS, n_tracks, n)


def test_a31_muons_are_found() -> None:
    found = is_muon_probability("muon", in_chambers((10 * GEV, 100 * GEV)))
    assert 0.95 < found.mean() < 0.99
    overall = is_muon_probability("muon", in_chambers(STANDARD)).mean()
    assert 0.95 < overall < 0.98


@pytest.mark.parametrize(
    ("check", "species", "p", "expected"),
    [
        ("A32", "pion", 3, 0.050),
        ("A32", "pion", 10, 0.023),
        ("A32", "pion", 50, 0.0051),
        ("A33", "kaon", 3, 0.067),
        ("A33", "kaon", 10, 0.034),
        ("A33", "kaon", 50, 0.0054),
    ],
)
def test_hadrons_taken_for_muons(check: str, species: str, p: float, expected: float) -> None:
    around = (max(3.0, 0.95 * p) * GEV, 1.05 * p * GEV)  # nothing is a muon below 3 GeV
    assert is_muon_probability(species, in_chambers(around)).mean() == pytest.approx(expected, rel=0.4)


def test_protons_and_electrons_are_rarely_taken_for_muons() -> None:
    inputs = in_chambers(STANDARD)
    assert 0.001 < is_muon_probability("proton", inputs).mean() < 0.01
    assert 0.003 < is_muon_probability("electron", inputs).mean() < 0.02


@KINEMATICS
def test_a34_nothing_is_a_muon_below_3_gev(species: str) -> None:
    edge = np.nextafter(np.float32(3000), np.float32(0))
    below = population(17, (0.1 * GEV, 3 * GEV), (1.5, 5.5), n=20_000)
    below[:, 0] = np.minimum(below[:, 0], edge)
    assert np.all(is_muon_probability(species, below) == 0)
    assert np.all(is_muon_probability(species, np.array([[3000, 3, 200, 1, 0]], np.float32)) > 0)


@KINEMATICS
def test_nothing_is_a_muon_outside_the_chambers(species: str) -> None:
    for eta, limit in ((1.6, 0.02), (5.3, 0.02), (7.0, 0.001), (-3.0, 0.001)):
        assert is_muon_probability(species, np.array([[20 * GEV, eta, 200, 1, 0]], np.float32)).max() < limit


@KINEMATICS
def test_more_muons_in_crowded_events(species: str) -> None:
    found = [is_muon_probability(species, in_chambers(20 * GEV, crowd, 100)).mean() for crowd in (100, 200, 400)]
    assert found[0] < found[1] < found[2]
    if species in HADRONS:
        assert 1.3 < found[2] / found[0] < 2


@cache
def mu_dll(species: str) -> Array:
    found = run("muon", species, with_is_muon(in_chambers(STANDARD), 1))
    return found["MuonMuLL"] - found["MuonBkgLL"]


def test_a35_muons_and_hadrons_after_a_cut_on_the_likelihoods() -> None:
    total = {
        s: float(np.mean(is_muon_probability(s, in_chambers(STANDARD)) * (mu_dll(s) > 1.75)))
        for s in ("muon", *HADRONS)
    }
    assert total["muon"] == pytest.approx(0.93, abs=0.02)
    assert max(total[s] for s in HADRONS) < 0.008


def test_hadrons_are_partly_like_muons_partly_like_protons() -> None:
    like_muons = {s: passing(mu_dll(s), 1.75) for s in ("muon", *HADRONS)}
    assert like_muons["muon"] > 0.9
    assert like_muons["proton"] < 0.1
    assert like_muons["proton"] + 0.05 < like_muons["kaon"] < like_muons["pion"] < 0.5


def test_muon_likelihoods_are_logarithms_of_probabilities() -> None:
    for species in SPECIES:
        found = run("muon", species, with_is_muon(standard()[:20_000], 1))
        for name in MUON:
            assert found[name].max() < 0
            assert found[name].min() > -20
    muons = run("muon", "muon", with_is_muon(population(19, 20 * GEV, 3.0, 220.0, 50_000), 1))
    beyond = np.exp(muons["MuonMuLL"])  # of muons: flat, by construction
    assert np.quantile(beyond, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.015)


@KINEMATICS
def test_without_is_muon_there_are_no_muon_likelihoods(species: str) -> None:
    found = run("full", species, standard()[:5000])
    assert np.all(found["MuonMuLL"] == 0)
    assert np.all(found["MuonBkgLL"] == 0)


# --- the whole --------------------------------------------------------------------------------------------


def test_a36_probability_of_a_kaon() -> None:
    assert passing(soft("kaon")["ProbNNk"], 0.5) == pytest.approx(0.897, abs=0.05)
    assert 0.0045 < passing(soft("pion")["ProbNNk"], 0.5) < 0.018


def test_a37_probability_of_a_proton() -> None:
    assert passing(soft("proton")["ProbNNp"], 0.5) == pytest.approx(0.651, abs=0.08)
    assert 0.003 < passing(soft("pion")["ProbNNp"], 0.5) < 0.012
    assert 0.0125 < passing(soft("kaon")["ProbNNp"], 0.5) < 0.05


@pytest.mark.parametrize(
    ("name", "cut", "species", "low", "high"),
    [
        ("ProbNNk", 0.1, "kaon", 0.96, 1.0),
        ("ProbNNk", 0.5, "proton", 0.10, 0.25),
        ("ProbNNp", 0.1, "proton", 0.90, 0.97),
        ("ProbNNpi", 0.5, "pion", 0.94, 0.99),
        ("ProbNNpi", 0.5, "kaon", 0.02, 0.08),
        ("ProbNNpi", 0.5, "electron", 0.55, 0.85),
        ("ProbNNe", 0.2, "electron", 0.94, 0.99),
        ("ProbNNe", 0.5, "electron", 0.89, 0.97),
        ("ProbNNe", 0.2, "pion", 0.013, 0.054),
        ("ProbNNe", 0.5, "pion", 0.005, 0.03),
    ],
)
def test_other_probabilities_are_near_those_of_calibration_samples(
    name: str, cut: float, species: str, low: float, high: float
) -> None:
    assert low < passing(soft(species)[name], cut) < high


def test_probability_of_a_muon_given_is_muon() -> None:
    inputs = population(20, (3 * GEV, 40 * GEV), (2.0, 5.0), n=100_000)

    def found(species: str, cut: float) -> float:
        weight = is_muon_probability(species, inputs)
        values = run("full", species, with_is_muon(inputs, 1))["ProbNNmu"]
        return float(np.average(values > cut, weights=weight))

    assert found("muon", 0.2) > 0.98
    assert 0.5 < found("pion", 0.2) < 0.8
    assert 0.1 < found("proton", 0.2) < found("kaon", 0.2) < found("pion", 0.2)


def test_without_is_muon_the_probability_of_a_muon_is_small_but_there() -> None:
    for species in SPECIES:
        found = run("full", species, standard()[:20_000])["ProbNNmu"]
        assert found.min() > 0
        assert found.mean() < 0.02


@KINEMATICS
def test_combined_likelihoods_are_sums(species: str) -> None:
    found = run("full", species, drawn(species, standard()[:CHUNK]))
    assert np.array_equal(found["PIDK"], found["RichDLLK"])
    assert np.array_equal(found["PIDp"], found["RichDLLp"])
    calorimeter = found["PIDe"] - found["RichDLLe"]
    assert (np.median(calorimeter) > 3) == (species == "electron")
    rest = found["PIDmu"] - found["RichDLLmu"] - (found["MuonMuLL"] - found["MuonBkgLL"])
    assert np.abs(rest).max() < 10


@KINEMATICS
def test_probabilities_are_probabilities(species: str) -> None:
    for is_muon in (0, 1):
        found = run("full", species, with_is_muon(standard()[:20_000], is_muon))
        for name in PROBABILITIES:
            assert found[name].min() >= 0
            assert found[name].max() <= 1


# --- the interface ----------------------------------------------------------------------------------------

EVERY_MODEL = pytest.mark.parametrize(("part", "species"), list(MODELS))


def sample(part: str, n: int = 300) -> Iterator[tuple[Table, Table]]:
    """Inputs and normals of one part, with and without its flag."""
    rng = np.random.default_rng(22)
    for flag in (0, 1):
        inputs = with_is_muon(population(23, (0.5 * GEV, 300 * GEV), (1.5, 5.5), n=n), flag)
        if part == "global":
            likelihoods = rng.normal(0, [20, 10, 30, 30, 2, 2], (n, 6))
            inputs = np.column_stack([inputs, likelihoods]).astype(np.float32)
        yield inputs, noise(rng, n, part)


@EVERY_MODEL
def test_info(part: str, species: str) -> None:
    info = MODELS[part, species].info
    assert info.abi == 1
    assert [info.in_names[k].decode() for k in range(info.n_in)] == IN_NAMES[part]
    assert [info.out_names[k].decode() for k in range(info.n_out)] == OUT_NAMES[part]
    assert info.n_random == N_NORMALS[part]
    assert b"\n" not in info.origin
    assert b"LHCb" in info.origin
    assert all(info.in_min[k] < info.in_max[k] for k in range(info.n_in))


@EVERY_MODEL
def test_a_row_and_a_batch_agree_bit_for_bit(part: str, species: str) -> None:
    model = MODELS[part, species]
    for inputs, normals in sample(part):
        rows = model.row_by_row(inputs, normals if N_NORMALS[part] else None)
        assert model(inputs, normals).tobytes() == rows.tobytes()


@EVERY_MODEL
def test_rows_are_independent(part: str, species: str) -> None:
    order = np.random.default_rng(24).permutation(300)
    model = MODELS[part, species]
    for inputs, normals in sample(part):
        assert model(inputs[order], normals[order]).tobytes() == model(inputs, normals)[order].tobytes()


@KINEMATICS
def test_the_whole_is_its_parts(species: str) -> None:
    """Normals 0-127 go to the RICH, 128-159 to MUON, 160-223 to the combination."""
    for inputs, normals in sample("full"):
        rich, muon, combined = (np.ascontiguousarray(n) for n in np.split(normals, [128, 160, 224], axis=1)[:3])
        likelihoods = np.column_stack(
            [
                MODELS["rich", species](with_is_muon(inputs, 0), rich),
                MODELS["muon", species](inputs, muon),
            ]
        )
        rest = MODELS["global", species](np.column_stack([inputs, likelihoods]), combined)
        parts = np.column_stack([likelihoods, rest])
        assert parts.tobytes() == MODELS["full", species](inputs, normals).tobytes()


@KINEMATICS
def test_charge_does_not_matter(species: str) -> None:
    for inputs, normals in sample("full"):
        mirrored = inputs * np.array([1, 1, 1, -1, 1], np.float32)
        assert (
            MODELS["full", species](mirrored, normals).tobytes() == MODELS["full", species](inputs, normals).tobytes()
        )


WILD = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(WILD, min_size=11, max_size=11),
    st.lists(WILD, min_size=256, max_size=256) | st.just([50.0] * 256) | st.just([-50.0] * 256),
    st.sampled_from(SPECIES),
)
def test_wild_inputs_give_finite_outputs(values: list[float], normals: list[float], species: str) -> None:
    row, wild = np.array([values], np.float32), np.array([normals], np.float32)
    for part in PARTS:
        model = MODELS[part, species]
        found = model(row[:, : model.info.n_in], np.ascontiguousarray(wild[:, : N_NORMALS[part]]))
        assert np.all(np.isfinite(found))
        for k, name in enumerate(OUT_NAMES[part]):
            assert not name.startswith(("ProbNN", "isMuon")) or 0 <= found[0, k] <= 1


def test_only_the_models_are_exported() -> None:
    for library in (_library, _electrons):
        for hidden in ("rich_row", "full_row", "is_muon_row"):
            with pytest.raises(AttributeError, match=hidden):
                getattr(library, hidden)
