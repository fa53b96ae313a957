"""The default tracking model against LHCb's published and measured performance.

The numbers called A01 ... A40 are fidelity checks: an expected value and the tolerance within which a
parametrization counts as LHCb-like. sigma is half of the 16-84 % range.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache

import numpy as np
import populations as pop
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import GEV, Array, Table, Tracks

from sqlamarr.native.library import native_folder

N = 200_000
POINTER = ctypes.POINTER(ctypes.c_float)
PAIRS = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (0, 4), (1, 4), (2, 4), (3, 4)]


class Info(ctypes.Structure):
    """``sqlamarr_model_info`` of the plugin interface."""

    _fields_ = [
        ("abi", ctypes.c_int32),
        ("n_in", ctypes.c_int32),
        ("n_out", ctypes.c_int32),
        ("n_random", ctypes.c_int32),
        ("in_names", ctypes.POINTER(ctypes.c_char_p)),
        ("out_names", ctypes.POINTER(ctypes.c_char_p)),
        ("origin", ctypes.c_char_p),
        ("in_min", POINTER),
        ("in_max", POINTER),
    ]


def pointer(array: Table | None) -> object:
    return None if array is None else array.ctypes.data_as(POINTER)


class Model:
    """One function of the library."""

    def __init__(self, library: ctypes.CDLL, name: str) -> None:
        self._row, self._batch = getattr(library, name), getattr(library, f"{name}_batch")
        describe = getattr(library, f"{name}_info")
        describe.restype = ctypes.POINTER(Info)
        self.info: Info = describe().contents

    def __call__(self, inputs: Table, normals: Table | None = None) -> Table:
        inputs = np.ascontiguousarray(inputs, np.float32)
        assert inputs.shape[1] == self.info.n_in
        out = np.full((len(inputs), self.info.n_out), np.nan, np.float32)
        arguments = (pointer(out), pointer(inputs), pointer(normals))
        assert self._batch(ctypes.c_size_t(len(inputs)), *arguments) == 0
        return out

    def row_by_row(self, inputs: Table, normals: Table | None = None) -> Table:
        out = np.full((len(inputs), self.info.n_out), np.nan, np.float32)
        for i in range(len(inputs)):
            random = () if normals is None else (pointer(normals[i]),)
            self._row(pointer(out[i]), pointer(inputs[i]), *random)
        return out


NAMES = ("acceptance", "efficiency", "resolution", "covariance")
_library = ctypes.CDLL(str(native_folder() / "plugins" / "lhcb_run2.so"))
MODELS = {name: Model(_library, name) for name in NAMES}


class Reconstructed:
    """A population and what the model makes of it."""

    def __init__(self, seed: int, true: Tracks, track_class: str = "long") -> None:
        self.true = true
        self._noise = np.random.default_rng(seed)
        inputs = pop.resolution_input(true, track_class)
        self.residuals = MODELS["resolution"](inputs, self.normals()).astype(np.float64)
        self._covariance_input = pop.covariance_input(inputs, self.residuals)
        dx, dy, dz, dtx, dty = self.residuals[:, :5].T
        self.dp = self.residuals[:, 5]
        self.dp_over_p = self.dp / true.p
        self.ip_x = dx - (true.tx + dtx) * dz  # at the z of the true state
        self.ip_y = dy - (true.ty + dty) * dz

    def normals(self) -> Table:
        return self._noise.standard_normal((len(self.true), 128), dtype=np.float32)

    def covariance(self) -> Array:
        return MODELS["covariance"](self._covariance_input, self.normals()).astype(np.float64)

    def pulls(self) -> Array:
        """(n, 5) of x, y, tx, ty, q/p at fixed z."""
        p = self.true.p
        fixed = [self.ip_x, self.ip_y, self.residuals[:, 3], self.residuals[:, 4], 1 / (p + self.dp) - 1 / p]
        return np.column_stack(fixed) / np.exp(self.covariance()[:, :5] / 2)


def half_width(values: Array) -> float:
    low, high = np.quantile(values, [0.16, 0.84])
    return float(high - low) / 2


def beyond_three_sigma(values: Array) -> float:
    """Fraction beyond three robust sigmas of the median."""
    return float(np.mean(np.abs(values - np.median(values)) > 3 * half_width(values)))


@cache
def at_momentum(p_gev: float, species: str = "h", track_class: str = "long", n: int = N) -> Reconstructed:
    rng = np.random.default_rng([int(10 * p_gev), 1])
    return Reconstructed(2, pop.prompt(rng, n, species, p=p_gev * GEV), track_class)


@cache
def at_inverse_pt(inverse: float) -> Reconstructed:
    rng = np.random.default_rng(int(100 * inverse))
    return Reconstructed(3, pop.prompt_at_pt(rng, 2 * N, "h", GEV / inverse))


def mean_probabilities(true: Tracks) -> dict[str, float]:
    means = MODELS["efficiency"](pop.particle_input(true)).mean(axis=0)
    return dict(zip(("none", "long", "upstream", "downstream"), map(float, means), strict=True))


def prompt_at(p_gev: float, eta: float, species: str = "h", n: int = 5000) -> Tracks:
    return pop.prompt(np.random.default_rng(4), n, species, p_gev * GEV, eta)


def displaced_at(z: float, p_gev: float, n: int = 20_000) -> Tracks:
    return pop.displaced(np.random.default_rng(5), n, "h", p_gev * GEV, 3.0, z)


@pytest.fixture(scope="module")
def long_hadrons() -> Reconstructed:
    """The reference population: 3-100 GeV."""
    return Reconstructed(6, pop.prompt(np.random.default_rng(7), N))


# --- momentum -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "p", "low", "high"),
    [("A01", 10, 0.33, 0.55), ("A02", 20, 0.35, 0.60), ("A03", 100, 0.48, 0.95)],
)
@pytest.mark.parametrize("species", ["h", "mu"])
def test_momentum_resolution_of_long_tracks(check: str, p: float, low: float, high: float, species: str) -> None:
    assert low < 100 * half_width(at_momentum(p, species).dp_over_p) < high


def test_a04_momentum_resolution_of_upstream_tracks() -> None:
    assert 0.12 < half_width(at_momentum(5, track_class="upstream").dp_over_p) < 0.28


def test_a05_momentum_resolution_of_downstream_tracks() -> None:
    pions = pop.k0s_pions(np.random.default_rng(8), 10 * N)
    chosen = pions.at(np.abs(pions.p / (10 * GEV) - 1) < 0.15)
    assert len(chosen) > 0.9 * N
    assert 0.0035 < half_width(Reconstructed(9, chosen, "downstream").dp_over_p) < 0.009


def test_a06_electrons_lose_energy() -> None:
    loss = at_momentum(20, "e").dp_over_p
    assert -0.14 < np.median(loss) < -0.06
    assert np.quantile(loss, 0.05) < -0.4  # bremsstrahlung has a long tail
    assert np.quantile(loss, 0.95) < 0.02


# --- impact parameter and slopes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "inverse_pt", "low", "high"),
    [("A07", 1.0, 30, 44), ("A08", 0.1, 11, 22), ("A09", 3.0, 82 * 0.85, 82 * 1.15)],
)
def test_impact_parameter_resolution(check: str, inverse_pt: float, low: float, high: float) -> None:
    tracks = at_inverse_pt(inverse_pt)
    assert low < 1000 * half_width(tracks.ip_x) < high  # um
    assert low < 1000 * half_width(tracks.ip_y) < high


def test_impact_parameter_is_worse_around_the_beam_than_away_from_it() -> None:
    tracks = at_momentum(10, n=2 * N)
    vertical = np.abs(tracks.true.ty) > 5 * np.abs(tracks.true.tx)
    horizontal = np.abs(tracks.true.tx) > 5 * np.abs(tracks.true.ty)
    assert half_width(tracks.ip_x[vertical]) > 1.15 * half_width(tracks.ip_x[horizontal])
    assert half_width(tracks.ip_y[horizontal]) > 1.15 * half_width(tracks.ip_y[vertical])


def test_a10_slope_resolution() -> None:
    assert 0.2e-3 < half_width(at_momentum(10).residuals[:, 3]) < 0.42e-3


def test_residuals_have_tails(long_hadrons: Reconstructed) -> None:
    at_pt = at_inverse_pt(1.0)  # at one pT, else the mixture of widths would make the tails
    for values in (at_pt.ip_x, at_pt.ip_y, at_momentum(10).dp_over_p, at_momentum(60).dp_over_p):
        assert 0.03 < beyond_three_sigma(values) < 0.08


def test_states_are_on_the_reconstructed_line_closest_to_the_beam(long_hadrons: Reconstructed) -> None:
    reconstructed = pop.resolution_input(long_hadrons.true, "long")[:, :5] + long_hadrons.residuals[:, :5]
    x, y, _, tx, ty = reconstructed.T
    along = (x * tx + y * ty) / np.hypot(tx, ty)
    assert np.quantile(np.abs(along), 0.99) < 1e-4  # mm; float32 and the 0.1 mrad guard


def test_displaced_states_far_from_the_detector_keep_sensible_errors() -> None:
    tracks = prompt_at(10, 3.0)
    for z in (-2000.0, -500.0, 0.0, 700.0):
        origin = np.column_stack([np.zeros((len(tracks), 2)), np.full(len(tracks), z)])
        moved = Tracks("h", tracks.p, tracks.tx, tracks.ty, tracks.charge, origin)
        assert 0.01 < half_width(Reconstructed(10, moved).ip_x) < 1.0  # mm


# --- efficiency and acceptance --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "species", "track_class", "p", "eta", "expected", "tolerance"),
    [
        ("A13", "h", "long", 10, 3.0, 0.752, 0.06),
        ("A14", "h", "long", 50, 3.5, 0.823, 0.05),
        ("A15", "h", "long", 3, 2.25, 0.375, 0.10),
        ("A16", "mu", "long", 20, 3.0, 0.946, 0.02),
        ("A17", "e", "long", 10, 3.0, 0.682, 0.08),
        ("A18", "h", "upstream", 5, 3.0, 0.168, 0.05),
        ("A19", "h", "long", 20, 4.75, 0.354, 0.08),
        ("A19", "h", "long", 20, 4.9, 0.225, 0.08),
    ],
)
def test_prompt_efficiency(
    check: str, species: str, track_class: str, p: float, eta: float, expected: float, tolerance: float
) -> None:
    assert mean_probabilities(prompt_at(p, eta, species))[track_class] == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("check", "track_class", "z", "p", "low", "high"),
    [
        ("A20", "downstream", 1000, 20, 0.458, 0.658),
        ("A21", "long", 300, 20, 0.452, 0.652),
        ("A22", "long", 1500, 10, 0.0, 0.12),
    ],
)
def test_displaced_efficiency(check: str, track_class: str, z: float, p: float, low: float, high: float) -> None:
    assert low < mean_probabilities(displaced_at(z, p))[track_class] < high


def test_a23_acceptance_turns_on_at_the_beam_pipe() -> None:
    def accepted(milliradian: float) -> float:
        eta = float(np.arcsinh(1 / np.tan(milliradian / 1000)))
        return float(MODELS["acceptance"](pop.particle_input(prompt_at(50, eta))).mean())

    assert accepted(10) < 0.5 < accepted(12)
    assert accepted(10) == pytest.approx(0.33, abs=0.05)
    assert accepted(15) == pytest.approx(0.97, abs=0.02)


@pytest.mark.parametrize(
    ("species", "acceptance", "none", "long", "upstream", "downstream"),
    [
        ("h", 0.983, 0.230, 0.657, 0.090, 0.023),
        ("mu", 0.989, 0.042, 0.900, 0.044, 0.014),
        ("e", 0.988, 0.287, 0.589, 0.091, 0.033),
    ],
)
def test_integrated_efficiency(
    species: str, acceptance: float, none: float, long: float, upstream: float, downstream: float
) -> None:
    inputs = pop.particle_input(pop.prompt(np.random.default_rng(11), N, species, eta=(2.0, 5.0)))
    accepted = MODELS["acceptance"](inputs)
    assert accepted.mean() == pytest.approx(acceptance, abs=0.01)
    found = (accepted * MODELS["efficiency"](inputs)).mean(axis=0) / accepted.mean()
    assert found == pytest.approx([none, long, upstream, downstream], abs=0.02)


def test_nothing_is_accepted_outside_the_detector() -> None:
    backward = pop.particle_input(prompt_at(20, 3.0, n=500))
    backward[:, 6] *= -1  # the slopes are those of a forward particle
    outside = [backward, *(pop.particle_input(prompt_at(20, eta, n=500)) for eta in (0.5, 7.5))]
    assert MODELS["acceptance"](np.concatenate(outside)).max() < 0.01


def test_nothing_is_found_from_behind_the_tt() -> None:
    assert mean_probabilities(displaced_at(2900, 20))["none"] == 1


def long_probability(species: str, p: Array, eta: float, z: Array) -> Array:
    """Of particles on the straight line from the middle of the detector, starting at z."""
    n = len(p)
    line = pop.tracks(np.random.default_rng(12), species, p, np.full(n, eta), np.zeros((n, 3)))
    origin = np.column_stack([line.tx * z, line.ty * z, z])
    moved = Tracks(species, line.p, line.tx, line.ty, line.charge, origin)
    return MODELS["efficiency"](pop.particle_input(moved))[:, 1].astype(np.float64)


@pytest.mark.parametrize("species", pop.SPECIES)
@pytest.mark.parametrize("eta", [2.1, 3.0, 4.4])
def test_long_efficiency_rises_with_momentum(species: str, eta: float) -> None:
    p = np.geomspace(0.5, 200, 60) * GEV
    assert np.all(np.diff(long_probability(species, p, eta, np.zeros(60))) >= 0)


@pytest.mark.parametrize(("species", "slack"), [("h", 1e-6), ("e", 1e-6), ("mu", 0.02)])
def test_long_efficiency_falls_with_displacement(species: str, slack: float) -> None:
    """Of muons, the measured table itself rises by 0.014 from 1.5 to 2.5 m."""
    found = long_probability(species, np.full(60, 20 * GEV), 3.0, np.linspace(0, 2800, 60))
    assert np.all(found <= np.minimum.accumulate(found) + slack)


# --- track quality --------------------------------------------------------------------------------------


def test_a24_chi2(long_hadrons: Reconstructed) -> None:
    chi2 = long_hadrons.residuals[:, 6]
    assert np.median(chi2) == pytest.approx(1.03, abs=0.06)
    assert np.quantile(chi2, 0.95) == pytest.approx(1.77, abs=0.25)


def test_a25_degrees_of_freedom(long_hadrons: Reconstructed) -> None:
    upstream = Reconstructed(14, pop.prompt(np.random.default_rng(15), N, p=(2 * GEV, 10 * GEV)), "upstream")
    pions = pop.k0s_pions(np.random.default_rng(16), N)
    downstream = Reconstructed(17, pions, "downstream")
    assert np.median(long_hadrons.residuals[:, 7]) == pytest.approx(32.2, abs=2)
    assert np.median(upstream.residuals[:, 7]) == pytest.approx(11.5, abs=2)
    assert np.median(downstream.residuals[:, 7]) == pytest.approx(19.7, abs=2)


def test_a26_ghost_probability(long_hadrons: Reconstructed) -> None:
    ghost = long_hadrons.residuals[:, 8]
    assert 0.0025 < np.median(ghost) < 0.010
    assert np.quantile(ghost, 0.95) == pytest.approx(0.091, abs=0.04)
    assert ghost.min() >= 0
    assert ghost.max() < 0.4


def test_quality_variables_are_correlated(long_hadrons: Reconstructed) -> None:
    chi2, n_dof, ghost = long_hadrons.residuals[:, 6:].T
    assert np.corrcoef(chi2, ghost)[0, 1] == pytest.approx(0.5, abs=0.1)
    assert np.corrcoef(n_dof, np.log(long_hadrons.true.slope))[0, 1] == pytest.approx(0.4, abs=0.1)


# --- covariance -----------------------------------------------------------------------------------------


def test_a40_pulls_at_fixed_z() -> None:
    pulls = at_momentum(10).pulls()
    for pull in pulls.T:
        assert 0.8 < half_width(pull) < 1.2
    for position, slope in ((0, 2), (1, 3)):
        assert -0.98 < np.corrcoef(pulls[:, position], pulls[:, slope])[0, 1] < -0.85


@pytest.mark.parametrize(
    ("p", "sigma_x", "sigma_tx", "correlation"),
    [(3, 141.1, 1078, -0.976), (10, 50.5, 358, -0.965), (50, 18.9, 92, -0.924)],
)
def test_reported_errors_of_long_tracks(p: float, sigma_x: float, sigma_tx: float, correlation: float) -> None:
    found = np.median(at_momentum(p).covariance(), axis=0)
    for position, slope in ((0, 2), (1, 3)):
        assert 1e3 * np.exp(found[position] / 2) == pytest.approx(sigma_x, rel=0.3)
        assert 1e6 * np.exp(found[slope] / 2) == pytest.approx(sigma_tx, rel=0.25)
    assert found[6] == pytest.approx(correlation, abs=0.03)
    assert found[9] == pytest.approx(correlation, abs=0.03)


def correlation_matrices(covariance: Array) -> Array:
    matrices = np.tile(np.eye(5), (len(covariance), 1, 1))
    for k, (i, j) in enumerate(PAIRS):
        matrices[:, i, j] = matrices[:, j, i] = covariance[:, 5 + k]
    return matrices


@pytest.mark.parametrize(("species", "track_class"), [("h", "long"), ("e", "long"), ("h", "upstream")])
def test_covariance_is_positive_definite(species: str, track_class: str) -> None:
    found = Reconstructed(18, pop.prompt(np.random.default_rng(19), 50_000, species), track_class)
    assert np.linalg.eigvalsh(correlation_matrices(found.covariance()))[:, 0].min() > 0


def test_covariance_of_downstream_tracks_is_positive_definite() -> None:
    found = Reconstructed(20, pop.k0s_pions(np.random.default_rng(21), 50_000), "downstream")
    assert np.linalg.eigvalsh(correlation_matrices(found.covariance()))[:, 0].min() > 0
    for pull in found.pulls().T:
        assert 0.8 < half_width(pull) < 1.2


# --- the interface --------------------------------------------------------------------------------------

PARTICLE = ["x", "y", "z", "log10_p", "tx", "ty", "eta", "phi", "is_e", "is_mu", "is_h", "charge"]
STATE = ["x", "y", "z", "tx", "ty", "log10_p"]
QUALITY = ["chi2PerDoF", "nDoF", "ghostProb"]
FLAGS = ["is_e", "is_mu", "is_h", "is_long", "is_upstream", "is_downstream"]
IN_NAMES = {
    "acceptance": PARTICLE,
    "efficiency": PARTICLE,
    "resolution": [*STATE, *FLAGS],
    "covariance": [*STATE, *QUALITY, *FLAGS],
}
OUT_NAMES = {
    "acceptance": ["acceptance"],
    "efficiency": ["not_reconstructed", "long", "upstream", "downstream"],
    "resolution": ["dx", "dy", "dz", "dtx", "dty", "dp", *QUALITY],
    "covariance": [f"log_cov{i}{i}" for i in range(5)] + [f"corr{i}{j}" for i, j in PAIRS],
}


@pytest.mark.parametrize("name", NAMES)
def test_info(name: str) -> None:
    info = MODELS[name].info
    assert info.abi == 1
    assert [info.in_names[k].decode() for k in range(info.n_in)] == IN_NAMES[name]
    assert [info.out_names[k].decode() for k in range(info.n_out)] == OUT_NAMES[name]
    assert info.n_random == (128 if name in ("resolution", "covariance") else 0)
    assert b"\n" not in info.origin
    assert b"LHCb 2016" in info.origin
    assert all(info.in_min[k] < info.in_max[k] for k in range(info.n_in))


def sample(name: str, n: int = 400) -> Iterator[tuple[Table, Table | None]]:
    """Inputs and normals for one model, of every class and species."""
    rng = np.random.default_rng(22)
    for species in pop.SPECIES:
        true = pop.prompt(rng, n, species, (0.5 * GEV, 300 * GEV), (1.5, 5.5))
        for track_class in pop.CLASSES:
            normals = rng.standard_normal((n, 128), dtype=np.float32)
            inputs = pop.resolution_input(true, track_class)
            if name == "resolution":
                yield inputs, normals
            elif name == "covariance":
                yield pop.covariance_input(inputs, MODELS["resolution"](inputs, normals)), normals
            else:
                yield pop.particle_input(true), None


@pytest.mark.parametrize("name", NAMES)
def test_a_row_and_a_batch_agree_bit_for_bit(name: str) -> None:
    model = MODELS[name]
    for inputs, normals in sample(name):
        assert model(inputs, normals).tobytes() == model.row_by_row(inputs, normals).tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_independent(name: str) -> None:
    order = np.random.default_rng(23).permutation(400)
    model = MODELS[name]
    for inputs, normals in sample(name):
        shuffled = model(inputs[order], None if normals is None else normals[order])
        assert shuffled.tobytes() == model(inputs, normals)[order].tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_reference_inputs_are_inside_the_declared_ranges(name: str) -> None:
    info = MODELS[name].info
    low, high = (np.array(limit[: info.n_in], np.float32) for limit in (info.in_min, info.in_max))
    true = pop.prompt(np.random.default_rng(24), 1000)
    inputs = pop.resolution_input(true, "long")
    if name == "covariance":
        normals = np.random.default_rng(25).standard_normal((1000, 128), dtype=np.float32)
        inputs = pop.covariance_input(inputs, MODELS["resolution"](inputs, normals))
    if name in ("acceptance", "efficiency"):
        inputs = pop.particle_input(true)
    assert np.mean(np.all((inputs >= low) & (inputs <= high), axis=1)) > 0.99


def test_probabilities_sum_to_one() -> None:
    for inputs, _ in sample("efficiency"):
        found = MODELS["efficiency"](inputs)
        assert np.abs(found.astype(np.float64).sum(axis=1) - 1).max() < 1e-6


WILD = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=200, deadline=None)
@given(st.lists(WILD, min_size=12, max_size=12))
def test_wild_inputs_give_probabilities(values: list[float]) -> None:
    row = np.array([values], np.float32)
    for name in ("acceptance", "efficiency"):
        found = MODELS[name](row)
        assert np.all((found >= 0) & (found <= 1))
        assert name == "acceptance" or abs(found.astype(np.float64).sum() - 1) < 1e-6


@settings(max_examples=200, deadline=None)
@given(
    st.lists(WILD, min_size=12, max_size=12),
    st.lists(WILD, min_size=128, max_size=128) | st.just([50.0] * 128) | st.just([-50.0] * 128),
)
def test_wild_inputs_give_finite_tracks(values: list[float], noise: list[float]) -> None:
    row, normals = np.array([values], np.float32), np.array([noise], np.float32)
    residuals = MODELS["resolution"](row, normals)
    assert np.all(np.isfinite(residuals))
    assert residuals[0, 5] > -(10.0 ** min(max(float(row[0, 5]), 0.0), 8.0))  # p stays positive
    assert 0 <= residuals[0, 8] < 0.4
    row = np.concatenate([row[:, :6], residuals[:, 6:], row[:, 6:]], axis=1)
    covariance = MODELS["covariance"](row, normals)
    assert np.all(np.isfinite(covariance))
    assert np.all(np.abs(covariance[:, 5:]) <= 1)


@pytest.mark.parametrize("track_class", pop.CLASSES)
def test_reconstructed_momentum_is_positive(track_class: str) -> None:
    true = pop.prompt(np.random.default_rng(26), N, "e", (0.1 * GEV, 1000 * GEV))
    assert Reconstructed(27, true, track_class).dp_over_p.min() >= -0.951


def test_muons_are_measured_like_hadrons() -> None:
    rng = np.random.default_rng
    hadrons, muons = (Reconstructed(28, pop.prompt(rng(29), 1000, species)) for species in ("h", "mu"))
    assert np.array_equal(hadrons.residuals, muons.residuals)


def test_only_the_models_are_exported() -> None:
    for hidden in ("track_of", "track_errors_of", "quality_of", "momentum_residual"):
        with pytest.raises(AttributeError, match=hidden):
            getattr(_library, hidden)
